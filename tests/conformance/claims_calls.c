// SPDX-License-Identifier: MIT
//
// The system calls behind the verbs: their errors (S17), accept without descriptors (S19),
// descriptors that block (S24).

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

// --- S17 ----------------------------------------------------------------------------------------

static void reset(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    require(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    require(close(fd) == 0);
}

static int recv_from_the_reset(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    ask_and_park(self, &recv);
    reset(fds[1]);
    require_number(answer(self, &recv), -ECONNRESET);
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), 0);
    return 0;
}

void a_reset_is_told_once_and_then_the_stream_has_ended(const struct fixture *fixture)
{
    int fds[2];
    open_tcp_pair(fds);
    require_number(run_strictly(fixture, recv_from_the_reset, fds), 0);
}

static int send_to_nobody(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    require_number(perform(self, CEDE_VERB_SEND, fds[0]), -EPIPE);
    require_number(perform(self, CEDE_VERB_SEND_ALL, fds[0]), -EPIPE);
    return 0;
}

void sending_to_a_peer_that_is_gone_raises_no_signal(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require(close(fds[1]) == 0);
    require_number(run_strictly(fixture, send_to_nobody, fds), 0);
}

static volatile sig_atomic_t signal_count;

static void count_signal(int signal_number)
{
    (void)signal_number;
    signal_count++;
}

static int wait_under_signals(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]};
    wait.deadline_ns = cede_now_ns(self) + 20 * MILLISECOND;
    ask(self, &wait);
    require_number(answer(self, &wait), -ETIMEDOUT);
    return 0;
}

void signals_do_not_interrupt_a_wait(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    struct sigaction action = {.sa_handler = count_signal};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec often = {.it_value.tv_nsec = 500000, .it_interval.tv_nsec = 500000};
    require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    require(timer_settime(timer, 0, &often, NULL) == 0);
    require_number(run_normally(fixture, wait_under_signals, fds), 0);
    require(timer_delete(timer) == 0);
    require(signal_count > 1);
}

// --- S19 ----------------------------------------------------------------------------------------

static struct request accept_request(void)
{
    struct cede_address address;
    struct request accept = {.verb = CEDE_VERB_ACCEPT, .fd = open_unix_listener(4, &address)};
    open_connection(&address);
    return accept;
}

static int accept_until_a_close(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request accept = accept_request();
    forbid_descriptors();
    ask_and_park(self, &accept);
    require_number(accept.result, NOT_ENDED);
    require_number(perform(self, CEDE_VERB_CLOSE, fds[0]), 0);
    keep((int)answer(self, &accept));
    require_number(accept.ended_ns, 0);
    return 0;
}

void an_accept_without_descriptors_goes_on_when_one_is_closed(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, accept_until_a_close, fds), 0);
}

static int accept_after_a_while(struct cede_task *self, void *argument)
{
    (void)argument;
    struct request accept = accept_request();
    forbid_descriptors();
    ask(self, &accept);
    // It has been tried after 0, 10, 30 and 70 ms, and will be again after 150.
    require_number(cede_sleep_until(self, 71 * MILLISECOND), 0);
    require_number(accept.result, NOT_ENDED);
    allow_descriptors();
    keep((int)answer(self, &accept));
    require_number(accept.ended_ns, 150 * MILLISECOND);
    return 0;
}

void an_accept_without_descriptors_is_tried_after_a_doubling_time(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, accept_after_a_while, NULL), 0);
}

static int accept_until_the_deadline(struct cede_task *self, void *argument)
{
    (void)argument;
    struct request accept = accept_request();
    accept.deadline_ns = 3500 * MILLISECOND;
    forbid_descriptors();
    ask(self, &accept);
    require_number(answer(self, &accept), -ETIMEDOUT);
    allow_descriptors();
    // After 0, 10, 30, 70, 150, 310, 630, 1270, 2270 and 3270 ms.
    require_number(counters()->shortages, 10);
    return 0;
}

void a_shortage_of_descriptors_is_logged_at_most_once_a_second(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, accept_until_the_deadline, NULL), 0);
    int lines = 0;
    for (const char *line = logged(); (line = strstr(line, "accept on descriptor")); line++)
        lines++;
    require_number(lines, 4);
}

static int close_beside_and_below_an_accept(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request accept = accept_request();
    struct request beside = {.verb = CEDE_VERB_CLOSE, .fd = fds[0]};
    struct request below = {.verb = CEDE_VERB_CLOSE, .fd = accept.fd};
    forbid_descriptors();
    ask_and_park(self, &accept);
    ask(self, &beside);
    ask(self, &below);
    require_number(answer(self, &accept), -EBADF);
    require_number(answer(self, &beside), 0);
    require_number(answer(self, &below), 0);
    next_tick(self);
    return 0;
}

// The first close gives the accept back a descriptor, the second takes the listener from it.
void an_accept_that_was_just_roused_can_be_closed(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, close_beside_and_below_an_accept, fds), 0);
}

