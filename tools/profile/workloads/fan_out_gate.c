// SPDX-License-Identifier: MIT
//
// Which messages come is known, in which order they come only where one was sent after another had
// arrived. Where two clients send at once, the first receiver tells the order, and the others must
// have the same.

#include "tools/profile/workloads/fan_out_gate.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/statistics.h"
#include "tools/profile/workloads/talk.h"

enum { CLIENT_COUNT = 4, ROUND_COUNT = 8, RACE_LIMIT_BYTES = 8192 };

struct party {
    struct talk talks[CLIENT_COUNT];
    size_t count; // present
    size_t message_bytes;
    unsigned char *messages; // one of each client
    unsigned char *arrived;  // as many, in the order in which the first client got them
    struct statistics_random random;
};

static unsigned char *message_of(const struct party *party, size_t client)
{
    return party->messages + client * party->message_bytes;
}

static void renew(struct party *party)
{
    for (size_t index = 0; index < CLIENT_COUNT * party->message_bytes; index++)
        party->messages[index] = (unsigned char)statistics_next(&party->random);
}

static int expect_everywhere(struct party *party, const unsigned char *bytes, size_t count)
{
    int result = 0;
    for (size_t index = 0; index < party->count && result == 0; index++)
        result = talk_expect(&party->talks[index], bytes, count);
    return result;
}

// One after the other, each message in two pieces.
static int take_turns(struct party *party)
{
    for (size_t index = 0; index < party->count; index++) {
        const unsigned char *message = message_of(party, index);
        size_t first = (size_t)statistics_below(&party->random, party->message_bytes + 1);
        int result = talk_send(&party->talks[index], message, first);
        if (result == 0)
            result = talk_send(&party->talks[index], message + first, party->message_bytes - first);
        if (result == 0)
            result = expect_everywhere(party, message, party->message_bytes);
        if (result < 0)
            return result;
    }
    return 0;
}

// Fills what arrived at the first client, `count` bytes.
static int listen_first(struct party *party, size_t count)
{
    struct talk *talk = &party->talks[0];
    for (size_t have = 0; have < count;) {
        int result = talk_recv_some(talk, party->arrived + have, count - have);
        if (result > 0)
            have += (size_t)result;
        else if (result == 0)
            result = talk_wait(talk, POLLIN);
        if (result < 0)
            return result;
    }
    talk->received += count;
    return 0;
}

// What arrived is each message once. Small ones need not be told apart: they count all the same.
static bool is_complete(const struct party *party)
{
    bool was_seen[CLIENT_COUNT] = {false};
    for (size_t place = 0; place < party->count; place++) {
        const unsigned char *bytes = party->arrived + place * party->message_bytes;
        size_t client = 0;
        while (client < party->count &&
               (was_seen[client] ||
                memcmp(bytes, message_of(party, client), party->message_bytes) != 0))
            client++;
        if (client == party->count)
            return false;
        was_seen[client] = true;
    }
    return true;
}

// All at the same time.
static int race(struct party *party)
{
    size_t all_bytes = party->count * party->message_bytes;
    for (size_t index = 0; index < party->count; index++) {
        int result =
            talk_send(&party->talks[index], message_of(party, index), party->message_bytes);
        if (result < 0)
            return result;
    }
    int result = listen_first(party, all_bytes);
    if (result < 0)
        return result;
    if (!is_complete(party))
        return talk_fail(&party->talks[0], -EBADMSG, "not the messages that were sent");
    for (size_t index = 1; index < party->count && result == 0; index++)
        result = talk_expect(&party->talks[index], party->arrived, all_bytes);
    return result;
}

static int meet(struct party *party)
{
    for (int round = 0; round < ROUND_COUNT; round++) {
        renew(party);
        int result = take_turns(party);
        // Larger ones could wait for each other: nobody reads before all have sent.
        if (result == 0 && party->message_bytes <= RACE_LIMIT_BYTES) {
            renew(party);
            result = race(party);
        }
        if (result < 0)
            return result;
    }
    return 0;
}

static int hold(struct party *party)
{
    int result = meet(party);
    while (result == 0 && party->count > 1) {
        result = talk_end(&party->talks[--party->count]);
        if (result == 0)
            result = meet(party);
    }
    return result < 0 ? result : talk_end(&party->talks[0]);
}

// Each client is heard once before the next one comes, so that all are known to the server.
static int invite(struct party *party, const struct workload_choice *choice,
                  const struct loopback_address *address, char *reason, size_t reason_bytes)
{
    renew(party);
    while (party->count < CLIENT_COUNT) {
        struct talk *talk = &party->talks[party->count];
        const unsigned char *message = message_of(party, party->count);
        int result = talk_open(choice, address, reason, reason_bytes, talk);
        if (result < 0)
            return result;
        party->count++;
        result = talk_send(talk, message, party->message_bytes);
        if (result == 0)
            result = expect_everywhere(party, message, party->message_bytes);
        if (result < 0)
            return result;
    }
    return 0;
}

int fan_out_gate(const struct workload_choice *choice, const struct loopback_address *address,
                 uint64_t seed, char *reason, size_t reason_bytes)
{
    struct party party = {.message_bytes = choice->message_bytes};
    statistics_seed(&party.random, seed);
    for (size_t index = 0; index < CLIENT_COUNT; index++)
        party.talks[index].fd = -1;
    party.messages = malloc(2 * CLIENT_COUNT * choice->message_bytes);
    if (party.messages == NULL) {
        snprintf(reason, reason_bytes, "no memory");
        return -ENOMEM;
    }
    party.arrived = party.messages + CLIENT_COUNT * choice->message_bytes;
    int result = invite(&party, choice, address, reason, reason_bytes);
    if (result == 0)
        result = hold(&party);
    for (size_t index = 0; index < CLIENT_COUNT; index++)
        talk_close(&party.talks[index]);
    free(party.messages);
    return result == -ENODATA ? -EBADMSG : result;
}
