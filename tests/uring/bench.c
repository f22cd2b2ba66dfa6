// SPDX-License-Identifier: MIT
//
// What the engine does around a backend, as little of it as possible.

#include "tests/uring/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct cede_descriptors descriptors;
static void *uring;
static uint64_t last_ticket;
char bench_buffer[64];

static int open_on(unsigned submission_limit, unsigned completion_limit)
{
    fake_ring_reset();
    fake_ring.submission_limit = submission_limit;
    fake_ring.completion_limit = completion_limit;
    last_ticket = 0;
    struct cede_backend_setup setup = {.descriptors = &descriptors};
    if (cede_descriptors_open(BENCH_DESCRIPTOR_COUNT, &descriptors) < 0)
        return -1;
    return cede_uring_backend.open(&cede_uring_backend, &setup, &uring);
}

int bench_open(void **state)
{
    (void)state;
    return open_on(64, 64);
}

int bench_open_narrow(void **state)
{
    (void)state;
    return open_on(8, 8);
}

int bench_close(void **state)
{
    (void)state;
    cede_uring_backend.close(uring);
    cede_descriptors_close(&descriptors);
    return fake_ring.held_count != 0;
}

void bench_submit(enum cede_verb verb, int fd, size_t bytes, struct cede_operation *ret_op)
{
    cede_operation_prepare(ret_op, verb, fd);
    ret_op->class = cede_verb_classes[verb];
    ret_op->state = CEDE_SUBMITTED;
    ret_op->ticket = ++last_ticket;
    if (bytes > 0) {
        ret_op->as.buffer.data = bench_buffer;
        ret_op->as.buffer.bytes = bytes;
    }
    cede_descriptors_at(&descriptors, fd)->waiting[ret_op->class] = ret_op;
    cede_uring_backend.submit(uring, ret_op);
}

int bench_wait(int64_t timeout_ns, int *ret_ended_count)
{
    struct cede_operation_list ended = {.first = NULL};
    int progress = cede_uring_backend.wait(uring, timeout_ns, false, &ended);
    *ret_ended_count = 0;
    CEDE_OPERATIONS_EACH(op, next, ended.first)
    {
        assert_int_equal(op->state, CEDE_ENDED);
        ++*ret_ended_count;
    }
    return progress;
}

void bench_ask_for_nothing(void)
{
    int count;
    bench_wait(0, &count);
    assert_int_equal(count, 0);
}

void bench_ask_for_one(const struct cede_operation *op, int64_t result)
{
    int count;
    assert_int_equal(bench_wait(0, &count), 1);
    assert_int_equal(count, 1);
    assert_int_equal(op->state, CEDE_ENDED);
    assert_int_equal(op->result, result);
}

uint64_t bench_hand_over(enum cede_verb verb, size_t bytes, unsigned opcode,
                                     struct cede_operation *ret_op)
{
    bench_submit(verb, BENCH_FD, bytes, ret_op);
    bench_ask_for_nothing();
    assert_int_equal(fake_ring_last()->opcode, opcode);
    assert_int_equal(fake_ring_last()->fd, BENCH_FD);
    return fake_ring_last()->user_data;
}

const struct io_uring_sqe *bench_answer_last(int result, unsigned flags)
{
    fake_ring_complete(fake_ring_last()->user_data, result, flags);
    bench_ask_for_nothing();
    return fake_ring_last();
}

int bench_cancel(struct cede_operation *op)
{
    struct cede_operation_list ops = cede_operation_list_of(op);
    int count = cede_uring_backend.cancel(uring, &ops);
    assert_ptr_equal(ops.first, count == 0 ? op : NULL);
    return count;
}


int bench_cancel_all(struct cede_operation_list *ops)
{
    return cede_uring_backend.cancel(uring, ops);
}

void bench_forget(int fd)
{
    cede_uring_backend.forget(uring, fd);
}
