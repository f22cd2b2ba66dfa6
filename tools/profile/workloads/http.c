// SPDX-License-Identifier: MIT
//
// HTTP/1.1 as far as a benchmark goes: one short GET, one fixed answer, on connections that stay
// open. It is here because other people's load generators speak it, so that their figures can be
// compared with ours. All answers are alike; so a repeated one is found by its being one too many.

#include <string.h>

#include "tools/profile/workloads/exchange_gate.h"

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n"
                            "Content-Type: text/plain\r\n\r\nHello, world!";

static int set_mode(struct workload_choice *choice, const size_t *parameters)
{
    (void)parameters;
    choice->message_bytes = strlen(request);
    choice->needs.mode = SERVER_HTTP;
    return 0;
}

static int open_nothing(const struct workload_choice *choice, uint64_t seed, void **ret_state)
{
    (void)choice;
    (void)seed;
    *ret_state = NULL;
    return 0;
}

static void close_nothing(void *state)
{
    (void)state;
}

static void prepare(void *state, size_t connection, uint64_t number, struct exchange *ret_exchange)
{
    (void)state;
    (void)connection;
    (void)number;
    ret_exchange->request = (const unsigned char *)request;
    ret_exchange->request_bytes = strlen(request);
    ret_exchange->reply_bytes = strlen(reply);
}

static bool verify(void *state, const struct exchange *exchange, size_t offset,
                   const unsigned char *bytes, size_t count)
{
    (void)state;
    (void)exchange;
    return memcmp(reply + offset, bytes, count) == 0;
}

const struct workload workload_http = {
    .name = "http",
    .parameters = "",
    .set = set_mode,
    .open = open_nothing,
    .close = close_nothing,
    .prepare = prepare,
    .verify = verify,
    .gate = exchange_gate,
};
