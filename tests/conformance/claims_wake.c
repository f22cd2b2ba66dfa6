// SPDX-License-Identifier: MIT
//
// T4: the order in which tasks go on, class by class and within a class; and last tries, whose
// order is the same.

#include <errno.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

static void answer_all(struct cede_task *self, struct request *requests, int count)
{
    for (int i = 0; i < count; i++)
        answer(self, &requests[i]);
}

// Asked for in the opposite order.
static int ask_of_each_class(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request requests[] = {
        {.name = "close", .verb = CEDE_VERB_CLOSE, .fd = keep(dup(fds[0]))},
        {.name = "send", .verb = CEDE_VERB_WAIT_SEND, .fd = fds[0]},
        {.name = "recv", .verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]},
    };
    put(fds[1], "x");
    for (int i = 0; i < 3; i++)
        ask(self, &requests[i]);
    answer_all(self, requests, 3);
    return 0;
}

void receivers_wake_before_senders_and_senders_before_closes(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, ask_of_each_class, fds), 0);
    require_text(recorded(), "recv send close");
}

static int ask_without_descriptors(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request requests[] = {
        {.name = "deadline", .verb = CEDE_VERB_WAIT_RECV, .fd = fds[0], .deadline_ns = 1},
        {.name = "unknown", .verb = CEDE_VERB_COUNT, .fd = -1},
        {.name = "close", .verb = CEDE_VERB_CLOSE, .fd = keep(dup(fds[0]))},
    };
    require_number(cede_sleep(self, 10), 0);
    for (int i = 0; i < 3; i++)
        ask(self, &requests[i]);
    answer_all(self, requests, 3);
    return 0;
}

void what_has_no_descriptor_wakes_between_closes_and_deadlines(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, ask_without_descriptors, fds), 0);
    require_text(recorded(), "close unknown deadline");
}

static int ask_with_past_deadlines(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request requests[] = {
        {.name = "30", .verb = CEDE_VERB_WAIT_RECV, .fd = fds[0], .deadline_ns = 30},
        {.name = "20", .verb = CEDE_VERB_PARK, .fd = -1, .deadline_ns = 20},
        {.name = "20-later", .verb = CEDE_VERB_WAIT_RECV, .fd = fds[1], .deadline_ns = 20},
        {.name = "10", .verb = CEDE_VERB_PARK, .fd = -1, .deadline_ns = 10},
    };
    require_number(cede_sleep(self, 100), 0);
    for (int i = 0; i < 4; i++)
        ask(self, &requests[i]);
    answer_all(self, requests, 4);
    return 0;
}

void what_is_due_wakes_by_deadline_and_then_by_ticket(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, ask_with_past_deadlines, fds), 0);
    require_text(recorded(), "10 20 20-later 30");
}

static int signal_two(struct cede_task *self, void *argument)
{
    struct cede_wakeup *wakeups[2];
    (void)argument;
    for (int i = 0; i < 2; i++)
        require_number(cede_wakeup_open(self, &wakeups[i]), 0);
    struct request requests[] = {
        {.name = "signalled-last", .verb = CEDE_VERB_WAKEUP, .wakeup = wakeups[0]},
        {.name = "signalled-first", .verb = CEDE_VERB_WAKEUP, .wakeup = wakeups[1]},
        {.name = "deadline", .verb = CEDE_VERB_PARK, .fd = -1, .deadline_ns = 1},
    };
    require_number(cede_sleep(self, 10), 0);
    ask_and_park(self, &requests[0]);
    ask_and_park(self, &requests[1]);
    cede_wakeup_signal(wakeups[1]);
    cede_wakeup_signal(wakeups[0]);
    ask(self, &requests[2]);
    answer_all(self, requests, 3);
    for (int i = 0; i < 2; i++)
        cede_wakeup_close(self, wakeups[i]);
    return 0;
}

void wakeups_come_last_in_the_order_of_their_signals(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, signal_two, NULL), 0);
    require_text(recorded(), "deadline signalled-first signalled-last");
}

static void put_into_each(void *argument)
{
    const int(*pairs)[2] = argument;
    for (int i = 0; i < 3; i++)
        put(pairs[i][1], "x");
}

// The highest number waits first, and the middle one last.
static int wait_in_mixed_order(struct cede_task *self, void *argument)
{
    const int(*pairs)[2] = argument;
    struct request requests[] = {
        {.name = "high", .verb = CEDE_VERB_WAIT_RECV, .fd = pairs[2][0]},
        {.name = "low", .verb = CEDE_VERB_WAIT_RECV, .fd = pairs[0][0]},
        {.name = "middle", .verb = CEDE_VERB_WAIT_RECV, .fd = pairs[1][0]},
    };
    for (int i = 0; i < 3; i++)
        ask_and_park(self, &requests[i]);
    answer_all(self, requests, 3);
    return 0;
}

void the_order_of_waking_does_not_depend_on_descriptor_numbers(const struct fixture *fixture)
{
    int pairs[3][2];
    for (int i = 0; i < 3; i++)
        open_pair(pairs[i]);
    when_idle(put_into_each, pairs);
    require_number(run_strictly(fixture, wait_in_mixed_order, pairs), 0);
    require_text(recorded(), "high low middle");
}

// The first has to wait for the poll of the tick, the second is satisfied in the attempt before.
static int ask_early_and_late(struct cede_task *self, void *argument)
{
    const int(*pairs)[2] = argument;
    struct request early = {.name = "early", .verb = CEDE_VERB_RECV, .fd = pairs[0][0]};
    struct request late = {.name = "late", .verb = CEDE_VERB_RECV, .fd = pairs[1][0]};
    ask_and_park(self, &early);
    put(pairs[0][1], "x");
    put(pairs[1][1], "x");
    ask(self, &late);
    answer(self, &early);
    answer(self, &late);
    return 0;
}

void what_was_parked_and_what_ends_at_once_wake_by_ticket(const struct fixture *fixture)
{
    int pairs[2][2];
    open_pair(pairs[0]);
    open_pair(pairs[1]);
    require_number(run_strictly(fixture, ask_early_and_late, pairs), 0);
    require_text(recorded(), "early late");
}

static void put_two_bytes(void *argument)
{
    put(*(int *)argument, "12");
}

// Both are cancelled; what they want arrives after the poll of the tick, when the engine logs that
// an accept met EMFILE. So only their last tries can find it.
static int cancel_by_two_numbers(struct cede_task *self, void *argument)
{
    int *fds = argument;
    struct cede_address address;
    struct request first = {.verb = CEDE_VERB_RECV, .fd = keep(dup(fds[0]))};
    struct request second = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    int listener = open_unix_listener(4, &address);
    open_connection(&address);
    ask_and_park(self, &first);
    ask_and_park(self, &second);
    forbid_descriptors();
    when_logged(put_two_bytes, &fds[1]);
    cancel(self, &second);
    cancel(self, &first);
    accept_in_vain(self, listener);
    allow_descriptors();
    answer(self, &first);
    answer(self, &second);
    require_number(first.buffer[0], '1');
    require_number(second.buffer[0], '2');
    return 0;
}

void last_tries_are_made_in_the_order_of_tickets(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_normally(fixture, cancel_by_two_numbers, fds), 0);
}
