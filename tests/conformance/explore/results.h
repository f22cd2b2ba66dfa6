// SPDX-License-Identifier: MIT
//
// What a confluent program comes to, whatever the schedule was: the streams that went through each
// object, not their pieces; what connects, accepts and joins came to; the outcome. Tasks are known
// by name, since their numbers depend on the order of spawning. Called by confluent.c.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_RESULTS_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_RESULTS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/conformance/explore/program.h"

// One direction of an object.
struct stream {
    uint64_t bytes;
    uint32_t checksum; // CRC-32 of all of them.
};

struct object_results {
    struct stream received;
    struct stream sent;
    uint64_t has_ended;      // Whether the end of the stream was received: 0 or 1.
    uint64_t connections;    // A digest of what accepts and connects came to, in their order.
    uint64_t failures;       // A digest of the errors of all other operations.
};

struct task_results {
    uint64_t spawns;
    uint64_t joins; // A digest of what joining it came to.
    int64_t done;   // What its body returned; INT64_MIN if it never did.
};

// Objects by number, tasks in the order of their names.
struct results {
    int64_t outcome;
    uint32_t object_count;
    uint32_t task_count;
    struct object_results objects[PROGRAM_OBJECTS_MAX];
    struct task_results tasks[PROGRAM_TASKS_MAX];
    char names[PROGRAM_TASKS_MAX][PROGRAM_NAME_BYTES];
};

// Reads the binary trace of a run: 0, or -EINVAL when it is none.
int results_read(const struct program *program, const uint8_t *trace, size_t bytes,
                 struct results *ret_results);

// 0 when equal; otherwise -EBADMSG, and a sentence that says where they differ.
int results_compare(const struct results *expected, const struct results *found, char *ret_message,
                    size_t message_bytes);

// Whether what the two ends of a pair received is what the other sent: 0; otherwise -EBADMSG, and a
// sentence.
int results_check_pairs(const struct program *program, const struct results *results,
                        char *ret_message, size_t message_bytes);

// The CRC-32 of one piece followed by another, out of those of the pieces.
uint32_t results_combine(uint32_t first, uint32_t second, uint64_t second_bytes);

#endif
