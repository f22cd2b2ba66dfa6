// SPDX-License-Identifier: MIT
//
// What goes out: T2 to T4 of the specification, in that order and under those names.
//
//   T2 attempt   what was submitted since the last tick goes to the backend, receivers by ticket,
//                then senders by ticket; then closes by ticket are carried out here
//   T3 poll      the backend is asked what else has ended; only here may the thread sleep
//   last tries   what is cancelled or due is taken back and tried once more (S15)
//   T4 wake      all that ended is handed back, class by class
//
// Normal mode asks once a tick, and not even that while T2 alone keeps the tasks busy. Strict mode
// asks until an answer brings nothing, so that what a tick sees does not depend on the backend.

#include <errno.h>

#include "engine/attempt.h"
#include "engine/check.h"
#include "engine/engine_state.h"
#include "engine/poison.h"

static struct cede_operation *operation_of(struct cede_timer *timer)
{
    return (struct cede_operation *)((char *)timer - offsetof(struct cede_operation, timer));
}

// --- T2 -----------------------------------------------------------------------------------------

static void submit_all(struct cede_engine *engine)
{
    struct cede_operation_list waits = {.first = NULL};
    for (int class = CEDE_CLASS_RECEIVER; class <= CEDE_CLASS_SENDER; class++) {
        struct cede_operation_list *list = &engine->submitted[class];
        // Already sorted, unless something was resubmitted.
        cede_operation_sort_by_ticket(list);
        CEDE_OPERATIONS_EACH(op, next, list->first)
        {
            // What has nothing to try is first looked at in T3, after all that was tried.
            if (engine->options.strict && cede_attempt_is_none(op))
                cede_operation_append(&waits, op);
            else
                engine->backend->submit(engine->backend_state, op);
        }
        *list = (struct cede_operation_list){.first = NULL};
    }
    CEDE_OPERATIONS_EACH(op, next, waits.first)
        engine->backend->submit(engine->backend_state, op);
}

// Takes an operation off the engine's own lists, if it is on one. Roused from its rest in this very
// tick it is on its way to the next T2.
static void unlist(struct cede_engine *engine, struct cede_operation *op)
{
    if (op->state == CEDE_RESTING)
        cede_operation_remove(&engine->resting, op);
    else if (op->state == CEDE_SUBMITTED)
        cede_operation_remove(&engine->submitted[op->class], op);
}

// Takes everything that the backend has on the descriptors to be closed back at once: what one
// close brings about must not end an operation that the next is about to end.
static void take_back_closing(struct cede_engine *engine)
{
    struct cede_operation_list parked = {.first = NULL};
    CEDE_OPERATIONS_EACH(closer, next, engine->submitted[CEDE_CLASS_CLOSER].first)
    {
        struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, closer->fd);
        if (!slot || slot->generation != closer->generation)
            continue;
        for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++) {
            struct cede_operation *op = slot->waiting[direction];
            if (!op || op->state != CEDE_PARKED)
                continue;
            op->state = CEDE_EVICTED;
            cede_operation_append(&parked, op);
        }
    }
    if (parked.first && !engine->failure)
        engine->backend->cancel(engine->backend_state, &parked);
}

// Ends every operation on a descriptor with -EBADF. Those that the backend has ended, and not
// handed over yet, keep their results and lose only their place in the table.
static void evict(struct cede_engine *engine, struct cede_descriptor *slot)
{
    for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++) {
        struct cede_operation *op = slot->waiting[direction];
        if (!op)
            continue;
        unlist(engine, op);
        if (op->state != CEDE_ENDED) {
            cede_engine_end(engine, op, -EBADF);
            continue;
        }
        slot->waiting[direction] = NULL;
        engine->with_descriptor--;
        cede_unpoison(op);
    }
}

static void let_go(struct cede_engine *engine, struct cede_descriptor *slot, int fd)
{
    evict(engine, slot);
    if (!engine->failure)
        engine->backend->forget(engine->backend_state, fd);
    cede_descriptors_retire(slot);
}

static int64_t carry_out_close(struct cede_engine *engine, struct cede_operation *op)
{
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, op->fd);
    // An earlier close of this tick was first: the number is no longer what it was.
    if (slot && slot->generation != op->generation)
        return -EBADF;
    bool is_receiving_over = slot && slot->is_receiving_over;
    if (slot)
        let_go(engine, slot, op->fd);
    if (op->verb == CEDE_VERB_RELEASE) {
        slot->is_receiving_over = is_receiving_over;
        return 0;
    }
    int result = cede_sys_close(op->fd);
    cede_engine_rouse_acceptors(engine);
    return result;
}

static void carry_out_closes(struct cede_engine *engine)
{
    struct cede_operation *op;
    take_back_closing(engine);
    while ((op = cede_operation_take_first(&engine->submitted[CEDE_CLASS_CLOSER])))
        cede_engine_end(engine, op, carry_out_close(engine, op));
}

// --- T3 -----------------------------------------------------------------------------------------

static bool has_ended(const struct cede_engine *engine)
{
    for (int class = 0; class < CEDE_CLASS_COUNT; class++)
        if (engine->ended[class].first)
            return true;
    return false;
}

