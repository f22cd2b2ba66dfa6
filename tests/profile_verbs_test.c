// SPDX-License-Identifier: MIT
//
// The verbs of the profiler that work on files, and those that measure at many points, from
// outside.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT " -c 4 -w 0 -d 20ms "

enum { TRIES = 20 };

static char output[1 << 20];
static char folder[] = "/tmp/profile_verbs_test_XXXXXX";

// Run a command in the folder of the test, in which `profile` stands for the profiler; its exit
// status, and in `output` what it printed on both streams.
static int shell(const char *command)
{
    char text[1200], here[600];
    assert_non_null(getcwd(here, sizeof(here)));
    snprintf(text, sizeof(text),
             "profile() { (cd '%s' && tools/profile/profile \"$@\"); }; F=%s; %s", here, folder,
             command);
    FILE *stream = popen(text, "r");
    assert_non_null(stream);
    size_t count = fread(output, 1, sizeof(output) - 1, stream);
    output[count] = '\0';
    int status = pclose(stream);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_printed(const char *text)
{
    if (strstr(output, text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, output);
}

// A recording of which every gate holds: on a busy machine that may take more than one try.
static int record(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (int try = 0; try < TRIES; try++) {
        if (shell("profile --arms raw-epoll,raw-epoll --blocks 24 --json $F/r.json --csv $F/r.csv "
                  "--html $F/r.html" SHORT ">$F/r.txt 2>&1") == 0)
            return 0;
        shell("cat $F/r.txt");
        print_message("once more, after:\n%s", output);
    }
    return -1;
}

static int clean(void **state)
{
    (void)state;
    return shell("rm -r $F");
}

static void test_report_prints_what_the_run_printed(void **state)
{
    (void)state;
    assert_int_equal(shell("profile report $F/r.json 2>&1 | cmp - $F/r.txt"), 0);
    assert_int_equal(shell("cat $F/r.txt"), 0);
    assert_printed("\nverified: every byte of ");
}

static void test_report_writes_the_files_that_the_run_wrote(void **state)
{
    (void)state;
    assert_int_equal(shell("profile report $F/r.json --csv $F/c.csv --html $F/c.html >$F/c.txt &&"
                           "cmp $F/c.csv $F/r.csv && cmp $F/c.html $F/r.html"),
                     0);
    assert_int_equal(shell("wc -l <$F/c.csv; head -c 15 $F/c.html"), 0);
    assert_printed("49\n");
    assert_printed("<!DOCTYPE html>");
}

static void test_report_says_what_is_wrong_with_a_file(void **state)
{
    (void)state;
    assert_int_equal(shell("profile report $F/r.csv 2>&1"), 1);
    assert_printed("profile: read /tmp/profile_verbs_test_");
    assert_printed("r.csv: Line 1: ");
    assert_string_equal(strchr(output, '\n'), "\n");
    assert_int_equal(
        shell("sed 's/\"connections\": 4/\"connections\": \"4\"/' $F/r.json >$F/d.json;"
              "profile report $F/d.json 2>&1"),
        1);
    assert_printed("d.json: plan.connections: Must be a whole number\n");
    assert_int_equal(shell("profile report $F/none.json 2>&1"), 1);
    assert_printed("none.json: No such file or directory\n");
}

static void test_compare_of_a_file_with_itself_sees_nothing(void **state)
{
    (void)state;
    assert_int_equal(shell("profile compare $F/r.json $F/r.json --tolerance 0% 2>&1"), 0);
    assert_printed("no difference seen");
    assert_printed("The runs were not interleaved");
    assert_printed("0 of 2 worse by more than 0 %\n");
}

static void test_compare_ends_with_1_for_a_regression(void **state)
{
    (void)state;
    // Ten times the processor time, for the second arm only.
    assert_int_equal(
        shell("sed 's/\\(\"arm\": \"raw-epoll#2\".*\"cpu_ns\": [0-9]*\\)/\\10/' "
              "$F/r.json >$F/worse.json; profile compare $F/r.json $F/worse.json 2>&1"),
        1);
    assert_printed("REGRESSION\n");
    assert_printed("1 of 2 worse by more than 3 %\n");
    assert_int_equal(shell("profile compare $F/worse.json $F/r.json 2>&1"), 0);
}

static void test_sweep_takes_a_point_of_each_arm_for_each_value(void **state)
{
    (void)state;
    assert_true(shell("profile sweep --arms raw-epoll,raw-epoll --over connections --points 1,2,4 "
                      "--blocks 1 -w 0 -d 20ms --json $F/s.json >$F/s.txt 2>&1") < 2);
    assert_int_equal(shell("grep -c '^raw-epoll .* [124] ' $F/s.txt; grep -c '^raw-epoll#2' "
                           "$F/s.txt; profile report $F/s.json | cmp - $F/s.txt"),
                     0);
    assert_printed("3\n3\n");
}

static void test_capacity_searches_for_each_arm(void **state)
{
    (void)state;
    assert_true(shell("profile capacity --arms raw-epoll --slo 1s --blocks 1" SHORT
                      "--json $F/k.json >$F/k.txt 2>&1") < 2);
    assert_int_equal(shell("profile report $F/k.json | cmp - $F/k.txt; cat $F/k.txt"), 0);
    assert_printed("highest rate with the 99th percentile below 1,000,000 us\nraw-epoll ");
}

static void test_verbs_refuse_what_they_do_not_understand(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *line;
    } cases[] = {
        {"runn", "profile: runn: Unknown verb, see --help\n"},
        {"report", "profile report: Needs one FILE, see --help\n"},
        {"report a b", "profile report: Needs one FILE, see --help\n"},
        {"compare a", "profile compare: Needs OLD.json and NEW.json, see --help\n"},
        {"compare a b --tolerance x", "profile compare: --tolerance x: Must be a percentage "},
        {"sweep --over time", "profile sweep: --over time: Must be rates or connections\n"},
        {"sweep --points 1,,2", "profile sweep: --points 1,,2: \"\" is not a rate such as 50k"},
        {"sweep -R 5", "profile sweep: -R: Unknown option, see --help\n"},
        {"capacity --slo 1ns", "profile capacity: --slo 1ns: Must be from 1us to 60s\n"},
        {"--blocks few", "profile: --blocks few: Must be auto or from 1 to 100000\n"},
        {"--precision 0%", "profile: --precision 0%: Must be a percentage such as 2%"},
        {"--loop open", "profile: --loop open: Needs a --rate\n"},
        {"--loop closed -R 5", "profile: --loop closed: Has no --rate\n"},
        {"-R 5 --arrivals never", "profile: --arrivals never: Must be poisson or uniform\n"},
        {"--polling --pin one", "profile: --pin one: A --polling client wants a processor of "},
        {"selfcheck --pin all", "profile selfcheck: --pin all: Must be one, none or server=N"},
    };
    char command[200];
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        snprintf(command, sizeof(command), "profile %s 2>&1", cases[index].arguments);
        assert_int_equal(shell(command), 2);
        if (strncmp(output, cases[index].line, strlen(cases[index].line)) != 0)
            fail_msg("\"%s\" is not \"%s\"", output, cases[index].line);
        assert_string_equal(strchr(output, '\n'), "\n");
    }
}

static void test_verbs_have_a_help_each(void **state)
{
    (void)state;
    assert_int_equal(shell("for v in run sweep capacity compare report selfcheck; do "
                           "profile $v --help | head -1; done"),
                     0);
    assert_printed("usage: profile [run] [options]\nusage: profile sweep [options]\n");
    assert_printed("usage: profile compare OLD.json NEW.json [options]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_prints_what_the_run_printed),
        cmocka_unit_test(test_report_writes_the_files_that_the_run_wrote),
        cmocka_unit_test(test_report_says_what_is_wrong_with_a_file),
        cmocka_unit_test(test_compare_of_a_file_with_itself_sees_nothing),
        cmocka_unit_test(test_compare_ends_with_1_for_a_regression),
        cmocka_unit_test(test_sweep_takes_a_point_of_each_arm_for_each_value),
        cmocka_unit_test(test_capacity_searches_for_each_arm),
        cmocka_unit_test(test_verbs_refuse_what_they_do_not_understand),
        cmocka_unit_test(test_verbs_have_a_help_each),
    };
    return cmocka_run_group_tests(tests, record, clean);
}
