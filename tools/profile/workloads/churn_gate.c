// SPDX-License-Identifier: MIT
//
// Each round has three short connections, and ends with one that must be served like the first: a
// server that keeps something of those before it, or ends with them, shows it here.

#include "tools/profile/workloads/churn_gate.h"

#include <errno.h>
#include <sys/socket.h>

#include "tools/profile/workloads/echo_gate.h"
#include "tools/profile/workloads/talk.h"

enum { ROUND_COUNT = 20 };

// One message there and back, and the end from both sides. An empty message is only the end.
static int exchange_once(struct talk *talk, const unsigned char *bytes, size_t count)
{
    int result = talk_send(talk, bytes, count);
    if (result == 0)
        result = talk_expect(talk, bytes, count);
    return result < 0 ? result : talk_end(talk);
}

// Leave with a reset while bytes are on their way: the server can do nothing about it.
static int send_and_reset(struct talk *talk, const unsigned char *bytes, size_t count)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int result = talk_send(talk, bytes, count);
    setsockopt(talk->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return result;
}

int churn_gate(const struct workload_choice *choice, const struct loopback_address *address,
               uint64_t seed, char *reason, size_t reason_bytes)
{
    int result = echo_gate(choice, address, seed, reason, reason_bytes);
    for (int index = 0; index < 3 * ROUND_COUNT && result == 0; index++) {
        unsigned char message[3] = {(unsigned char)seed, (unsigned char)index, 'x'};
        struct talk talk;
        result = talk_open(choice, address, reason, reason_bytes, &talk);
        if (result < 0)
            return result;
        if (index % 3 == 0)
            result = send_and_reset(&talk, message, sizeof(message));
        else
            result = exchange_once(&talk, message, index % 3 == 1 ? 0 : sizeof(message));
        talk_close(&talk);
    }
    return result == -ENODATA ? -EBADMSG : result;
}
