// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/result.h: what is written is read back to the byte, and what is
// damaged is refused with a line that says where.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/result.h"

enum { ARM_COUNT = 3, BLOCK_COUNT = 5 };

static struct result made, again;
static char reason[200];

// Numbers that differ from one another, so that no two members can be exchanged unnoticed.
static int64_t next_number;

static int64_t number(void)
{
    return ++next_number * 1001;
}

static void fill_window(struct result_window *window, const struct histogram *latency)
{
    int64_t *const members[] = {
        &window->place,
        &window->start_ns,
        &window->elapsed_ns,
        &window->reply_bytes,
        &window->cpu_ns,
        &window->user_ns,
        &window->kernel_ns,
        &window->busy_ns,
        &window->steal_ns,
        &window->lag_p99_ns,
        &window->lag_p50_ns,
        &window->p50_ns,
        &window->p99_ns,
        &window->client_cpu_ns,
        &window->maximum_ns,
        &window->operation_count,
        &window->voluntary_switches,
        &window->client_work_ns,
        &window->service_ns,
        &window->unsent_count,
    };
    for (size_t index = 0; index < sizeof(members) / sizeof(members[0]); index++)
        *members[index] = number();
    window->involuntary_switches = RESULT_UNKNOWN;
    window->maximum_ns = (int64_t)latency->maximum;
    window->is_complete = true;
    window->is_valid = true;
    assert_int_equal(result_set_latency(window, latency), 0);
}

static void fill_arm(struct result_arm *arm, size_t index)
{
    snprintf(arm->name, sizeof(arm->name), "arm-%zu", index);
    snprintf(arm->command, sizeof(arm->command), "./server \"%zu\"\t\xc3\xa9", index);
    strcpy(arm->version, "libarm 1.2");
    strcpy(arm->backend, "epoll");
    strcpy(arm->limited_by, "server core 99 % busy");
    arm->rest_ns = number();
    arm->rest_cpu_ns = number();
    arm->rss_bytes = number();
    arm->threads = 2;
    arm->idle_bytes_per_connection = 1234.5;
    arm->syscalls_per_operation = 1.0 / 3;
    arm->events_per_wait = 24.1;
    arm->headroom = 2.6;
}

static void fill_plan(struct result_plan *plan)
{
    strcpy(plan->verb, "run");
    strcpy(plan->workload, "rr:64:1024");
    strcpy(plan->arrivals, "poisson");
    strcpy(plan->pin, "server and client share cpu 1");
    plan->is_open_loop = true;
    plan->rate = 50000.25;
    plan->connections = 64;
    plan->message_bytes = 64;
    plan->depth = 16;
    plan->window_ns = 50000000;
    plan->blocks_planned = BLOCK_COUNT;
    plan->precision = 0.02;
    plan->server_cpu = 1;
}

// A result with something in every place.
static int make(void **state)
{
    (void)state;
    char *words[] = {(char[]){"profile"}, (char[]){"--arms"}, (char[]){"a \\ b"}, NULL};
    struct histogram *latency = calloc(1, sizeof(*latency));
    next_number = 0;
    result_init(&made);
    assert_int_equal(result_set_words(&made, words), 0);
    strcpy(made.version, "0.1.0");
    strcpy(made.environment.kernel, "6.18");
    made.environment.load_average = 0.1;
    made.environment.processors = 2;
    made.seed = INT64_MAX;
    fill_plan(&made.plan);
    made.arm_count = ARM_COUNT;
    for (size_t index = 0; index < ARM_COUNT; index++)
        fill_arm(&made.arms[index], index);
    for (size_t block = 0; block < BLOCK_COUNT; block++) {
        assert_int_equal(result_add_block(&made), 0);
        histogram_clear(latency);
        for (uint64_t value = 0; value < 300; value++)
            histogram_record(latency, value * value * 97 * (block + 1));
        for (size_t index = 0; index < ARM_COUNT - 1; index++)
            fill_window(result_window_at(&made, block, index), latency);
    }
    result_window_at(&made, 3, 1)->is_valid = false;
    strcpy(result_window_at(&made, 3, 1)->invalid, "6 % of the processors were taken away");
    strcpy(made.arms[2].failure, "gate: a wrong byte");
    strcpy(made.arms[1].reasons[made.arms[1].reason_count++], "the client was late");
    made.arms[0].service = latency;
    made.reference = 1;
    const struct result_point point = {1, NAN, 64, 1e5 / 3, 1, 2, RESULT_UNKNOWN, 2750.5, true};
    assert_int_equal(result_add_point(&made, &point), 0);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    result_destroy(&made);
    return 0;
}

static char *written(const struct result *result)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(result_write(result, stream), 0);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static int read_text(const char *text, size_t size, struct result *ret_result)
{
    FILE *stream = fmemopen((void *)(uintptr_t)text, size, "r");
    assert_non_null(stream);
    int error = result_read(stream, ret_result, reason, sizeof(reason));
    fclose(stream);
    return error;
}

static void test_result_that_is_written_and_read_and_written_has_the_same_bytes(void **state)
{
    (void)state;
    char *first = written(&made);
    int error = read_text(first, strlen(first), &again);
    if (error != 0)
        fail_msg("%s", reason);
    char *second = written(&again);
    assert_string_equal(first, second);
    free(second);
    free(first);
    result_destroy(&again);
}

