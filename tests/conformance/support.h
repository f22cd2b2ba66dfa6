// SPDX-License-Identifier: MIT
//
// What claims are written with: a run on the backend in question, tasks that ask for one operation
// each, stimuli that come when nothing is left to do, and a record of who went on when. A claim has
// a process of its own (suite.c), so the state behind these functions is plain global state.

#ifndef CEDE_TESTS_CONFORMANCE_SUPPORT_H
#define CEDE_TESTS_CONFORMANCE_SUPPORT_H

#include "cede.h"
#include "engine/engine.h"
#include "tests/conformance/claims.h"

#define MILLISECOND CEDE_NANOSECONDS_PER_MILLISECOND
#define SECOND CEDE_NANOSECONDS_PER_SECOND

// --- Requirements -------------------------------------------------------------------------------

// A claim that does not hold ends its process at once, from whatever stack it is on.
_Noreturn void claim_failed(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void claim_same_number(const char *file, int line, const char *what, int64_t found,
                       int64_t expected);
void claim_same_text(const char *file, int line, const char *what, const char *found,
                     const char *expected);

#define require(condition)                                                                         \
    ((condition) ? (void)0 : claim_failed(__FILE__, __LINE__, "%s does not hold", #condition))
#define require_number(found, expected)                                                            \
    claim_same_number(__FILE__, __LINE__, #found, (int64_t)(found), (int64_t)(expected))
#define require_text(found, expected)                                                              \
    claim_same_text(__FILE__, __LINE__, #found, found, expected)

// --- Running ------------------------------------------------------------------------------------

// Runs body(task, argument) on the backend, in strict or in normal mode; the result of cede_run.
int run_strictly(const struct fixture *fixture, cede_body *body, void *argument);
int run_normally(const struct fixture *fixture, cede_body *body, void *argument);

// The same with other options; backend, stimuli and log are filled in.
int run_with(const struct fixture *fixture, struct cede_options *options, cede_body *body,
             void *argument);

// Of the engine that was opened last, while it is open.
const struct cede_engine_counters *counters(void);

// Everything the engine has logged, a line each.
const char *logged(void);

// Called with each line, inside the tick that logs it. NULL: nobody.
void when_logged(void (*function)(void *argument), void *argument);

// --- Time and stimuli ---------------------------------------------------------------------------

// Suspends for exactly one tick, which never sleeps.
void next_tick(struct cede_task *self);

// Queues a stimulus: one is made each time that the engine would sleep, in the order of the queue.
void when_idle(void (*stimulus)(void *argument), void *argument);

// --- Asking -------------------------------------------------------------------------------------

#define NOT_ENDED INT64_MIN

// One operation, which a task of its own asks for. Lives until that task is done.
struct request {
    const char *name; // Of the task; recorded when it goes on.
    enum cede_verb verb;
    int fd;
    int64_t deadline_ns;                // 0: none.
    size_t bytes;                       // Of the data; 0: 1 byte, or
    bool has_no_bytes;                  // really none.
    const void *source;                 // To send; NULL: zeros.
    void *destination;                  // To receive into; NULL: `buffer`.
    const struct cede_address *address; // To connect to.
    struct cede_wakeup *wakeup;

    char buffer[64];
    int64_t result; // NOT_ENDED until it has ended, and then
    int64_t ended_ns; // when that was.
    struct cede_operation op;
    struct cede_handle task;
};

// Starts the task. It asks when its turn comes.
void ask(struct cede_task *self, struct request *request);

// The same, and lets a tick pass, or more in normal mode, after which the operation is parked
// unless it has ended.
void ask_and_park(struct cede_task *self, struct request *request);

// Prepares the operation of a request, for a task that asks for it itself.
void prepare(struct request *request);

// Waits until the task is done: the result of its operation.
int64_t answer(struct cede_task *self, struct request *request);

// Asks for one operation in the calling task: its result. With one byte, where the verb moves some.
int64_t perform(struct cede_task *self, enum cede_verb verb, int fd);

// Asks for an accept that will not get a descriptor, and lets a millisecond put an end to it.
void accept_in_vain(struct cede_task *self, int listener);

// Cancels the task.
void cancel(struct cede_task *self, struct request *request);

// --- The record ---------------------------------------------------------------------------------

// Appends a word, and gives all words so far, with a blank between two.
void record(const char *word);
const char *recorded(void);

#endif
