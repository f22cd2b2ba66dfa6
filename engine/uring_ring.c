// SPDX-License-Identifier: MIT
//
// Opening a ring, and handing entries over.
//
// The flags: one thread submits (SINGLE_ISSUER), completions run only when it asks (DEFER_TASKRUN)
// and it can see that there are some (TASKRUN_FLAG); a bad entry does not stop those behind it
// (SUBMIT_ALL). Kernels without the newer ones get fewer, step by step. SQPOLL is not used: it
// burns a core, and keeps old credentials.
//
// The ring is created disabled, restricted to the operations of uring_requests.c, and then enabled:
// a hijacked process cannot make this ring do more. One kernel thread for each kind of blocking
// work at most; nothing here should need any (S23).
//
// Ring memory is charged to the user's locked memory: on ENOMEM the sizes are halved.

#include "engine/uring_ring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/check.h"
#include "engine/sys.h"
#include "engine/uring_abi.h"

#define SUBMISSION_ENTRIES 512U
#define COMPLETION_ENTRIES 4096U
#define SUBMISSION_ENTRIES_MIN 64U

#define ALWAYS (IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED)
#define DEFERRED (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

// Newest first; each is tried when the kernel knows not all of the one before.
static const unsigned flag_sets[] = {
    ALWAYS | DEFERRED | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    ALWAYS | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    ALWAYS | IORING_SETUP_SUBMIT_ALL,
    ALWAYS,
};

#define FLAG_SET_COUNT (sizeof flag_sets / sizeof *flag_sets)

static const struct {
    unsigned flag;
    const char *name;
} flag_names[] = {
    {IORING_SETUP_SINGLE_ISSUER, "single-issuer"}, {IORING_SETUP_DEFER_TASKRUN, "defer-taskrun"},
    {IORING_SETUP_COOP_TASKRUN, "coop-taskrun"},   {IORING_SETUP_TASKRUN_FLAG, "taskrun-flag"},
    {IORING_SETUP_SUBMIT_ALL, "submit-all"},
};

static const unsigned char allowed_operations[] = {
    IORING_OP_POLL_ADD, IORING_OP_RECV,   IORING_OP_RECVMSG, IORING_OP_SEND,
    IORING_OP_SENDMSG,  IORING_OP_ACCEPT, IORING_OP_CONNECT, IORING_OP_ASYNC_CANCEL,
};

#define ALLOWED_COUNT (sizeof allowed_operations / sizeof *allowed_operations)

// Opens with one set of flags, smaller and smaller while locked memory does not suffice.
static int open_with(unsigned flags, struct cede_uring_ring *ret_ring)
{
    int error = -ENOMEM;
    for (unsigned entries = SUBMISSION_ENTRIES;
         error == -ENOMEM && entries >= SUBMISSION_ENTRIES_MIN; entries /= 2) {
        struct io_uring_params params = {
            .flags = flags,
            .cq_entries = entries * (COMPLETION_ENTRIES / SUBMISSION_ENTRIES),
        };
        error = cede_sys_ring_open(entries, &params, &ret_ring->ring);
    }
    return error;
}

// The allow-list, and what may still be registered: nothing, but the ring's own descriptor goes.
static int restrict_and_enable(struct io_uring *ring)
{
    struct io_uring_restriction list[ALLOWED_COUNT + 1];
    memset(list, 0, sizeof list);
    for (size_t i = 0; i < ALLOWED_COUNT; i++) {
        list[i].opcode = IORING_RESTRICTION_SQE_OP;
        list[i].sqe_op = allowed_operations[i];
    }
    list[ALLOWED_COUNT].opcode = IORING_RESTRICTION_REGISTER_OP;
    list[ALLOWED_COUNT].register_op = IORING_UNREGISTER_RING_FDS;

    // Cheaper entering; a kernel or a thread without a free place does without.
    cede_sys_ring_register_itself(ring);

    unsigned workers[2] = {1, 1};
    int error = cede_sys_ring_register(ring, IORING_REGISTER_IOWQ_MAX_WORKERS, workers, 2);
    if (error == 0 || error == -EINVAL)
        error = cede_sys_ring_register(ring, IORING_REGISTER_RESTRICTIONS, list,
                                       sizeof list / sizeof *list);
    if (error == 0)
        error = cede_sys_ring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    return error;
}

// What the kernel must offer: no lost completions, a timeout in enter, polling in the kernel.
static bool has_features(const struct io_uring *ring)
{
    unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL;
    return (ring->features & needed) == needed;
}

