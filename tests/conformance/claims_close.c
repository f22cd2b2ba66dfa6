// SPDX-License-Identifier: MIT
//
// The end of a descriptor: close and release (S6), the next life of its number (S7), shutdown (S8).

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

// --- S6 -----------------------------------------------------------------------------------------

static int close_under_waiters(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    fill(fds[0]);
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    struct request send = {.verb = CEDE_VERB_WAIT_SEND, .fd = fds[0]};
    ask_and_park(self, &recv);
    ask_and_park(self, &send);
    require_number(perform(self, CEDE_VERB_CLOSE, fds[0]), 0);
    require_number(answer(self, &recv), -EBADF);
    require_number(answer(self, &send), -EBADF);
    return 0;
}

void close_ends_those_who_wait_on_the_descriptor(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, close_under_waiters, fds), 0);
}

static int close_and_look_from_the_other_end(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    char byte;
    ask_and_park(self, &recv);
    require_number(perform(self, CEDE_VERB_CLOSE, fds[0]), 0);
    require_number(read(fds[1], &byte, 1), 0);
    answer(self, &recv);
    return 0;
}

void when_close_returns_the_peer_sees_the_end(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, close_and_look_from_the_other_end, fds), 0);
}

static int close_twice_in_a_tick(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request first = {.verb = CEDE_VERB_CLOSE, .fd = fds[0]};
    struct request second = {.verb = CEDE_VERB_CLOSE, .fd = fds[0]};
    ask(self, &first);
    ask(self, &second);
    answer(self, &first);
    answer(self, &second);
    bool is_in_order = first.op.ticket < second.op.ticket;
    require_number(is_in_order ? first.result : second.result, 0);
    require_number(is_in_order ? second.result : first.result, -EBADF);
    return 0;
}

void of_two_closes_in_a_tick_the_second_finds_nothing(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, close_twice_in_a_tick, fds), 0);
}

static int cancel_self_and_close(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    cede_cancel(self, cede_self(self));
    require_number(perform(self, CEDE_VERB_CLOSE, fds[0]), 0);
    require(fcntl(fds[0], F_GETFD) < 0);
    return 0;
}

void a_close_in_a_cancelled_task_runs_to_its_end(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, cancel_self_and_close, fds), 0);
}

static int close_in_an_expired_scope(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct cede_scope scope;
    cede_scope_enter(self, cede_now_ns(self) - 1, &scope);
    require_number(perform(self, CEDE_VERB_CLOSE, fds[0]), 0);
    require(fcntl(fds[0], F_GETFD) < 0);
    cede_scope_leave(self, &scope);
    return 0;
}

void no_deadline_cuts_a_close_off(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, close_in_an_expired_scope, fds), 0);
}

// The wait is over, but a poller may still have the socket registered. It lives on under another
// number, so that the kernel goes on reporting what nobody can take back.
static int close_behind_the_engines_back(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]};
    ask_and_park(self, &wait);
    cancel(self, &wait);
    require_number(answer(self, &wait), -ECANCELED);
    keep(dup(fds[0]));
    require(close(fds[0]) == 0);
    put(fds[1], "x");
    require_number(cede_sleep(self, 20 * MILLISECOND), 0);
    require(counters()->answers < 100);
    return 0;
}

void a_socket_closed_behind_the_engines_back_makes_no_spin(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_normally(fixture, close_behind_the_engines_back, fds), 0);
}

static int close_behind_a_waiters_back(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]};
    wait.deadline_ns = cede_now_ns(self) + 20 * MILLISECOND;
    ask_and_park(self, &wait);
    require(close(fds[0]) == 0);
    int64_t result = answer(self, &wait);
    // select sees it, epoll cannot.
    require(result == -EBADF || result == -ETIMEDOUT);
    require(counters()->answers < 100);
    return 0;
}

void a_waiter_whose_socket_is_closed_behind_its_back_makes_no_spin(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_normally(fixture, close_behind_a_waiters_back, fds), 0);
}

static int release_under_a_waiter(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    ask_and_park(self, &recv);
    require_number(perform(self, CEDE_VERB_RELEASE, fds[0]), 0);
    require_number(answer(self, &recv), -EBADF);
    put(fds[1], "x");
    require_number(drain(fds[0]), 1);
    return 0;
}

void release_ends_the_waiters_and_leaves_the_descriptor_open(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, release_under_a_waiter, fds), 0);
}

// --- S7 -----------------------------------------------------------------------------------------

static int use_a_number_again(struct cede_task *self, void *argument)
{
    const int *fds = argument; // A pipe to receive from, a socket.
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]};
    ask_and_park(self, &wait);
    require_number(perform(self, CEDE_VERB_CLOSE, fds[0]), 0);
    require_number(answer(self, &wait), -EBADF);
    keep(dup2(fds[1], fds[0]));
    require_number(perform(self, CEDE_VERB_WAIT_SEND, fds[0]), 0);
    return 0;
}

