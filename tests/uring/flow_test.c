// SPDX-License-Identifier: MIT
//
// The claims of engine/uring.c on what becomes of an operation, in orders that a kernel produces
// rarely.

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/attempt.h"
#include "tests/uring/bench.h"

#define MORE IORING_CQE_F_MORE

// --- Cancelling (S15) ----------------------------------------------------------------------------

// How the target of a cancel ends, and in which order the two completions come.
static struct {
    int target_result;
    int cancel_result;
    bool cancel_comes_first;
} cancelling;

static void answer_cancel(const struct io_uring_sqe *entry)
{
    if (entry->opcode != IORING_OP_ASYNC_CANCEL)
        return;
    if (cancelling.cancel_comes_first)
        fake_ring_complete(entry->user_data, cancelling.cancel_result, 0);
    fake_ring_complete(entry->addr, cancelling.target_result, 0);
    if (!cancelling.cancel_comes_first)
        fake_ring_complete(entry->user_data, cancelling.cancel_result, 0);
}

static void test_uring_takes_an_operation_back_in_either_order_of_completions(void **state)
{
    (void)state;
    fake_ring.answer = answer_cancel;
    for (int i = 0; i < 2; i++) {
        struct cede_operation op;
        cancelling.cancel_comes_first = i == 0;
        cancelling.target_result = -ECANCELED;
        cancelling.cancel_result = 0;
        uint64_t name = bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &op);
        assert_int_equal(bench_cancel(&op), 0);
        assert_int_equal(fake_ring_last()->addr, name);
        assert_int_not_equal(op.state, CEDE_ENDED);
        bench_ask_for_nothing();
    }
}

static void test_uring_keeps_data_that_came_while_it_cancelled(void **state)
{
    (void)state;
    fake_ring.answer = answer_cancel;
    for (int i = 0; i < 2; i++) {
        struct cede_operation op;
        cancelling.cancel_comes_first = i == 0;
        cancelling.target_result = 5;
        cancelling.cancel_result = -ENOENT;
        bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &op);
        assert_int_equal(bench_cancel(&op), 1);
        bench_ask_for_one(&op, 5);
    }
}

static void test_uring_keeps_a_connection_that_came_while_it_cancelled(void **state)
{
    struct cede_operation op;
    (void)state;
    fake_ring.answer = answer_cancel;
    cancelling.cancel_comes_first = true;
    cancelling.target_result = 17;
    cancelling.cancel_result = -EALREADY;
    bench_hand_over(CEDE_VERB_ACCEPT, 0, IORING_OP_ACCEPT, &op);
    assert_int_equal(bench_cancel(&op), 1);
    bench_ask_for_one(&op, 17);
}

static void test_uring_counts_bytes_that_moved_while_it_cancelled(void **state)
{
    struct cede_operation op;
    (void)state;
    fake_ring.answer = answer_cancel;
    cancelling.cancel_comes_first = false;
    cancelling.target_result = 5;
    cancelling.cancel_result = -ENOENT;
    bench_hand_over(CEDE_VERB_SEND_ALL, 8, IORING_OP_SEND, &op);
    assert_int_equal(bench_cancel(&op), 0);
    assert_int_equal(op.as.source.progress, 5);
    assert_int_equal(fake_ring_count(IORING_OP_SEND), 1);
}

static void test_uring_hands_back_what_would_block_while_it_cancels(void **state)
{
    static const int results[] = {-EAGAIN, -EINTR};
    (void)state;
    fake_ring.answer = answer_cancel;
    cancelling.cancel_result = -ENOENT;
    for (int i = 0; i < 2; i++) {
        struct cede_operation op;
        cancelling.target_result = results[i];
        bench_hand_over(CEDE_VERB_SEND, 8, IORING_OP_SEND, &op);
        assert_int_equal(bench_cancel(&op), 0);
        bench_ask_for_nothing();
        assert_int_equal(fake_ring_last()->opcode, IORING_OP_ASYNC_CANCEL);
    }
}

