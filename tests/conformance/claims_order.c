// SPDX-License-Identifier: MIT
//
// The tick: who runs first (T1), what is tried first (T2, T3), who is woken first (T4).
//
// What is tried first shows where two operations want the same thing: two descriptors for one
// socket, or the two ends of a pair. Who is woken first shows in the record.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

// --- T1 -----------------------------------------------------------------------------------------

static int pause_three_times(struct cede_task *self, void *argument)
{
    for (int i = 0; i < 3; i++) {
        record(argument);
        require_number(cede_pause(self), 0);
    }
    return 0;
}

static int pause_beside_another(struct cede_task *self, void *argument)
{
    static char main_task[] = "main";
    static char other[] = "other";
    struct cede_handle handle;
    (void)argument;
    require_number(cede_spawn(self, other, pause_three_times, other, &handle), 0);
    pause_three_times(self, main_task);
    require_number(cede_join(self, handle, NULL), 0);
    return 0;
}

void a_task_that_pauses_goes_to_the_tail_of_the_queue(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, pause_beside_another, NULL), 0);
    require_text(recorded(), "main other main other main other");
}

static int record_and_spawn(struct cede_task *self, void *argument)
{
    const char *words = argument;
    const char word[] = {words[0], '\0'};
    static char child[] = "c";
    record(word);
    if (words[1])
        require_number(cede_spawn(self, child, record_and_spawn, child, NULL), 0);
    return 0;
}

static int start_one_that_spawns(struct cede_task *self, void *argument)
{
    static char a[] = "a+";
    static char b[] = "b";
    (void)argument;
    require_number(cede_spawn(self, a, record_and_spawn, a, NULL), 0);
    require_number(cede_spawn(self, b, record_and_spawn, b, NULL), 0);
    return 0;
}

void a_spawned_task_runs_after_those_that_are_runnable(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, start_one_that_spawns, NULL), 0);
    require_text(recorded(), "a b c");
}

static int join_one_that_spawns(struct cede_task *self, void *argument)
{
    static char joined[] = "j+";
    struct cede_handle handle;
    (void)argument;
    require_number(cede_spawn(self, "joined", record_and_spawn, joined, &handle), 0);
    require_number(cede_join(self, handle, NULL), 0);
    record("joiner");
    return 0;
}

void a_joiner_is_woken_behind_those_that_are_runnable(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, join_one_that_spawns, NULL), 0);
    require_text(recorded(), "j c joiner");
}

static int turns;
static bool is_answered;

static int pause_until_answered(struct cede_task *self, void *argument)
{
    (void)argument;
    for (turns = 0; !is_answered && turns < 100000; turns++)
        require_number(cede_pause(self), 0);
    return 0;
}

static int wait_beside_a_busy_task(struct cede_task *self, void *argument)
{
    struct cede_handle handle;
    int fds[2];
    (void)argument;
    open_pair(fds);
    put(fds[1], "x");
    require_number(cede_spawn(self, "busy", pause_until_answered, NULL, &handle), 0);
    require_number(cede_wait(self, CEDE_RECV, fds[0]), 0);
    is_answered = true;
    return cede_join(self, handle, NULL);
}

void a_tick_resumes_no_more_tasks_than_its_bound(const struct fixture *fixture)
{
    struct cede_options options = {.strict = true, .limits.resumptions = 10};
    require_number(run_with(fixture, &options, wait_beside_a_busy_task, NULL), 0);
    // The first resumption was the waiter's own; and nine of the next tick may come before its.
    require(turns >= 9 && turns <= 19);
}

// Uses up real time, in many short turns.
static int compute_until_answered(struct cede_task *self, void *argument)
{
    (void)argument;
    for (turns = 0; !is_answered && turns < 100000; turns++) {
        int64_t end_ns = cede_now_ns(self) + 20000;
        while (cede_now_ns(self) < end_ns)
            continue;
        require_number(cede_pause(self), 0);
    }
    return 0;
}

static int wait_beside_a_slow_task(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct cede_handle handle;
    require_number(cede_spawn(self, "slow", compute_until_answered, NULL, &handle), 0);
    require_number(cede_wait(self, CEDE_RECV, fds[0]), 0);
    is_answered = true;
    return cede_join(self, handle, NULL);
}

void in_normal_mode_a_tick_ends_after_a_hundred_microseconds(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    put(fds[1], "x");
    require_number(run_normally(fixture, wait_beside_a_slow_task, fds), 0);
    // Five turns take that long; the clock is not read after each.
    require(turns < 40);
}

// Never has to wait: each of its operations ends in the attempt.
static int echo_until_answered(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    for (turns = 0; !is_answered && turns < 100000; turns += 2) {
        require_number(perform(self, CEDE_VERB_SEND, fds[0]), 1);
        require_number(perform(self, CEDE_VERB_RECV, fds[1]), 1);
    }
    return 0;
}

static int wait_beside_an_echo(struct cede_task *self, void *argument)
{
    int *fds = argument;
    struct cede_handle handle;
    require_number(cede_spawn(self, "echo", echo_until_answered, fds + 2, &handle), 0);
    require_number(cede_wait(self, CEDE_RECV, fds[0]), 0);
    is_answered = true;
    return cede_join(self, handle, NULL);
}

