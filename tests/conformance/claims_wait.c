// SPDX-License-Identifier: MIT
//
// What a wait means (S1), who must wake (S2, S18), what can be waited for (S3, S4, S20) and by how
// many (S5).

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

// --- S1, S2, S18 --------------------------------------------------------------------------------

static int wait_and_look(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    put(fds[1], "x");
    require_number(perform(self, CEDE_VERB_WAIT_RECV, fds[0]), 0);
    require_number(drain(fds[0]), 1);
    return 0;
}

void a_wait_moves_no_byte(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, wait_and_look, fds), 0);
}

// In normal mode, where one answer a tick has to do.
static int wait_on_many(struct cede_task *self, void *argument)
{
    const int(*pairs)[2] = argument;
    struct request requests[4];
    for (int i = 0; i < 4; i++) {
        bool is_recv = i < 2;
        if (!is_recv)
            fill(pairs[i][0]);
        requests[i] = (struct request){
            .verb = is_recv ? CEDE_VERB_WAIT_RECV : CEDE_VERB_WAIT_SEND, .fd = pairs[i][0]};
        ask_and_park(self, &requests[i]);
    }
    for (int i = 0; i < 4; i++) {
        require_number(requests[i].result, NOT_ENDED);
        if (requests[i].verb == CEDE_VERB_WAIT_RECV)
            put(pairs[i][1], "x");
        else
            drain(pairs[i][1]);
    }
    next_tick(self);
    for (int i = 0; i < 4; i++)
        require_number(requests[i].result, 0);
    for (int i = 0; i < 4; i++)
        answer(self, &requests[i]);
    return 0;
}

void every_wait_is_woken_in_the_tick_its_socket_is_ready(const struct fixture *fixture)
{
    int pairs[4][2];
    for (int i = 0; i < 4; i++)
        open_pair(pairs[i]);
    require_number(run_normally(fixture, wait_on_many, pairs), 0);
}

static int wait_to_send_to_the_half_closed(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {
        .verb = CEDE_VERB_WAIT_SEND, .fd = fds[0], .deadline_ns = SECOND};
    fill(fds[0]);
    ask(self, &wait);
    require_number(answer(self, &wait), -ETIMEDOUT);
    return 0;
}

void a_peer_that_stops_sending_does_not_wake_a_sender(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    when_idle(shut_sending_down, &fds[1]);
    require_number(run_strictly(fixture, wait_to_send_to_the_half_closed, fds), 0);
}

// Does what `request` says, in normal mode, until it is cut off after a few milliseconds; requires
// that the engine asked the kernel a few times only. One that spins asks thousands of times.
static int wait_in_vain(struct cede_task *self, void *argument)
{
    struct request *request = argument;
    request->deadline_ns = cede_now_ns(self) + 20 * MILLISECOND;
    ask(self, request);
    require_number(answer(self, request), -ETIMEDOUT);
    require(counters()->answers < 100);
    return 0;
}

void a_peer_that_hangs_up_neither_wakes_a_sender_nor_makes_a_spin(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    fill(fds[0]);
    require(shutdown(fds[1], SHUT_RDWR) == 0);
    struct request wait = {.verb = CEDE_VERB_WAIT_SEND, .fd = fds[0]};
    require_number(run_normally(fixture, wait_in_vain, &wait), 0);
}

// A socket with an error in its queue, which no recv takes away.
static int open_troubled_socket(void)
{
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof nobody;
    int on = 1;
    int taken = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    require(bind(taken, (struct sockaddr *)&nobody, bytes) == 0);
    require(getsockname(taken, (struct sockaddr *)&nobody, &bytes) == 0);
    int fd = keep(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    require(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0);
    require(connect(fd, (struct sockaddr *)&nobody, bytes) == 0);
    require(close(taken) == 0);
    require(send(fd, "x", 1, 0) == 1);
    char byte;
    require(recv(fd, &byte, 1, 0) < 0 && errno == ECONNREFUSED);
    return fd;
}

void an_error_that_no_recv_takes_away_makes_no_spin(const struct fixture *fixture)
{
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = open_troubled_socket()};
    require_number(run_normally(fixture, wait_in_vain, &recv), 0);
}

