// SPDX-License-Identifier: MIT
//
// The claims of engine/engine.h that need a backend to behave in a way that no real one does on
// demand: to die, to hand operations back in any order, to end one while it is being cancelled.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/wakeup.h"

#define FAKE_LIMIT 16

// A backend that holds what it is given until the test takes it out.
static struct {
    struct cede_operation *held[FAKE_LIMIT];
    struct cede_operation_list ended;
    int error;                  // What wait comes to; 0: what has ended.
    bool ends_when_cancelled;   // Each with result 5.
    void (*during_wait)(void);
} fake;

static int pair[2];

// --- The fake -----------------------------------------------------------------------------------

static int fake_open(const struct cede_backend *backend, const struct cede_backend_setup *setup,
                     void **ret_state)
{
    (void)backend;
    (void)setup;
    memset(&fake, 0, sizeof fake);
    *ret_state = &fake;
    return 0;
}

static void fake_close(void *state)
{
    (void)state;
}

static void fake_submit(void *state, struct cede_operation *op)
{
    int i = 0;
    (void)state;
    while (fake.held[i])
        assert_true(++i < FAKE_LIMIT);
    fake.held[i] = op;
    op->state = CEDE_PARKED;
}

static void let_go(struct cede_operation *op)
{
    int i = 0;
    while (fake.held[i] != op)
        assert_true(++i < FAKE_LIMIT);
    fake.held[i] = NULL;
}

// Has the next wait hand back the operation.
static void end(struct cede_operation *op, int64_t result)
{
    let_go(op);
    op->result = result;
    op->state = CEDE_ENDED;
    cede_operation_append(&fake.ended, op);
}

static int fake_cancel(void *state, struct cede_operation_list *ops)
{
    struct cede_operation_list kept = {.first = NULL};
    struct cede_operation *op;
    int count = 0;
    (void)state;
    while ((op = cede_operation_take_first(ops))) {
        if (fake.ends_when_cancelled) {
            end(op, 5);
            count++;
        } else {
            let_go(op);
            cede_operation_append(&kept, op);
        }
    }
    *ops = kept;
    return count;
}

static void fake_forget(void *state, int fd)
{
    (void)state;
    (void)fd;
}

static int fake_wait(void *state, int64_t timeout_ns, bool may_skip_poll,
                     struct cede_operation_list *ended)
{
    (void)state;
    (void)timeout_ns;
    (void)may_skip_poll;
    if (fake.during_wait)
        fake.during_wait();
    bool has_ended = fake.ended.first != NULL;
    cede_operation_append_all(ended, &fake.ended);
    return fake.error ? fake.error : has_ended;
}

static const struct cede_backend fake_backend = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .submit = fake_submit,
    .cancel = fake_cancel,
    .forget = fake_forget,
    .wait = fake_wait,
};

// --- Memory that can be refused: the linker's --wrap --------------------------------------------

void *__real_cede_sys_reallocate(void *memory, size_t bytes);
void *__wrap_cede_sys_reallocate(void *memory, size_t bytes);

static bool is_memory_refused;

void *__wrap_cede_sys_reallocate(void *memory, size_t bytes)
{
    return is_memory_refused ? NULL : __real_cede_sys_reallocate(memory, bytes);
}

// --- Fixture ------------------------------------------------------------------------------------

static int open_engine(void **state, bool strict)
{
    struct cede_options options = {.strict = strict};
    options = cede_options_fill(&options);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
        return -1;
    return cede_engine_open(&fake_backend, &options, (struct cede_engine **)state);
}

static int open_strictly(void **state)
{
    return open_engine(state, true);
}

static int open_normally(void **state)
{
    return open_engine(state, false);
}

