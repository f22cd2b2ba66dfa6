// SPDX-License-Identifier: MIT
//
// How long the engine sleeps (T3, S13): on a backend in which nothing ever ends, and which notes
// how long it was told to wait, and at what time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"

static struct cede_engine *engine;
static int pair[2];

// What the last wait was told, and the time of its tick.
static int64_t timeout_ns;
static int64_t sleeping_ns;

// --- The backend --------------------------------------------------------------------------------

static int noting_open(const struct cede_backend *backend, const struct cede_backend_setup *setup,
                       void **ret_state)
{
    (void)backend;
    (void)setup;
    *ret_state = pair;
    return 0;
}

static void noting_close(void *state)
{
    (void)state;
}

static void noting_submit(void *state, struct cede_operation *op)
{
    (void)state;
    op->state = CEDE_PARKED;
}

static int noting_cancel(void *state, struct cede_operation_list *ops)
{
    (void)state;
    (void)ops;
    return 0;
}

static void noting_forget(void *state, int fd)
{
    (void)state;
    (void)fd;
}

static int noting_wait(void *state, int64_t limit_ns, bool may_skip_poll,
                       struct cede_operation_list *ended)
{
    (void)state;
    (void)may_skip_poll;
    (void)ended;
    timeout_ns = limit_ns;
    sleeping_ns = cede_engine_tick_ns(engine);
    return 0;
}

static const struct cede_backend noting_backend = {
    .name = "noting",
    .open = noting_open,
    .close = noting_close,
    .submit = noting_submit,
    .cancel = noting_cancel,
    .forget = noting_forget,
    .wait = noting_wait,
};

// --- Fixture ------------------------------------------------------------------------------------

static int open_engine(void **state)
{
    struct cede_options options = {.strict = false};
    (void)state;
    options = cede_options_fill(&options);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
        return -1;
    timeout_ns = sleeping_ns = -1;
    return cede_engine_open(&noting_backend, &options, &engine);
}

static int close_engine(void **state)
{
    (void)state;
    cede_engine_close(engine);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static void submit_until(int64_t deadline_ns, enum cede_verb verb, int fd,
                         struct cede_operation *op)
{
    cede_operation_prepare(op, verb, fd);
    op->limit_ns = op->deadline_ns = deadline_ns;
    cede_engine_submit(engine, op);
}

// One tick of an engine beside which nothing is runnable: how many operations have ended.
static int sleep_once(void)
{
    struct cede_operation_list ended = {.first = NULL};
    int count = 0;
    assert_int_equal(cede_engine_tick(engine, false, 0, &ended), 0);
    while (cede_operation_take_first(&ended))
        count++;
    return count;
}

// --- Claims -------------------------------------------------------------------------------------

static void test_engine_sleeps_until_the_earliest_deadline_and_no_longer(void **state)
{
    struct cede_operation wait;
    struct cede_operation recv;
    struct cede_operation sleep;
    int64_t start_ns = cede_engine_now_ns(engine);
    (void)state;
    submit_until(CEDE_NEVER, CEDE_VERB_WAIT_RECV, pair[1], &wait);
    assert_int_equal(sleep_once(), 0);
    assert_int_equal(timeout_ns, CEDE_NEVER);

    submit_until(start_ns + 3600 * CEDE_NANOSECONDS_PER_SECOND, CEDE_VERB_RECV, pair[0], &recv);
    assert_int_equal(sleep_once(), 0);
    assert_int_equal(timeout_ns, recv.deadline_ns - sleeping_ns);
    assert_true(sleeping_ns >= start_ns);

    submit_until(start_ns + 60 * CEDE_NANOSECONDS_PER_SECOND, CEDE_VERB_PARK, -1, &sleep);
    assert_int_equal(sleep_once(), 0);
    assert_int_equal(timeout_ns, sleep.deadline_ns - sleeping_ns);

    cede_engine_cancel(engine, &sleep);
    cede_engine_cancel(engine, &recv);
    cede_engine_cancel(engine, &wait);
    assert_int_equal(sleep_once(), 3);
    assert_int_equal(timeout_ns, 0);
}

static void test_engine_does_not_sleep_when_a_deadline_is_over(void **state)
{
    struct cede_operation sleep;
    (void)state;
    submit_until(cede_engine_now_ns(engine), CEDE_VERB_PARK, -1, &sleep);
    assert_int_equal(sleep_once(), 1);
    assert_int_equal(timeout_ns, 0);
    assert_int_equal(sleep.result, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_engine, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_engine_sleeps_until_the_earliest_deadline_and_no_longer),
        TEST(test_engine_does_not_sleep_when_a_deadline_is_over),
    };
    return cmocka_run_group_tests_name("engine_sleep", tests, NULL, NULL);
}