void a_connect_to_a_full_backlog_makes_no_spin(const struct fixture *fixture)
{
    struct cede_address address;
    open_unix_listener(0, &address);
    open_connection(&address);
    struct request request = {
        .verb = CEDE_VERB_CONNECT, .fd = open_socket(AF_UNIX), .address = &address};
    require_number(run_normally(fixture, wait_in_vain, &request), 0);
}

static void accept_plainly(void *argument)
{
    keep(accept(*(int *)argument, NULL, NULL));
}

static int connect_when_there_is_room(struct cede_task *self, void *argument)
{
    struct cede_address address;
    int *listener = argument;
    *listener = open_unix_listener(0, &address);
    open_connection(&address);
    struct request request = {
        .verb = CEDE_VERB_CONNECT, .fd = open_socket(AF_UNIX), .address = &address};
    ask(self, &request);
    while (counters()->rests == 0)
        next_tick(self);
    require_number(answer(self, &request), 0);
    require_number(request.ended_ns, MILLISECOND);
    return 0;
}

void a_connect_to_a_full_backlog_goes_on_soon_after_there_is_room(const struct fixture *fixture)
{
    int listener;
    when_idle(accept_plainly, &listener);
    require_number(run_strictly(fixture, connect_when_there_is_room, &listener), 0);
}

static int wait_again_and_again(struct cede_task *self, void *argument)
{
    static const int milliseconds[] = {0, 0, 1, 3, 7, 15, 31, 63, 127, 227, 327};
    const int *fd = argument;
    for (size_t i = 0; i < sizeof milliseconds / sizeof *milliseconds; i++) {
        require_number(perform(self, CEDE_VERB_WAIT_RECV, *fd), 0);
        require_number(cede_now_ns(self), milliseconds[i] * MILLISECOND);
    }
    return 0;
}

void waits_that_only_ever_find_a_hang_up_are_spread_by_a_back_off(const struct fixture *fixture)
{
    int fds[2];
    open_pipe(fds);
    require(close(fds[1]) == 0);
    require_number(run_strictly(fixture, wait_again_and_again, fds), 0);
}

static int recv_to_the_end(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    require_number(perform(self, CEDE_VERB_WAIT_RECV, fds[0]), 0);
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), 0);
    require_number(perform(self, CEDE_VERB_RECV_EXACT, fds[0]), 0);
    return 0;
}

void the_end_of_a_stream_is_ready_and_receives_nothing(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    when_idle(shut_sending_down, &fds[1]);
    require_number(run_strictly(fixture, recv_to_the_end, fds), 0);
}

static int send_no_bytes(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request send = {.verb = CEDE_VERB_SEND, .fd = fds[0], .has_no_bytes = true};
    fill(fds[0]);
    ask_and_park(self, &send);
    require_number(send.result, NOT_ENDED);
    drain(fds[1]);
    require_number(answer(self, &send), 0);
    return 0;
}

void a_send_of_no_bytes_waits_until_there_is_room(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, send_no_bytes, fds), 0);
}

// --- S3, S4, S20 --------------------------------------------------------------------------------

static int wait_on_the_closed(struct cede_task *self, void *argument)
{
    (void)argument;
    int fd = dup(STDERR_FILENO);
    require(close(fd) == 0);
    require_number(perform(self, CEDE_VERB_WAIT_RECV, fd), -EBADF);
    require_number(perform(self, CEDE_VERB_RECV, fd), -EBADF);
    require_number(perform(self, CEDE_VERB_SEND, -1), -EBADF);
    return 0;
}

void a_descriptor_that_is_not_open_is_refused(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, wait_on_the_closed, NULL), 0);
}

