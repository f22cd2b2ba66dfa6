// SPDX-License-Identifier: MIT
//
// The check of one confluent program: in normal mode, with every shortcut on, and varied in ways
// that may not matter, it comes to the same results on every backend as in strict mode. Knows
// nothing of how a program is played. Called by the runner.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_CONFLUENT_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_CONFLUENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/conformance/explore/program.h"

// Plays a program: 0 and its binary trace, which stays as it is until the next call; or -errno.
typedef int confluent_play(void *argument, const struct program *program, const char *backend,
                           bool is_strict, const uint8_t **ret_trace, size_t *ret_bytes);

struct confluent_player {
    confluent_play *play;
    void *argument;
    const char *const *backends;
    size_t backend_count;
};

// Plays the program in normal mode on each backend, and each of two variations of it, chosen by
// `seed`, in strict mode on one backend and in normal mode on each. 0 when all come to what strict
// mode on the first backend comes to; otherwise -EBADMSG, and a sentence that says which does not
// and where; or -errno of `play`.
int confluent_check(const struct confluent_player *player, const struct program *program,
                    uint64_t seed, char *ret_message, size_t message_bytes);

#endif
