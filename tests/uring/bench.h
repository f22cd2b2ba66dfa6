// SPDX-License-Identifier: MIT
//
// The io_uring backend on a ring that does as it is told (fake_ring.h), driven through the contract
// of a backend as the engine would. The descriptors are numbers without a file.

#ifndef CEDE_TESTS_URING_BENCH_H
#define CEDE_TESTS_URING_BENCH_H

#include "engine/uring.h"
#include "tests/uring/fake_ring.h"

#define BENCH_FD 5
#define BENCH_DESCRIPTOR_COUNT 64

// Where operations with bytes have them.
extern char bench_buffer[64];

// The backend on a ring with room for everything, and on one with 8 entries in both queues; and its
// end, with the ring given back. For cmocka_unit_test_setup_teardown: 0 when all is well.
int bench_open(void **state);
int bench_open_narrow(void **state);
int bench_close(void **state);

// Submits an operation; `bytes` of the buffer where it moves data, else 0.
void bench_submit(enum cede_verb verb, int fd, size_t bytes, struct cede_operation *ret_op);

// Asks for one answer with this timeout: what wait returned, and how many operations have ended.
int bench_wait(int64_t timeout_ns, int *ret_ended_count);

// Asks without sleeping, and asserts that nothing has ended; that this has, and nothing else.
void bench_ask_for_nothing(void);
void bench_ask_for_one(const struct cede_operation *op, int64_t result);

// Submits on BENCH_FD, and has the ring take the entry, which has this opcode: its name.
uint64_t bench_hand_over(enum cede_verb verb, size_t bytes, unsigned opcode,
                         struct cede_operation *ret_op);

// Answers the entry that was taken last, and gives what is the last then.
const struct io_uring_sqe *bench_answer_last(int result, unsigned flags);

// Takes operations back: how many had ended on their own. They are gone from the list then.
int bench_cancel(struct cede_operation *op);
int bench_cancel_all(struct cede_operation_list *ops);

// Lets go of a descriptor.
void bench_forget(int fd);

#endif
