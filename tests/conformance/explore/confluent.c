// SPDX-License-Identifier: MIT
//
// One set of results is taken from strict mode on the first backend; everything else is held
// against it.

#include "tests/conformance/explore/confluent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/explore/results.h"
#include "tests/conformance/explore/vary.h"
#include "tests/seed.h"

// How many of the variations a program is played in.
#define VARIATIONS_AT_ONCE 2

struct check {
    const struct confluent_player *player;
    struct results expected;
    char *message;
    size_t message_bytes;
};

// Plays and reads: 0; or why not, with a message.
static int play(struct check *check, const struct program *program, const char *backend,
                bool is_strict, struct results *ret_results)
{
    const uint8_t *trace;
    size_t bytes;
    int error = check->player->play(check->player->argument, program, backend, is_strict, &trace,
                                    &bytes);
    if (error == 0)
        error = results_read(program, trace, bytes, ret_results);
    if (error < 0)
        snprintf(check->message, check->message_bytes, "%s, %s: %s", backend,
                 is_strict ? "strict" : "normal", strerror(-error));
    return error;
}

// Plays, and compares with what is expected. `how` is what was changed.
static int check_play(struct check *check, const struct program *program, const char *how,
                      const char *backend, bool is_strict)
{
    struct results results;
    char difference[256];
    int error = play(check, program, backend, is_strict, &results);
    if (error < 0)
        return error;
    error = results_compare(&check->expected, &results, difference, sizeof difference);
    if (error < 0)
        snprintf(check->message, check->message_bytes, "%s, %s, %s: %s", backend,
                 is_strict ? "strict" : "normal", how, difference);
    return error;
}

static int check_everywhere(struct check *check, const struct program *program, const char *how)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < check->player->backend_count; i++)
        error = check_play(check, program, how, check->player->backends[i], false);
    return error;
}

int confluent_check(const struct confluent_player *player, const struct program *program,
                    uint64_t seed, char *ret_message, size_t message_bytes)
{
    struct check check = {
        .player = player, .message = ret_message, .message_bytes = message_bytes};
    uint64_t random = seed;
    int error = play(&check, program, player->backends[0], true, &check.expected);
    if (error == 0)
        error = results_check_pairs(program, &check.expected, ret_message, message_bytes);
    if (error == 0)
        error = check_everywhere(&check, program, "as it is");
    for (int i = 0; error == 0 && i < VARIATIONS_AT_ONCE; i++) {
        enum variation variation = (enum variation)(seed_next(&random) % VARIATION_COUNT);
        const char *backend = player->backends[seed_next(&random) % player->backend_count];
        struct program varied;
        vary(program, variation, seed_next(&random), &varied);
        error = check_play(&check, &varied, variation_name(variation), backend, true);
        if (error == 0)
            error = check_everywhere(&check, &varied, variation_name(variation));
    }
    return error;
}
