// SPDX-License-Identifier: MIT
//
// What comes in: operations, cancellations, shutdowns. Each operation gets the next ticket, is
// checked once, and is put in front of T2. tick.c takes it from there.
//
// Invariants:
// 1. An operation is on at most one list: submitted, resting, ended, or one of the backend's.
// 2. in_flight counts the operations that have no result yet; the heap has room for that many.
// 3. descriptors.waiting names an operation from its submission until it has its result.
// 4. submitted[class] is sorted by ticket, but for what was resubmitted since the last tick.

#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/attempt.h"
#include "engine/check.h"
#include "engine/engine_state.h"
#include "engine/poison.h"

#define DEFAULT_TASK_COUNT (1U << 20)
#define DEFAULT_STACK_BYTES ((size_t)64 << 10)
#define DEFAULT_CACHED_STACKS 1024
#define DEFAULT_RESUMPTIONS 256

struct cede_options cede_options_fill(const struct cede_options *options)
{
    struct cede_options filled = options ? *options : (struct cede_options){0};
    struct cede_limits *limits = &filled.limits;
    if (limits->descriptor_count <= 0) {
        int limit = cede_sys_descriptor_limit();
        limits->descriptor_count = limit > 0 ? limit : 1024;
    }
    if (!limits->task_count)
        limits->task_count = DEFAULT_TASK_COUNT;
    if (!limits->stack_bytes)
        limits->stack_bytes = DEFAULT_STACK_BYTES;
    if (!limits->cached_stacks)
        limits->cached_stacks = DEFAULT_CACHED_STACKS;
    if (!limits->resumptions)
        limits->resumptions = DEFAULT_RESUMPTIONS;
    return filled;
}

int cede_engine_open(const struct cede_backend *backend, const struct cede_options *options,
                     struct cede_engine **ret_engine)
{
    cede_check(options->limits.descriptor_count > 0 && options->limits.resumptions > 0);
    struct cede_engine *engine = cede_sys_allocate(sizeof *engine);
    if (!engine)
        return -ENOMEM;
    engine->backend = backend;
    engine->options = *options;
    engine->wakeups.event_fd = -1;
    // The virtual clock of strict mode starts at zero, so that a trace does not depend on the day.
    engine->now_ns = options->strict ? 0 : cede_sys_now_ns();
    engine->warned_ns = engine->now_ns - CEDE_NANOSECONDS_PER_SECOND;

    int error = cede_descriptors_open(options->limits.descriptor_count, &engine->descriptors);
    if (error < 0)
        goto free_engine;
    struct cede_backend_setup setup = {
        .descriptors = &engine->descriptors,
        .strict = options->strict,
    };
    error = backend->open(backend, &setup, &engine->backend_state);
    if (error < 0)
        goto close_descriptors;
    *ret_engine = engine;
    return 0;

close_descriptors:
    cede_descriptors_close(&engine->descriptors);
free_engine:
    cede_sys_free(engine);
    return error;
}

void cede_engine_close(struct cede_engine *engine)
{
    if (!engine)
        return;
    cede_wakeups_close(engine);
    cede_check(engine->in_flight == 0);
    engine->backend->close(engine->backend_state);
    cede_descriptors_close(&engine->descriptors);
    cede_timers_close(&engine->timers);
    cede_sys_free(engine);
}

static bool has_direction(const struct cede_operation *op)
{
    return op->class == CEDE_CLASS_RECEIVER || op->class == CEDE_CLASS_SENDER;
}

void cede_engine_end(struct cede_engine *engine, struct cede_operation *op, int64_t result)
{
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, op->fd);
    if (slot && has_direction(op) && slot->waiting[op->class] == op) {
        slot->waiting[op->class] = NULL;
        engine->with_descriptor--;
        cede_unpoison(op);
    }
    cede_timers_clear(&engine->timers, &op->timer);
    engine->in_flight--;
    op->result = result;
    op->state = CEDE_ENDED;
    cede_operation_append(&engine->ended[op->end_class], op);
}

