// SPDX-License-Identifier: MIT
//
// The trace: everything that tasks can observe, and the schedule, in the order in which it
// happened. The scheduler reports events to options.trace while there is one; this unit gives them
// a compact binary form, which the tests' reference model reads and writes too. It knows neither
// tasks nor the engine. The text form is in tasks/trace_text.h.
//
//     struct cede_trace_log log = {0};
//     struct cede_options options = {.trace = cede_trace_record, .trace_argument = &log};
//
// The binary form is a sequence of events without a header. An event is one byte, its kind, and
// then the fields of that kind in the order in which struct cede_trace_event lists them, each as a
// LEB128 number of seven bits a byte, lowest first, in as few bytes as it needs; signed fields are
// zigzag-coded before (0, -1, 1, -2 become 0, 1, 2, 3). A name is its length and its bytes. So two
// traces are equal if and only if their bytes are.

#ifndef CEDE_TASKS_TRACE_H
#define CEDE_TASKS_TRACE_H

#include <stddef.h>
#include <stdint.h>

// Which fields an event has stands beside its kind. `task` is the number of the running task, in
// order of spawning from 1; 0 is nobody: the outside, or the run itself.
enum cede_trace_kind {
    CEDE_TRACE_TICK = 1, // now_ns. A T4 that woke somebody; what follows is its T1.
    CEDE_TRACE_SPAWN,    // task, other (the new one, or 0), result, name.
    CEDE_TRACE_SUBMIT,   // task, verb, object, bytes (asked for), deadline_ns (the one in force).
    CEDE_TRACE_END,      // task, verb, object, result, bytes (moved), digest (of those).
    CEDE_TRACE_PAUSE,    // task, result. The task goes on after cede_pause, also that of a join.
    CEDE_TRACE_JOIN,     // task, other, result, value (what the other returned, or 0).
    CEDE_TRACE_CANCEL,   // task, other.
    CEDE_TRACE_SHUTDOWN, // task, verb (how of shutdown(2)), object, result.
    CEDE_TRACE_SCOPE,    // task (whose it is), verb (enum cede_trace_scope), value.
    CEDE_TRACE_DONE,     // task, result. Its body returned.
    CEDE_TRACE_OUTCOME,  // result. Of the run; the last event.
    CEDE_TRACE_NOTE,     // task, verb, object, result, digest. Tests write it, not the library.
    CEDE_TRACE_KIND_COUNT,
};

// What was done with a scope; and what `value` is then.
enum cede_trace_scope {
    CEDE_TRACE_SCOPE_ENTER,  // Its deadline, or -1 for none.
    CEDE_TRACE_SCOPE_LEAVE,  // The result.
    CEDE_TRACE_SCOPE_CANCEL, // 0.
    CEDE_TRACE_SCOPE_MOVE,   // Its new deadline, or -1.
    CEDE_TRACE_SCOPE_COUNT,
};

#define CEDE_TRACE_NAME_BYTES 24

struct cede_trace_event {
    enum cede_trace_kind kind;
    uint32_t task;
    uint32_t other;
    uint32_t verb;       // enum cede_verb, where nothing else is said.
    int64_t object;      // Signed. The descriptor; tests put the number of a socket's name here.
    int64_t result;      // Signed.
    uint64_t bytes;
    uint64_t digest;     // CRC-32 (IEEE 802.3) of the bytes moved; 0 of none.
    int64_t now_ns;      // Signed. On the clock of the run.
    int64_t deadline_ns; // Signed. -1 for none.
    int64_t value;       // Signed.
    char name[CEDE_TRACE_NAME_BYTES]; // Ends with a zero.
};

// No event is longer in its binary form.
#define CEDE_TRACE_EVENT_BYTES 128

// The binary form of one event: its length. None of its fields can be refused but the kind, which
// must be one, and the name, which must end.
size_t cede_trace_encode(const struct cede_trace_event *event,
                         uint8_t ret_data[CEDE_TRACE_EVENT_BYTES]);

// Reads the first event of `bytes` bytes: its length, or 0 when it is cut off or is no event. Reads
// nothing behind them. Fields that its kind does not have are 0.
size_t cede_trace_decode(const uint8_t *data, size_t bytes, struct cede_trace_event *ret_event);

// A trace in memory. All zero is the empty one, which grows as needed.
struct cede_trace_log {
    uint8_t *data;
    size_t bytes;
    size_t capacity;
    size_t limit_bytes; // Never more than this; 0 for no limit.
    int error;          // Why events are missing at the end; 0 while none is.
};

// Adds an event: 0; or -ENOMEM, or -EFBIG over the limit. After a failure it adds nothing any more,
// so that what is there has no gap.
int cede_trace_append(struct cede_trace_log *log, const struct cede_trace_event *event);

// The same, as options.trace wants it; `log` is a struct cede_trace_log.
void cede_trace_record(void *log, const struct cede_trace_event *event);

// Gives the memory back and leaves the empty trace, with the same limit.
void cede_trace_clear(struct cede_trace_log *log);

// CRC-32 of IEEE 802.3, as zlib has it: of more bytes, behind those that have `digest`; that of
// none is 0. `data` may be NULL when `bytes` is 0.
uint32_t cede_trace_digest(uint32_t digest, const void *data, size_t bytes);

#endif