static uint64_t late_name;

static void complete_late_target(void)
{
    fake_ring_complete(late_name, -ECANCELED, 0);
}

static void answer_cancel_alone(const struct io_uring_sqe *entry)
{
    if (entry->opcode == IORING_OP_ASYNC_CANCEL)
        fake_ring_complete(entry->user_data, 0, 0);
}

// S16.
static void test_uring_waits_for_the_completion_of_what_it_cancelled(void **state)
{
    struct cede_operation op;
    (void)state;
    fake_ring.answer = answer_cancel_alone;
    fake_ring.during_sleep = complete_late_target;
    late_name = bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &op);
    unsigned enters = fake_ring.enter_count;
    assert_int_equal(bench_cancel(&op), 0);
    assert_int_equal(fake_ring.enter_count, enters + 2);
    bench_ask_for_nothing();
}

// S7.
static void test_uring_drops_a_late_completion_of_an_older_generation(void **state)
{
    struct cede_operation ops[2];
    (void)state;
    uint64_t older = bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &ops[0]);
    fake_ring_complete(older, 3, 0);
    bench_ask_for_one(&ops[0], 3);
    uint64_t newer = bench_hand_over(CEDE_VERB_RECV, 8, IORING_OP_RECV, &ops[1]);
    assert_int_equal((uint32_t)newer, (uint32_t)older);
    assert_int_not_equal(newer, older);
    fake_ring_complete(older, 7, 0);
    fake_ring_complete(older, -ECANCELED, MORE);
    // No slot ever had this number.
    fake_ring_complete(BENCH_DESCRIPTOR_COUNT * 8, 7, 0);
    bench_ask_for_nothing();
    fake_ring_complete(newer, 4, 0);
    bench_ask_for_one(&ops[1], 4);
}

// --- Polls -------------------------------------------------------------------------------------

// A wait to send on a full socket whose peer has half-closed.
static uint64_t watch_the_half_closed(struct cede_operation *ret_op)
{
    bench_hand_over(CEDE_VERB_WAIT_SEND, 0, IORING_OP_POLL_ADD, ret_op);
    assert_int_equal(fake_ring_last()->len, 0);
    const struct io_uring_sqe *watch = bench_answer_last(POLLRDHUP, 0);
    assert_int_equal(watch->opcode, IORING_OP_POLL_ADD);
    assert_int_equal(watch->len, IORING_POLL_ADD_MULTI);
    return watch->user_data;
}

// S2.
static void test_uring_watches_where_a_poll_says_only_that_the_peer_half_closed(void **state)
{
    struct cede_operation op;
    (void)state;
    uint64_t watch = watch_the_half_closed(&op);
    unsigned taken = fake_ring.taken_count;
    for (int i = 0; i < 3; i++)
        bench_answer_last(i == 1 ? POLLRDHUP | POLLHUP : POLLRDHUP, MORE);
    assert_int_equal(fake_ring.taken_count, taken);

    fake_ring_complete(watch, POLLRDHUP | POLLOUT, MORE);
    bench_ask_for_one(&op, 0);
    bench_ask_for_nothing();
    assert_int_equal(fake_ring_last()->opcode, IORING_OP_ASYNC_CANCEL);
    assert_int_equal(fake_ring_last()->addr, watch);
}

// S2.
static void test_uring_renews_a_watch_that_the_kernel_has_ended(void **state)
{
    struct cede_operation op;
    (void)state;
    watch_the_half_closed(&op);
    unsigned taken = fake_ring.taken_count;
    const struct io_uring_sqe *watch = bench_answer_last(POLLRDHUP, 0);
    assert_int_equal(fake_ring.taken_count, taken + 1);
    assert_int_equal(watch->len, IORING_POLL_ADD_MULTI);
    fake_ring_complete(watch->user_data, POLLOUT, 0);
    bench_ask_for_one(&op, 0);
    // It ended by itself: there is nothing to cancel.
    assert_int_equal(fake_ring_count(IORING_OP_ASYNC_CANCEL), 0);
}

