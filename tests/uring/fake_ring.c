// SPDX-License-Identifier: MIT
//
// Both queues are arrays, and head and tail are words beside them, as in the mapped memory of a
// real ring.

#include "tests/uring/fake_ring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sys.h"

#define ENTRY_LIMIT 4096
#define RING_FD 1000

struct fake_ring fake_ring;

// What a kernel and a process share.
static struct {
    unsigned submission_head;
    unsigned submission_tail;
    unsigned submission_flags;
    unsigned completion_head;
    unsigned completion_tail;
    struct io_uring_sqe entries[ENTRY_LIMIT];
} memory;

static struct io_uring_cqe *completions; // While a ring is open.

// Those that the queue has no room for.
struct completion {
    uint64_t name;
    int result;
    unsigned flags;
};

static struct completion held_back[ENTRY_LIMIT];
static unsigned held_back_count;
static unsigned completion_entries;

void fake_ring_reset(void)
{
    memset(&memory, 0, sizeof memory);
    held_back_count = 0;
    fake_ring = (struct fake_ring){
        .affordable_entries = ENTRY_LIMIT,
        .submission_limit = ENTRY_LIMIT,
        .completion_limit = ENTRY_LIMIT,
        .features = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL,
    };
}

// --- Completions --------------------------------------------------------------------------------

static bool has_room(void)
{
    return memory.completion_tail - memory.completion_head < completion_entries;
}

static void put(const struct completion *completion)
{
    struct io_uring_cqe *place = &completions[memory.completion_tail++ & (completion_entries - 1)];
    place->user_data = completion->name;
    place->res = completion->result;
    place->flags = completion->flags;
}

void fake_ring_complete(uint64_t name, int result, unsigned flags)
{
    const struct completion completion = {name, result, flags};
    if (has_room() && held_back_count == 0) {
        put(&completion);
        return;
    }
    assert_true(held_back_count < ENTRY_LIMIT);
    held_back[held_back_count++] = completion;
    memory.submission_flags |= IORING_SQ_CQ_OVERFLOW;
}

static void bring_held_back(void)
{
    unsigned count = 0;
    while (count < held_back_count && has_room())
        put(&held_back[count++]);
    held_back_count -= count;
    memmove(held_back, held_back + count, held_back_count * sizeof *held_back);
    if (held_back_count == 0)
        memory.submission_flags &= ~(unsigned)IORING_SQ_CQ_OVERFLOW;
}

void fake_ring_say_work_is_pending(bool is_pending)
{
    memory.submission_flags &= ~(unsigned)IORING_SQ_TASKRUN;
    memory.submission_flags |= is_pending ? IORING_SQ_TASKRUN : 0;
}

// --- What was taken -----------------------------------------------------------------------------

const struct io_uring_sqe *fake_ring_before_last(unsigned count)
{
    assert_true(count < fake_ring.taken_count);
    return &fake_ring.taken[fake_ring.taken_count - 1 - count];
}

const struct io_uring_sqe *fake_ring_last(void)
{
    return fake_ring_before_last(0);
}

unsigned fake_ring_count(unsigned opcode)
{
    unsigned count = 0;
    for (unsigned i = 0; i < fake_ring.taken_count; i++)
        count += fake_ring.taken[i].opcode == opcode;
    return count;
}

static void take(void)
{
    assert_true(fake_ring.taken_count < FAKE_RING_TAKEN_LIMIT);
    unsigned index = memory.submission_head++ & (fake_ring.submission_limit - 1);
    struct io_uring_sqe *entry = &fake_ring.taken[fake_ring.taken_count++];
    *entry = memory.entries[index];
    if (fake_ring.answer)
        fake_ring.answer(entry);
}

// --- engine/sys_ring.h --------------------------------------------------------------------------

int cede_sys_ring_open(unsigned entries, struct io_uring_params *params, struct io_uring *ret_ring)
{
    assert_in_range(fake_ring.tried_count, 0, 15);
    fake_ring.tried[fake_ring.tried_count] = *params;
    fake_ring.tried_entries[fake_ring.tried_count++] = entries;
    if (params->flags & fake_ring.unknown_flags)
        return -EINVAL;
    if (entries > fake_ring.affordable_entries)
        return -ENOMEM;
    assert_int_equal(fake_ring.held_count++, 0);
    fake_ring.open_count++;
    if (entries < fake_ring.submission_limit)
        fake_ring.submission_limit = entries;
    completion_entries = params->cq_entries < fake_ring.completion_limit
                             ? params->cq_entries
                             : fake_ring.completion_limit;
    completions = calloc(completion_entries, sizeof *completions);
    assert_non_null(completions);
    *ret_ring = (struct io_uring){
        .sq = {.khead = &memory.submission_head,
               .ktail = &memory.submission_tail,
               .kflags = &memory.submission_flags,
               .sqes = memory.entries,
               .ring_entries = fake_ring.submission_limit,
               .ring_mask = fake_ring.submission_limit - 1},
        .cq = {.khead = &memory.completion_head,
               .ktail = &memory.completion_tail,
               .cqes = completions,
               .ring_entries = completion_entries,
               .ring_mask = completion_entries - 1},
        .flags = params->flags,
        .features = fake_ring.features,
        .ring_fd = RING_FD,
        .enter_ring_fd = RING_FD,
    };
    return 0;
}

void cede_sys_ring_close(struct io_uring *ring)
{
    assert_int_equal(ring->ring_fd, RING_FD);
    assert_int_equal(fake_ring.held_count--, 1);
    free(completions);
}

int cede_sys_ring_enter(struct io_uring *ring, unsigned submit_count, unsigned wait_count,
                        unsigned flags, int64_t timeout_ns)
{
    (void)flags;
    assert_int_equal(ring->ring_fd, RING_FD);
    fake_ring.enter_count++;
    fake_ring.timeout_ns = timeout_ns;
    fake_ring.wait_count = wait_count;
    bring_held_back();
    if (fake_ring.enter_error_count > 0) {
        fake_ring.enter_error_count--;
        return fake_ring.enter_error;
    }
    assert_int_equal(memory.submission_tail - memory.submission_head, submit_count);
    bool is_part = fake_ring.part_taken > 0 && fake_ring.part_taken < submit_count;
    if (is_part)
        submit_count = fake_ring.part_taken;
    fake_ring.part_taken = 0;
    for (unsigned i = 0; i < submit_count; i++)
        take();
    fake_ring_say_work_is_pending(fake_ring.keeps_work_pending);
    if (is_part)
        return (int)submit_count;
    bool would_sleep = memory.completion_tail - memory.completion_head < wait_count;
    if (would_sleep && fake_ring.during_sleep)
        fake_ring.during_sleep();
    if (timeout_ns == CEDE_NEVER && memory.completion_tail - memory.completion_head < wait_count)
        fail_msg("an enter that never ends");
    return (int)submit_count;
}

int cede_sys_ring_register(struct io_uring *ring, unsigned operation, const void *argument,
                           unsigned count)
{
    (void)argument;
    (void)count;
    assert_int_equal(ring->ring_fd, RING_FD);
    assert_in_range(fake_ring.registered_count, 0, 15);
    fake_ring.registered[fake_ring.registered_count++] = operation;
    return operation == fake_ring.refused_registration ? fake_ring.registration_error : 0;
}

int cede_sys_ring_register_itself(struct io_uring *ring)
{
    // There is no thread to register with.
    (void)ring;
    return -EINVAL;
}
