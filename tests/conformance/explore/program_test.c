// SPDX-License-Identifier: MIT
//
// The text form of programs: what is read and written back, and what is refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "tests/conformance/explore/everything.h"
#include "tests/conformance/explore/generate.h"
#include "tests/conformance/explore/program.h"

#define TEXT_BYTES_MAX ((size_t)64 << 10)

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
    assert_int_equal(program_parse(plain, strlen(plain), &program, message, sizeof message), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_that_is_read_is_written_back),
        cmocka_unit_test(test_the_same_words_in_another_dress_are_the_same_program),
        cmocka_unit_test(test_text_without_room_is_cut),
        cmocka_unit_test(test_what_is_no_program_is_refused_with_its_line),
        cmocka_unit_test(test_generated_programs_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
