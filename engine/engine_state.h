// SPDX-License-Identifier: MIT
//
// The inside of an engine, shared by the files that make it up: engine.c (what comes in), tick.c
// (what goes out), rest.c (what waits for better times), wakeup.c (other threads). Nobody else.

#ifndef CEDE_ENGINE_ENGINE_STATE_H
#define CEDE_ENGINE_ENGINE_STATE_H

#include "engine/engine.h"
#include "engine/wakeup.h"

// The classes that T2 goes through: receivers, senders, closers.
#define CEDE_SUBMITTED_CLASS_COUNT 3

struct cede_engine {
    const struct cede_backend *backend;
    void *backend_state;
    struct cede_options options;
    struct cede_descriptors descriptors;
    struct cede_timers timers;

    uint64_t ticket;           // The last one given.
    int failure;               // 0, or the -errno with which the backend died.
    int64_t now_ns;            // The time of the current tick.
    uint32_t in_flight;        // Operations taken over that have no result yet.
    uint32_t with_descriptor;  // Of these, the ones that a descriptor can end.
    uint32_t resumed;          // Tasks resumed since the backend was last made to ask the kernel.

    struct cede_operation_list submitted[CEDE_SUBMITTED_CLASS_COUNT]; // For T2.
    struct cede_operation_list resting;                               // In back-off.
    uint32_t vain_rests;  // Rests that were over since an operation last ended.
    struct cede_operation_list ended[CEDE_CLASS_COUNT];               // For T4.

    struct cede_wakeups wakeups;
    struct cede_engine_counters counters;
    int64_t warned_ns;          // When the last shortage was logged, and
    uint64_t warned_shortages;  // how many there had been.
};

// Gives an operation its result and puts it where T4 finds it. The engine lets go of its
// descriptor.
void cede_engine_end(struct cede_engine *engine, struct cede_operation *op, int64_t result);

// Puts an operation that the backend knew back in front of T2, with its old ticket.
void cede_engine_resubmit(struct cede_engine *engine, struct cede_operation *op);

// Whether what the backend handed back did not end but has to rest; then it now does (S2, S19).
bool cede_engine_rests(struct cede_engine *engine, struct cede_operation *op);

// Ends the rest of one operation, or, when a descriptor was closed, of every accept (S19).
void cede_engine_rouse(struct cede_engine *engine, struct cede_operation *op);
void cede_engine_rouse_acceptors(struct cede_engine *engine);

// Whether nothing is left but what rests, and each has tried often enough: in strict mode there is
// no outside that could make it better (S12).
bool cede_engine_rests_for_ever(const struct cede_engine *engine);

#endif
