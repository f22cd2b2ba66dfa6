// SPDX-License-Identifier: MIT
//
// The block of random bytes is longer than a message by the number of places where one may begin.

#include "tools/profile/workloads/messages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/statistics.h"

// Places where a message may begin. The steps are odd, hence every place is used, and neighbouring
// connections and neighbouring messages of one connection begin at different ones.
enum { PLACE_COUNT = 1 << 16, CONNECTION_STEP = 40503, MESSAGE_STEP = 24571 };

struct messages {
    size_t request_bytes;
    size_t reply_bytes;
    unsigned char random_bytes[]; // PLACE_COUNT + request_bytes
};

int messages_open(const struct workload_choice *choice, uint64_t seed, void **ret_state)
{
    size_t count = PLACE_COUNT + choice->message_bytes;
    struct messages *messages = malloc(sizeof(*messages) + count);
    if (messages == NULL)
        return -ENOMEM;
    struct statistics_random random;
    statistics_seed(&random, seed);
    messages->request_bytes = choice->message_bytes;
    messages->reply_bytes = choice->message_bytes;
    if (choice->needs.reply_bytes > 0)
        messages->reply_bytes = choice->needs.reply_bytes;
    for (size_t index = 0; index < count; index++)
        messages->random_bytes[index] = (unsigned char)statistics_next(&random);
    *ret_state = messages;
    return 0;
}

void messages_close(void *state)
{
    free(state);
}

void messages_prepare(void *state, size_t connection, uint64_t number,
                      struct exchange *ret_exchange)
{
    const struct messages *messages = state;
    size_t place = (size_t)(connection * CONNECTION_STEP + number * MESSAGE_STEP) % PLACE_COUNT;
    ret_exchange->request = &messages->random_bytes[place];
    ret_exchange->request_bytes = messages->request_bytes;
    ret_exchange->reply_bytes = messages->reply_bytes;
}

bool messages_verify(void *state, const struct exchange *exchange, size_t offset,
                     const unsigned char *bytes, size_t count)
{
    (void)state;
    // One round for each time that the reply goes through the request; of an echo there is one.
    for (size_t from = offset % exchange->request_bytes; count > 0; from = 0) {
        size_t left = exchange->request_bytes - from;
        size_t piece = count < left ? count : left;
        if (memcmp(exchange->request + from, bytes, piece) != 0)
            return false;
        bytes += piece;
        count -= piece;
    }
    return true;
}