static bool has_due(const struct cede_engine *engine)
{
    return cede_timers_next_ns(&engine->timers) <= engine->now_ns;
}

static void read_clock(struct cede_engine *engine)
{
    if (!engine->options.strict)
        engine->now_ns = cede_sys_now_ns();
}

// The backend is done with an operation: it has ended, or it has to rest.
static void take_back(struct cede_engine *engine, struct cede_operation *op)
{
    if (op == &engine->wakeups.doorbell) {
        cede_engine_end(engine, op, op->result);
        cede_wakeups_answer(engine);
    } else if (op->result >= 0 || !cede_engine_rests(engine, op)) {
        cede_engine_end(engine, op, op->result);
    }
}

// Asks the backend once: 1 when that brought something, 0 when not, or -errno.
static int ask(struct cede_engine *engine, int64_t timeout_ns, bool may_skip_poll)
{
    struct cede_operation_list ended = {.first = NULL};
    engine->counters.answers++;
    engine->counters.sleeps += timeout_ns > 0;
    int progress =
        engine->backend->wait(engine->backend_state, timeout_ns, may_skip_poll, &ended);
    // If the kernel was not asked, no deadline falls due either: the ready count as ready (S13).
    if (!may_skip_poll || !ended.first) {
        read_clock(engine);
        engine->resumed = 0;
    }
    CEDE_OPERATIONS_EACH(op, next, ended.first)
        take_back(engine, op);
    return progress;
}

// Asks without sleeping; in strict mode until an answer brings nothing. 0, or -errno.
static int settle(struct cede_engine *engine, bool may_skip_poll)
{
    int progress;
    do
        progress = ask(engine, 0, may_skip_poll && !engine->options.strict);
    while (progress > 0 && engine->options.strict);
    return progress < 0 ? progress : 0;
}

static bool may_sleep(const struct cede_engine *engine, bool is_runnable)
{
    bool has_submitted = engine->submitted[CEDE_CLASS_RECEIVER].first ||
                         engine->submitted[CEDE_CLASS_SENDER].first;
    return !is_runnable && !has_submitted && !has_ended(engine) && !has_due(engine);
}

// Whether nothing that is here, and will never be due, can ever end (S12). In strict mode the idle
// function, which has nothing left, was the only one that could have made a descriptor ready.
static bool is_dead(const struct cede_engine *engine)
{
    // The doorbell is a wait like any other, but nobody rings it when no wakeup is open.
    uint32_t doorbells = engine->wakeups.event_fd >= 0;
    bool can_become_ready = engine->with_descriptor > doorbells && !engine->options.strict;
    return !can_become_ready && engine->wakeups.open_count == 0;
}

// Nothing is left to do now: lets time pass until something is. 0, or -errno.
static int sleep_until_something_happens(struct cede_engine *engine, bool may_skip_poll)
{
    const struct cede_options *options = &engine->options;
    int64_t next_ns =
        cede_engine_rests_for_ever(engine) ? CEDE_NEVER : cede_timers_next_ns(&engine->timers);
    if (options->idle && options->idle(options->idle_argument, next_ns)) {
        engine->vain_rests = 0;
        return settle(engine, false);
    }
    if (next_ns == CEDE_NEVER && is_dead(engine))
        return -EDEADLK;
    if (next_ns == CEDE_NEVER) {
        int progress = ask(engine, CEDE_NEVER, may_skip_poll);
        return progress > 0 && options->strict ? settle(engine, false) : progress;
    }
    if (options->strict) {
        engine->now_ns = next_ns;
        return 0;
    }
    return ask(engine, next_ns - engine->now_ns, may_skip_poll);
}

static int poll(struct cede_engine *engine, bool is_runnable)
{
    read_clock(engine);
    bool may_skip_poll = !engine->options.strict && !has_due(engine) &&
                         engine->resumed < engine->options.limits.resumptions;
    bool has_stimuli = engine->options.strict || engine->options.idle;
    int error = 0;
    // Whoever will sleep anyway asks in the same call; strict mode and stimuli need to know first.
    if (has_stimuli || !may_sleep(engine, is_runnable))
        error = settle(engine, may_skip_poll);
    while (error >= 0 && may_sleep(engine, is_runnable)) {
        error = sleep_until_something_happens(engine, may_skip_poll);
        if (!has_stimuli)
            break;
    }
    return error;
}

// --- Last tries ---------------------------------------------------------------------------------

// Takes out of the heap what is cancelled or due: what the backend holds, and the rest. A back-off
// that is over is no end.
static void take_due(struct cede_engine *engine, struct cede_operation_list *ret_parked,
                     struct cede_operation_list *ret_others)
{
    struct cede_timer *timer;
    while ((timer = cede_timers_take_due(&engine->timers, engine->now_ns))) {
        struct cede_operation *op = operation_of(timer);
        if (op->state == CEDE_RESTING && !op->cut && op->limit_ns > engine->now_ns) {
            engine->vain_rests++;
            cede_engine_rouse(engine, op);
            continue;
        }
        unlist(engine, op);
        if (!op->cut)
            op->cut = -ETIMEDOUT;
        cede_operation_append(op->state == CEDE_PARKED ? ret_parked : ret_others, op);
    }
}

