// SPDX-License-Identifier: MIT
//
// Programs and how they are played: text that is read and written back, text that is refused, and a
// program that uses every word of the language and leaves the same trace on each backend.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/backend_here.h"
#include "tests/conformance/explore/generate.h"
#include "tests/conformance/explore/opcodes.h"
#include "tests/conformance/explore/play_state.h"
#include "tests/conformance/explore/results.h"

#define TEXT_BYTES_MAX ((size_t)64 << 10)

// Every kind of object, step and stimulus.
static const char everything[] =
    "pair a b\n"
    "small-pair c d\n"
    "tcp e f\n"
    "pipe r w\n"
    "datagrams g h\n"
    "unix-listener l 1\n"
    "tcp-listener m 4\n"
    "slot s\n"
    "slot t\n"
    "slot u\n"
    "slot v\n"
    "slot x\n"
    "slot y\n"
    "wakeup k\n"
    "task main\n"
    "    spawn t1\n"
    "    recv a 16 within 5us\n"
    "    recv-exact a 100\n"
    "    try-recv a 10\n"
    "    send-all c 20000\n"
    "    connect s l within 1ms\n"
    "    scope within 2ms\n"
    "    sleep 10us\n"
    "    scope\n"
    "    leave\n"
    "    cancel-scope\n"
    "    recv e 4\n"
    "    leave\n"
    "    wait-recv e\n"
    "    recv e 4\n"
    "    shutdown a send\n"
    "    recvmsg g 10\n"
    "    spawn t2\n"
    "    signal k\n"
    "    join t2\n"
    "    wait-send s\n"
    "    send s 3\n"
    "    unknown s\n"
    "    release s\n"
    "    close s\n"
    "    close s\n"
    "    connect v m\n"
    "    close v\n"
    "    cancel t1\n"
    "    join t1\n"
    "    spawn t1\n"
    "    spawn t3\n"
    "task t1\n"
    "    accept l t within 0ns\n"
    "    recv-exact d 20000\n"
    "    accept l t\n"
    "    recv b 1\n"
    "    sendmsg h 10\n"
    "    try-send w 5\n"
    "    read r 5\n"
    "    accept m u\n"
    "    pause\n"
    "    recv u 1\n"
    "    recv a 1\n"
    "task t2\n"
    "    wait-wakeup k\n"
    "task t3\n"
    "    wait-wakeup k\n"
    "outside\n"
    "    put b 116\n"
    "    at 12us put f 8\n"
    "    take e 1\n"
    "    fill h\n"
    "    drain g\n"
    "    connect x m\n"
    "    accept m y\n"
    "    shutdown f both\n"
    "    close f\n"
    "    signal k\n";

static char text[TEXT_BYTES_MAX];
static char message[256];

static void test_text_that_is_read_is_written_back(void **state)
{
    (void)state;
    struct program program;
    char written[TEXT_BYTES_MAX];
    size_t bytes = strlen(everything);
    if (program_parse(everything, bytes, &program, message, sizeof message) < 0)
        fail_msg("%s", message);
    assert_int_equal(program_print(&program, written, sizeof written), bytes);
    assert_string_equal(written, everything);
}

static void test_the_same_words_in_another_dress_are_the_same_program(void **state)
{
    (void)state;
    const char plain[] = "pair a b\ntask main\n    recv a 16 within 5us\n";
    const char dressed[] = "# So.\r\n\n  pair\ta b # two\n\ttask main\nrecv  a 16 within 5000ns";
    const char other[] = "pair a b\ntask main\n    recv a 16 within 6us\n";
    struct program programs[3];
    const char *const texts[] = {plain, dressed, other};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            program_parse(texts[i], strlen(texts[i]), &programs[i], message, sizeof message), 0);
    program_print(&programs[1], text, sizeof text);
    assert_string_equal(text, plain);
    assert_true(program_hash(&programs[0]) == program_hash(&programs[1]));
    assert_true(program_hash(&programs[0]) != program_hash(&programs[2]));
}

static void test_text_without_room_is_cut(void **state)
{
    (void)state;
    struct program program;
    char little[8] = "xxxxxxx";
    const char plain[] = "pair a b\ntask main\n";
    assert_int_equal(
        program_parse(plain, strlen(plain), &program, message, sizeof message), 0);
    assert_int_equal(program_print(&program, little, sizeof little), strlen(plain));
    assert_string_equal(little, "pair a ");
    assert_int_equal(program_print(&program, NULL, 0), strlen(plain));
}

