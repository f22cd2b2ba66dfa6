// SPDX-License-Identifier: MIT
//
// What runs report to options.trace: in strict mode on every backend, and on each the same.

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cede.h"
#include "tasks/trace_text.h"
#include "tests/backend_here.h"

static const char *const backends[] = {"select", "epoll", "io_uring"};

#define BACKEND_COUNT (sizeof backends / sizeof *backends)

// A run with a socketpair, `a` and `b`, whose trace is kept.
struct stage {
    int fds[2];
    struct cede_scope *scope;
    struct cede_trace_log log;
};

// The descriptors become the numbers of the ends, and new ones the same on each backend.
static void record(void *argument, const struct cede_trace_event *event)
{
    struct stage *stage = argument;
    struct cede_trace_event renamed = *event;
    for (int end = 0; end < 2; end++)
        if (event->object == stage->fds[end])
            renamed.object = end;
    if (event->kind == CEDE_TRACE_END && event->verb == CEDE_VERB_ACCEPT && event->result >= 0)
        renamed.result = 99;
    cede_trace_record(&stage->log, &renamed);
}

static const char *name_end(void *argument, const struct cede_trace_event *event)
{
    static const char *const names[] = {"a", "b"};
    (void)argument;
    return event->object == 0 || event->object == 1 ? names[event->object] : NULL;
}

static void print_trace(const struct cede_trace_log *log, char *ret_text, size_t capacity)
{
    const struct cede_trace_names names = {.object = name_end};
    struct cede_trace_text text = {.names = &names};
    struct cede_trace_event event;
    char line[CEDE_TRACE_LINE_BYTES];
    size_t length = 0;
    ret_text[0] = '\0';
    for (size_t offset = 0, bytes; offset < log->bytes; offset += bytes) {
        bytes = cede_trace_decode(log->data + offset, log->bytes - offset, &event);
        assert_true(bytes > 0);
        assert_int_equal(cede_trace_text_next(&text, &event, line), 0);
        // Without its number, which is its place.
        length += (size_t)snprintf(ret_text + length, capacity - length, "%s\n", line + 7);
        assert_true(length < capacity);
    }
    cede_trace_text_close(&text);
}

// Runs a body on each backend: its outcome and what is reported are the same on all.
static void expect_type(cede_body *body, int type, uint32_t task_limit, int outcome,
                        const char *expected)
{
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        struct stage stage = {.scope = NULL};
        char text[8192];
        if (!backend_is_here(backends[i]))
            continue;
        assert_int_equal(
            socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, stage.fds), 0);
        const struct cede_options options = {
            .backend = backends[i],
            .strict = true,
            .limits.task_count = task_limit,
            .trace = record,
            .trace_argument = &stage,
        };
        assert_int_equal(cede_run(&options, body, &stage), outcome);
        assert_int_equal(stage.log.error, 0);
        print_trace(&stage.log, text, sizeof text);
        assert_string_equal(text, expected);
        cede_trace_clear(&stage.log);
        close(stage.fds[0]);
        close(stage.fds[1]);
    }
}

static void expect(cede_body *body, const char *expected)
{
    expect_type(body, SOCK_STREAM, 0, 0, expected);
}

// --- Operations ---------------------------------------------------------------------------------