void cede_engine_resubmit(struct cede_engine *engine, struct cede_operation *op)
{
    op->state = CEDE_SUBMITTED;
    cede_operation_append(&engine->submitted[op->class], op);
}

// Gives the operation its ticket, and makes sure that whatever follows cannot fail for memory.
static int take_over(struct cede_engine *engine, struct cede_operation *op)
{
    cede_check(op->state == CEDE_PREPARED);
    op->class = (uint8_t)cede_verb_class((enum cede_verb)op->verb);
    op->end_class = op->class == CEDE_CLASS_COUNT ? CEDE_CLASS_PARKED : op->class;
    op->ticket = ++engine->ticket;
    engine->in_flight++;
    return cede_timers_reserve(&engine->timers, engine->in_flight);
}

// The verbs that cannot be told not to block but by the descriptor itself (S24).
static bool needs_nonblocking(const struct cede_operation *op)
{
    return op->verb == CEDE_VERB_ACCEPT || op->verb == CEDE_VERB_CONNECT ||
           op->verb == CEDE_VERB_READ;
}

// Puts an operation with a descriptor and a direction into the table: 0, or why not.
static int claim_descriptor(struct cede_engine *engine, struct cede_operation *op)
{
    enum cede_direction direction = cede_operation_direction(op);
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, op->fd);
    if (!slot)
        return op->fd < 0 ? -EBADF : -EMFILE;
    int error = cede_descriptors_learn(slot, op->fd);
    if (error == -ESTALE) {
        cede_engine_log(engine, "descriptor %d was closed behind the engine's back", op->fd);
        error = -EBADF;
    }
    if (error < 0)
        return error;
    if (!slot->may[direction])
        return -EBADF;
    if (needs_nonblocking(op) && !slot->is_nonblocking)
        return -EINVAL;
    if (slot->waiting[direction])
        return -EBUSY;
    cede_descriptors_use(&engine->descriptors, op->fd);
    slot->waiting[direction] = op;
    op->generation = slot->generation;
    engine->with_descriptor++;
    cede_poison(op);
    return 0;
}

// Puts a close or a release in front of T2: 0, or why not.
static int admit_closer(struct cede_engine *engine, struct cede_operation *op)
{
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, op->fd);
    bool must_be_open = op->verb == CEDE_VERB_RELEASE;
    if (op->fd < 0)
        return -EBADF;
    // Nothing can be asked of a number beyond the limit, but it can be got rid of.
    if (!slot)
        return must_be_open ? -EMFILE : 0;
    op->generation = slot->generation;
    return must_be_open && cede_descriptors_learn(slot, op->fd) < 0 ? -EBADF : 0;
}

// T2 tries the operation; what there is no point in trying the backend may have now.
static void put_before_backend(struct cede_engine *engine, struct cede_operation *op)
{
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, op->fd);
    if (slot && cede_attempt_is_pointless(op, slot, engine->options.strict))
        engine->backend->submit(engine->backend_state, op);
    else
        cede_engine_resubmit(engine, op);
}

static int admit(struct cede_engine *engine, struct cede_operation *op)
{
    int error = 0;
    if (has_direction(op))
        error = claim_descriptor(engine, op);
    else if (op->class == CEDE_CLASS_CLOSER)
        error = admit_closer(engine, op);
    else if (op->verb == CEDE_VERB_WAKEUP)
        error = cede_wakeup_submit(op);
    else if (op->verb == CEDE_VERB_PARK)
        op->state = CEDE_IDLE;
    else
        error = -EINVAL;
    if (error == 0 && op->state == CEDE_PREPARED)
        put_before_backend(engine, op);
    return error;
}

