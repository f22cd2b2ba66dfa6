// SPDX-License-Identifier: MIT
//
// Deadlines (S13), cancellation (S14), and what is tried once more before either cuts off (S15).

#include <errno.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

// --- S13 ----------------------------------------------------------------------------------------

static int wait_until_two_deadlines(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request early = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0], .deadline_ns = 1000};
    struct request late = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[1], .deadline_ns = 1001};
    ask(self, &early);
    ask(self, &late);
    require_number(answer(self, &early), -ETIMEDOUT);
    require_number(answer(self, &late), -ETIMEDOUT);
    require_number(early.ended_ns, 1000);
    require_number(late.ended_ns, 1001);
    return 0;
}

void a_deadline_cuts_off_when_it_is_due_and_not_before(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, wait_until_two_deadlines, fds), 0);
}

static int sleep_for_real(struct cede_task *self, void *argument)
{
    (void)argument;
    // Odd lengths, so that rounding in either direction shows.
    for (int64_t duration_ns = 1; duration_ns < MILLISECOND; duration_ns = 3 * duration_ns + 1) {
        int64_t start_ns = cede_now_ns(self);
        require_number(cede_sleep(self, duration_ns), 0);
        require(cede_now_ns(self) >= start_ns + duration_ns);
    }
    return 0;
}

void no_sleep_is_shorter_than_it_was_asked_for(const struct fixture *fixture)
{
    require_number(run_normally(fixture, sleep_for_real, NULL), 0);
}

static int wait_for_the_ready_and_due(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0], .deadline_ns = 1};
    require_number(cede_sleep(self, 10), 0);
    put(fds[1], "x");
    ask(self, &wait);
    require_number(answer(self, &wait), 0);
    return 0;
}

void what_is_ready_in_the_tick_it_is_due_counts_as_ready(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, wait_for_the_ready_and_due, fds), 0);
}

static int wait_in_scopes(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct cede_scope outer;
    struct cede_scope inner;
    cede_scope_enter(self, 1000, &outer);
    cede_scope_enter(self, 2000, &inner);
    require_number(cede_wait(self, CEDE_RECV, fds[0]), -ETIMEDOUT);
    require_number(cede_now_ns(self), 1000);
    cede_scope_leave(self, &inner);
    require_number(cede_scope_leave(self, &outer), -ETIMEDOUT);
    return 0;
}

void the_nearest_deadline_around_an_operation_counts(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, wait_in_scopes, fds), 0);
}

// --- S14 ----------------------------------------------------------------------------------------

static int cancel_a_wait(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]};
    ask_and_park(self, &wait);
    cancel(self, &wait);
    next_tick(self);
    require_number(wait.result, -ECANCELED);
    answer(self, &wait);
    return 0;
}

void a_cancelled_wait_ends_in_the_same_tick(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, cancel_a_wait, fds), 0);
}

static int suspend_again_and_again(struct cede_task *self, void *argument)
{
    (void)argument;
    require_number(cede_sleep(self, SECOND), -ECANCELED);
    require_number(cede_sleep(self, SECOND), -ECANCELED);
    require_number(cede_pause(self), -ECANCELED);
    record("unwound");
    return 0;
}

static int cancel_a_sleeper(struct cede_task *self, void *argument)
{
    struct cede_handle handle;
    (void)argument;
    require_number(cede_spawn(self, "sleeper", suspend_again_and_again, NULL, &handle), 0);
    next_tick(self);
    cede_cancel(self, handle);
    require_number(cede_join(self, handle, NULL), 0);
    return 0;
}

void cancellation_lasts_until_the_task_is_done(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, cancel_a_sleeper, NULL), 0);
    require_text(recorded(), "unwound");
}

static int recv_while_cancelled(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct cede_scope scope;
    put(fds[1], "x");
    cede_scope_enter(self, CEDE_NEVER, &scope);
    cede_scope_cancel(&scope);
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), -ECANCELED);
    require_number(cede_scope_leave(self, &scope), -ECANCELED);
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), 1);
    return 0;
}

void what_is_asked_for_under_cancellation_is_not_attempted(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, recv_while_cancelled, fds), 0);
}

static int recv_after_the_deadline(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct cede_scope scope;
    put(fds[1], "x");
    require_number(cede_sleep(self, 10), 0);
    cede_scope_enter(self, 5, &scope);
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), -ETIMEDOUT);
    cede_scope_leave(self, &scope);
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), 1);
    return 0;
}

void what_is_asked_for_in_an_expired_scope_is_not_attempted(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, recv_after_the_deadline, fds), 0);
}

static int start_and_pause(struct cede_task *self, void *argument)
{
    (void)argument;
    record("started");
    require_number(cede_pause(self), -ECANCELED);
    return 0;
}