int cede_uring_ring_open(bool needs_deferred, struct cede_uring_ring *ret_ring)
{
    int error = -EINVAL;
    size_t set_count = needs_deferred ? 1 : FLAG_SET_COUNT;
    for (size_t i = 0; error == -EINVAL && i < set_count; i++)
        error = open_with(flag_sets[i], ret_ring);
    if (error < 0)
        return error == -EINVAL ? -ENOSYS : error;
    error = has_features(&ret_ring->ring) ? restrict_and_enable(&ret_ring->ring) : -ENOSYS;
    if (error < 0) {
        cede_sys_ring_close(&ret_ring->ring);
        return error == -EINVAL ? -ENOSYS : error;
    }
    bool has_no_iowait = ret_ring->ring.features & CEDE_URING_FEAT_NO_IOWAIT;
    ret_ring->enter_flags = has_no_iowait ? CEDE_URING_ENTER_NO_IOWAIT : 0;
    return 0;
}

void cede_uring_ring_close(struct cede_uring_ring *ring)
{
    cede_sys_ring_close(&ring->ring);
}

// The sysctl denies with 1 those who have neither a capability nor its group, and with 2 everybody.
static void explain_denial(char *ret_text, size_t bytes)
{
    int disabled = cede_sys_io_uring_disabled();
    if (disabled > 0)
        snprintf(ret_text, bytes, "%s: kernel.io_uring_disabled is %d", strerror(EPERM), disabled);
    else
        snprintf(ret_text, bytes, "%s: a seccomp filter denies it", strerror(EPERM));
}

void cede_uring_ring_explain(int error, char *ret_text, size_t bytes)
{
    const char *name = strerror(-error);
    switch (error) {
    case -ENOSYS:
        snprintf(ret_text, bytes, "%s: the kernel lacks some of it, or a filter hides it", name);
        break;
    case -EPERM:
        explain_denial(ret_text, bytes);
        break;
    case -EACCES:
        snprintf(ret_text, bytes, "%s: a security policy or a filter denies it", name);
        break;
    case -ENOMEM:
        snprintf(ret_text, bytes, "%s: RLIMIT_MEMLOCK is %llu bytes", name,
                 (unsigned long long)cede_sys_memlock_limit());
        break;
    default:
        snprintf(ret_text, bytes, "passing a byte through it failed: %s", name);
    }
}

void cede_uring_ring_describe(const struct cede_uring_ring *ring, char *ret_text, size_t bytes)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names && used < bytes; i++)
        if (ring->ring.flags & flag_names[i].flag)
            used += (size_t)snprintf(ret_text + used, bytes - used, "%s%s", used ? " " : "",
                                     flag_names[i].name);
}

unsigned cede_uring_ring_queued(const struct cede_uring_ring *ring)
{
    return ring->ring.sq.sqe_tail - *ring->ring.sq.khead;
}

struct io_uring_sqe *cede_uring_ring_next(struct cede_uring_ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->ring);
    if (!sqe && cede_uring_ring_submit(ring) >= 0)
        sqe = io_uring_get_sqe(&ring->ring);
    return sqe;
}

static int enter(struct cede_uring_ring *ring, unsigned wait_count, unsigned flags,
                 int64_t timeout_ns)
{
    // The kernel reads what stands before the tail.
    struct io_uring_sq *sq = &ring->ring.sq;
    sq->sqe_head = sq->sqe_tail;
    io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
    int result = cede_sys_ring_enter(&ring->ring, cede_uring_ring_queued(ring), wait_count,
                                     ring->enter_flags | flags, timeout_ns);
    // The kernel is short of memory, or wants its completions taken first: what was not handed over
    // stays in the ring for the next time.
    bool is_passing = result == -EAGAIN || result == -EBUSY || result == -ENOMEM;
    return result < 0 && !is_passing ? result : 0;
}

int cede_uring_ring_enter(struct cede_uring_ring *ring, unsigned wait_count, int64_t timeout_ns)
{
    return enter(ring, wait_count, IORING_ENTER_GETEVENTS, timeout_ns);
}

int cede_uring_ring_submit(struct cede_uring_ring *ring)
{
    return enter(ring, 0, 0, 0);
}

bool cede_uring_ring_has_work(const struct cede_uring_ring *ring)
{
    unsigned flags = IO_URING_READ_ONCE(*ring->ring.sq.kflags);
    return flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

bool cede_uring_ring_overflows(const struct cede_uring_ring *ring)
{
    return IO_URING_READ_ONCE(*ring->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW;
}
