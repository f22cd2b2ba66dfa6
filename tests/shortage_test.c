// SPDX-License-Identifier: MIT
//
// An accept that rests because descriptors ran out (S19), and what can happen to it in one tick:
// the close that makes room rouses it, and another one takes its listener away. Strict mode, so
// that the clock stands still meanwhile and the back-off of 10 ms is exactly that.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "cede.h"

// The first rest of an accept that met a shortage; the second one is twice as long.
#define FIRST_REST_NS (10 * CEDE_NANOSECONDS_PER_MILLISECOND)

struct shortage {
    int listener;
    int64_t accept_deadline_ns;
    int accepted;
    // When two closes in one tick begin: first the one that makes room, then the listener's.
    int64_t close_ns;
    bool closes_listener;
    int spare; // What the first one closes.
    struct rlimit limit;
};

static int accept_one(struct cede_task *self, void *argument)
{
    struct shortage *shortage = argument;
    struct cede_operation op;
    cede_accept_prepare(&op, shortage->listener, NULL, NULL);
    op.deadline_ns = shortage->accept_deadline_ns;
    shortage->accepted = (int)cede_await(self, &op);
    return 0;
}

static int close_one(struct cede_task *self, void *argument)
{
    return cede_close(self, *(const int *)argument);
}

// Lets the process have no descriptor more than it has, and the last one of these is `spare`.
static void run_short(struct shortage *shortage)
{
    shortage->spare = dup(shortage->listener);
    assert_true(shortage->spare >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &shortage->limit), 0);
    struct rlimit tight = shortage->limit;
    tight.rlim_cur = (rlim_t)shortage->spare + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
}

static int meet_shortage(struct cede_task *self, void *argument)
{
    struct shortage *shortage = argument;
    struct cede_address address;
    shortage->listener = cede_listen("127.0.0.1", 0);
    assert_true(shortage->listener >= 0);
    assert_int_equal(cede_listen_address(shortage->listener, &address), 0);
    int client = cede_connect(self, &address);
    assert_true(client >= 0);
    run_short(shortage);

    struct cede_handle acceptor, closers[2];
    assert_int_equal(cede_spawn(self, "acceptor", accept_one, shortage, &acceptor), 0);
    assert_int_equal(cede_sleep_until(self, shortage->close_ns), 0);
    cede_spawn(self, "make room", close_one, &shortage->spare, &closers[0]);
    if (shortage->closes_listener)
        cede_spawn(self, "close", close_one, &shortage->listener, &closers[1]);

    int result;
    for (int i = 0; i <= shortage->closes_listener; i++) {
        assert_int_equal(cede_join(self, closers[i], &result), 0);
        assert_int_equal(result, 0);
    }
    assert_int_equal(cede_join(self, acceptor, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &shortage->limit), 0);
    if (shortage->accepted >= 0)
        assert_int_equal(cede_close(self, shortage->accepted), 0);
    if (!shortage->closes_listener)
        assert_int_equal(cede_close(self, shortage->listener), 0);
    return cede_close(self, client);
}

static void check_on(const char *backend, struct shortage shortage, int expected_error)
{
    const struct cede_options options = {.backend = backend, .strict = true};
    assert_int_equal(cede_run(&options, meet_shortage, &shortage), 0);
    if (expected_error < 0)
        assert_int_equal(shortage.accepted, expected_error);
    else
        assert_true(shortage.accepted >= 0);
}

static const struct shortage roused_and_closed = {
    .accept_deadline_ns = CEDE_NEVER,
    .close_ns = FIRST_REST_NS / 2,
    .closes_listener = true,
};

static void test_a_close_ends_an_accept_that_was_roused_in_the_same_tick(void **state)
{
    (void)state;
    check_on("select", roused_and_closed, -EBADF);
    check_on("epoll", roused_and_closed, -EBADF);
}

// The rest is over when the closes are submitted: so the accept is tried before them, in vain.
static const struct shortage tried_and_closed = {
    .accept_deadline_ns = CEDE_NEVER,
    .close_ns = FIRST_REST_NS,
    .closes_listener = true,
};

static void test_a_close_ends_an_accept_that_ran_short_in_the_same_tick(void **state)
{
    (void)state;
    check_on("select", tried_and_closed, -EBADF);
    check_on("epoll", tried_and_closed, -EBADF);
}

static const struct shortage roused = {
    .accept_deadline_ns = CEDE_NEVER,
    .close_ns = FIRST_REST_NS / 2,
};

static void test_a_close_lets_an_accept_go_on_that_rests(void **state)
{
    (void)state;
    check_on("select", roused, 0);
    check_on("epoll", roused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_close_ends_an_accept_that_was_roused_in_the_same_tick),
        cmocka_unit_test(test_a_close_ends_an_accept_that_ran_short_in_the_same_tick),
        cmocka_unit_test(test_a_close_lets_an_accept_go_on_that_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
