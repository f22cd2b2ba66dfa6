// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/arms.h and pin.h: what a user may type, and what becomes of it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "tools/profile/arms.h"
#include "tools/profile/pin.h"

static struct arm arms[ARMS_LIMIT];
static size_t arm_count;
static char reason[320];

static int parse(const char *list)
{
    memset(reason, 0, sizeof(reason));
    return arms_parse(list, arms, &arm_count, reason, sizeof(reason));
}

static void test_arms_called_all_are_the_whole_table(void **state)
{
    (void)state;
    char names[200], joined[200] = "";
    assert_int_equal(parse("all"), 0);
    for (size_t index = 0; index < arm_count; index++) {
        assert_non_null(arms[index].program);
        strcat(joined, index > 0 ? ", " : "");
        strcat(joined, arms[index].name);
    }
    arms_list(names, sizeof(names));
    assert_string_equal(joined, names);
}

static void test_arms_without_a_list_are_ours_and_the_loops_by_hand(void **state)
{
    (void)state;
    static const char *const names[] = {"select", "epoll", "io_uring", "raw-epoll", "raw-uring"};
    assert_int_equal(parse(NULL), 0);
    assert_int_equal(arm_count, 5);
    for (size_t index = 0; index < arm_count; index++)
        assert_string_equal(arms[index].name, names[index]);
}

static void test_arms_of_the_table_have_one_reference(void **state)
{
    (void)state;
    size_t reference_count = 0;
    assert_int_equal(parse(NULL), 0);
    for (size_t index = 0; index < arm_count; index++)
        reference_count += arms[index].program->reference;
    assert_int_equal(reference_count, 1);
}

static void test_arms_are_taken_in_the_order_of_the_list(void **state)
{
    (void)state;
    assert_int_equal(parse("raw-epoll,exec:/opt/bin/server -p {port},epoll"), 0);
    assert_int_equal(arm_count, 3);
    assert_string_equal(arms[0].name, "raw-epoll");
    assert_string_equal(arms[0].program->name, "raw-epoll");
    assert_string_equal(arms[1].name, "server");
    assert_null(arms[1].program);
    assert_string_equal(arms[1].command, "/opt/bin/server -p {port}");
    assert_string_equal(arms[2].name, "epoll");
}

static void test_arms_keep_commas_inside_a_quoted_command(void **state)
{
    (void)state;
    assert_int_equal(parse("exec:'a,b {port}',exec:'c'"), 0);
    assert_int_equal(arm_count, 2);
    assert_string_equal(arms[0].command, "a,b {port}");
    assert_string_equal(arms[1].command, "c");
}

static void test_arms_number_a_name_that_comes_again(void **state)
{
    (void)state;
    assert_int_equal(parse("raw-epoll,raw-epoll,epoll,raw-epoll,exec:x 1,exec:x 2"), 0);
    static const char *const names[] = {"raw-epoll",   "raw-epoll#2", "epoll",
                                        "raw-epoll#3", "x",           "x#2"};
    assert_int_equal(arm_count, 6);
    for (size_t index = 0; index < arm_count; index++)
        assert_string_equal(arms[index].name, names[index]);
}

static void test_arms_refuse_what_is_not_in_the_table_and_say_what_is(void **state)
{
    (void)state;
    char wanted[320], names[200];
    arms_list(names, sizeof(names));
    assert_int_equal(parse("epoll,kqueue"), -EINVAL);
    snprintf(wanted, sizeof(wanted),
             "Unknown arm \"kqueue\", known are %s and exec:'COMMAND {port}'", names);
    assert_string_equal(reason, wanted);

    static const char *const malformed[] = {"",        ",epoll",   "epoll,", "epoll,,raw-epoll",
                                            "epol",    "epolll",   "exec:",  "exec:''",
                                            "exec:'a", "exec:'a'b"};
    for (size_t index = 0; index < sizeof(malformed) / sizeof(malformed[0]); index++) {
        assert_int_equal(parse(malformed[index]), -EINVAL);
        assert_true(reason[0] != '\0');
    }
}