static int close_below_an_attempt(struct cede_task *self, void *argument)
{
    (void)argument;
    struct request accept = accept_request();
    struct request below = {.verb = CEDE_VERB_CLOSE, .fd = accept.fd};
    forbid_descriptors();
    ask(self, &accept);
    ask(self, &below);
    require_number(answer(self, &accept), -EBADF);
    require_number(answer(self, &below), 0);
    require_number(cede_sleep(self, SECOND), 0);
    return 0;
}

void an_accept_that_just_met_a_shortage_can_be_closed(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, close_below_an_attempt, NULL), 0);
}

// Its deadline passes while this task computes. Then a close gives it a descriptor, in the very
// tick that finds it due.
static int close_beside_the_overdue(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request accept = accept_request();
    accept.deadline_ns = cede_now_ns(self) + 50 * MILLISECOND;
    forbid_descriptors();
    ask_and_park(self, &accept);
    while (cede_now_ns(self) < accept.deadline_ns)
        continue;
    require_number(perform(self, CEDE_VERB_CLOSE, fds[0]), 0);
    keep((int)answer(self, &accept));
    next_tick(self);
    return 0;
}

void an_accept_that_is_roused_when_it_is_due_is_tried_last(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_normally(fixture, close_beside_the_overdue, fds), 0);
}

// --- S21, S24
// ----------------------------------------------------------------------------------------

// Room for one descriptor beside a message of one byte.
struct message {
    int fd; // To receive it on.
    char byte;
    struct iovec part;
    struct msghdr header;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static void prepare_message(struct message *message)
{
    message->part = (struct iovec){.iov_base = &message->byte, .iov_len = 1};
    message->header.msg_iov = &message->part;
    message->header.msg_iovlen = 1;
    message->header.msg_control = message->control;
    message->header.msg_controllen = sizeof message->control;
}

static int recv_a_descriptor(struct cede_task *self, void *argument)
{
    struct message *message = argument;
    int fd = message->fd;
    prepare_message(message);
    require_number(cede_recvmsg(self, fd, &message->header, 0), 1);
    return 0;
}

static int pass_a_descriptor(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct message sent = {.byte = 'x'};
    struct message received = {.fd = fds[0]};
    struct cede_handle handle;
    int passed;
    require_number(cede_spawn(self, "receiver", recv_a_descriptor, &received, &handle), 0);
    next_tick(self);
    prepare_message(&sent);
    struct cmsghdr *control = CMSG_FIRSTHDR(&sent.header);
    control->cmsg_len = CMSG_LEN(sizeof(int));
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(control), &fds[0], sizeof(int));
    require_number(cede_sendmsg(self, fds[1], &sent.header, 0), 1);
    require_number(cede_join(self, handle, NULL), 0);
    memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&received.header)), sizeof(int));
    keep(passed);
    require_number(fcntl(passed, F_GETFD), FD_CLOEXEC);
    return 0;
}

void a_descriptor_that_is_received_closes_on_exec(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, pass_a_descriptor, fds), 0);
}

static int accept_and_connect_blocking(struct cede_task *self, void *argument)
{
    struct cede_address address;
    (void)argument;
    int listener = open_unix_listener(4, &address);
    require(fcntl(listener, F_SETFL, 0) == 0);
    require_number(perform(self, CEDE_VERB_ACCEPT, listener), -EINVAL);
    int fd = keep(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct request request = {.verb = CEDE_VERB_CONNECT, .fd = fd, .address = &address};
    ask(self, &request);
    require_number(answer(self, &request), -EINVAL);
    return 0;
}

void accept_and_connect_refuse_descriptors_that_block(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, accept_and_connect_blocking, NULL), 0);
}

static void open_blocking_pair(int ret_fds[2])
{
    open_pair(ret_fds);
    require(fcntl(ret_fds[0], F_SETFL, 0) == 0);
}

static int use_the_blocking(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    struct request send = {.verb = CEDE_VERB_SEND_ALL, .fd = fds[0], .bytes = 1 << 16};
    fill(fds[0]);
    ask_and_park(self, &recv);
    ask_and_park(self, &send);
    require_number(recv.result, NOT_ENDED);
    require_number(send.result, NOT_ENDED);
    put(fds[1], "x");
    drain(fds[1]);
    require_number(answer(self, &recv), 1);
    require_number(answer(self, &send), 1 << 16);
    return 0;
}

void recv_and_send_do_not_block_on_descriptors_that_do(const struct fixture *fixture)
{
    int fds[2];
    open_blocking_pair(fds);
    require_number(run_strictly(fixture, use_the_blocking, fds), 0);
}

static int leave_flags_alone(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    put(fds[1], "x");
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), 1);
    require_number(perform(self, CEDE_VERB_SEND, fds[0]), 1);
    require_number(perform(self, CEDE_VERB_WAIT_SEND, fds[0]), 0);
    require_number(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    return 0;
}

void the_flags_of_a_descriptor_are_never_changed(const struct fixture *fixture)
{
    int fds[2];
    open_blocking_pair(fds);
    require_number(run_strictly(fixture, leave_flags_alone, fds), 0);
}
