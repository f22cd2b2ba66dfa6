// SPDX-License-Identifier: MIT
//
// The engine: takes operations, has a backend carry them out, and hands them back in the order that
// docs/spec.md gives (T2 to T4). It knows descriptors, tickets and deadlines, not tasks; the
// scheduler is its one caller. Nothing here calls into a task, and only cede_engine_tick may put
// the thread to sleep. One thread per engine; engines do not know of each other (S22).

#ifndef CEDE_ENGINE_ENGINE_H
#define CEDE_ENGINE_ENGINE_H

#include "engine/backend.h"
#include "engine/operation.h"
#include "engine/options.h"

struct cede_engine;

// What has happened so far. Reading it costs nothing.
struct cede_engine_counters {
    uint64_t ticks;       // That ended something.
    uint64_t answers;     // Times the backend was asked.
    uint64_t sleeps;      // Answers that it was allowed to wait for.
    uint64_t rests;       // Operations put to rest because their descriptor would spin (S2).
    uint64_t shortages;   // Accepts put to rest for want of descriptors or memory (S19).
};

// Opens an engine on a backend. `options` is not kept; its limits must be filled in (see
// cede_options_fill). 0, or the -errno of what could not be had.
int cede_engine_open(const struct cede_backend *backend, const struct cede_options *options,
                     struct cede_engine **ret_engine);

// Gives everything back. No operation may be in it. Accepts NULL.
void cede_engine_close(struct cede_engine *engine);

// `options` with every zero replaced by its default, for this machine. NULL: all defaults.
struct cede_options cede_options_fill(const struct cede_options *options);

// Takes a prepared operation over. Whatever is wrong with it shows as its result: -EINVAL unknown
// verb (S11), or a blocking descriptor where S24 wants none; -EBADF closed or without that
// direction (S3); -EBUSY somebody waits there (S5); -EMFILE a number beyond the limit; -ENOMEM. It
// ends exactly once, through a later tick.
void cede_engine_submit(struct cede_engine *engine, struct cede_operation *op);

// Takes it over without attempting it: it ends in this tick with `error` (S14).
void cede_engine_refuse(struct cede_engine *engine, struct cede_operation *op, int error);

// Asks for an end with -ECANCELED (S14). What has ended keeps its result, closes always run to
// their end, and what moves data is tried once more (S15).
void cede_engine_cancel(struct cede_engine *engine, struct cede_operation *op);

// Takes back an operation of verb CEDE_VERB_PARK, at once and not through a tick: its owner is
// being woken by other means. False when it has ended already and will come through a tick.
bool cede_engine_withdraw(struct cede_engine *engine, struct cede_operation *op);

// shutdown(2), and the waiters of its direction: bare waits end with 0, others are tried (S8).
int cede_engine_shutdown(struct cede_engine *engine, int fd, int how);

// T2, T3, T4. Sleeps only if nobody is runnable, nothing has ended and nothing is due. `resumed`:
// how many tasks ran since the last tick. Appends what ended to `ended`, in the order of T4; that
// may be nothing. 0; -EDEADLK when nothing that is here can ever end (S12); another -errno when the
// backend is dead.
int cede_engine_tick(struct cede_engine *engine, bool is_runnable, uint32_t resumed,
                     struct cede_operation_list *ended);

// The engine's clock: CLOCK_MONOTONIC, in strict mode the virtual one. Nanoseconds.
int64_t cede_engine_now_ns(const struct cede_engine *engine);

// The time of the current tick: what deadlines are measured against. Never ahead of the above.
int64_t cede_engine_tick_ns(const struct cede_engine *engine);

const char *cede_engine_backend_name(const struct cede_engine *engine);
const struct cede_engine_counters *cede_engine_counters(const struct cede_engine *engine);

// Sends one line to the program's log function, printf-like, cut at 255 bytes.
void cede_engine_log(const struct cede_engine *engine, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