// S6.
static void test_uring_lets_go_of_a_descriptor_when_its_watch_has_ended(void **state)
{
    struct cede_operation op;
    (void)state;
    late_name = watch_the_half_closed(&op);
    fake_ring_complete(late_name, POLLOUT, MORE);
    bench_ask_for_one(&op, 0);
    // One more report, and the end only when the backend waits for it.
    fake_ring_complete(late_name, POLLRDHUP, MORE);
    fake_ring.during_sleep = complete_late_target;
    bench_forget(BENCH_FD);
    assert_int_equal(fake_ring.wait_count, 1);
    assert_int_equal(fake_ring.timeout_ns, CEDE_NEVER);
    assert_int_equal(fake_ring_last()->addr, late_name);
    unsigned enters = fake_ring.enter_count;
    bench_forget(BENCH_FD);
    assert_int_equal(fake_ring.enter_count, enters);
}

// S6.
static void test_uring_hands_all_over_before_it_lets_go_of_a_descriptor(void **state)
{
    struct cede_operation op;
    (void)state;
    bench_submit(CEDE_VERB_SEND, BENCH_FD, 8, &op);
    assert_int_equal(fake_ring.taken_count, 0);
    bench_forget(BENCH_FD + 1);
    assert_int_equal(fake_ring.taken_count, 1);
    fake_ring_complete(fake_ring_last()->user_data, 8, 0);
    bench_ask_for_one(&op, 8);
}

static void test_uring_cancels_a_watch_with_the_operation_on_it(void **state)
{
    struct cede_operation op;
    (void)state;
    late_name = watch_the_half_closed(&op);
    fake_ring.during_sleep = complete_late_target;
    // A report on the way is no end of the watch.
    fake_ring_complete(late_name, POLLOUT, MORE);
    assert_int_equal(bench_cancel(&op), 0);
    bench_ask_for_nothing();
}

static void test_uring_reports_a_poll_that_failed(void **state)
{
    struct cede_operation op;
    (void)state;
    uint64_t name = bench_hand_over(CEDE_VERB_WAIT_RECV, 0, IORING_OP_POLL_ADD, &op);
    fake_ring_complete(name, -EBADF, 0);
    bench_ask_for_one(&op, -EBADF);
}

// S2.
static void test_uring_lets_a_send_rest_that_is_woken_in_vain_over_and_over(void **state)
{
    struct cede_operation op;
    (void)state;
    bench_hand_over(CEDE_VERB_SEND, 8, IORING_OP_SEND, &op);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bench_answer_last(-EAGAIN, 0)->opcode, IORING_OP_POLL_ADD);
        assert_int_equal(bench_answer_last(POLLOUT, 0)->opcode, IORING_OP_SEND);
    }
    fake_ring_complete(fake_ring_last()->user_data, -EAGAIN, 0);
    bench_ask_for_one(&op, -EAGAIN);
}

// --- Transfers ----------------------------------------------------------------------------------

static void test_uring_goes_on_where_a_short_send_ended(void **state)
{
    struct cede_operation op;
    (void)state;
    bench_hand_over(CEDE_VERB_SEND_ALL, 64, IORING_OP_SEND, &op);
    // A short send has found the socket full.
    assert_int_equal(bench_answer_last(10, 0)->opcode, IORING_OP_POLL_ADD);
    const struct io_uring_sqe *more = bench_answer_last(POLLOUT, 0);
    assert_int_equal(more->addr, (uintptr_t)bench_buffer + 10);
    assert_int_equal(more->len, 54);
    assert_int_equal(bench_answer_last(53, 0)->opcode, IORING_OP_POLL_ADD);
    more = bench_answer_last(POLLOUT, 0);
    assert_int_equal(more->len, 1);
    assert_true(more->msg_flags & MSG_DONTWAIT && more->msg_flags & MSG_NOSIGNAL);
    fake_ring_complete(more->user_data, 1, 0);
    bench_ask_for_one(&op, 64);
}

