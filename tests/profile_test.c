// SPDX-License-Identifier: MIT
//
// The profiler from outside, as its users meet it: command lines, what they print, how they end.
// The runs are as short as they can be; no measured value is asserted, only that it is there.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/denial.h"
#include "tools/profile/arms.h"

#define FAULTY "exec:'tests/profile_faulty_server "
#define SHORT " -c 8 -w 0 --blocks 2 -d 50ms "

enum { TRIES = 20 };

static char output[1 << 20];

static size_t read_all(FILE *stream)
{
    size_t count = fread(output, 1, sizeof(output) - 1, stream);
    output[count] = '\0';
    return count;
}

// Run the profiler with these arguments, as the shell reads them; its exit status, and in `output`
// what it printed on both streams. The file that RUNFILES_DIR or the working directory leads to.
static int profile_once(const char *arguments)
{
    char command[1024];
    snprintf(command, sizeof(command), "tools/profile/profile %s 2>&1", arguments);
    FILE *stream = popen(command, "r");
    assert_non_null(stream);
    read_all(stream);
    int status = pclose(stream);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// The same, again where the machine was taken away meanwhile: that fails a gate, as it should, and
// is not what these tests are about.
static int profile(const char *arguments)
{
    int status = profile_once(arguments);
    for (int try = 1; try < TRIES && strstr(output, "other guests took ") != NULL; try++) {
        print_message("other guests took the processors, once more\n");
        status = profile_once(arguments);
    }
    return status;
}

static void assert_printed(const char *text)
{
    if (strstr(output, text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, output);
}

// The number behind this text, which may be grouped by commas.
static unsigned long long number_after(const char *text)
{
    const char *at = strstr(output, text);
    unsigned long long value = 0;
    if (at == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, output);
    for (at += strlen(text); (*at >= '0' && *at <= '9') || *at == ','; at++)
        value = *at == ',' ? value : value * 10 + (unsigned)(*at - '0');
    return value;
}

// How many numbers above zero stand in the line that begins with this name.
static int count_numbers(const char *name)
{
    char wanted[80];
    int count = 0;
    snprintf(wanted, sizeof(wanted), "\n%s ", name);
    const char *line = strstr(output, wanted);
    if (line == NULL)
        fail_msg("no line of %s in:\n%s", name, output);
    char *copy = strndup(line + 1, strcspn(line + 1, "\n"));
    assert_non_null(copy);
    strtok(copy, " ");
    for (const char *word; (word = strtok(NULL, " ")) != NULL;)
        count += atof(word) > 0;
    free(copy);
    return count;
}

static void test_profile_of_two_equal_servers_prints_a_line_and_a_ratio_for_each(void **state)
{
    (void)state;
    assert_int_equal(profile("--arms raw-epoll,raw-epoll -s 100 --seed 7" SHORT), 0);
    assert_int_equal(
        strncmp(output, "echo, 100 bytes, 8 connections, closed loop; 2 of 2 blocks, ", 60), 0);
    assert_printed("windows of 50 ms, seed 7\n");
    assert_printed(
        "\narm               ops/s    p50 us    p99 us  p99.9 us  CPU us/op     user   kernel\n");
    // Rate and processor time; the rest needs more operations than a slow machine may manage.
    assert_true(count_numbers("raw-epoll") >= 2);
    assert_true(count_numbers("raw-epoll#2") >= 2);
    assert_printed("\nratios to raw-epoll, with 95 % intervals\n");
    unsigned long long replies = number_after("verified: every byte of ");
    assert_true(replies >= 2 * 2 * 8);
    assert_int_equal(number_after("replies, "), replies * 100);
    assert_null(strstr(output, "left out"));
    assert_null(strchr(output, '\033'));
}

static void test_profile_of_one_server_compares_nothing(void **state)
{
    (void)state;
    assert_int_equal(profile("--arms raw-epoll --pin none" SHORT), 0);
    assert_printed("server and client run anywhere");
    assert_true(count_numbers("raw-epoll") >= 2);
    assert_null(strstr(output, "ratios"));
}

static void test_profile_does_not_time_a_server_that_fails_the_gate(void **state)
{
    (void)state;
    assert_int_equal(profile("--arms \"" FAULTY "wrong 5000 {port}',raw-epoll\"" SHORT), 1);
    assert_printed("left out: profile_faulty_server: gate: a wrong byte after ");
    assert_null(strstr(output, "\nprofile_faulty_server"));
    assert_true(count_numbers("raw-epoll") >= 2);
}

static void test_profile_drops_a_server_that_lies_while_it_is_timed(void **state)
{
    (void)state;
    // The gate takes less than eighteen million bytes, the first windows of 100 KB messages the
    // rest.
    assert_int_equal(profile("--arms \"raw-epoll," FAULTY "wrong 18000000'\" -s 100k" SHORT), 1);
    assert_printed("left out: profile_faulty_server: window: connection ");
    assert_printed(": wrong bytes at ");
    assert_printed("2 of 2 blocks");
    assert_true(count_numbers("raw-epoll") >= 2);
}

static void test_profile_does_not_rank_a_server_that_does_not_sleep(void **state)
{
    (void)state;
    assert_int_equal(profile("--arms \"raw-epoll," FAULTY "spin 1000000 {port}'\"" SHORT), 1);
    assert_printed("\nnot ranked: profile_faulty_server: it used ");
    assert_null(strstr(output, "not ranked: raw-epoll"));
    assert_null(strstr(output, "ratios to"));
}

static void test_profile_ends_with_an_error_when_nothing_could_be_timed(void **state)
{
    (void)state;
    assert_int_equal(profile("--arms \"exec:'exit 5',exec:'tests/no_such_server'\"" SHORT), 1);
    assert_printed("0 of 2 blocks");
    assert_printed("left out: exit: start: ended with status ");
    assert_printed("left out: no_such_server: start: ended with status 127 before it listened\n");
}

static void test_profile_prints_what_it_has_when_it_is_interrupted(void **state)
{
    (void)state;
    // The server itself interrupts its parent, some thousand operations after the gate.
    assert_int_equal(profile("--arms \"raw-epoll," FAULTY "interrupt 19000000 {port}'\" -s 1k -c 8 "
                             "-w 0 --blocks 100000 -d 1ms"),
                     0);
    unsigned long long block_count = number_after("closed loop; ");
    assert_true(block_count > 0 && block_count < 100000);
    assert_true(count_numbers("raw-epoll") >= 2);
    assert_true(count_numbers("profile_faulty_server") >= 2);
    assert_printed("\nratios to raw-epoll");
}

static void test_profile_writes_every_window_to_the_result_file(void **state)
{
    (void)state;
    char path[] = "/tmp/profile_test_XXXXXX", arguments[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    snprintf(arguments, sizeof(arguments), "--arms raw-epoll,raw-epoll --json %s" SHORT, path);
    assert_int_equal(profile(arguments), 0);
    FILE *file = fdopen(fd, "r");
    assert_non_null(file);
    read_all(file);
    fclose(file);
    unlink(path);

    assert_printed("{\n  \"schema\": \"profile-result/1\",\n");
    assert_printed("\"blocks_done\": 2,\n");
    assert_printed("\"reference\": \"raw-epoll\",\n");
    size_t window_count = 0;
    for (const char *at = output; (at = strstr(at, "{\"arm\": \"raw-epoll")) != NULL; at++)
        window_count++;
    assert_int_equal(window_count, 4);
    assert_string_equal(output + strlen(output) - 3, "\n}\n");
}

static void test_profile_measures_nothing_when_the_result_file_cannot_be_written(void **state)
{
    (void)state;
    assert_int_equal(profile("--arms raw-epoll --json /nowhere/result.json" SHORT), 1);
    assert_string_equal(output, "profile: open /nowhere/result.json: No such file or directory\n");
    assert_int_equal(profile("--arms raw-epoll --json /dev/full" SHORT), 1);
    assert_printed("profile: write /dev/full: Input/output error\n");
}

static void test_profile_names_every_arm_in_its_help(void **state)
{
    (void)state;
    char names[200];
    arms_list(names, sizeof(names));
    assert_int_equal(profile("--help"), 0);
    size_t count = 0;
    for (char *name = strtok(names, ", "); name != NULL; name = strtok(NULL, ", "), count++)
        assert_printed(name);
    assert_true(count >= 5);
}

static void test_profile_refuses_what_it_does_not_understand(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *line;
    } cases[] = {
        {"--arms kqueue", "profile: --arms kqueue: Unknown arm \"kqueue\", known are "},
        {"--pin both", "profile: --pin both: Must be auto, one, two, none or "},
        {"--workload chat", "profile: --workload chat: "},
        {"-c 0", "profile: --connections 0: Must be from 1 to 10000\n"},
        {"-d 1us", "profile: --duration 1us: Must be from 1ms to 60s\n"},
        {"--blocks", "profile: --blocks: Needs a value\n"},
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        assert_int_equal(profile(cases[index].arguments), 2);
        assert_int_equal(strncmp(output, cases[index].line, strlen(cases[index].line)), 0);
        assert_string_equal(strchr(output, '\n'), "\n");
    }
}

// Takes io_uring away from this process for good, and so comes last.
static void test_profile_measures_the_others_where_io_uring_is_denied(void **state)
{
    (void)state;
    static const struct denial denials[] = {{__NR_io_uring_setup, EPERM}};
    assert_int_equal(denial_install(denials, 1), 0);
    assert_int_equal(profile(SHORT), 0);
    assert_printed("left out: io_uring: start: ended with status 2 before it listened\n");
    assert_printed("left out: raw-uring: start: ended with status 1 before it listened\n");
    // Both have said why.
    assert_printed("cede: --backend io_uring: Operation not permitted: ");
    assert_printed("raw_uring: io_uring_setup: Operation not permitted\n");
    assert_printed("2 of 2 blocks");
    assert_true(count_numbers("select") >= 2);
    assert_true(count_numbers("epoll") >= 2);
    assert_true(count_numbers("raw-epoll") >= 2);
    // Who names it wants it.
    assert_int_equal(profile("--arms io_uring,epoll" SHORT), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile_of_two_equal_servers_prints_a_line_and_a_ratio_for_each),
        cmocka_unit_test(test_profile_of_one_server_compares_nothing),
        cmocka_unit_test(test_profile_does_not_time_a_server_that_fails_the_gate),
        cmocka_unit_test(test_profile_drops_a_server_that_lies_while_it_is_timed),
        cmocka_unit_test(test_profile_does_not_rank_a_server_that_does_not_sleep),
        cmocka_unit_test(test_profile_ends_with_an_error_when_nothing_could_be_timed),
        cmocka_unit_test(test_profile_prints_what_it_has_when_it_is_interrupted),
        cmocka_unit_test(test_profile_writes_every_window_to_the_result_file),
        cmocka_unit_test(test_profile_measures_nothing_when_the_result_file_cannot_be_written),
        cmocka_unit_test(test_profile_names_every_arm_in_its_help),
        cmocka_unit_test(test_profile_refuses_what_it_does_not_understand),
        cmocka_unit_test(test_profile_measures_the_others_where_io_uring_is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
