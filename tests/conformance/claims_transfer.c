// SPDX-License-Identifier: MIT
//
// Transfers that go on until all is done make way for others (S10). Two operations name one socket,
// by two numbers, so that the stream shows where the first made way: the one byte of the second
// stands there.

#include <sys/socket.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

#define BYTES_AT_ONCE (256 << 10)

// More than that, and one byte of another operation among or behind them.
static char sent[(300 << 10) + 1];
static char received[sizeof sent];

// Reads what is there: how many bytes there are in all.
static size_t recv_more(int fd, size_t count)
{
    ssize_t more;
    while ((more = recv(fd, received + count, sizeof received - count, MSG_DONTWAIT)) > 0)
        count += (size_t)more;
    return count;
}

// In one tick, whoever runs first of those that are spawned.
static void ask_in_turn(struct cede_task *self, struct request *first, struct request *second)
{
    ask(self, first);
    require_number(cede_pause(self), 0);
    ask(self, second);
}

static int send_beside_a_long_transfer(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request all = {.verb = CEDE_VERB_SEND_ALL, .fd = fds[0], .source = sent};
    struct request one = {.verb = CEDE_VERB_SEND, .fd = keep(dup(fds[0])), .source = "x"};
    all.bytes = sizeof sent - 1;
    ask_in_turn(self, &all, &one);
    require_number(answer(self, &one), 1);
    size_t count = recv_more(fds[1], 0);
    require_number(answer(self, &all), all.bytes);
    require_number(recv_more(fds[1], count), sizeof sent);
    require_number(received[BYTES_AT_ONCE], 'x');
    return 0;
}

static int recv_beside_a_long_transfer(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request all = {.verb = CEDE_VERB_RECV_EXACT, .fd = fds[1], .destination = received};
    struct request one = {.verb = CEDE_VERB_RECV_EXACT, .fd = keep(dup(fds[1]))};
    all.bytes = sizeof sent - 1;
    sent[BYTES_AT_ONCE] = 'x';
    require_number(send(fds[0], sent, sizeof sent, MSG_DONTWAIT), sizeof sent);
    ask_in_turn(self, &all, &one);
    require_number(answer(self, &one), 1);
    require_number(one.buffer[0], 'x');
    require_number(answer(self, &all), all.bytes);
    return 0;
}

void a_transfer_of_any_length_makes_way_for_others(const struct fixture *fixture)
{
    int fds[2];
    int bytes = BYTES_AT_ONCE;
    open_pair(fds);
    // Linux doubles it. What everybody is allowed suffices.
    require(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
    require_number(run_strictly(fixture, send_beside_a_long_transfer, fds), 0);
    require_number(run_strictly(fixture, recv_beside_a_long_transfer, fds), 0);
}
