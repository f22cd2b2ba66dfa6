// SPDX-License-Identifier: MIT
//
// Results off traces that are written here: streams do not depend on how they were cut, tasks not
// on their numbers, and each thing that went wrong is seen.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "engine/operation.h"
#include "tasks/trace.h"
#include "tests/conformance/explore/results.h"

static const char text[] = "pair a b\n"
                           "slot s\n"
                           "task main\n"
                           "    spawn t1\n"
                           "    spawn t2\n"
                           "task t1\n"
                           "task t2\n";

static struct program program;
static struct cede_trace_log trace;

static int prepare(void **state)
{
    (void)state;
    char error[128];
    trace.bytes = 0;
    return program_parse(text, sizeof text - 1, &program, error, sizeof error);
}

static int forget(void **state)
{
    (void)state;
    cede_trace_clear(&trace);
    return 0;
}

// --- Traces -------------------------------------------------------------------------------------

static void put(const struct cede_trace_event *event)
{
    assert_int_equal(cede_trace_append(&trace, event), 0);
}

static void put_spawn(uint32_t number, const char *name)
{
    struct cede_trace_event event = {.kind = CEDE_TRACE_SPAWN, .task = 1, .other = number};
    strncpy(event.name, name, sizeof event.name - 1);
    put(&event);
}

// An operation that asked for so many bytes of `data`, and moved so many.
static void put_transfer(uint32_t verb, int object, uint64_t asked, const char *data,
                         uint64_t moved, int64_t result)
{
    put(&(struct cede_trace_event){
        .kind = CEDE_TRACE_SUBMIT, .task = 1, .verb = verb, .object = object, .bytes = asked});
    put(&(struct cede_trace_event){.kind = CEDE_TRACE_END,
                                   .task = 1,
                                   .verb = verb,
                                   .object = object,
                                   .result = result,
                                   .bytes = moved,
                                   .digest = cede_trace_digest(0, data, moved)});
}

static void put_send(const char *data)
{
    put_transfer(CEDE_VERB_SEND_ALL, 0, strlen(data), data, strlen(data), (int64_t)strlen(data));
}

static void put_recv(const char *data)
{
    put_transfer(CEDE_VERB_RECV_EXACT, 1, strlen(data), data, strlen(data), (int64_t)strlen(data));
}

static void put_join(uint32_t number, int64_t result, int64_t value)
{
    put(&(struct cede_trace_event){.kind = CEDE_TRACE_JOIN,
                                   .task = 1,
                                   .other = number,
                                   .result = result,
                                   .value = value});
}

static void put_connection(uint32_t verb, int object, int64_t result)
{
    put_transfer(verb, object, 0, NULL, 0, result);
}

// Ends the trace, reads it, and begins a new one.
static struct results finish(int64_t outcome)
{
    struct results results;
    put(&(struct cede_trace_event){.kind = CEDE_TRACE_OUTCOME, .result = outcome});
    assert_int_equal(results_read(&program, trace.data, trace.bytes, &results), 0);
    trace.bytes = 0;
    return results;
}

static void assert_equal(const struct results *one, const struct results *other)
{
    char message[128] = "";
    assert_int_equal(results_compare(one, other, message, sizeof message), 0);
    assert_string_equal(message, "");
}

static void assert_different(const struct results *one, const struct results *other,
                             const char *expected)
{
    char message[128] = "";
    assert_int_equal(results_compare(one, other, message, sizeof message), -EBADMSG);
    assert_string_equal(message, expected);
}

// --- Tests --------------------------------------------------------------------------------------

static void test_results_combine_digests_as_if_of_one_piece(void **state)
{
    (void)state;
    uint8_t data[3000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * i >> 3);
    uint32_t whole = cede_trace_digest(0, data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut += cut < 9 ? 1 : 271) {
        uint32_t first = cede_trace_digest(0, data, cut);
        uint32_t second = cede_trace_digest(0, data + cut, sizeof data - cut);
        assert_int_equal(results_combine(first, second, sizeof data - cut), whole);
    }
}

static void test_results_do_not_depend_on_pieces(void **state)
{
    (void)state;
    put_send("hello world");
    put_recv("hello");
    put_recv(" world");
    struct results one = finish(0);
    put_send("hell");
    put_recv("hell");
    put_send("o world");
    put_recv("o world");
    struct results other = finish(0);
    assert_int_equal(one.objects[1].received.bytes, 11);
    assert_equal(&one, &other);
}

static void test_results_do_not_depend_on_task_numbers(void **state)
{
    (void)state;
    put_spawn(2, "t1");
    put_spawn(3, "t2");
    put(&(struct cede_trace_event){.kind = CEDE_TRACE_DONE, .task = 3, .result = 7});
    put_join(3, 0, 7);
    struct results one = finish(0);
    put_spawn(2, "reaper");
    put_spawn(3, "t2");
    put_spawn(4, "t1");
    put(&(struct cede_trace_event){.kind = CEDE_TRACE_DONE, .task = 3, .result = 7});
    put_join(3, 0, 7);
    struct results other = finish(0);
    assert_equal(&one, &other);
}

