// SPDX-License-Identifier: MIT
//
// A trace for people: a line an event, and the place where two traces part. For tools and tests;
// the scheduler never calls it. A line is the number of the event, the running task, and what
// happened:
//
//        1  -                 spawn main(1) = 0
//        2  main(1)           submit recv #4 16 until 5us
//        3  -                 tick 1 at 5us
//        4  main(1)           end recv #4 = -ETIMEDOUT
//        5  main(1)           submit send-all #5 4096
//        6  -                 tick 2 at 5us
//        7  main(1)           end send-all #5 = 4096, 4096 bytes 1c291ca3
//        8  main(1)           scope enter until 1ms
//        9  main(1)           join child(2) = 0, value 7
//
// A task is its name and number; whoever does something outside all tasks is "-". A scope has the
// task that it belongs to, which need not be the one that cancels it. Times are on the clock of the
// run. What stands behind "bytes" is their digest. Nothing moved, no deadline and no object leave
// no word.

#ifndef CEDE_TASKS_TRACE_TEXT_H
#define CEDE_TASKS_TRACE_TEXT_H

#include "tasks/trace.h"

// A longer line is cut.
#define CEDE_TRACE_LINE_BYTES 256

// What the numbers in a trace stand for. Each function may be NULL, and may return NULL: then the
// text has the number.
struct cede_trace_names {
    const char *(*object)(void *argument, const struct cede_trace_event *event);
    const char *(*note)(void *argument, uint32_t verb); // Of CEDE_TRACE_NOTE.
    void *argument;
};

// The text of one trace, while it is written. All zero but `names` at the beginning.
struct cede_trace_text {
    const struct cede_trace_names *names; // May be NULL.
    uint64_t event_count;
    uint64_t tick_count;
    uint32_t spawn_count;
    uint32_t task_capacity;
    char (*task_names)[CEDE_TRACE_NAME_BYTES]; // By number; learnt from what was spawned.
};

// Puts the next event into words, without a newline. 0, or -ENOMEM.
int cede_trace_text_next(struct cede_trace_text *text, const struct cede_trace_event *event,
                         char ret_line[CEDE_TRACE_LINE_BYTES]);

// Gives the memory back.
void cede_trace_text_close(struct cede_trace_text *text);

// Gets a line without a newline.
typedef void cede_trace_line_function(void *argument, const char *line);

// Compares two traces: 0 when they are equal, else the number of the first event that differs, from
// 1; or -ENOMEM. If they differ, writes the `context` events before that one, which both have, and
// then the event of either: "- " before the one's, "+ " before the other's. A trace that has no
// event there says so.
int64_t cede_trace_diff(const struct cede_trace_log *one, const struct cede_trace_log *other,
                        const struct cede_trace_names *names, uint64_t context,
                        cede_trace_line_function *write, void *argument);

#endif
