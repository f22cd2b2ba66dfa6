// SPDX-License-Identifier: MIT
//
// Wake-ups from other threads: the one thing in an engine that a foreign thread may touch. A thread
// signals a wakeup; the task that waits for it goes on at the end of the tick, in the order in
// which the signals arrived (T4). Signals do not count: many before one wait are one.

#ifndef CEDE_ENGINE_WAKEUP_H
#define CEDE_ENGINE_WAKEUP_H

#include <stdatomic.h>

#include "engine/operation.h"

struct cede_engine;

struct cede_wakeup {
    struct cede_engine *engine;
    _Atomic(struct cede_wakeup *) next; // In the stack of those signalled.
    atomic_bool is_queued;              // Signalled, and not yet seen by the engine.
    bool is_pending;                    // Seen while nobody waited.
    struct cede_operation *waiting;
};

// The engine's side: an eventfd that a bare wait watches, and the stack of signalled wakeups.
struct cede_wakeups {
    _Atomic(struct cede_wakeup *) signalled;
    int event_fd;                  // -1 until the first wakeup is opened.
    uint32_t open_count;
    struct cede_operation doorbell;
};

// Makes a wakeup on an engine, from the engine's thread: 0, -EMFILE or -ENOMEM. Does not suspend.
// While one is open the engine never reports a deadlock (S12).
int cede_wakeup_create(struct cede_engine *engine, struct cede_wakeup **ret_wakeup);

// From the engine's thread, when no thread is in cede_wakeup_signal or will call it again. Whoever
// waits for it gets -EBADF.
void cede_wakeup_destroy(struct cede_wakeup *wakeup);

// Wakes whoever waits for it, now or next. From any thread, also from a signal handler.
void cede_wakeup_signal(struct cede_wakeup *wakeup);

// For the engine: an operation of verb CEDE_VERB_WAKEUP came in. 0, or -EBUSY if one waits already.
int cede_wakeup_submit(struct cede_operation *op);

// For the engine: the operation was cut off.
void cede_wakeup_cut_off(struct cede_operation *op);

// For the engine: the doorbell has ended, and no task must get it.
void cede_wakeups_retract(struct cede_engine *engine);

// For the engine: the doorbell rang. Ends what was waited for, in order of arrival.
void cede_wakeups_answer(struct cede_engine *engine);

// For the engine: no wakeup is open any more; gives the eventfd back.
void cede_wakeups_close(struct cede_engine *engine);

#endif