static int close_engine(void **state)
{
    cede_engine_close(*state);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static void submit(struct cede_engine *engine, enum cede_verb verb, int fd,
                   struct cede_operation *op)
{
    cede_operation_prepare(op, verb, fd);
    cede_engine_submit(engine, op);
}

// One tick of an engine beside which something is always runnable: the count of what it handed
// back.
static int tick(struct cede_engine *engine, struct cede_operation *ret_ended[FAKE_LIMIT])
{
    struct cede_operation_list ended = {.first = NULL};
    struct cede_operation *op;
    int count = 0;
    assert_int_equal(cede_engine_tick(engine, true, 1, &ended), 0);
    while ((op = cede_operation_take_first(&ended)))
        ret_ended[count++] = op;
    return count;
}

// --- Claims -------------------------------------------------------------------------------------

// T4, S9.
static void test_engine_brings_order_into_what_a_backend_hands_back(void **state)
{
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation ops[4];
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    submit(*state, CEDE_VERB_SEND, pair[0], &ops[2]);
    submit(*state, CEDE_VERB_RECV, fds[0], &ops[0]);
    submit(*state, CEDE_VERB_SEND, fds[0], &ops[3]);
    submit(*state, CEDE_VERB_RECV, pair[0], &ops[1]);
    assert_int_equal(tick(*state, ended), 0);
    for (int i = 0; i < 4; i++)
        end(&ops[i == 0 ? 3 : i == 3 ? 0 : i], i);
    assert_int_equal(tick(*state, ended), 4);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(ended[i], &ops[i]);
    close(fds[0]);
    close(fds[1]);
}

// S14, S15.
static void test_engine_keeps_the_result_of_what_ends_while_it_is_cancelled(void **state)
{
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation op;
    submit(*state, CEDE_VERB_RECV, pair[0], &op);
    assert_int_equal(tick(*state, ended), 0);
    fake.ends_when_cancelled = true;
    cede_engine_cancel(*state, &op);
    assert_int_equal(tick(*state, ended), 1);
    assert_int_equal(op.result, 5);
}

// S6.
static void test_engine_keeps_the_result_of_what_ends_while_it_is_closed(void **state)
{
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation op;
    struct cede_operation closing;
    int fd = dup(pair[0]);
    submit(*state, CEDE_VERB_RECV, fd, &op);
    assert_int_equal(tick(*state, ended), 0);
    fake.ends_when_cancelled = true;
    submit(*state, CEDE_VERB_CLOSE, fd, &closing);
    assert_int_equal(tick(*state, ended), 2);
    assert_int_equal(op.result, 5);
    assert_int_equal(closing.result, 0);
}

// S8.
static void test_engine_keeps_the_result_of_what_ends_while_it_is_shut_down(void **state)
{
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation op;
    submit(*state, CEDE_VERB_WAIT_RECV, pair[0], &op);
    assert_int_equal(tick(*state, ended), 0);
    fake.ends_when_cancelled = true;
    assert_int_equal(cede_engine_shutdown(*state, pair[0], SHUT_RD), 0);
    assert_int_equal(tick(*state, ended), 1);
    assert_int_equal(op.result, 5);
}

// S2, S8.
static void test_engine_forgets_the_end_of_a_rest_that_a_shutdown_ends(void **state)
{
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation recv;
    struct cede_operation sleep;
    submit(*state, CEDE_VERB_RECV, pair[0], &recv);
    assert_int_equal(tick(*state, ended), 0);
    end(&recv, -EAGAIN);
    assert_int_equal(tick(*state, ended), 0);
    assert_int_equal(recv.state, CEDE_RESTING);
    assert_int_equal(cede_engine_shutdown(*state, pair[0], SHUT_RD), 0);
    assert_int_equal(recv.state, CEDE_SUBMITTED);
    // The strict clock jumps over the end of the rest.
    cede_operation_prepare(&sleep, CEDE_VERB_PARK, -1);
    sleep.deadline_ns = sleep.limit_ns = CEDE_NANOSECONDS_PER_SECOND;
    cede_engine_submit(*state, &sleep);
    struct cede_operation_list list = {.first = NULL};
    while (sleep.state != CEDE_ENDED)
        assert_int_equal(cede_engine_tick(*state, false, 0, &list), 0);
    assert_ptr_equal(list.first, &sleep);
    assert_null(list.first->next);
    assert_int_equal(recv.state, CEDE_PARKED);
    end(&recv, 0);
    assert_int_equal(tick(*state, ended), 1);
}

static struct cede_engine *late_engine;
static int64_t late_ns;

static void let_time_pass(void)
{
    while (cede_engine_now_ns(late_engine) < late_ns)
        continue;
}

// The backend has something to hand back and need not ask the kernel; meanwhile a deadline passes
// (S13).
static void test_engine_cuts_off_no_wait_that_it_did_not_ask_about(void **state)
{
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation recv;
    struct cede_operation wait;
    late_engine = *state;
    submit(*state, CEDE_VERB_RECV, pair[0], &recv);
    cede_operation_prepare(&wait, CEDE_VERB_WAIT_RECV, pair[1]);
    wait.limit_ns = wait.deadline_ns = late_ns = cede_engine_now_ns(*state) + 1000000;
    cede_engine_submit(*state, &wait);
    assert_int_equal(tick(*state, ended), 0);
    assert_int_equal(wait.state, CEDE_PARKED);
    end(&recv, 1);
    fake.during_wait = let_time_pass;
    assert_int_equal(tick(*state, ended), 1);
    assert_ptr_equal(ended[0], &recv);
    // Now the kernel is asked, and says that it is ready.
    end(&wait, 0);
    assert_int_equal(tick(*state, ended), 1);
    assert_ptr_equal(ended[0], &wait);
    assert_int_equal(wait.result, 0);
}

// S6.
static void test_engine_whose_backend_dies_ends_everything_but_closes(void **state)
{
    struct cede_operation_list ended = {.first = NULL};
    struct cede_operation recv;
    struct cede_operation next;
    struct cede_operation closing;
    struct cede_wakeup *wakeup;
    assert_int_equal(cede_wakeup_create(*state, &wakeup), 0);
    submit(*state, CEDE_VERB_RECV, pair[0], &recv);
    fake.error = -EIO;
    assert_int_equal(cede_engine_tick(*state, true, 1, &ended), -EIO);
    // The wait on the eventfd is nobody's, and is not handed back.
    assert_ptr_equal(cede_operation_take_first(&ended), &recv);
    assert_null(ended.first);
    assert_int_equal(recv.result, -EIO);

    submit(*state, CEDE_VERB_RECV, pair[0], &next);
    int fd = dup(pair[0]);
    submit(*state, CEDE_VERB_CLOSE, fd, &closing);
    assert_int_equal(cede_engine_tick(*state, true, 1, &ended), -EIO);
    assert_ptr_equal(cede_operation_take_first(&ended), &next);
    assert_ptr_equal(cede_operation_take_first(&ended), &closing);
    assert_null(ended.first);
    assert_int_equal(next.result, -EIO);
    assert_int_equal(closing.result, 0);
    assert_int_equal(close(fd), -1);

    cede_wakeup_destroy(wakeup);
}

// S6.
static void test_engine_without_memory_refuses_all_but_closes(void **state)
{
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation recv;
    struct cede_operation closing;
    int fd = dup(pair[0]);
    is_memory_refused = true;
    submit(*state, CEDE_VERB_RECV, pair[0], &recv);
    submit(*state, CEDE_VERB_CLOSE, fd, &closing);
    assert_int_equal(tick(*state, ended), 2);
    is_memory_refused = false;
    assert_int_equal(recv.result, -ENOMEM);
    assert_int_equal(closing.result, 0);
    assert_int_equal(close(fd), -1);
}

static void test_engine_counts_what_happens(void **state)
{
    const struct cede_engine_counters *counters = cede_engine_counters(*state);
    struct cede_operation *ended[FAKE_LIMIT];
    struct cede_operation op;
    submit(*state, CEDE_VERB_RECV, pair[0], &op);
    assert_int_equal(tick(*state, ended), 0);
    assert_int_equal(counters->ticks, 0);
    end(&op, 1);
    uint64_t answers = counters->answers;
    assert_int_equal(tick(*state, ended), 1);
    assert_int_equal(counters->ticks, 1);
    assert_true(counters->answers > answers);
    assert_int_equal(counters->sleeps, 0);
}

#define STRICT_TEST(test) cmocka_unit_test_setup_teardown(test, open_strictly, close_engine)
#define NORMAL_TEST(test) cmocka_unit_test_setup_teardown(test, open_normally, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STRICT_TEST(test_engine_brings_order_into_what_a_backend_hands_back),
        STRICT_TEST(test_engine_keeps_the_result_of_what_ends_while_it_is_cancelled),
        STRICT_TEST(test_engine_keeps_the_result_of_what_ends_while_it_is_closed),
        STRICT_TEST(test_engine_keeps_the_result_of_what_ends_while_it_is_shut_down),
        STRICT_TEST(test_engine_forgets_the_end_of_a_rest_that_a_shutdown_ends),
        NORMAL_TEST(test_engine_cuts_off_no_wait_that_it_did_not_ask_about),
        STRICT_TEST(test_engine_whose_backend_dies_ends_everything_but_closes),
        STRICT_TEST(test_engine_without_memory_refuses_all_but_closes),
        NORMAL_TEST(test_engine_counts_what_happens),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
