// SPDX-License-Identifier: MIT
//
// Playing programs: one that uses every word of the language leaves the same trace on each backend,
// and comes to an end in normal mode.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/backend_here.h"
#include "tests/conformance/explore/everything.h"
#include "tests/conformance/explore/opcodes.h"
#include "tests/conformance/explore/play_state.h"
#include "tests/conformance/explore/results.h"

static char message[256];

// Plays `everything` on a backend; the trace is to be cleared.
static struct cede_trace_log play_everything(const char *backend, bool is_strict)
{
    static struct program program;
    struct cede_trace_log trace = {0};
    struct play_result result;
    assert_int_equal(
        program_parse(everything, strlen(everything), &program, message, sizeof message), 0);
    assert_int_equal(play(&program, backend, is_strict, &trace, &result), 0);
    assert_null(result.complaint);
    assert_int_equal(result.outcome, 0);
    assert_true(result.counters.ticks > 0);
    assert_int_equal(trace.error, 0);
    return trace;
}

// Which verbs and notes a trace has; what is not in it was not played.
static void note_kinds(const struct cede_trace_log *trace, bool verbs[256], bool notes[256])
{
    struct cede_trace_event event;
    size_t place = 0;
    size_t bytes;
    while ((bytes = cede_trace_decode(trace->data + place, trace->bytes - place, &event)) > 0) {
        if (event.kind == CEDE_TRACE_END)
            verbs[event.verb] = true;
        if (event.kind == CEDE_TRACE_NOTE)
            notes[event.verb] = true;
        place += bytes;
    }
    assert_int_equal(place, trace->bytes);
}

static void test_a_trace_shows_every_word_of_the_language(void **state)
{
    (void)state;
    bool verbs[256] = {false};
    bool notes[256] = {false};
    struct cede_trace_log trace = play_everything("select", true);
    note_kinds(&trace, verbs, notes);
    cede_trace_clear(&trace);
    for (unsigned verb = CEDE_VERB_NONE + 1; verb < CEDE_VERB_COUNT; verb++)
        if (!verbs[verb])
            fail_msg("no %s has ended", cede_verb_name((enum cede_verb)verb));
    for (unsigned kind = 0; kind < STIMULUS_KIND_COUNT; kind++)
        if (!notes[PLAY_NOTE_STIMULUS + kind])
            fail_msg("no %s was made", stimulus_kind_name((enum stimulus_kind)kind));
    assert_true(notes[PLAY_NOTE_REAP]);
    assert_true(notes[STEP_SPAWN] && notes[STEP_SIGNAL]);
    assert_true(notes[STEP_TRY_RECV] && notes[STEP_TRY_SEND]);
}

static void test_traces_are_equal_on_all_backends(void **state)
{
    (void)state;
    struct cede_trace_log first = play_everything(play_backends[0], true);
    for (int i = 1; i < PLAY_BACKEND_COUNT; i++) {
        if (!backend_is_here(play_backends[i]))
            continue;
        struct cede_trace_log other = play_everything(play_backends[i], true);
        assert_int_equal(other.bytes, first.bytes);
        assert_memory_equal(other.data, first.data, first.bytes);
        cede_trace_clear(&other);
    }
    cede_trace_clear(&first);
}

static void test_normal_mode_comes_to_an_end_on_all_backends(void **state)
{
    (void)state;
    for (int i = 0; i < PLAY_BACKEND_COUNT; i++) {
        if (!backend_is_here(play_backends[i]))
            continue;
        struct cede_trace_log trace = play_everything(play_backends[i], false);
        cede_trace_clear(&trace);
    }
}

// How many operations ended with the error.
static unsigned count_ends(const struct cede_trace_log *trace, int64_t error)
{
    struct cede_trace_event event;
    unsigned count = 0;
    for (size_t place = 0; place < trace->bytes;) {
        size_t bytes = cede_trace_decode(trace->data + place, trace->bytes - place, &event);
        assert_true(bytes > 0);
        count += event.kind == CEDE_TRACE_END && event.result == error;
        place += bytes;
    }
    return count;
}