static void test_arms_refuse_more_than_fit(void **state)
{
    (void)state;
    char list[400] = "epoll";
    for (size_t index = 1; index < ARMS_LIMIT; index++)
        strcat(list, ",epoll");
    assert_int_equal(parse(list), 0);
    assert_int_equal(arm_count, ARMS_LIMIT);
    strcat(list, ",epoll");
    assert_int_equal(parse(list), -EINVAL);
}

static void test_arms_put_a_free_port_into_a_command(void **state)
{
    (void)state;
    struct arm_start start;
    char wanted[100];
    assert_int_equal(parse("exec:server {port} {port}x"), 0);
    assert_int_equal(arms_prepare(&arms[0], &start), 0);
    assert_true(start.port > 0);
    snprintf(wanted, sizeof(wanted), "exec server %u %ux", start.port, start.port);
    assert_string_equal(start.words[0], "/bin/sh");
    assert_string_equal(start.words[1], "-c");
    assert_string_equal(start.words[2], wanted);
    assert_null(start.words[3]);
}

static void test_arms_leave_the_port_to_a_command_that_does_not_ask_for_one(void **state)
{
    (void)state;
    struct arm_start start;
    assert_int_equal(parse("exec:server"), 0);
    assert_int_equal(arms_prepare(&arms[0], &start), 0);
    assert_int_equal(start.port, 0);
    assert_string_equal(start.words[2], "exec server");
}

static void test_arms_take_commands_up_to_their_limit(void **state)
{
    (void)state;
    struct arm_start start;
    char list[5 + ARM_COMMAND_BYTES + 1] = "exec:";
    memset(list + 5, 'x', ARM_COMMAND_BYTES);
    assert_int_equal(parse(list), -EINVAL);
    list[5 + ARM_COMMAND_BYTES - 1] = '\0';
    assert_int_equal(parse(list), 0);
    assert_int_equal(arms_prepare(&arms[0], &start), 0);
    assert_int_equal(strlen(start.words[2]), strlen("exec ") + ARM_COMMAND_BYTES - 1);
    for (size_t at = 5; at + 6 < sizeof(list); at += 6)
        memcpy(list + at, "{port}", 6);
    assert_int_equal(parse(list), 0);
    assert_int_equal(arms_prepare(&arms[0], &start), 0);
}

static void test_arms_find_the_programs_that_were_built_with_them(void **state)
{
    (void)state;
    struct arm_start start;
    assert_int_equal(parse("raw-epoll,raw-uring"), 0);
    assert_int_equal(arms_prepare(&arms[0], &start), 0);
    assert_non_null(strstr(start.words[0], "tools/profile/peers/raw_epoll"));
    assert_int_equal(start.port, 0);
    assert_int_equal(arms_prepare(&arms[1], &start), 0);
    assert_non_null(strstr(start.words[0], "tools/profile/peers/raw_uring"));
    assert_int_equal(start.port, 0);
}

// The words behind the program, separated by blanks.
static const char *words_of(const struct arm_start *start)
{
    static char text[300];
    text[0] = '\0';
    for (size_t index = 1; start->words[index] != NULL; index++) {
        strcat(text, index > 1 ? " " : "");
        strcat(text, start->words[index]);
    }
    return text;
}

static void test_arms_tell_a_program_what_the_workload_needs(void **state)
{
    (void)state;
    struct arm_start start;
    static const struct {
        struct server_needs needs;
        const char *words;
    } cases[] = {
        {{.mode = SERVER_ECHO}, "--port 0"},
        {{.mode = SERVER_ECHO, .unix_path = "/a b"}, "--unix /a b"},
        {{.mode = SERVER_RR, .request_bytes = 64, .reply_bytes = 1000},
         "--port 0 --mode rr --request 64 --reply 1000"},
        {{.mode = SERVER_FAN_OUT, .request_bytes = 64}, "--port 0 --mode fan-out --request 64"},
        {{.mode = SERVER_COMPUTE, .compute_us = 100}, "--port 0 --mode compute --compute-us 100"},
        {{.mode = SERVER_HTTP}, "--port 0 --mode http"},
    };
    assert_int_equal(parse("raw-epoll"), 0);
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        arms[0].needs = cases[index].needs;
        assert_int_equal(arms_prepare(&arms[0], &start), 0);
        assert_string_equal(words_of(&start), cases[index].words);
    }
}