static int wait_the_wrong_way(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    require_number(perform(self, CEDE_VERB_WAIT_SEND, fds[0]), -EBADF);
    require_number(perform(self, CEDE_VERB_WAIT_RECV, fds[1]), -EBADF);
    return 0;
}

void a_descriptor_opened_for_the_other_direction_is_refused(const struct fixture *fixture)
{
    int fds[2];
    open_pipe(fds);
    require_number(run_strictly(fixture, wait_the_wrong_way, fds), 0);
}

static int wait_on_a_name(struct cede_task *self, void *argument)
{
    const int *fd = argument;
    require_number(perform(self, CEDE_VERB_WAIT_RECV, *fd), -EBADF);
    return 0;
}

void a_descriptor_that_only_names_a_file_is_refused(const struct fixture *fixture)
{
    int fd = keep(open("/", O_PATH | O_CLOEXEC));
    require_number(run_strictly(fixture, wait_on_a_name, &fd), 0);
}

static int wait_on_the_always_ready(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request requests[] = {
        {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]}, {.verb = CEDE_VERB_WAIT_SEND, .fd = fds[0]},
        {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[1]}, {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[2]},
        {.verb = CEDE_VERB_WAIT_SEND, .fd = fds[2]},
    };
    for (int i = 0; i < 5; i++) {
        ask_and_park(self, &requests[i]);
        require_number(requests[i].result, 0);
        answer(self, &requests[i]);
    }
    return 0;
}

void files_directories_and_plain_devices_are_always_ready(const struct fixture *fixture)
{
    int fds[] = {
        keep(memfd_create("file", MFD_CLOEXEC)),
        keep(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        keep(open("/dev/null", O_RDWR | O_CLOEXEC)),
    };
    require_number(run_strictly(fixture, wait_on_the_always_ready, fds), 0);
}

static int use_a_large_number(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    require_number(perform(self, CEDE_VERB_WAIT_SEND, fds[0]), 0);
    ask(self, &recv);
    require_number(answer(self, &recv), 1);
    return 0;
}

void a_descriptor_far_above_1024_is_like_any_other(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    struct rlimit limit;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > 5000);
    limit.rlim_cur = limit.rlim_max;
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int large[] = {keep(dup2(fds[0], 5000))};
    when_idle(put_a_byte, &fds[1]);
    require_number(run_strictly(fixture, use_a_large_number, large), 0);
}

static int use_a_number_beyond_the_limit(struct cede_task *self, void *argument)
{
    const int *fd = argument;
    require_number(perform(self, CEDE_VERB_WAIT_SEND, *fd), -EMFILE);
    require_number(perform(self, CEDE_VERB_CLOSE, *fd), 0);
    require(fcntl(*fd, F_GETFD) < 0);
    return 0;
}

void a_number_beyond_the_limit_can_only_be_closed(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    int beyond = keep(dup2(fds[0], 500));
    struct cede_options options = {.strict = true, .limits.descriptor_count = 500};
    require_number(run_with(fixture, &options, use_a_number_beyond_the_limit, &beyond), 0);
}

// --- S5 -----------------------------------------------------------------------------------------

static int wait_twice(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request first = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    ask_and_park(self, &first);
    require_number(perform(self, CEDE_VERB_WAIT_RECV, fds[0]), -EBUSY);
    put(fds[1], "x");
    require_number(answer(self, &first), 1);
    return 0;
}

void a_second_waiter_is_refused_and_the_first_not_disturbed(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, wait_twice, fds), 0);
}

static int wait_in_both_directions(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    fill(fds[0]);
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    struct request send = {.verb = CEDE_VERB_SEND, .fd = fds[0]};
    ask_and_park(self, &recv);
    ask_and_park(self, &send);
    put(fds[1], "x");
    require_number(answer(self, &recv), 1);
    require_number(send.result, NOT_ENDED);
    drain(fds[1]);
    require_number(answer(self, &send), 1);
    return 0;
}

void both_directions_of_a_socket_can_be_waited_for_at_once(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    require_number(run_strictly(fixture, wait_in_both_directions, fds), 0);
}
