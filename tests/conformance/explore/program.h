// SPDX-License-Identifier: MIT
//
// Programs for the oracle, as data: what tasks do with a handful of sockets, and what the outside
// does to them while everybody waits. docs/testing.md explains the text form. A program has no
// branches and no loops: each task takes its steps in order whatever they come to, so a program
// always ends, or is stuck, which ends it too (S12).

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_PROGRAM_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_TASKS_MAX 32
#define PROGRAM_OBJECTS_MAX 32
#define PROGRAM_STEPS_MAX 512
#define PROGRAM_BYTES_MAX (512U << 10) // The longest transfer of a step.
#define PROGRAM_NAME_BYTES 16
#define PROGRAM_FILE_BYTES 100

// What a name stands for. Those that come in twos are declared together, one after the other.
enum object_kind {
    OBJECT_PAIR,          // pair a b: two ends of a unix stream socketpair.
    OBJECT_SMALL_PAIR,    // small-pair a b: the same with the smallest send buffers.
    OBJECT_TCP,           // tcp a b: a connection over loopback; a has connected, b was accepted.
    OBJECT_PIPE,          // pipe a b: a receives, b sends.
    OBJECT_DATAGRAMS,     // datagrams a b: a unix datagram socketpair.
    OBJECT_UNIX_LISTENER, // unix-listener a BACKLOG
    OBJECT_TCP_LISTENER,  // tcp-listener a BACKLOG
    OBJECT_SLOT,          // slot a: nothing yet; for accept and connect.
    OBJECT_WAKEUP,        // wakeup a
    OBJECT_FILE,          // file a: a regular file without a name, of PROGRAM_FILE_BYTES
    OBJECT_UDP_ERROR,     // udp-error a: UDP, with an error in its queue that stays there
    OBJECT_KIND_COUNT,
};

// What a task can do, in the words of the text form.
enum step_kind {
    // With a descriptor; these suspend.
    STEP_WAIT_RECV,  // wait-recv S
    STEP_WAIT_SEND,  // wait-send S
    STEP_RECV,       // recv S BYTES
    STEP_RECV_EXACT, // recv-exact S BYTES
    STEP_RECVMSG,    // recvmsg S BYTES
    STEP_READ,       // read S BYTES
    STEP_ACCEPT,     // accept S SLOT
    STEP_SEND,       // send S BYTES
    STEP_SEND_ALL,   // send-all S BYTES
    STEP_SENDMSG,    // sendmsg S BYTES
    STEP_CONNECT,    // connect SLOT LISTENER
    STEP_CLOSE,      // close S
    STEP_RELEASE,    // release S
    STEP_UNKNOWN,    // unknown S: verb 200
    // Without one; these suspend.
    STEP_WAIT_WAKEUP, // wait-wakeup W
    STEP_SLEEP,       // sleep TIME
    STEP_PAUSE,       // pause
    STEP_JOIN,        // join TASK
    // These do not suspend.
    STEP_SPAWN,        // spawn TASK
    STEP_CANCEL,       // cancel TASK
    STEP_SHUTDOWN,     // shutdown S recv|send|both
    STEP_SCOPE,        // scope, or: scope within TIME
    STEP_LEAVE,        // leave
    STEP_CANCEL_SCOPE, // cancel-scope: the innermost
    STEP_TRY_RECV,     // try-recv S BYTES: recv(2) past the engine
    STEP_TRY_SEND,     // try-send S BYTES
    STEP_SIGNAL,       // signal W
    STEP_KIND_COUNT,
};

// What the outside can do. It acts only when everybody waits, one stimulus at a time.
enum stimulus_kind {
    STIMULUS_PUT,      // put S BYTES: send(2) once
    STIMULUS_TAKE,     // take S BYTES: recv(2) once
    STIMULUS_DRAIN,    // drain S: recv(2) until nothing is left
    STIMULUS_FILL,     // fill S: send(2) until it would block
    STIMULUS_CLOSE,    // close S: close(2); of an end that no task uses
    STIMULUS_SHUTDOWN, // shutdown S recv|send|both: shutdown(2); of an end that no task uses
    STIMULUS_CONNECT,  // connect SLOT LISTENER: socket(2), connect(2), not waited for
    STIMULUS_ACCEPT,   // accept LISTENER SLOT: accept4(2) once
    STIMULUS_SIGNAL,   // signal W
    STIMULUS_STEAL,    // steal S: the number is closed, and the file lives on under another
    STIMULUS_KIND_COUNT,
};

#define PROGRAM_NO_TIME INT64_C(-1)

struct object {
    char name[PROGRAM_NAME_BYTES];
    uint8_t kind;
    uint8_t backlog; // Of a listener.
    bool is_second;  // Of two.
};

struct step {
    uint8_t kind;
    uint8_t object;    // The number of an object, or of a task: spawn, join, cancel.
    uint8_t other;     // The second object, or how of shutdown: 0 recv, 1 send, 2 both.
    uint32_t bytes;
    int64_t within_ns; // The deadline, from now; or how long to sleep. PROGRAM_NO_TIME: none.
};

struct stimulus {
    uint8_t kind;
    uint8_t object;
    uint8_t other;
    uint32_t bytes;
    int64_t at_ns; // Not before what is due earlier has happened. PROGRAM_NO_TIME: at once.
};

struct task_text {
    char name[PROGRAM_NAME_BYTES];
    uint16_t first_step; // Its steps are steps[first_step .. first_step + step_count).
    uint16_t step_count;
};

// Task 0 runs first. The stimuli come in their order.
struct program {
    uint8_t object_count;
    uint8_t task_count;
    uint16_t step_count;
    uint16_t stimulus_count;
    struct object objects[PROGRAM_OBJECTS_MAX];
    struct task_text tasks[PROGRAM_TASKS_MAX];
    struct step steps[PROGRAM_STEPS_MAX];
    struct stimulus stimuli[PROGRAM_STEPS_MAX];
};

// Reads the text form: 0, or -EINVAL with a sentence that names the line.
int program_parse(const char *text, size_t bytes, struct program *ret_program, char *ret_error,
                  size_t error_bytes);

// Writes the text form, cut at `capacity` like snprintf: how long it is.
size_t program_print(const struct program *program, char *ret_text, size_t capacity);

// The same for two programs that are the same, and hardly ever for others.
uint64_t program_hash(const struct program *program);

const char *step_kind_name(enum step_kind kind);
const char *stimulus_kind_name(enum stimulus_kind kind);
const char *object_kind_name(enum object_kind kind);

#endif
