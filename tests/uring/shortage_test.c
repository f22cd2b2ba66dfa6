// SPDX-License-Identifier: MIT
//
// The claims of engine/uring.c on queues that are full, a kernel that takes nothing for a while,
// and one that is gone for good.

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/uring/bench.h"

#define NARROW 8 // Entries in either queue.
#define MANY 20

static const int passing_errors[] = {-EAGAIN, -EBUSY, -ENOMEM};

#define PASSING_ERROR_COUNT 3

static void submit_many(struct cede_operation *ops, int count)
{
    for (int i = 0; i < count; i++)
        bench_submit(CEDE_VERB_RECV, i, 8, &ops[i]);
}

static void take_nothing(unsigned times)
{
    fake_ring.enter_error = -EBUSY;
    fake_ring.enter_error_count = times;
}

static void test_uring_hands_over_early_when_its_queue_is_full(void **state)
{
    struct cede_operation ops[MANY];
    (void)state;
    submit_many(ops, MANY);
    assert_int_equal(fake_ring.taken_count, 2 * NARROW);
    bench_ask_for_nothing();
    assert_int_equal(fake_ring.taken_count, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(fake_ring.taken[i].fd, i);
}

static void test_uring_keeps_entries_that_the_kernel_did_not_take(void **state)
{
    (void)state;
    for (int i = 0; i < PASSING_ERROR_COUNT; i++) {
        struct cede_operation op;
        int count;
        unsigned taken = fake_ring.taken_count;
        fake_ring.enter_error = passing_errors[i];
        fake_ring.enter_error_count = 2;
        bench_submit(CEDE_VERB_RECV, BENCH_FD, 8, &op);
        for (int j = 0; j < 2; j++) {
            // There is more to do, so nobody takes this for the end of it.
            assert_int_equal(bench_wait(0, &count), 1);
            assert_int_equal(count, 0);
            assert_int_equal(fake_ring.taken_count, taken);
        }
        bench_ask_for_nothing();
        assert_int_equal(fake_ring.taken_count, taken + 1);
        fake_ring_complete(fake_ring_last()->user_data, 3, 0);
        bench_ask_for_one(&op, 3);
    }
}

static void test_uring_hands_over_the_rest_of_what_the_kernel_took_in_part(void **state)
{
    struct cede_operation ops[NARROW];
    int count;
    (void)state;
    submit_many(ops, NARROW);
    fake_ring.part_taken = 3;
    assert_int_equal(bench_wait(CEDE_NEVER, &count), 1);
    assert_int_equal(fake_ring.taken_count, 3);
    bench_ask_for_nothing();
    assert_int_equal(fake_ring.taken_count, NARROW);
    for (int i = 0; i < NARROW; i++)
        assert_int_equal(fake_ring.taken[i].fd, i);
}

// S2.
static void test_uring_lets_an_operation_rest_that_it_has_no_room_for(void **state)
{
    struct cede_operation ops[NARROW + 1];
    (void)state;
    take_nothing(1);
    submit_many(ops, NARROW + 1);
    bench_ask_for_one(&ops[NARROW], -EAGAIN);
    assert_int_equal(fake_ring.taken_count, NARROW);
}

// Every cancel is answered when it is taken, together with its target.
static void answer_cancel(const struct io_uring_sqe *entry)
{
    if (entry->opcode != IORING_OP_ASYNC_CANCEL)
        return;
    fake_ring_complete(entry->addr, -ECANCELED, 0);
    fake_ring_complete(entry->user_data, 0, 0);
}

static void test_uring_cancels_all_even_if_it_has_no_room_to_ask_for_that(void **state)
{
    struct cede_operation ops[MANY];
    (void)state;
    submit_many(ops, MANY);
    bench_ask_for_nothing();
    fake_ring.answer = answer_cancel;
    take_nothing(MANY);
    struct cede_operation_list list = {.first = NULL};
    for (int i = 0; i < MANY; i++)
        cede_operation_append(&list, &ops[i]);
    assert_int_equal(bench_cancel_all(&list), 0);
    int count = 0;
    CEDE_OPERATIONS_EACH(op, next, list.first)
    count++;
    assert_int_equal(count, MANY);
    assert_int_equal(fake_ring_count(IORING_OP_ASYNC_CANCEL), MANY);
    bench_ask_for_nothing();
}

static void test_uring_does_not_wait_for_a_cancel_that_it_has_not_asked_for(void **state)
{
    struct cede_operation cancelled;
    struct cede_operation ops[NARROW];
    (void)state;
    bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &cancelled);
    fake_ring.answer = answer_cancel;
    // The queue is full of others, which complete nothing when they are taken.
    take_nothing(2);
    submit_many(ops, NARROW);
    assert_int_equal(bench_cancel(&cancelled), 0);
    assert_int_equal(fake_ring_last()->opcode, IORING_OP_ASYNC_CANCEL);
}

static void test_uring_does_not_ask_to_cancel_what_has_ended_meanwhile(void **state)
{
    struct cede_operation ops[NARROW + 1];
    (void)state;
    submit_many(ops, NARROW + 1);
    bench_ask_for_nothing();
    uint64_t last = fake_ring_last()->user_data;
    fake_ring.answer = answer_cancel;
    take_nothing(2);
    struct cede_operation_list list = {.first = NULL};
    for (int i = 0; i < NARROW + 1; i++)
        cede_operation_append(&list, &ops[i]);
    // Its cancel is the one that finds no room.
    fake_ring_complete(last, 6, 0);
    assert_int_equal(bench_cancel_all(&list), 1);
    assert_int_equal(fake_ring_count(IORING_OP_ASYNC_CANCEL), NARROW);
    bench_ask_for_one(&ops[NARROW], 6);
}