static int cancel_before_the_start(struct cede_task *self, void *argument)
{
    struct cede_handle handle;
    (void)argument;
    require_number(cede_spawn(self, "cancelled", start_and_pause, NULL, &handle), 0);
    cede_cancel(self, handle);
    require_number(cede_join(self, handle, NULL), 0);
    return 0;
}

void a_task_cancelled_before_its_start_still_starts(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, cancel_before_the_start, NULL), 0);
    require_text(recorded(), "started");
}

// The canceller waits for an earlier ticket, so that it goes on after the wait of the other has
// ended and before the other does.
static int cancel_when_woken(struct cede_task *self, void *argument)
{
    struct request *request = argument;
    require_number(perform(self, CEDE_VERB_WAIT_SEND, request->fd), 0);
    cancel(self, request);
    return 0;
}

static int cancel_what_has_ended(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_SEND, .fd = fds[1]};
    struct request canceller = wait;
    canceller.fd = fds[0];
    canceller.task = (struct cede_handle){0};
    require_number(cede_spawn(self, "canceller", cancel_when_woken, &canceller, NULL), 0);
    ask(self, &wait);
    canceller.task = wait.task;
    require_number(answer(self, &wait), 0);
    return 0;
}

void an_operation_that_has_ended_keeps_its_result(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, cancel_what_has_ended, fds), 0);
}

// --- S15 ----------------------------------------------------------------------------------------

// The byte arrives after the poll of the tick, when the engine logs that an accept met EMFILE.
static int cancel_before_the_byte(struct cede_task *self, void *argument)
{
    int *fds = argument;
    struct cede_address address;
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    int listener = open_unix_listener(4, &address);
    open_connection(&address);
    ask_and_park(self, &recv);
    forbid_descriptors();
    when_logged(put_a_byte, &fds[1]);
    cancel(self, &recv);
    accept_in_vain(self, listener);
    allow_descriptors();
    require_number(answer(self, &recv), 1);
    return 0;
}

void a_byte_that_arrives_before_the_cut_is_not_lost(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_normally(fixture, cancel_before_the_byte, fds), 0);
}

static int cancel_an_accept(struct cede_task *self, void *argument)
{
    struct cede_address address;
    (void)argument;
    struct request accept = {.verb = CEDE_VERB_ACCEPT, .fd = open_unix_listener(4, &address)};
    open_connection(&address);
    forbid_descriptors();
    ask_and_park(self, &accept);
    require_number(accept.result, NOT_ENDED);
    allow_descriptors();
    cancel(self, &accept);
    keep((int)answer(self, &accept));
    return 0;
}

void a_connection_that_is_there_before_the_cut_is_not_lost(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, cancel_an_accept, NULL), 0);
}

static int send_too_much(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request send = {.verb = CEDE_VERB_SEND_ALL,
                           .fd = fds[0],
                           .bytes = 1 << 16,
                           .deadline_ns = SECOND};
    ask(self, &send);
    require_number(answer(self, &send), -ETIMEDOUT);
    size_t arrived = drain(fds[1]);
    require(arrived > 0);
    require_number(send.op.as.source.progress, arrived);
    return 0;
}

void what_was_sent_before_the_cut_is_reported(const struct fixture *fixture)
{
    int fds[2];
    int bytes = 4096;
    open_pair(fds);
    require(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
    require_number(run_strictly(fixture, send_too_much, fds), 0);
}

static int cancel_a_connect(struct cede_task *self, void *argument)
{
    struct cede_address address;
    (void)argument;
    int listener = open_unix_listener(0, &address);
    open_connection(&address);
    struct request request = {
        .verb = CEDE_VERB_CONNECT, .fd = open_socket(AF_UNIX), .address = &address};
    ask(self, &request);
    // At rest it is not asked about, and only a last try could find that there is room.
    while (counters()->rests == 0)
        next_tick(self);
    keep(accept(listener, NULL, NULL));
    cancel(self, &request);
    require_number(answer(self, &request), -ECANCELED);
    require(accept(listener, NULL, NULL) < 0);
    return 0;
}

void a_connect_that_was_cut_off_is_not_tried_again(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, cancel_a_connect, NULL), 0);
}

static int cancel_at_once(struct cede_task *self, void *argument)
{
    struct request *request = argument;
    cancel(self, request);
    return 0;
}

static int cancel_in_the_same_tick(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request send = {.verb = CEDE_VERB_SEND, .fd = fds[0]};
    ask(self, &send);
    require_number(cede_spawn(self, "canceller", cancel_at_once, &send, NULL), 0);
    require_number(answer(self, &send), 1);
    return 0;
}

void what_is_cancelled_in_the_tick_it_was_asked_for_is_attempted(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, cancel_in_the_same_tick, fds), 0);
}