static void test_what_is_no_program_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } refused[] = {
        {"", "line 0: no task"},
        {"pair a b\n", "line 1: no task"},
        {"trio a b\ntask main\n", "line 1: not an object: trio"},
        {"pair a\ntask main\n", "line 1: pair takes 2 words"},
        {"slot a_b\ntask main\n", "line 1: not a name: a_b"},
        {"slot a234567890123456\ntask main\n", "line 1: not a name: a234567890123456"},
        {"slot a\nslot a\ntask main\n", "line 2: a second object a"},
        {"tcp-listener l 256\ntask main\n", "line 1: more than 255: 256"},
        {"tcp-listener l x\ntask main\n", "line 1: not a number: x"},
        {"task main\ntask main\n", "line 2: a second task main"},
        {"task main\n    jump a\n", "line 2: not a step: jump"},
        {"task main\n    recv a 1\n", "line 2: no object a"},
        {"task main\n    join t\n", "line 2: no task t"},
        {"pair a b\ntask main\n    recv a\n", "line 3: recv takes 2 words"},
        {"pair a b\ntask main\n    recv a -1\n", "line 3: not a number: -1"},
        {"pair a b\ntask main\n    recv a 524289\n", "line 3: more than 524288: 524289"},
        {"pair a b\ntask main\n    recv a 1 within 5s\n", "line 3: not a time: 5s"},
        {"pair a b\ntask main\n    recv a 1 within\n", "line 3: recv takes 2 words"},
        {"task main\n    pause within 1ns\n", "line 2: pause takes 0 words"},
        {"task main\n    sleep 99999999999999999999ns\n",
         "line 2: not a time: 99999999999999999999ns"},
        {"pair a b\ntask main\n    shutdown a write\n", "line 3: not a direction: write"},
        {"wakeup k\ntask main\n    recv k 1\n", "line 3: not for the object k"},
        {"pair a b\ntask main\n    signal a\n", "line 3: not for the object a"},
        {"pair a b\ntask main\noutside\n    recv a 1\n", "line 4: not a stimulus: recv"},
        {"pair a b\ntask main\noutside\n    at 5 put a 1\n", "line 4: not a time: 5"},
        {"task main\noutside\ntask late\n", "line 3: not a stimulus: task"},
        {"task main a b c d e f g h\n", "line 1: too many words"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct program program = {.task_count = 77};
        const char *bad = refused[i].text;
        assert_int_equal(program_parse(bad, strlen(bad), &program, message, sizeof message),
                         -EINVAL);
        assert_string_equal(message, refused[i].message);
        assert_int_equal(program.task_count, 77);
    }
}

static void test_generated_programs_are_read_back(void **state)
{
    (void)state;
    static struct program made;
    static struct program read;
    for (uint64_t number = 0; number < 200; number++) {
        enum program_class class = number % 2 ? PROGRAM_CONFLUENT : PROGRAM_RANDOM;
        generate_program(class, 1, number, &made);
        size_t bytes = program_print(&made, text, sizeof text);
        assert_true(bytes < sizeof text);
        if (program_parse(text, bytes, &read, message, sizeof message) < 0)
            fail_msg("program %d: %s", (int)number, message);
        assert_true(program_hash(&made) == program_hash(&read));
    }
}

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
        cmocka_unit_test(test_text_that_is_read_is_written_back),
        cmocka_unit_test(test_the_same_words_in_another_dress_are_the_same_program),
        cmocka_unit_test(test_text_without_room_is_cut),
        cmocka_unit_test(test_what_is_no_program_is_refused_with_its_line),
        cmocka_unit_test(test_generated_programs_are_read_back),
        cmocka_unit_test(test_a_trace_shows_every_word_of_the_language),
        cmocka_unit_test(test_traces_are_equal_on_all_backends),
        cmocka_unit_test(test_normal_mode_comes_to_an_end_on_all_backends),
        cmocka_unit_test(test_what_a_ring_is_given_is_counted),
        cmocka_unit_test(test_the_digest_of_what_is_sent_is_that_of_its_bytes),
    };
    return cmocka_run_group_tests(tests, open_player, close_player);
}