void no_poll_is_left_out_for_longer_than_the_bound(const struct fixture *fixture)
{
    int fds[4];
    struct cede_options options = {.limits.resumptions = 10};
    open_pair(fds);
    open_pair(fds + 2);
    put(fds[1], "x");
    require_number(run_with(fixture, &options, wait_beside_an_echo, fds), 0);
    require(turns <= 20);
}

// --- T2 -----------------------------------------------------------------------------------------

static int ask_beside_another(struct cede_task *self, void *argument)
{
    static char other[] = "o";
    struct request *request = argument;
    ask(self, request);
    require_number(cede_spawn(self, other, record_and_spawn, other, NULL), 0);
    answer(self, request);
    return 0;
}

void an_operation_parks_even_if_it_could_be_satisfied_at_once(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    put(fds[1], "x");
    struct request request = {.name = "recv", .verb = CEDE_VERB_RECV, .fd = fds[0]};
    require_number(run_strictly(fixture, ask_beside_another, &request), 0);
    require_text(recorded(), "o recv");
}

void an_operation_parks_even_if_it_is_refused(const struct fixture *fixture)
{
    struct request request = {.name = "recv", .verb = CEDE_VERB_RECV, .fd = -1};
    require_number(run_strictly(fixture, ask_beside_another, &request), 0);
    require_number(request.result, -EBADF);
    require_text(recorded(), "o recv");
}

static int send_then_recv(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request send = {.verb = CEDE_VERB_SEND, .fd = fds[1]};
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0], .bytes = 64};
    put(fds[1], "x");
    ask(self, &send);
    ask(self, &recv);
    require_number(answer(self, &send), 1);
    // Had the sender been first, there would be two bytes.
    require_number(answer(self, &recv), 1);
    return 0;
}

void receivers_are_tried_before_senders(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, send_then_recv, fds), 0);
}

static int close_then_recv(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request closing = {.verb = CEDE_VERB_CLOSE, .fd = fds[0]};
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    put(fds[1], "x");
    ask(self, &closing);
    ask(self, &recv);
    require_number(answer(self, &recv), 1);
    require_number(answer(self, &closing), 0);
    return 0;
}

void closes_come_after_everything_else_that_was_asked_for(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, close_then_recv, fds), 0);
}

// Two numbers for one socket. The one with the lower number asks last.
static int recv_by_two_numbers(struct cede_task *self, const int *fds,
                               void (*ask_for)(struct cede_task *, struct request *))
{
    struct request first = {.verb = CEDE_VERB_RECV, .fd = keep(dup(fds[0]))};
    struct request second = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    ask_for(self, &first);
    ask_for(self, &second);
    answer(self, &first);
    answer(self, &second);
    require_number(first.buffer[0], '1');
    require_number(second.buffer[0], '2');
    return 0;
}

static int recv_what_is_there(struct cede_task *self, void *argument)
{
    return recv_by_two_numbers(self, argument, ask);
}

static int recv_what_will_come(struct cede_task *self, void *argument)
{
    return recv_by_two_numbers(self, argument, ask_and_park);
}

void what_is_asked_for_in_a_tick_is_tried_in_the_order_of_tickets(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    put(fds[1], "12");
    require_number(run_strictly(fixture, recv_what_is_there, fds), 0);
}

// --- T3 -----------------------------------------------------------------------------------------

static void put_two_bytes(void *argument)
{
    put(*(int *)argument, "12");
}

void what_becomes_ready_is_tried_in_the_order_of_tickets(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    when_idle(put_two_bytes, &fds[1]);
    require_number(run_strictly(fixture, recv_what_will_come, fds), 0);
}

// The sender is parked on a full socket; the receiver empties it and wants one byte more. So the
// first answer of the tick lets the sender go on, and that the receiver.
static int recv_more_than_is_there(struct cede_task *self, void *argument)
{
    static char room[1 << 20];
    const int *fds = argument;
    size_t bytes = fill(fds[1]) + 1;
    require(bytes <= sizeof room);
    struct request send = {.verb = CEDE_VERB_SEND, .fd = fds[1]};
    struct request recv = {
        .verb = CEDE_VERB_RECV_EXACT, .fd = fds[0], .bytes = bytes, .destination = room};
    ask_and_park(self, &send);
    require_number(send.result, NOT_ENDED);
    ask_and_park(self, &recv);
    require_number(recv.result, (int64_t)bytes);
    require_number(answer(self, &recv), (int64_t)bytes);
    require_number(answer(self, &send), 1);
    return 0;
}

void in_strict_mode_a_tick_polls_until_nothing_more_happens(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, recv_more_than_is_there, fds), 0);
}

static int watch_the_clock(struct cede_task *self, void *argument)
{
    (void)argument;
    int64_t start_ns = cede_now_ns(self);
    next_tick(self);
    next_tick(self);
    require_number(cede_now_ns(self), start_ns);
    require_number(cede_sleep(self, 3600 * SECOND), 0);
    require_number(cede_now_ns(self), start_ns + 3600 * SECOND);
    return 0;
}

void the_strict_clock_stands_still_and_jumps_to_the_next_deadline(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, watch_the_clock, NULL), 0);
}
