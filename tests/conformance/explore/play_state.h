// SPDX-License-Identifier: MIT
//
// A program that is being played: its objects, its tasks, where its outside is. For play.c, which
// runs it, and its parts play_objects.c and play_steps.c, and for outside.c.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_PLAY_STATE_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_PLAY_STATE_H

#include <poll.h>

#include "cede.h"
#include "tasks/trace.h"
#include "tests/conformance/explore/play.h"

#define PLAY_SCOPES_MAX 8

// Numbers of tasks in a trace: 0 is nobody, one is the reaper's.
#define PLAY_NUMBERS (PROGRAM_TASKS_MAX + 2)

// Bytes of a drain, taken at once.
#define PLAY_DRAIN_BYTES (64U << 10)

// What a NOTE says in `verb`: a step has its kind.
#define PLAY_NOTE_STIMULUS 64
#define PLAY_NOTE_REAP 128

struct play_object {
    int fd;              // -1: empty.
    bool is_closing;     // A close was submitted
    uint64_t close_tick; // in this tick, and for the rest of it the number is still used.
    uint64_t sent_bytes; // Through this object, by whomever.
    struct cede_wakeup *wakeup;
    struct cede_address address; // Of a listener, also when it is closed.
};

struct play_task {
    struct player *player;
    uint8_t index; // In the program.
    bool is_spawned;
    bool is_done;
    uint32_t number; // In the trace: the order of spawning, from 1.
    int object;      // Of the operation that it is in, or -1; for the trace.
    int slot;        // What that accept is to fill, or -1.
    struct pollfd ready; // When that operation could go on; its `fd` is -1 while there is none.
    int scope_count;
    struct cede_handle handle;
    struct cede_scope scopes[PLAY_SCOPES_MAX];
};

struct player {
    const struct program *program;
    struct cede_trace_log *trace;
    bool is_strict;
    bool has_tcp;
    int64_t start_ns; // What times in the trace are relative to.
    uint64_t tick;
    uint64_t idle_tick; // In which the outside was last asked, in normal mode,
    int64_t idle_ns;    // when it was first asked in it,
    int idle_count;     // and how often it has sent the engine to ask once more.
    bool is_spinning;   // The engine has come back far more often than anything happened.
    int next_stimulus;
    uint32_t spawned_count; // Tasks so far, with main and the reaper.
    uint32_t living_count;  // Of those.
    struct cede_wakeup *reaper; // What its task waits for; NULL: there is none.
    struct play_task *by_number[PLAY_NUMBERS]; // NULL: no task of the program.
    int orphan_count;
    int orphans[PROGRAM_STEPS_MAX]; // Open, but no object's any more: their close failed, or it was
                                     // past the engine.
    struct play_task tasks[PROGRAM_TASKS_MAX];
    struct play_object objects[PROGRAM_OBJECTS_MAX];
};

// --- play_objects.c: descriptors ----------------------------------------------------------------

// What is kept from program to program: 0, or -errno.
int play_objects_prepare(void);
void play_objects_forget(void);

// Opens what the program declares, and after the run closes what is still open. 0, or -errno.
int play_objects_open(struct player *player);
void play_objects_close(struct player *player);

// The descriptor of an object, -1 when it is empty.
int play_fd(struct player *player, int object);

// Gives an empty object a descriptor.
void play_fill(struct player *player, int object, int fd);

// A close is being submitted: whether it is the first in this tick, which is to succeed.
bool play_begin_close(struct player *player, int object);

// After something was done to an object past the engine: waits until loopback has delivered it.
void play_let_arrive(const struct player *player, int object);

// A fresh socket in an empty slot, for a connect: 0; -EEXIST when it is not empty; -EINVAL when
// `listener` is none; or -errno of socket(2).
int play_open_socket(struct player *player, int slot, int listener);

// --- play_bytes.c: what goes through them -------------------------------------------------------

void play_bytes_prepare(void);

// What is sent next through an object: readable for as long as a transfer can be.
const void *play_bytes_to_send(const struct player *player, int object);

// Past the engine, without waiting: how many bytes, or -errno. The digest is of what was moved.
int64_t play_send_now(struct player *player, int object, size_t bytes, uint32_t *ret_digest);
int64_t play_recv_now(struct player *player, int object, void *buffer, size_t bytes,
                      uint32_t *ret_digest);

// --- play_steps.c, play.c -----------------------------------------------------------------------

// Takes all steps of a task, and leaves the scopes that are still open.
void play_steps(struct cede_task *self, struct play_task *task);

// Makes a task of the program known to the trace, before it is spawned; and what is spawned.
void play_begin_task(struct player *player, struct play_task *task);
int play_body(struct cede_task *self, void *task);

// Writes a NOTE. `task` is NULL for the outside.
void play_note(struct player *player, const struct play_task *task, unsigned verb, int object,
               int64_t result, uint32_t digest);

#endif