static void test_results_see_a_byte_that_is_another(void **state)
{
    (void)state;
    put_recv("hello");
    struct results one = finish(0);
    put_recv("hellO");
    struct results other = finish(0);
    char message[128];
    assert_int_equal(results_compare(&one, &other, message, sizeof message), -EBADMSG);
    assert_non_null(strstr(message, "object 1: CRC-32 of what was received: "));
}

static void test_results_see_bytes_that_are_missing(void **state)
{
    (void)state;
    put_recv("hello");
    struct results one = finish(0);
    put_transfer(CEDE_VERB_RECV_EXACT, 1, 5, "hell", 4, -ETIMEDOUT);
    struct results other = finish(0);
    assert_different(&one, &other, "object 1: bytes received: 5 expected, 4 found");
}

static void test_results_see_an_end_of_stream(void **state)
{
    (void)state;
    struct results none = finish(0);
    put_transfer(CEDE_VERB_RECV, 1, 10, NULL, 0, 0);
    struct results by_recv = finish(0);
    put_transfer(CEDE_VERB_RECV_EXACT, 1, 10, NULL, 0, 0);
    struct results by_recv_exact = finish(0);
    assert_different(&none, &by_recv, "object 1: end of stream: 0 expected, 1 found");
    assert_equal(&by_recv, &by_recv_exact);
    // Nothing was asked for, so nothing is no end.
    put_transfer(CEDE_VERB_RECV, 1, 0, NULL, 0, 0);
    struct results of_nothing = finish(0);
    assert_equal(&none, &of_nothing);
}

static void test_results_see_what_connects_and_joins_come_to(void **state)
{
    (void)state;
    put_connection(CEDE_VERB_CONNECT, 2, 0);
    struct results connected = finish(0);
    put_connection(CEDE_VERB_CONNECT, 2, -ECONNREFUSED);
    struct results refused = finish(0);
    char message[128];
    assert_int_equal(results_compare(&connected, &refused, message, sizeof message), -EBADMSG);
    assert_non_null(strstr(message, "object 2: digest of connections: "));
    put_spawn(2, "t1");
    put_join(2, 0, 0);
    struct results joined = finish(0);
    put_spawn(2, "t1");
    put_join(2, -EINVAL, 0);
    struct results not_joined = finish(0);
    assert_int_equal(results_compare(&joined, &not_joined, message, sizeof message), -EBADMSG);
    assert_non_null(strstr(message, "task t1: digest of joins: "));
}

static void test_results_see_other_errors_and_outcomes(void **state)
{
    (void)state;
    put_transfer(CEDE_VERB_CLOSE, 0, 0, NULL, 0, 0);
    struct results closed = finish(0);
    put_transfer(CEDE_VERB_CLOSE, 0, 0, NULL, 0, -EBADF);
    struct results refused = finish(0);
    char message[128];
    assert_int_equal(results_compare(&closed, &refused, message, sizeof message), -EBADMSG);
    assert_non_null(strstr(message, "object 0: digest of failures: "));
    struct results ended = finish(0);
    struct results stuck = finish(-EDEADLK);
    assert_different(&ended, &stuck, "run: outcome: 0 expected, -35 found");
}

static void test_results_see_that_an_end_did_not_get_what_the_other_sent(void **state)
{
    (void)state;
    char message[128] = "";
    put_send("hello");
    put_recv("hello");
    struct results good = finish(0);
    assert_int_equal(results_check_pairs(&program, &good, message, sizeof message), 0);
    put_send("hello");
    put_recv("hullo");
    struct results bad = finish(0);
    assert_int_equal(results_check_pairs(&program, &bad, message, sizeof message), -EBADMSG);
    assert_non_null(strstr(message, "object b: CRC-32 of those: "));
}

static void test_results_refuse_what_is_no_trace(void **state)
{
    (void)state;
    struct results results;
    put_send("hello");
    // It has no outcome yet,
    assert_int_equal(results_read(&program, trace.data, trace.bytes, &results), -EINVAL);
    // and here it is cut off.
    assert_int_equal(results_read(&program, trace.data, trace.bytes - 1, &results), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_results_combine_digests_as_if_of_one_piece, prepare),
        cmocka_unit_test_setup(test_results_do_not_depend_on_pieces, prepare),
        cmocka_unit_test_setup(test_results_do_not_depend_on_task_numbers, prepare),
        cmocka_unit_test_setup(test_results_see_a_byte_that_is_another, prepare),
        cmocka_unit_test_setup(test_results_see_bytes_that_are_missing, prepare),
        cmocka_unit_test_setup(test_results_see_an_end_of_stream, prepare),
        cmocka_unit_test_setup(test_results_see_what_connects_and_joins_come_to, prepare),
        cmocka_unit_test_setup(test_results_see_other_errors_and_outcomes, prepare),
        cmocka_unit_test_setup(test_results_see_that_an_end_did_not_get_what_the_other_sent,
                               prepare),
        cmocka_unit_test_setup(test_results_refuse_what_is_no_trace, prepare),
    };
    return cmocka_run_group_tests_name("results", tests, NULL, forget);
}
