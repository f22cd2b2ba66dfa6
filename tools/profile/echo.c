// SPDX-License-Identifier: MIT
//
// The echo workload: what goes out must come back, byte for byte. All messages are cut out of one
// block of random bytes, each at its own place; so making one and checking one cost no more than a
// pointer and a memcmp(3), and the load generator stays small beside the server.

#include "tools/profile/workload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/echo_gate.h"
#include "tools/profile/statistics.h"

// Places where a message may begin. The steps are odd, hence every place is used, and neighbouring
// connections and neighbouring messages of one connection begin at different ones.
enum { PLACE_COUNT = 1 << 16, CONNECTION_STEP = 40503, MESSAGE_STEP = 24571 };

struct echo {
    size_t message_bytes;
    unsigned char random_bytes[]; // PLACE_COUNT + message_bytes
};

static int echo_open(const struct workload_choice *choice, uint64_t seed, void **ret_state)
{
    size_t message_bytes = choice->message_bytes;
    size_t count = PLACE_COUNT + message_bytes;
    struct echo *echo = malloc(sizeof(*echo) + count);
    if (echo == NULL)
        return -ENOMEM;
    struct statistics_random random;
    statistics_seed(&random, seed);
    echo->message_bytes = message_bytes;
    for (size_t index = 0; index < count; index++)
        echo->random_bytes[index] = (unsigned char)statistics_next(&random);
    *ret_state = echo;
    return 0;
}

static void echo_close(void *state)
{
    free(state);
}

static void echo_prepare(void *state, size_t connection, uint64_t number,
                         struct exchange *ret_exchange)
{
    const struct echo *echo = state;
    size_t place = (size_t)(connection * CONNECTION_STEP + number * MESSAGE_STEP) % PLACE_COUNT;
    ret_exchange->request = &echo->random_bytes[place];
    ret_exchange->request_bytes = echo->message_bytes;
    ret_exchange->reply_bytes = echo->message_bytes;
}

static bool echo_verify(void *state, const struct exchange *exchange, size_t offset,
                        const unsigned char *bytes, size_t count)
{
    (void)state;
    return memcmp(exchange->request + offset, bytes, count) == 0;
}

const struct workload workload_echo = {
    .name = "echo",
    .parameters = "",
    .open = echo_open,
    .close = echo_close,
    .prepare = echo_prepare,
    .verify = echo_verify,
    .gate = echo_gate,
};