static void test_arms_that_cannot_do_it_say_so(void **state)
{
    (void)state;
    struct arm_start start;
    assert_int_equal(parse("exec:server {port},raw-uring"), 0);
    arms[0].needs.unix_path = "/x";
    assert_int_equal(arms_prepare(&arms[0], &start), -ENOTSUP);
    assert_string_equal(start.reason, "exec: arms serve TCP only");
    arms[1].needs.mode = SERVER_HTTP;
    assert_int_equal(arms_prepare(&arms[1], &start), -ENOTSUP);
    assert_string_equal(start.reason, "cannot do http");
}

static void test_pin_reads_each_mode_and_says_it_in_words(void **state)
{
    (void)state;
    struct pin pin;
    char text[80], mode[80], wanted[80];
    cpu_set_t allowed;
    unsigned cpu = 0;
    assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;

    assert_int_equal(pin_parse("none", &pin), 0);
    assert_false(pin_is_shared(&pin));
    pin_describe(&pin, text, sizeof(text));
    assert_string_equal(text, "server and client run anywhere");

    assert_int_equal(pin_parse("one", &pin), 0);
    assert_true(pin_is_shared(&pin));
    assert_true(CPU_ISSET((unsigned)pin.server_cpu, &allowed));

    snprintf(mode, sizeof(mode), "server=%u,client=%u", cpu, cpu);
    assert_int_equal(pin_parse(mode, &pin), 0);
    pin_describe(&pin, text, sizeof(text));
    snprintf(wanted, sizeof(wanted), "server and client share cpu %u", cpu);
    assert_string_equal(text, wanted);

    pin = (struct pin){.server_cpu = 0, .client_cpu = 1};
    assert_false(pin_is_shared(&pin));
    pin_describe(&pin, text, sizeof(text));
    assert_string_equal(text, "server on cpu 0, client on cpu 1");
}

static void test_pin_refuses_other_words_and_absent_processors(void **state)
{
    (void)state;
    struct pin pin = {.server_cpu = 77, .client_cpu = 78};
    static const char *const malformed[] = {"",
                                            "two",
                                            "server=0",
                                            "server=0,client=",
                                            "0,1",
                                            "server=0,client=0 ",
                                            "server=1023,client=1023",
                                            "server=-1,client=-1",
                                            "server=9999,client=9999"};
    for (size_t index = 0; index < sizeof(malformed) / sizeof(malformed[0]); index++)
        assert_int_equal(pin_parse(malformed[index], &pin), -EINVAL);
    assert_int_equal(pin.server_cpu, 77);
    assert_int_equal(pin.client_cpu, 78);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arms_called_all_are_the_whole_table),
        cmocka_unit_test(test_arms_without_a_list_are_ours_and_the_loops_by_hand),
        cmocka_unit_test(test_arms_of_the_table_have_one_reference),
        cmocka_unit_test(test_arms_are_taken_in_the_order_of_the_list),
        cmocka_unit_test(test_arms_keep_commas_inside_a_quoted_command),
        cmocka_unit_test(test_arms_number_a_name_that_comes_again),
        cmocka_unit_test(test_arms_refuse_what_is_not_in_the_table_and_say_what_is),
        cmocka_unit_test(test_arms_refuse_more_than_fit),
        cmocka_unit_test(test_arms_put_a_free_port_into_a_command),
        cmocka_unit_test(test_arms_leave_the_port_to_a_command_that_does_not_ask_for_one),
        cmocka_unit_test(test_arms_take_commands_up_to_their_limit),
        cmocka_unit_test(test_arms_find_the_programs_that_were_built_with_them),
        cmocka_unit_test(test_arms_tell_a_program_what_the_workload_needs),
        cmocka_unit_test(test_arms_that_cannot_do_it_say_so),
        cmocka_unit_test(test_pin_reads_each_mode_and_says_it_in_words),
        cmocka_unit_test(test_pin_refuses_other_words_and_absent_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