// Each was once without an end in the ring: a second receive from what is no socket, and a cancel
// that came while the kernel was trying again and again.
static void test_normal_mode_ends_what_strict_mode_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t error;
        unsigned count;
    } programs[] = {
        {"file a\ntask main\n    recv a 1\n    recv a 1\n", -ENOTSOCK, 2},
        {"udp-error a\ntask main\n    recv a 1\n    recv a 1 within 0ns\n", -ETIMEDOUT, 1},
    };
    static struct program program;
    struct play_result result;
    for (size_t i = 0; i < PLAY_BACKEND_COUNT * 2; i++) {
        const char *backend = play_backends[i / 2];
        const char *source = programs[i % 2].text;
        if (i % 2 == 0 && !backend_is_here(backend))
            break;
        struct cede_trace_log trace = {0};
        assert_int_equal(program_parse(source, strlen(source), &program, message, sizeof message),
                         0);
        assert_int_equal(play(&program, backend, false, &trace, &result), 0);
        assert_int_equal(count_ends(&trace, programs[i % 2].error), programs[i % 2].count);
        cede_trace_clear(&trace);
    }
}

static void test_what_a_ring_is_given_is_counted(void **state)
{
    (void)state;
    if (!backend_is_here("io_uring"))
        skip();
    struct cede_trace_log trace = play_everything("io_uring", true);
    cede_trace_clear(&trace);
    char *counts = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&counts, &bytes);
    assert_non_null(file);
    opcodes_print(file);
    assert_int_equal(fclose(file), 0);
    static const char *const names[] = {"POLL_ADD", "RECV",    "RECVMSG", "SEND",
                                        "SENDMSG",  "CONNECT", "ACCEPT",  "ASYNC_CANCEL"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char quoted[32];
        snprintf(quoted, sizeof quoted, "\"%s\": ", names[i]);
        const char *found = strstr(counts, quoted);
        if (!found || found[strlen(quoted)] == '0')
            fail_msg("no %s in %s", names[i], counts);
    }
    assert_non_null(strstr(counts, "\"others\": 0}"));
    free(counts);
}

// A long piece of what is sent takes a shortcut, and short ones do not.
static void test_the_digest_of_what_is_sent_is_that_of_its_bytes(void **state)
{
    (void)state;
    static uint8_t data[6000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)((200 + i) % 251);
    for (size_t bytes = 0; bytes < sizeof data; bytes += 199) {
        uint32_t expected = 0;
        for (size_t i = 0; i < bytes; i++)
            expected = cede_trace_digest(expected, data + i, 1);
        assert_int_equal(cede_trace_digest(0, data, bytes), expected);
        assert_int_equal(cede_trace_digest(cede_trace_digest(0, "x", 1), data, bytes),
                         results_combine(cede_trace_digest(0, "x", 1), expected, bytes));
    }
    data[3000] ^= 1;
    uint32_t expected = 0;
    for (size_t i = 0; i < sizeof data; i++)
        expected = cede_trace_digest(expected, data + i, 1);
    assert_int_equal(cede_trace_digest(0, data, sizeof data), expected);
}

static int open_player(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return play_open();
}

static int close_player(void **state)
{
    (void)state;
    play_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trace_shows_every_word_of_the_language),
        cmocka_unit_test(test_traces_are_equal_on_all_backends),
        cmocka_unit_test(test_normal_mode_comes_to_an_end_on_all_backends),
        cmocka_unit_test(test_normal_mode_ends_what_strict_mode_ends),
        cmocka_unit_test(test_what_a_ring_is_given_is_counted),
        cmocka_unit_test(test_the_digest_of_what_is_sent_is_that_of_its_bytes),
    };
    return cmocka_run_group_tests(tests, open_player, close_player);
}
