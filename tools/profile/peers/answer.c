// SPDX-License-Identifier: MIT
//
// What a peer answers: requests found in a stream, and the bytes that each of them is worth. The
// other half of peer.h.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/peers/peer.h"

enum { CAPACITY_LEAST = 4096 };

static const char http_end[] = "\r\n\r\n";
static const char http_reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n"
                                 "Content-Type: text/plain\r\n\r\nHello, world!";

static void reserve(struct peer_bytes *bytes, size_t count)
{
    size_t capacity = bytes->capacity > 0 ? bytes->capacity : CAPACITY_LEAST;
    if (bytes->count + count <= bytes->capacity)
        return;
    while (capacity < bytes->count + count)
        capacity *= 2;
    unsigned char *data = realloc(bytes->data, capacity);
    if (data == NULL)
        abort();
    bytes->data = data;
    bytes->capacity = capacity;
}

void peer_bytes_add(struct peer_bytes *bytes, const void *data, size_t count)
{
    reserve(bytes, count);
    memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
}

void peer_bytes_drop(struct peer_bytes *bytes, size_t count)
{
    bytes->count -= count;
    memmove(bytes->data, bytes->data + count, bytes->count);
}

void peer_bytes_free(struct peer_bytes *bytes)
{
    free(bytes->data);
    memset(bytes, 0, sizeof(*bytes));
}

static void answer_http(struct peer_request *request, const unsigned char *data, size_t count,
                        struct peer_bytes *answer)
{
    for (size_t index = 0; index < count; index++) {
        int byte = data[index];
        if (byte == http_end[request->matched])
            request->matched++;
        else
            request->matched = byte == http_end[0];
        if (request->matched < strlen(http_end))
            continue;
        peer_bytes_add(answer, http_reply, strlen(http_reply));
        request->matched = 0;
    }
}

// One whole request.
static void answer_one(const struct peer_options *options, const unsigned char *request,
                       struct peer_bytes *answer)
{
    size_t left = options->mode == PEER_RR ? options->reply_bytes : options->request_bytes;
    while (left > 0) {
        size_t count = left < options->request_bytes ? left : options->request_bytes;
        peer_bytes_add(answer, request, count);
        left -= count;
    }
}

void peer_answer(const struct peer_options *options, struct peer_request *request,
                 const unsigned char *data, size_t count, struct peer_bytes *answer)
{
    struct peer_bytes *begun = &request->bytes;
    size_t whole = options->request_bytes;
    if (options->mode == PEER_HTTP) {
        answer_http(request, data, count, answer);
        return;
    }
    while (count > 0) {
        // A request that came in one piece, as most do, is answered from where it lies.
        if (begun->count == 0 && count >= whole) {
            answer_one(options, data, answer);
            data += whole;
            count -= whole;
            continue;
        }
        size_t taken = whole - begun->count < count ? whole - begun->count : count;
        peer_bytes_add(begun, data, taken);
        data += taken;
        count -= taken;
        if (begun->count == whole) {
            answer_one(options, begun->data, answer);
            begun->count = 0;
        }
    }
}
