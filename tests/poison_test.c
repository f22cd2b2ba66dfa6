// SPDX-License-Identifier: MIT
//
// The claim of engine/poison.h (S16), as the address sanitizer sees it. In builds without it there
// is nothing to see, and the cases are skipped.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/poison.h"
#include "net/socket.h"
#include "tasks/scheduler.h"
#include "tests/backend_here.h"

#ifdef CEDE_POISONS

static int pair[2];
static char buffer[64]; // The sanitizer sees eight bytes at a time.

static bool is_poisoned(void)
{
    return __asan_address_is_poisoned(buffer);
}

static int recv_one(struct cede_task *self, void *argument)
{
    (void)argument;
    return (int)cede_recv(self, pair[0], buffer, sizeof buffer);
}

static int recv_all(struct cede_task *self, void *argument)
{
    (void)argument;
    return (int)cede_recv_exact(self, pair[0], buffer, sizeof buffer);
}

// Looks at the buffer while the other task is suspended; ends that by `finish`.
static void look(struct cede_task *self, cede_body *body,
                 void (*finish)(struct cede_task *self, struct cede_handle handle), int expected)
{
    struct cede_handle handle;
    int result = 0;
    assert_int_equal(cede_spawn(self, "receiver", body, NULL, &handle), 0);
    assert_int_equal(cede_sleep(self, 0), 0);
    assert_true(is_poisoned());
    finish(self, handle);
    assert_int_equal(cede_join(self, handle, &result), 0);
    assert_int_equal(result, expected);
    assert_false(is_poisoned());
}

static void put_all_in_two(struct cede_task *self, struct cede_handle handle)
{
    static const char data[sizeof buffer];
    (void)handle;
    assert_int_equal(write(pair[1], data, 8), 8);
    assert_int_equal(cede_sleep(self, 0), 0);
    // What has come is the engine's until the rest has.
    assert_true(is_poisoned());
    assert_int_equal(write(pair[1], data, sizeof data - 8), sizeof data - 8);
}

static void put_one(struct cede_task *self, struct cede_handle handle)
{
    (void)self;
    (void)handle;
    assert_int_equal(write(pair[1], "1", 1), 1);
}

static void close_it(struct cede_task *self, struct cede_handle handle)
{
    (void)handle;
    assert_int_equal(cede_close(self, pair[0]), 0);
}

static int look_at_all(struct cede_task *self, void *argument)
{
    (void)argument;
    look(self, recv_one, put_one, 1);
    look(self, recv_all, put_all_in_two, sizeof buffer);
    look(self, recv_one, cede_cancel, -ECANCELED);
    look(self, recv_one, close_it, -EBADF);
    // What is refused was never the engine's.
    assert_int_equal(cede_recv(self, -1, buffer, sizeof buffer), -EBADF);
    assert_false(is_poisoned());
    return 0;
}

#endif

static void test_poison_lies_on_a_receive_buffer_until_its_operation_ends(void **state)
{
    (void)state;
#ifdef CEDE_POISONS
    static const char *const names[] = {"epoll", "io_uring", "select"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!backend_is_here(names[i]))
            continue;
        struct cede_options options = {.backend = names[i], .strict = true};
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(cede_run(&options, look_at_all, NULL), 0);
        close(pair[1]);
    }
#else
    printf("skipped: this build has no address sanitizer\n");
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_poison_lies_on_a_receive_buffer_until_its_operation_ends),
    };
    return cmocka_run_group_tests_name("poison", tests, NULL, NULL);
}