void a_number_that_is_opened_again_is_asked_about_again(const struct fixture *fixture)
{
    int pipe_fds[2];
    int socket_fds[2];
    open_pipe(pipe_fds);
    open_pair(socket_fds);
    int fds[] = {pipe_fds[0], socket_fds[0]};
    require_number(run_strictly(fixture, use_a_number_again, fds), 0);
}

// The first life of the number lives on under another one, and becomes ready in the second.
static int wake_a_former_life(struct cede_task *self, void *argument)
{
    const int(*pairs)[2] = argument;
    struct request former = {.verb = CEDE_VERB_WAIT_RECV, .fd = pairs[0][0]};
    struct request later = {.verb = CEDE_VERB_WAIT_RECV, .fd = pairs[0][0]};
    ask_and_park(self, &former);
    keep(dup(pairs[0][0]));
    require_number(perform(self, CEDE_VERB_CLOSE, pairs[0][0]), 0);
    answer(self, &former);
    keep(dup2(pairs[1][0], pairs[0][0]));
    ask_and_park(self, &later);
    put(pairs[0][1], "x");
    next_tick(self);
    require_number(later.result, NOT_ENDED);
    put(pairs[1][1], "x");
    require_number(answer(self, &later), 0);
    return 0;
}

void a_waiter_is_not_woken_by_a_former_life_of_the_number(const struct fixture *fixture)
{
    int pairs[2][2];
    open_pair(pairs[0]);
    open_pair(pairs[1]);
    require_number(run_strictly(fixture, wake_a_former_life, pairs), 0);
}

// --- S8 -----------------------------------------------------------------------------------------

static int shut_down_under_a_wait(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_SEND, .fd = fds[0]};
    fill(fds[0]);
    ask_and_park(self, &wait);
    require_number(cede_shutdown(self, fds[0], SHUT_WR), 0);
    next_tick(self);
    require_number(wait.result, 0);
    answer(self, &wait);
    return 0;
}

// The socket is full and stays full: the kernel has nothing to report.
void shutdown_wakes_a_wait_of_its_direction(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, shut_down_under_a_wait, fds), 0);
}

static int shut_down_under_a_send(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request send = {.verb = CEDE_VERB_SEND, .fd = fds[0]};
    fill(fds[0]);
    ask_and_park(self, &send);
    require_number(cede_shutdown(self, fds[0], SHUT_WR), 0);
    require_number(answer(self, &send), -EPIPE);
    return 0;
}

void shutdown_ends_a_send_on_a_full_socket_with_epipe(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, shut_down_under_a_send, fds), 0);
}

static int shut_down_after_a_short_recv(struct cede_task *self, void *argument)
{
    int(*pairs)[2] = argument;
    struct request first = {.verb = CEDE_VERB_RECV, .fd = pairs[0][0], .bytes = 2};
    struct request second = first;
    put(pairs[0][1], "x");
    ask(self, &first);
    require_number(answer(self, &first), 1);
    ask_and_park(self, &second);
    require_number(cede_shutdown(self, pairs[0][0], SHUT_RD), 0);
    require_number(cede_send(self, pairs[1][0], "x", 1), 1);
    require_number(second.result, 0);
    answer(self, &second);
    return 0;
}

// In normal mode what got less than it asked for is believed to have emptied the socket, and in a
// tick in which something else ends the kernel need not be asked.
void shutdown_ends_a_recv_after_a_short_one(const struct fixture *fixture)
{
    int pairs[2][2];
    open_pair(pairs[0]);
    open_pair(pairs[1]);
    require_number(run_normally(fixture, shut_down_after_a_short_recv, pairs), 0);
}

static int shut_down_the_other_direction(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]};
    ask_and_park(self, &wait);
    require_number(cede_shutdown(self, fds[0], SHUT_WR), 0);
    next_tick(self);
    require_number(wait.result, NOT_ENDED);
    put(fds[1], "x");
    require_number(answer(self, &wait), 0);
    return 0;
}

void shutdown_of_one_direction_leaves_the_other_waiting(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, shut_down_the_other_direction, fds), 0);
}

// The first two wait since the same tick, so whoever takes one back could take both.
static int shut_down_beside_a_wait(struct cede_task *self, void *argument)
{
    int(*pairs)[2] = argument;
    struct request first = {.verb = CEDE_VERB_WAIT_RECV, .fd = pairs[0][0]};
    struct request second = {.verb = CEDE_VERB_WAIT_RECV, .fd = pairs[1][0]};
    ask(self, &first);
    ask(self, &second);
    next_tick(self);
    require_number(cede_shutdown(self, pairs[0][0], SHUT_RD), 0);
    require_number(answer(self, &first), 0);
    put(pairs[1][1], "x");
    require_number(answer(self, &second), 0);
    return 0;
}

void shutdown_leaves_those_on_other_descriptors_waiting(const struct fixture *fixture)
{
    int pairs[2][2];
    open_pair(pairs[0]);
    open_pair(pairs[1]);
    require_number(run_strictly(fixture, shut_down_beside_a_wait, pairs), 0);
}