static void test_result_comes_back_with_what_it_held(void **state)
{
    (void)state;
    char *text = written(&made);
    assert_int_equal(read_text(text, strlen(text), &again), 0);
    free(text);
    assert_string_equal(again.words[2], "a \\ b");
    assert_int_equal(again.seed, INT64_MAX);
    assert_int_equal(again.reference, 1);
    assert_true(again.plan.rate == made.plan.rate);
    assert_true(isnan(again.arms[0].instructions_per_operation));
    assert_true(again.arms[0].syscalls_per_operation == made.arms[0].syscalls_per_operation);
    assert_string_equal(again.arms[0].command, made.arms[0].command);
    assert_int_equal(again.arms[0].kernel_workers, RESULT_UNKNOWN);
    assert_string_equal(again.arms[2].failure, "gate: a wrong byte");
    assert_memory_equal(again.arms[0].service, made.arms[0].service, sizeof(struct histogram));
    assert_int_equal(again.block_count, BLOCK_COUNT);
    for (size_t block = 0; block < BLOCK_COUNT; block++) {
        for (size_t index = 0; index < ARM_COUNT; index++) {
            struct result_window here = *result_window_at(&made, block, index);
            struct result_window there = *result_window_at(&again, block, index);
            assert_int_equal(here.latency_count, there.latency_count);
            if (here.latency_count > 0)
                assert_memory_equal(here.latency, there.latency,
                                    here.latency_count * sizeof(*here.latency));
            here.latency = there.latency = NULL;
            assert_memory_equal(&here, &there, sizeof(here));
        }
    }
    result_destroy(&again);
}

static void test_result_merges_the_latencies_of_windows(void **state)
{
    (void)state;
    struct histogram *merged = calloc(1, sizeof(*merged)), *once = calloc(1, sizeof(*once));
    for (uint64_t value = 1; value < 1000000; value += 37)
        histogram_record(once, value);
    struct result_window window = {0};
    assert_int_equal(result_set_latency(&window, once), 0);
    window.maximum_ns = (int64_t)once->maximum;
    result_merge_latency(&window, merged);
    assert_memory_equal(merged, once, sizeof(*once));
    free(window.latency);
    free(merged);
    free(once);
}

// Replace the first occurrence of `from` and read the result of it.
static void assert_refused(const char *from, const char *to, const char *wanted)
{
    char *text = written(&made), *damaged;
    const char *at = strstr(text, from);
    assert_non_null(at);
    int length = asprintf(&damaged, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_true(length > 0);
    assert_int_equal(read_text(damaged, (size_t)length, &again), -EINVAL);
    if (strncmp(reason, wanted, strlen(wanted)) != 0)
        fail_msg("\"%s\" for %s, not \"%s\"", reason, to, wanted);
    assert_null(strchr(reason, '\n'));
    free(damaged);
    free(text);
}

static void test_result_that_is_damaged_is_refused_with_the_place(void **state)
{
    (void)state;
    assert_refused("profile-result/1", "profile-result/2", "schema: Must be \"profile-result/1\"");
    assert_refused("\"seed\": ", "\"seed\": -", "seed: Must be from 0 to ");
    assert_refused("\"loop\": \"open\"", "\"loop\": \"ajar\"", "plan.loop: Must be open or closed");
    assert_refused("\"connections\": 64", "\"connections\": \"64\"",
                   "plan.connections: Must be a whole number");
    assert_refused("\"connections\": 64,", "", "plan.connections: Must be there");
    assert_refused("\"rate\": 50000.25", "\"rate\": true", "plan.rate: Must be a number");
    assert_refused("\"name\": \"arm-1\"", "\"name\": \"arm-0\"",
                   "arms[1].name: Must not be there twice");
    assert_refused("\"arm\": \"arm-1\"", "\"arm\": \"arm-9\"",
                   "blocks[0][1].arm: There is no arm \"arm-9\"");
    assert_refused("\"arm\": \"arm-1\"", "\"arm\": \"arm-0\"",
                   "blocks[0][1].arm: Must not be there twice");
    assert_refused("\"latency\": [0, 1, ", "\"latency\": [1, ", "blocks[0][0].latency: Must be ");
    assert_refused("\"latency\": [0, 1, ", "\"latency\": [999, 1, ",
                   "blocks[0][0].latency: Must ascend");
    assert_refused("\"valid\": true, \"invalid\"", "\"valid\": 1, \"invalid\"",
                   "blocks[0][0].valid: Must be true or false");
    assert_refused("\"unix\": false", "\"unix\": false, \"unix\": true", "Line ");
}

static void test_result_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    char *text = written(&made);
    size_t size = strlen(text);
    for (size_t cut = 1; cut < size - 2; cut += size / 97) {
        reason[0] = '\0';
        assert_int_equal(read_text(text, cut, &again), -EINVAL);
        assert_int_equal(strncmp(reason, "Line ", 5), 0);
    }
    free(text);
}

static void test_result_reads_no_other_document(void **state)
{
    (void)state;
    static const char *const texts[] = {"[]", "{}", "null", "7 8", "{\"schema\": 1}", "\xff"};
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        reason[0] = '\0';
        assert_int_equal(read_text(texts[index], strlen(texts[index]), &again), -EINVAL);
        assert_true(strlen(reason) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_that_is_written_and_read_and_written_has_the_same_bytes),
        cmocka_unit_test(test_result_comes_back_with_what_it_held),
        cmocka_unit_test(test_result_merges_the_latencies_of_windows),
        cmocka_unit_test(test_result_that_is_damaged_is_refused_with_the_place),
        cmocka_unit_test(test_result_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(test_result_reads_no_other_document),
    };
    return cmocka_run_group_tests(tests, make, destroy);
}
