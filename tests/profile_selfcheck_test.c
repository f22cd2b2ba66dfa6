// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/selfcheck.h, by a short run of it. How well a machine can tell five
// percent is for the verb to find out and not asserted here; what does not depend on the machine
// is.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/selfcheck.h"

static volatile sig_atomic_t stop;

// What was printed, and below it the result.
static char *run(int *ret_result, char *reason, size_t reason_bytes)
{
    const struct result_environment environment = {
        .kernel = "of the test", .processors = 2, .load_average = 0.5};
    struct selfcheck_plan plan = {
        .is_quick = true, .seed = 1, .environment = &environment, .stop = &stop};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(pin_parse("one", &plan.pin), 0);
    *ret_result = selfcheck_run(&plan, stream, reason, reason_bytes);
    assert_int_equal(fclose(stream), 0);
    print_message("%s", text);
    return text;
}

// What stands behind `what`, which must be printed.
static const char *behind(const char *text, const char *what)
{
    const char *found = strstr(text, what);
    if (found == NULL)
        fail_msg("\"%s\" was not printed", what);
    return found + strlen(what);
}

static void test_selfcheck_prints_what_it_saw_and_counts_the_missed_goals(void **state)
{
    (void)state;
    char reason[320] = "";
    int missed;
    char *text = run(&missed, reason, sizeof(reason));
    if (missed == -EAGAIN) {
        print_message("skipped: %s\n", reason);
        free(text);
        skip();
    }
    if (missed < 0)
        fail_msg("%s", reason);
    assert_non_null(strstr(text, "raw-epoll against itself"));
    assert_non_null(strstr(text, "Linux of the test, load average 0.5\n"));

    // Of 1000 trials of equal arms 50 may see a difference. That they come from few blocks needs
    // room.
    unsigned alarms, found;
    double expected_ms, seen_ms;
    assert_int_equal(sscanf(behind(text, "false alarms of processor time, 1000 trials"),
                            " at most 5 %% %u of 1000", &alarms),
                     1);
    assert_in_range(alarms, 0, 150);
    assert_int_equal(sscanf(behind(text, "5 % more processor time found, 1000 trials"),
                            " at least 95 %% %u of 1000", &found),
                     1);
    assert_true(found > alarms);
    behind(behind(text, "false alarms, 2 live runs"), "5 % slower server found, 2 live runs");

    // A stop of 200 ms in three seconds: the thirty slowest operations lie above 170 ms.
    assert_int_equal(sscanf(behind(text, "p99 when the server stops for 200 ms, open loop"),
                            "%lf ms +-5 %% %lf ms", &expected_ms, &seen_ms),
                     2);
    assert_true(expected_ms >= 169 && fabs(seen_ms - expected_ms) <= 0.2 * expected_ms);

    int printed = 0;
    for (const char *at = text; (at = strstr(at, "MISSED")) != NULL; at++)
        printed++;
    assert_int_equal(missed, printed);
    free(text);
}

static void test_selfcheck_ends_early_when_it_is_told_to(void **state)
{
    (void)state;
    char reason[320] = "";
    int result;
    stop = 1;
    char *text = run(&result, reason, sizeof(reason));
    assert_int_equal(result, -EINTR);
    assert_string_equal(reason, "stopped");
    assert_string_equal(text, "");
    free(text);
    stop = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selfcheck_prints_what_it_saw_and_counts_the_missed_goals),
        cmocka_unit_test(test_selfcheck_ends_early_when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
