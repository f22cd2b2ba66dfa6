// SPDX-License-Identifier: MIT
//
// A program in the making. Steps are invented in the order in which they could happen, each for
// some task; a task is spawned just before its first step, by one that runs already, so that nearly
// all tasks run. The rules of strict programs are kept here, whatever the inventors ask for. Called
// by the other generate units.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_DRAFT_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/conformance/explore/program.h"

// So much may be sent in a direction of a TCP connection, in all: less than what may be unread.
#define DRAFT_TCP_BYTES 4096

#define DRAFT_TIMES 5

struct draft {
    uint64_t random; // The state of the numbers.
    struct program *program;
    unsigned step_limit; // How long the program may become.
    bool has_tcp_listener;
    bool is_spawned[PROGRAM_TASKS_MAX];
    uint8_t spawners[PROGRAM_TASKS_MAX];
    bool is_of_outside[PROGRAM_OBJECTS_MAX]; // No task names it, and so the outside may close it.
    uint8_t peers[PROGRAM_OBJECTS_MAX];      // The other end, as far as one knows; else itself.
    uint32_t budgets[PROGRAM_OBJECTS_MAX];   // Bytes that may still be sent.
    uint32_t connects[PROGRAM_OBJECTS_MAX];  // To a listener.
    uint32_t waits[PROGRAM_OBJECTS_MAX][2];  // Bare ones, by direction.
    bool is_recv_shut[PROGRAM_OBJECTS_MAX];  // Some task shuts it down so.
    int64_t times_ns[DRAFT_TIMES];           // Few, so that some are equal.
    unsigned step_count;
    uint8_t owners[PROGRAM_STEPS_MAX];
    struct step steps[PROGRAM_STEPS_MAX]; // In the order of invention.
};

// An empty draft of an empty program. `ret_program` is written by the other functions.
void draft_begin(uint64_t random, struct program *ret_program, struct draft *ret_draft);

// Puts the steps in the order of tasks. The program is legal then.
void draft_finish(struct draft *draft);

// --- Choosing -----------------------------------------------------------------------------------
//
// C leaves open in which order the arguments of a call are evaluated, and so which of two gets the
// first number: no call takes two of these.

// A number below `bound`, which is not 0.
unsigned draft_below(struct draft *draft, unsigned bound);

bool draft_chance(struct draft *draft, unsigned percent);

// An index into weights, each as likely as its weight; not all are 0.
unsigned draft_weighted(struct draft *draft, const uint8_t *weights, unsigned count);

// One of the program's few times.
int64_t draft_time(struct draft *draft);

// A task that is `not`; any if there is but one.
unsigned draft_other_task(struct draft *draft, unsigned not);

// --- Declaring ----------------------------------------------------------------------------------

// Declares an object, or the two ends of one: the number of the first.
unsigned draft_object(struct draft *draft, enum object_kind kind, uint8_t backlog);

// Declares the tasks; the first is spawned.
void draft_tasks(struct draft *draft, unsigned count);

static inline enum object_kind draft_kind(const struct draft *draft, unsigned object)
{
    return (enum object_kind)draft->program->objects[object].kind;
}

// Whether a unix stream socket, or what may become one: the only place for large transfers.
bool draft_is_for_large(const struct draft *draft, unsigned object);

// --- Inventing ----------------------------------------------------------------------------------

static inline struct step draft_step(enum step_kind kind, unsigned object)
{
    return (struct step){
        .kind = (uint8_t)kind, .object = (uint8_t)object, .within_ns = PROGRAM_NO_TIME};
}

static inline struct step draft_transfer(enum step_kind kind, unsigned object, unsigned bytes)
{
    struct step step = draft_step(kind, object);
    step.bytes = bytes;
    return step;
}

static inline struct step draft_timed(enum step_kind kind, int64_t within_ns)
{
    struct step step = draft_step(kind, 0);
    step.within_ns = within_ns;
    return step;
}

static inline struct step draft_of_two(enum step_kind kind, unsigned object, unsigned other)
{
    struct step step = draft_step(kind, object);
    step.other = (uint8_t)other;
    return step;
}

// Spawns a task if it is not.
void draft_spawn(struct draft *draft, unsigned task);

// Gives a task a step, after the spawn that it may need. False when the program is full.
bool draft_add(struct draft *draft, unsigned task, struct step step);

// Appends a stimulus; one that is not legal is dropped.
void draft_stimulate(struct draft *draft, struct stimulus stimulus);

#endif