static bool is_tried_later(const struct cede_operation *a, const struct cede_operation *b)
{
    return a->end_class != b->end_class ? a->end_class > b->end_class : a->ticket > b->ticket;
}

// Tries what moves data once more; whatever that does not end is cut off (S15).
static void try_last(struct cede_engine *engine, struct cede_operation *op)
{
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, op->fd);
    bool may_try = cede_verb_moves_data((enum cede_verb)op->verb) && !op->is_last_tried;
    if (may_try &&
        cede_attempt(op, slot, false, engine->options.strict) == CEDE_ATTEMPT_ENDED &&
        !cede_attempt_is_shortage(op)) {
        // It found something, so the wakes in vain before it are in a row no more (S2).
        slot->vain_wakes[cede_operation_direction(op)] = 0;
        cede_engine_end(engine, op, op->result);
        return;
    }
    if (op->verb == CEDE_VERB_WAKEUP)
        cede_wakeup_cut_off(op);
    if (op->cut == -ETIMEDOUT)
        op->end_class = CEDE_CLASS_DEADLINE;
    // Its own deadline is what a sleep waits for; a scope's that came first cuts it off.
    bool is_slept = op->verb == CEDE_VERB_PARK && op->cut == -ETIMEDOUT &&
                    op->limit_ns == op->deadline_ns;
    cede_engine_end(engine, op, is_slept ? 0 : op->cut);
}

// Takes back what the backend holds of the list. What had ended before that comes with its own
// result, into the lists of T4. 0, or -errno.
static int take_from_backend(struct cede_engine *engine, struct cede_operation_list *parked)
{
    if (!parked->first || engine->backend->cancel(engine->backend_state, parked) == 0)
        return 0;
    int progress = ask(engine, 0, true);
    return progress < 0 ? progress : 0;
}

// 0, or -errno.
static int cut_off_due(struct cede_engine *engine)
{
    struct cede_operation_list parked = {.first = NULL};
    struct cede_operation_list cut = {.first = NULL};
    take_due(engine, &parked, &cut);
    int error = take_from_backend(engine, &parked);
    cede_operation_append_all(&cut, &parked);
    cede_operation_sort(&cut, is_tried_later);
    struct cede_operation *op;
    while ((op = cede_operation_take_first(&cut)))
        try_last(engine, op);
    return error;
}

// --- T4 -----------------------------------------------------------------------------------------

static bool is_due_later(const struct cede_operation *a, const struct cede_operation *b)
{
    return a->limit_ns != b->limit_ns ? a->limit_ns > b->limit_ns : a->ticket > b->ticket;
}

static void wake(struct cede_engine *engine, struct cede_operation_list *ended)
{
    if (has_ended(engine)) {
        engine->counters.ticks++;
        engine->vain_rests = 0;
    }
    for (int class = 0; class < CEDE_CLASS_COUNT; class++) {
        struct cede_operation_list *list = &engine->ended[class];
        if (class == CEDE_CLASS_DEADLINE)
            cede_operation_sort(list, is_due_later);
        else if (class != CEDE_CLASS_WAKEUP)
            cede_operation_sort_by_ticket(list);
        cede_operation_append_all(ended, list);
    }
}

// The backend is dead. What it held ends with the error, so that the tasks can unwind.
static void fail(struct cede_engine *engine, int error)
{
    engine->failure = error;
    for (int fd = 0; fd < engine->descriptors.used_count; fd++) {
        struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, fd);
        for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++) {
            struct cede_operation *op = slot->waiting[direction];
            if (op && op->state == CEDE_RESTING)
                cede_operation_remove(&engine->resting, op);
            if (op && op->state != CEDE_SUBMITTED)
                cede_engine_end(engine, op, error);
            if (op == &engine->wakeups.doorbell)
                cede_wakeups_retract(engine);
        }
    }
}

// T2 and T3 without a backend.
static void attempt_and_poll_nothing(struct cede_engine *engine)
{
    read_clock(engine);
    for (int class = CEDE_CLASS_RECEIVER; class <= CEDE_CLASS_SENDER; class++) {
        struct cede_operation *op;
        while ((op = cede_operation_take_first(&engine->submitted[class])))
            cede_engine_end(engine, op, engine->failure);
    }
    carry_out_closes(engine);
}

int cede_engine_tick(struct cede_engine *engine, bool is_runnable, uint32_t resumed,
                     struct cede_operation_list *ended)
{
    engine->resumed += resumed;
    int error = engine->failure;
    if (error) {
        attempt_and_poll_nothing(engine);
    } else {
        submit_all(engine);
        carry_out_closes(engine);
        error = poll(engine, is_runnable);
    }
    int cut_error = cut_off_due(engine);
    if (error >= 0)
        error = cut_error;
    if (error < 0 && error != -EDEADLK && !engine->failure)
        fail(engine, error);
    wake(engine, ended);
    return error < 0 ? error : 0;
}