static void test_uring_stops_a_watch_even_if_it_has_no_room_to_ask_for_that(void **state)
{
    struct cede_operation watched;
    struct cede_operation ops[NARROW];
    (void)state;
    bench_hand_over(CEDE_VERB_WAIT_SEND, 0, IORING_OP_POLL_ADD, &watched);
    uint64_t watch = bench_answer_last(POLLRDHUP, 0)->user_data;
    fake_ring.answer = answer_cancel;
    take_nothing(2);
    for (int i = 0; i < NARROW; i++)
        bench_submit(CEDE_VERB_RECV, 10 + i, 8, &ops[i]);
    fake_ring_complete(watch, POLLOUT, IORING_CQE_F_MORE);
    bench_ask_for_one(&watched, 0);
    bench_forget(BENCH_FD);
    assert_int_equal(fake_ring_count(IORING_OP_ASYNC_CANCEL), 1);
    assert_int_equal(fake_ring_last()->addr, watch);
}

// T3.
static void test_uring_loses_no_completion_when_their_queue_is_full(void **state)
{
    struct cede_operation ops[MANY];
    int sum = 0;
    int answers = 0;
    int progress;
    (void)state;
    submit_many(ops, MANY);
    bench_ask_for_nothing();
    for (int i = 0; i < MANY; i++)
        fake_ring_complete(fake_ring.taken[i].user_data, 1, 0);
    do {
        int count;
        progress = bench_wait(0, &count);
        assert_true(progress == 1 || (progress == 0 && count == 0));
        sum += count;
        assert_in_range(++answers, 1, MANY);
    } while (progress > 0);
    assert_int_equal(sum, MANY);
}

// T3.
static void test_uring_says_that_there_is_more_when_the_ring_does(void **state)
{
    int count;
    (void)state;
    assert_int_equal(bench_wait(0, &count), 0);
    for (int i = 0; i < 2; i++) {
        fake_ring_say_work_is_pending(i == 0);
        fake_ring.keeps_work_pending = i == 0;
        assert_int_equal(bench_wait(0, &count), i == 0);
    }
}

// T3.
static void test_uring_sleeps_as_long_as_it_was_told(void **state)
{
    int count;
    (void)state;
    assert_int_equal(bench_wait(12345, &count), 0);
    assert_int_equal(fake_ring.timeout_ns, 12345);
    assert_int_equal(fake_ring.wait_count, 1);
    bench_wait(0, &count);
    assert_int_equal(fake_ring.wait_count, 0);
}

// T3.
static void test_uring_does_not_sleep_when_something_has_ended(void **state)
{
    struct cede_operation op;
    int count;
    (void)state;
    uint64_t name = bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &op);
    fake_ring_complete(name, 2, 0);
    assert_int_equal(bench_wait(12345, &count), 1);
    assert_int_equal(count, 1);
    assert_int_equal(fake_ring.wait_count, 0);
}

static void test_uring_is_dead_after_an_error_that_does_not_pass(void **state)
{
    static const int errors[] = {-EBADF, -EBADR, -EFAULT};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct cede_operation op;
        int count;
        if (i > 0) {
            assert_int_equal(bench_close(NULL), 0);
            assert_int_equal(bench_open_narrow(NULL), 0);
        }
        bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &op);
        fake_ring.enter_error = errors[i];
        fake_ring.enter_error_count = 1000;
        assert_int_equal(bench_wait(0, &count), errors[i]);
        struct cede_operation_list list = cede_operation_list_of(&op);
        // Nobody waits for what will not come.
        bench_cancel_all(&list);
        bench_forget(BENCH_FD);
        assert_int_equal(bench_wait(0, &count), errors[i]);
    }
}

static void test_uring_is_dead_after_an_error_before_a_close(void **state)
{
    struct cede_operation op;
    int count;
    (void)state;
    bench_submit(CEDE_VERB_RECV, BENCH_FD, 8, &op);
    fake_ring.enter_error = -EBADR;
    fake_ring.enter_error_count = 1;
    bench_forget(BENCH_FD);
    assert_int_equal(bench_wait(0, &count), -EBADR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_open_narrow, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_uring_hands_over_early_when_its_queue_is_full),
        TEST(test_uring_keeps_entries_that_the_kernel_did_not_take),
        TEST(test_uring_hands_over_the_rest_of_what_the_kernel_took_in_part),
        TEST(test_uring_lets_an_operation_rest_that_it_has_no_room_for),
        TEST(test_uring_cancels_all_even_if_it_has_no_room_to_ask_for_that),
        TEST(test_uring_does_not_wait_for_a_cancel_that_it_has_not_asked_for),
        TEST(test_uring_does_not_ask_to_cancel_what_has_ended_meanwhile),
        TEST(test_uring_stops_a_watch_even_if_it_has_no_room_to_ask_for_that),
        TEST(test_uring_loses_no_completion_when_their_queue_is_full),
        TEST(test_uring_says_that_there_is_more_when_the_ring_does),
        TEST(test_uring_sleeps_as_long_as_it_was_told),
        TEST(test_uring_does_not_sleep_when_something_has_ended),
        TEST(test_uring_is_dead_after_an_error_that_does_not_pass),
        TEST(test_uring_is_dead_after_an_error_before_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
