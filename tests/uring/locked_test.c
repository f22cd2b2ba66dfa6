// SPDX-License-Identifier: MIT
//
// The claims of engine/uring_ring.h on the kernel's own ring: what it may not do.

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/uring_ring.h"
#include "tests/uring/kernel.h"

static struct cede_uring_ring ring;

// Where a test was skipped there is no ring to close.
static bool is_open;

static void open_ring(void)
{
    kernel_require_uring();
    assert_int_equal(cede_uring_ring_open(false, &ring), 0);
    is_open = true;
}

static int close_ring(void **state)
{
    (void)state;
    if (is_open)
        cede_uring_ring_close(&ring);
    is_open = false;
    return 0;
}

// Hands over the entry that was prepared: what it completes with.
static int complete(void)
{
    struct io_uring_cq *cq = &ring.ring.cq;
    assert_int_equal(cede_uring_ring_enter(&ring, 1, CEDE_NEVER), 0);
    unsigned head = *cq->khead;
    assert_int_equal(io_uring_smp_load_acquire(cq->ktail), head + 1);
    int result = cq->cqes[head & cq->ring_mask].res;
    io_uring_smp_store_release(cq->khead, head + 1);
    return result;
}

static void test_uring_refuses_operations_that_the_engine_does_not_use(void **state)
{
    static const unsigned char refused[] = {
        IORING_OP_NOP,    IORING_OP_READ,   IORING_OP_WRITE,    IORING_OP_OPENAT,
        IORING_OP_SOCKET, IORING_OP_SPLICE, IORING_OP_UNLINKAT, IORING_OP_URING_CMD,
    };
    (void)state;
    open_ring();
    for (size_t i = 0; i < sizeof refused; i++) {
        struct io_uring_sqe *entry = cede_uring_ring_next(&ring);
        assert_non_null(entry);
        io_uring_prep_rw(refused[i], entry, 0, NULL, 0, 0);
        assert_int_equal(complete(), -EACCES);
    }
}

static void test_uring_carries_out_what_the_engine_uses(void **state)
{
    int fds[2];
    char byte = 0;
    (void)state;
    open_ring();
    kernel_open_pair(fds);
    io_uring_prep_send(cede_uring_ring_next(&ring), fds[1], "x", 1, MSG_DONTWAIT);
    assert_int_equal(complete(), 1);
    io_uring_prep_recv(cede_uring_ring_next(&ring), fds[0], &byte, 1, 0);
    assert_int_equal(complete(), 1);
    assert_int_equal(byte, 'x');
    close(fds[0]);
    close(fds[1]);
}

static void test_uring_refuses_to_register_anything(void **state)
{
    static const unsigned refused[] = {
        IORING_REGISTER_FILES,       IORING_REGISTER_BUFFERS,
        IORING_REGISTER_PERSONALITY, IORING_REGISTER_EVENTFD,
        IORING_REGISTER_RING_FDS,    IORING_REGISTER_IOWQ_MAX_WORKERS,
    };
    (void)state;
    open_ring();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        unsigned argument[16] = {0};
        assert_int_equal(cede_sys_ring_register(&ring.ring, refused[i], argument, 1), -EACCES);
    }
}

static void test_uring_restrictions_stay(void **state)
{
    struct io_uring_restriction nop;
    (void)state;
    open_ring();
    memset(&nop, 0, sizeof nop);
    nop.opcode = IORING_RESTRICTION_SQE_OP;
    nop.sqe_op = IORING_OP_NOP;
    assert_true(cede_sys_ring_register(&ring.ring, IORING_REGISTER_RESTRICTIONS, &nop, 1) < 0);
    io_uring_prep_nop(cede_uring_ring_next(&ring));
    assert_int_equal(complete(), -EACCES);
}

// S21.
static void test_uring_closes_on_exec(void **state)
{
    (void)state;
    open_ring();
    int flags = fcntl(ring.ring.ring_fd, F_GETFD);
    assert_return_code(flags, errno);
    assert_true(flags & FD_CLOEXEC);
}

// S23.
static void test_uring_makes_no_polling_thread(void **state)
{
    (void)state;
    open_ring();
    assert_false(ring.ring.flags & IORING_SETUP_SQPOLL);
    assert_int_equal(kernel_count_workers(), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_uring_refuses_operations_that_the_engine_does_not_use),
        TEST(test_uring_carries_out_what_the_engine_uses),
        TEST(test_uring_refuses_to_register_anything),
        TEST(test_uring_restrictions_stay),
        TEST(test_uring_closes_on_exec),
        TEST(test_uring_makes_no_polling_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
