// SPDX-License-Identifier: MIT
//
// The check of confluent programs with a player that makes its traces up: what is played, and that
// one wrong result anywhere is seen and named.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/operation.h"
#include "tasks/trace.h"
#include "tests/conformance/explore/confluent.h"

#define BACKENDS 3

static const char text[] = "pair a b\n"
                           "task main\n"
                           "    spawn t1\n"
                           "    send-all a 5\n"
                           "task t1\n"
                           "    recv-exact b 5\n";

// Plays by rote, and wrongly the one time that it is told to.
struct rote {
    struct cede_trace_log trace;
    unsigned played;
    unsigned strict_played;
    unsigned wrong_play;   // From 1; 0 for never.
    unsigned failing_play; // Likewise.
};

static struct program program;
static struct rote rote;
static const char *const backends[BACKENDS] = {"select", "epoll", "io_uring"};

static int play(void *argument, const struct program *played, const char *backend, bool is_strict,
                const uint8_t **ret_trace, size_t *ret_bytes)
{
    struct rote *self = argument;
    (void)played;
    (void)backend;
    self->played++;
    self->strict_played += is_strict;
    if (self->played == self->failing_play)
        return -EMFILE;
    const char *received = self->played == self->wrong_play ? "hellO" : "hello";
    const struct cede_trace_event events[] = {
        {.kind = CEDE_TRACE_END,
         .task = 1,
         .verb = CEDE_VERB_SEND_ALL,
         .object = 0,
         .bytes = 5,
         .digest = cede_trace_digest(0, "hello", 5)},
        {.kind = CEDE_TRACE_END,
         .task = 2,
         .verb = CEDE_VERB_RECV_EXACT,
         .object = 1,
         .bytes = 5,
         .digest = cede_trace_digest(0, received, 5)},
        {.kind = CEDE_TRACE_OUTCOME},
    };
    self->trace.bytes = 0;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        assert_int_equal(cede_trace_append(&self->trace, &events[i]), 0);
    *ret_trace = self->trace.data;
    *ret_bytes = self->trace.bytes;
    return 0;
}

static int prepare(void **state)
{
    (void)state;
    char error[128];
    rote = (struct rote){.trace = rote.trace};
    return program_parse(text, sizeof text - 1, &program, error, sizeof error);
}

static int forget(void **state)
{
    (void)state;
    cede_trace_clear(&rote.trace);
    return 0;
}

static int check(char *ret_message, size_t message_bytes)
{
    const struct confluent_player player = {
        .play = play, .argument = &rote, .backends = backends, .backend_count = BACKENDS};
    return confluent_check(&player, &program, 1, ret_message, message_bytes);
}

static void test_confluent_plays_everywhere_and_varied(void **state)
{
    (void)state;
    char message[256] = "";
    assert_int_equal(check(message, sizeof message), 0);
    assert_string_equal(message, "");
    // As it is: strict on the first, normal on each. Then two variations: strict on one, normal on
    // each.
    assert_int_equal(rote.played, 1 + BACKENDS + 2 * (1 + BACKENDS));
    assert_int_equal(rote.strict_played, 3);
}

static void test_confluent_sees_a_wrong_result_wherever_it_is(void **state)
{
    (void)state;
    for (unsigned wrong = 1; wrong <= 1 + BACKENDS + 2 * (1 + BACKENDS); wrong++) {
        char message[256] = "";
        rote.played = 0;
        rote.wrong_play = wrong;
        assert_int_equal(check(message, sizeof message), -EBADMSG);
        assert_int_equal(rote.played, wrong);
        assert_non_null(strstr(message, "CRC-32"));
        assert_non_null(strstr(message, "object"));
        // Of the first one the other end is witness enough; the others are named.
        if (wrong == 3)
            assert_memory_equal(message, "epoll, normal, as it is: ", 25);
    }
}

static void test_confluent_passes_on_what_cannot_be_played(void **state)
{
    (void)state;
    char message[256] = "";
    rote.failing_play = 4;
    assert_int_equal(check(message, sizeof message), -EMFILE);
    assert_string_equal(message, "io_uring, normal: Too many open files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_confluent_plays_everywhere_and_varied, prepare),
        cmocka_unit_test_setup(test_confluent_sees_a_wrong_result_wherever_it_is, prepare),
        cmocka_unit_test_setup(test_confluent_passes_on_what_cannot_be_played, prepare),
    };
    return cmocka_run_group_tests_name("confluent", tests, NULL, forget);
}