void cede_engine_submit(struct cede_engine *engine, struct cede_operation *op)
{
    int error = take_over(engine, op);
    // A close sets no timer and needs no backend: nothing keeps it from its end (S6).
    if (op->class == CEDE_CLASS_CLOSER)
        error = 0;
    else if (error == 0)
        error = engine->failure;
    if (error == 0)
        error = admit(engine, op);
    if (error < 0) {
        cede_engine_end(engine, op, error);
        return;
    }
    // A wakeup that was signalled before has ended its operation already.
    if (op->state != CEDE_ENDED && op->limit_ns != CEDE_NEVER && op->class != CEDE_CLASS_CLOSER)
        cede_timers_set(&engine->timers, &op->timer, op->limit_ns);
}

void cede_engine_refuse(struct cede_engine *engine, struct cede_operation *op, int error)
{
    take_over(engine, op);
    cede_engine_end(engine, op, error);
}

void cede_engine_cancel(struct cede_engine *engine, struct cede_operation *op)
{
    bool is_under_way = op->state != CEDE_PREPARED && op->state != CEDE_ENDED;
    if (!is_under_way || op->cut || op->class == CEDE_CLASS_CLOSER)
        return;
    op->cut = -ECANCELED;
    op->is_last_tried = op->state == CEDE_SUBMITTED;
    // A cancellation is a deadline that is long over: the heap hands it out at the end of T3.
    cede_timers_set(&engine->timers, &op->timer, INT64_MIN);
}

bool cede_engine_withdraw(struct cede_engine *engine, struct cede_operation *op)
{
    cede_check(op->verb == CEDE_VERB_PARK);
    if (op->state != CEDE_IDLE)
        return false;
    cede_timers_clear(&engine->timers, &op->timer);
    op->state = CEDE_PREPARED;
    engine->in_flight--;
    return true;
}

// After a shutdown: a bare wait ends, anything else is tried, whatever the kernel may report.
static void wake_for_shutdown(struct cede_engine *engine, struct cede_operation *op)
{
    bool is_bare_wait = cede_operation_is_bare_wait(op);
    if (op->state == CEDE_RESTING) {
        cede_engine_rouse(engine, op);
    } else if (op->state == CEDE_PARKED) {
        struct cede_operation_list one = cede_operation_list_of(op);
        engine->backend->cancel(engine->backend_state, &one);
        if (op->state == CEDE_PARKED)
            cede_engine_resubmit(engine, op);
    }
    if (op->state == CEDE_SUBMITTED && is_bare_wait) {
        cede_operation_remove(&engine->submitted[op->class], op);
        cede_engine_end(engine, op, 0);
    }
}

int cede_engine_shutdown(struct cede_engine *engine, int fd, int how)
{
    int error = cede_sys_shutdown(fd, how);
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, fd);
    if (error < 0 || !slot)
        return error;
    if (how != SHUT_WR) {
        slot->is_receiving_over = true;
        slot->is_drained = false; // There is an end to receive now.
    }
    if (slot->waiting[CEDE_RECV] && how != SHUT_WR)
        wake_for_shutdown(engine, slot->waiting[CEDE_RECV]);
    if (slot->waiting[CEDE_SEND] && how != SHUT_RD)
        wake_for_shutdown(engine, slot->waiting[CEDE_SEND]);
    return 0;
}

int64_t cede_engine_now_ns(const struct cede_engine *engine)
{
    return engine->options.strict ? engine->now_ns : cede_sys_now_ns();
}

int64_t cede_engine_tick_ns(const struct cede_engine *engine)
{
    return engine->now_ns;
}

const char *cede_engine_backend_name(const struct cede_engine *engine)
{
    return engine->backend->name;
}

const struct cede_engine_counters *cede_engine_counters(const struct cede_engine *engine)
{
    return &engine->counters;
}

void cede_engine_log(const struct cede_engine *engine, const char *format, ...)
{
    if (!engine->options.log)
        return;
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    engine->options.log(engine->options.log_argument, line);
}
