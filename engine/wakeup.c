// SPDX-License-Identifier: MIT
//
// A stack that any thread can push to and the engine empties whole, and an eventfd to wake it. Only
// the push that finds the stack empty rings: one system call for any number of signals in between.

#include "engine/wakeup.h"

#include <errno.h>

#include "engine/check.h"
#include "engine/engine_state.h"

void cede_wakeups_retract(struct cede_engine *engine)
{
    struct cede_operation *doorbell = &engine->wakeups.doorbell;
    cede_check(doorbell->state == CEDE_ENDED);
    cede_operation_remove(&engine->ended[doorbell->end_class], doorbell);
    doorbell->state = CEDE_PREPARED;
}

// 0, or why the engine does not take it.
static int watch_doorbell(struct cede_engine *engine)
{
    struct cede_operation *doorbell = &engine->wakeups.doorbell;
    cede_operation_prepare(doorbell, CEDE_VERB_WAIT_RECV, engine->wakeups.event_fd);
    cede_engine_submit(engine, doorbell);
    if (doorbell->state != CEDE_ENDED)
        return 0;
    cede_wakeups_retract(engine);
    return (int)doorbell->result;
}

// The eventfd, from the first wakeup to the end of the engine: 0, or -errno.
static int hang_up_doorbell(struct cede_engine *engine)
{
    if (engine->wakeups.event_fd >= 0)
        return 0;
    int fd = cede_sys_eventfd();
    if (fd < 0)
        return fd;
    engine->wakeups.event_fd = fd;
    int error = watch_doorbell(engine);
    if (error < 0) {
        cede_sys_close(fd);
        engine->wakeups.event_fd = -1;
    }
    return error;
}

int cede_wakeup_create(struct cede_engine *engine, struct cede_wakeup **ret_wakeup)
{
    struct cede_wakeup *wakeup = cede_sys_allocate(sizeof *wakeup);
    if (!wakeup)
        return -ENOMEM;
    int error = hang_up_doorbell(engine);
    if (error < 0) {
        cede_sys_free(wakeup);
        return error;
    }
    wakeup->engine = engine;
    engine->wakeups.open_count++;
    *ret_wakeup = wakeup;
    return 0;
}

// Whether the stack was empty before.
static bool push(struct cede_wakeups *wakeups, struct cede_wakeup *wakeup)
{
    struct cede_wakeup *top = atomic_load(&wakeups->signalled);
    do
        atomic_store(&wakeup->next, top);
    while (!atomic_compare_exchange_weak(&wakeups->signalled, &top, wakeup));
    return top == NULL;
}

void cede_wakeup_signal(struct cede_wakeup *wakeup)
{
    if (atomic_exchange(&wakeup->is_queued, true))
        return;
    struct cede_wakeups *wakeups = &wakeup->engine->wakeups;
    if (!push(wakeups, wakeup))
        return;
    // The counter cannot overflow: it is rung once for each time that the engine empties the stack.
    uint64_t one = 1;
    cede_sys_write(wakeups->event_fd, &one, sizeof one);
}

// Ends the operation that waits, or notes the signal for the next one.
static void deliver(struct cede_wakeup *wakeup)
{
    struct cede_operation *op = wakeup->waiting;
    wakeup->is_pending = op == NULL;
    if (!op)
        return;
    wakeup->waiting = NULL;
    op->end_class = CEDE_CLASS_WAKEUP;
    cede_engine_end(wakeup->engine, op, 0);
}

static struct cede_wakeup *take_in_order_of_arrival(struct cede_wakeups *wakeups)
{
    struct cede_wakeup *newest_first = atomic_exchange(&wakeups->signalled, NULL);
    struct cede_wakeup *oldest_first = NULL;
    while (newest_first) {
        struct cede_wakeup *next = atomic_load(&newest_first->next);
        atomic_store(&newest_first->next, oldest_first);
        oldest_first = newest_first;
        newest_first = next;
    }
    return oldest_first;
}

static void deliver_all(struct cede_wakeups *wakeups)
{
    struct cede_wakeup *wakeup = take_in_order_of_arrival(wakeups);
    while (wakeup) {
        // Once it is no longer queued another thread may link it anew.
        struct cede_wakeup *next = atomic_load(&wakeup->next);
        atomic_store(&wakeup->is_queued, false);
        deliver(wakeup);
        wakeup = next;
    }
}

void cede_wakeups_answer(struct cede_engine *engine)
{
    cede_wakeups_retract(engine);
    // Silence the bell before looking: a signal that comes in between rings it again.
    uint64_t rings;
    cede_sys_read(engine->wakeups.event_fd, &rings, sizeof rings);
    deliver_all(&engine->wakeups);
    watch_doorbell(engine);
}

int cede_wakeup_submit(struct cede_operation *op)
{
    struct cede_wakeup *wakeup = op->as.wakeup;
    if (wakeup->waiting)
        return -EBUSY;
    wakeup->waiting = op;
    op->state = CEDE_IDLE;
    if (wakeup->is_pending)
        deliver(wakeup);
    return 0;
}

void cede_wakeup_cut_off(struct cede_operation *op)
{
    cede_check(op->as.wakeup->waiting == op);
    op->as.wakeup->waiting = NULL;
}

// Takes one wakeup out of the stack. The others go back: their bell is still to be heard.
static void unqueue(struct cede_wakeup *wakeup)
{
    struct cede_wakeups *wakeups = &wakeup->engine->wakeups;
    struct cede_wakeup *here = take_in_order_of_arrival(wakeups);
    while (here) {
        struct cede_wakeup *next = atomic_load(&here->next);
        if (here != wakeup)
            push(wakeups, here);
        here = next;
    }
}

void cede_wakeup_destroy(struct cede_wakeup *wakeup)
{
    if (!wakeup)
        return;
    if (atomic_load(&wakeup->is_queued))
        unqueue(wakeup);
    if (wakeup->waiting)
        cede_engine_end(wakeup->engine, wakeup->waiting, -EBADF);
    wakeup->engine->wakeups.open_count--;
    cede_sys_free(wakeup);
}

void cede_wakeups_close(struct cede_engine *engine)
{
    struct cede_wakeups *wakeups = &engine->wakeups;
    cede_check(wakeups->open_count == 0);
    if (wakeups->event_fd < 0)
        return;
    struct cede_operation_list one = cede_operation_list_of(&wakeups->doorbell);
    if (wakeups->doorbell.state == CEDE_PARKED)
        engine->backend->cancel(engine->backend_state, &one);
    // A backend that died has given it back already.
    if (wakeups->doorbell.state != CEDE_PREPARED)
        cede_engine_end(engine, &wakeups->doorbell, 0);
    engine->backend->forget(engine->backend_state, wakeups->event_fd);
    cede_sys_close(wakeups->event_fd);
    wakeups->event_fd = -1;
}