// S10.
static void test_uring_asks_for_a_long_transfer_in_parts(void **state)
{
    struct cede_operation op;
    const int part = CEDE_ATTEMPT_BYTES;
    (void)state;
    bench_hand_over(CEDE_VERB_RECV_EXACT, CEDE_ATTEMPT_BYTES + 10, IORING_OP_RECV, &op);
    assert_int_equal(fake_ring_last()->len, part);
    assert_int_equal(bench_answer_last(part, IORING_CQE_F_SOCK_NONEMPTY)->len, 10);
    fake_ring_complete(fake_ring_last()->user_data, 10, 0);
    bench_ask_for_one(&op, part + 10);
}

// The length of an entry has 32 bits: of 4 GiB they would say nothing.
static void test_uring_asks_for_no_more_than_an_entry_can_say(void **state)
{
    struct cede_operation op;
    (void)state;
    bench_hand_over(CEDE_VERB_RECV, (size_t)1 << 32, IORING_OP_RECV, &op);
    assert_int_equal(fake_ring_last()->len, 0x7ffff000);
    fake_ring_complete(fake_ring_last()->user_data, 5, 0);
    bench_ask_for_one(&op, 5);
}

static void test_uring_reports_what_came_before_the_end_of_a_stream(void **state)
{
    struct cede_operation op;
    (void)state;
    bench_hand_over(CEDE_VERB_RECV_EXACT, 64, IORING_OP_RECV, &op);
    assert_int_equal(bench_answer_last(10, IORING_CQE_F_SOCK_NONEMPTY)->len, 54);
    fake_ring_complete(fake_ring_last()->user_data, 0, 0);
    bench_ask_for_one(&op, 10);
}

static void test_uring_accepts_again_where_a_connection_was_lost(void **state)
{
    static const int results[] = {-ECONNABORTED, -EPROTO, -EINTR};
    struct cede_operation op;
    (void)state;
    bench_hand_over(CEDE_VERB_ACCEPT, 0, IORING_OP_ACCEPT, &op);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bench_answer_last(results[i], 0)->opcode, IORING_OP_ACCEPT);
    fake_ring_complete(fake_ring_last()->user_data, -EMFILE, 0);
    bench_ask_for_one(&op, -EMFILE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_uring_takes_an_operation_back_in_either_order_of_completions),
        TEST(test_uring_keeps_data_that_came_while_it_cancelled),
        TEST(test_uring_keeps_a_connection_that_came_while_it_cancelled),
        TEST(test_uring_counts_bytes_that_moved_while_it_cancelled),
        TEST(test_uring_hands_back_what_would_block_while_it_cancels),
        TEST(test_uring_waits_for_the_completion_of_what_it_cancelled),
        TEST(test_uring_drops_a_late_completion_of_an_older_generation),
        TEST(test_uring_watches_where_a_poll_says_only_that_the_peer_half_closed),
        TEST(test_uring_renews_a_watch_that_the_kernel_has_ended),
        TEST(test_uring_lets_go_of_a_descriptor_when_its_watch_has_ended),
        TEST(test_uring_hands_all_over_before_it_lets_go_of_a_descriptor),
        TEST(test_uring_cancels_a_watch_with_the_operation_on_it),
        TEST(test_uring_reports_a_poll_that_failed),
        TEST(test_uring_lets_a_send_rest_that_is_woken_in_vain_over_and_over),
        TEST(test_uring_goes_on_where_a_short_send_ended),
        TEST(test_uring_asks_for_a_long_transfer_in_parts),
        TEST(test_uring_asks_for_no_more_than_an_entry_can_say),
        TEST(test_uring_reports_what_came_before_the_end_of_a_stream),
        TEST(test_uring_accepts_again_where_a_connection_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