static int send_to_a(struct cede_task *self, void *argument)
{
    struct stage *stage = argument;
    struct iovec pieces[] = {{.iov_base = (char[]){"xyz"}, .iov_len = 3},
                             {.iov_base = (char[]){"uv"}, .iov_len = 2}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    assert_int_equal(cede_send_all(self, stage->fds[1], "hello", 5), 5);
    assert_int_equal(cede_sendmsg(self, stage->fds[1], &message, 0), 5);
    return 7;
}

static int receive_in_a(struct cede_task *self, void *argument)
{
    struct stage *stage = argument;
    struct cede_operation op;
    char data[100];
    assert_int_equal(cede_spawn(self, "sender", send_to_a, stage, NULL), 0);
    assert_int_equal(cede_recv(self, stage->fds[0], data, sizeof data), 5);
    cede_recv_exact_prepare(&op, stage->fds[0], data, sizeof data);
    op.deadline_ns = cede_now_ns(self) + 1500;
    assert_int_equal(cede_await(self, &op), -ETIMEDOUT);
    cede_operation_prepare(&op, (enum cede_verb)200, stage->fds[0]);
    assert_int_equal(cede_await(self, &op), -EINVAL);
    assert_int_equal(cede_shutdown(self, stage->fds[0], SHUT_WR), 0);
    assert_int_equal(cede_sleep(self, 500), 0);
    assert_int_equal(cede_wait(self, CEDE_RECV, -1), -EBADF);
    return 0;
}

// The digests are those of "hello" and "xyzuv".
static void test_trace_has_operations_with_what_they_moved(void **state)
{
    (void)state;
    expect(receive_in_a, "-                 spawn main(1) = 0\n"
                         "main(1)           spawn sender(2) = 0\n"
                         "main(1)           submit recv a 100\n"
                         "sender(2)         submit send-all b 5\n"
                         "-                 tick 1 at 0ns\n"
                         "main(1)           end recv a = 5, 5 bytes 3610a686\n"
                         "main(1)           submit recv-exact a 100 until 1500ns\n"
                         "sender(2)         end send-all b = 5, 5 bytes 3610a686\n"
                         "sender(2)         submit sendmsg b 5\n"
                         "-                 tick 2 at 0ns\n"
                         "sender(2)         end sendmsg b = 5, 5 bytes abff0739\n"
                         "sender(2)         done = 7\n"
                         "-                 tick 3 at 1500ns\n"
                         "main(1)           end recv-exact a = -ETIMEDOUT, 5 bytes abff0739\n"
                         "main(1)           submit verb-200 a\n"
                         "-                 tick 4 at 1500ns\n"
                         "main(1)           end verb-200 a = -EINVAL\n"
                         "main(1)           shutdown a send = 0\n"
                         "main(1)           submit park until 2us\n"
                         "-                 tick 5 at 2us\n"
                         "main(1)           end park = 0\n"
                         "main(1)           submit wait-recv\n"
                         "-                 tick 6 at 2us\n"
                         "main(1)           end wait-recv = -EBADF\n"
                         "main(1)           done = 0\n"
                         "-                 outcome = 0\n");
}

// Puts a socket in the place of one end.
static void replace(struct stage *stage, int end, int fd)
{
    assert_true(fd >= 0);
    assert_int_equal(dup3(fd, stage->fds[end], O_CLOEXEC), stage->fds[end]);
    assert_int_equal(close(fd), 0);
}

static int call_what_moves_nothing(struct cede_task *self, void *argument)
{
    struct stage *stage = argument;
    struct msghdr empty = {.msg_iov = NULL};
    struct cede_address address;
    struct cede_operation op;
    char data[8];
    replace(stage, 0, cede_listen("127.0.0.1", 0));
    replace(stage, 1, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    assert_int_equal(cede_listen_address(stage->fds[0], &address), 0);
    cede_connect_prepare(&op, stage->fds[1], &address);
    assert_int_equal(cede_await(self, &op), 0);
    int accepted = cede_accept(self, stage->fds[0]);
    assert_true(accepted >= 0);
    assert_int_equal(close(accepted), 0);
    assert_int_equal(cede_recv(self, stage->fds[1], data, sizeof data), 0);
    assert_int_equal(cede_recv(self, -1, data, sizeof data), -EBADF);
    assert_int_equal(cede_recvmsg(self, -1, &empty, 0), -EBADF);
    return 0;
}

static void test_trace_has_no_bytes_where_none_moved(void **state)
{
    (void)state;
    expect(call_what_moves_nothing, "-                 spawn main(1) = 0\n"
                                    "main(1)           submit connect b\n"
                                    "-                 tick 1 at 0ns\n"
                                    "main(1)           end connect b = 0\n"
                                    "main(1)           submit accept a\n"
                                    "-                 tick 2 at 0ns\n"
                                    "main(1)           end accept a = 99\n"
                                    "main(1)           submit recv b 8\n"
                                    "-                 tick 3 at 0ns\n"
                                    "main(1)           end recv b = 0\n"
                                    "main(1)           submit recv 8\n"
                                    "-                 tick 4 at 0ns\n"
                                    "main(1)           end recv = -EBADF\n"
                                    "main(1)           submit recvmsg\n"
                                    "-                 tick 5 at 0ns\n"
                                    "main(1)           end recvmsg = -EBADF\n"
                                    "main(1)           done = 0\n"
                                    "-                 outcome = 0\n");
}

static int exchange_datagrams(struct cede_task *self, void *argument)
{
    struct stage *stage = argument;
    char data[2][2];
    struct iovec pieces[] = {{.iov_base = data[0], .iov_len = 2},
                             {.iov_base = data[1], .iov_len = 2}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    assert_int_equal(cede_send(self, stage->fds[1], "12345678", 8), 8);
    assert_int_equal(cede_recvmsg(self, stage->fds[0], &message, MSG_TRUNC), 8);
    return 0;
}

// The digests are those of "12345678", and of "1234", which is all that the program has.
static void test_trace_digests_no_byte_that_is_not_there(void **state)
{
    (void)state;
    expect_type(exchange_datagrams, SOCK_DGRAM, 0, 0,
                "-                 spawn main(1) = 0\n"
                "main(1)           submit send b 8\n"
                "-                 tick 1 at 0ns\n"
                "main(1)           end send b = 8, 8 bytes 9ae0daaf\n"
                "main(1)           submit recvmsg a 4\n"
                "-                 tick 2 at 0ns\n"
                "main(1)           end recvmsg a = 8, 8 bytes 9be3e0a3\n"
                "main(1)           done = 0\n"
                "-                 outcome = 0\n");
}

// --- Tasks --------------------------------------------------------------------------------------

static int return_seven(struct cede_task *self, void *argument)
{
    (void)self, (void)argument;
    return 7;
}

static int join_and_pause(struct cede_task *self, void *argument)
{
    struct cede_handle child;
    int result = 0;
    assert_int_equal(cede_spawn(self, "child", return_seven, argument, &child), 0);
    assert_int_equal(cede_join(self, child, &result), 0);
    assert_int_equal(cede_join(self, child, &result), -EINVAL);
    cede_cancel(self, child);
    assert_int_equal(cede_spawn(self, "a-name-of-more-than-23-bytes", return_seven, NULL, &child),
                     0);
    assert_int_equal(cede_pause(self), 0);
    cede_cancel(self, child);
    assert_int_equal(cede_join(self, child, NULL), 0);
    cede_cancel(self, cede_self(self));
    assert_int_equal(cede_pause(self), -ECANCELED);
    return -EIO;
}

static void test_trace_has_tasks_and_what_was_asked_of_them(void **state)
{
    (void)state;
    expect(join_and_pause, "-                 spawn main(1) = 0\n"
                           "main(1)           spawn child(2) = 0\n"
                           "main(1)           submit park\n"
                           "child(2)          done = 7\n"
                           "main(1)           end park = 0\n"
                           "main(1)           join child(2) = 0, value 7\n"
                           "main(1)           join child(2) = -EINVAL\n"
                           "main(1)           cancel child(2)\n"
                           "main(1)           spawn a-name-of-more-than-23-(3) = 0\n"
                           "a-name-of-more-than-23-(3)  done = 7\n"
                           "main(1)           pause = 0\n"
                           "main(1)           cancel a-name-of-more-than-23-(3)\n"
                           "main(1)           pause = 0\n"
                           "main(1)           join a-name-of-more-than-23-(3) = 0, value 7\n"
                           "main(1)           cancel main(1)\n"
                           "main(1)           pause = -ECANCELED\n"
                           "main(1)           done = -EIO\n"
                           "-                 outcome = 0\n");
}

static int sleep_in_scopes(struct cede_task *self, void *argument)
{
    struct stage *stage = argument;
    struct cede_scope outer, inner;
    cede_scope_enter(self, CEDE_NEVER, &outer);
    cede_scope_enter(self, 1000, &inner);
    cede_scope_set_deadline(&inner, 2000);
    assert_int_equal(cede_sleep(self, 5000), -ETIMEDOUT);
    assert_int_equal(cede_scope_leave(self, &inner), -ETIMEDOUT);
    stage->scope = &outer;
    assert_int_equal(cede_sleep(self, CEDE_NEVER), -ECANCELED);
    assert_int_equal(cede_scope_leave(self, &outer), -ECANCELED);
    return 0;
}

static int cancel_a_scope(struct cede_task *self, void *argument)
{
    struct stage *stage = argument;
    assert_int_equal(cede_spawn(self, "sleeper", sleep_in_scopes, stage, NULL), 0);
    assert_int_equal(cede_sleep(self, 3000), 0);
    cede_scope_cancel(stage->scope);
    return 0;
}

static void test_trace_has_scopes_under_the_task_they_belong_to(void **state)
{
    (void)state;
    expect(cancel_a_scope, "-                 spawn main(1) = 0\n"
                           "main(1)           spawn sleeper(2) = 0\n"
                           "main(1)           submit park until 3us\n"
                           "sleeper(2)        scope enter\n"
                           "sleeper(2)        scope enter until 1us\n"
                           "sleeper(2)        scope move until 2us\n"
                           "sleeper(2)        submit park until 2us\n"
                           "-                 tick 1 at 2us\n"
                           "sleeper(2)        end park = -ETIMEDOUT\n"
                           "sleeper(2)        scope leave = -ETIMEDOUT\n"
                           "sleeper(2)        submit park\n"
                           "-                 tick 2 at 3us\n"
                           "main(1)           end park = 0\n"
                           "sleeper(2)        scope cancel\n"
                           "main(1)           done = 0\n"
                           "-                 tick 3 at 3us\n"
                           "sleeper(2)        end park = -ECANCELED\n"
                           "sleeper(2)        scope leave = -ECANCELED\n"
                           "sleeper(2)        done = 0\n"
                           "-                 outcome = 0\n");
}

static int spawn_one_too_many(struct cede_task *self, void *argument)
{
    assert_int_equal(cede_spawn(self, "one", return_seven, argument, NULL), 0);
    assert_int_equal(cede_spawn(self, "more", return_seven, argument, NULL), -EAGAIN);
    return 0;
}

static void test_trace_has_tasks_that_could_not_be_spawned(void **state)
{
    (void)state;
    expect_type(spawn_one_too_many, SOCK_STREAM, 2, 0,
                "-                 spawn main(1) = 0\n"
                "main(1)           spawn one(2) = 0\n"
                "main(1)           spawn more = -EAGAIN\n"
                "main(1)           done = 0\n"
                "one(2)            done = 7\n"
                "-                 outcome = 0\n");
}

static int wait_for_nobody(struct cede_task *self, void *argument)
{
    struct stage *stage = argument;
    return cede_wait(self, CEDE_RECV, stage->fds[0]);
}

static void test_trace_ends_with_the_outcome_of_the_run(void **state)
{
    (void)state;
    expect_type(wait_for_nobody, SOCK_STREAM, 0, -EDEADLK,
                "-                 spawn main(1) = 0\n"
                "main(1)           submit wait-recv a\n"
                "-                 tick 1 at 0ns\n"
                "main(1)           end wait-recv a = -ECANCELED\n"
                "main(1)           done = -ECANCELED\n"
                "-                 outcome = -EDEADLK\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_has_operations_with_what_they_moved),
        cmocka_unit_test(test_trace_has_no_bytes_where_none_moved),
        cmocka_unit_test(test_trace_digests_no_byte_that_is_not_there),
        cmocka_unit_test(test_trace_has_tasks_and_what_was_asked_of_them),
        cmocka_unit_test(test_trace_has_scopes_under_the_task_they_belong_to),
        cmocka_unit_test(test_trace_has_tasks_that_could_not_be_spawned),
        cmocka_unit_test(test_trace_ends_with_the_outcome_of_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
