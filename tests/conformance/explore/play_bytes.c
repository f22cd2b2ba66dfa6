// SPDX-License-Identifier: MIT
//
// What goes through objects: a pattern that repeats itself, from another place on for each object,
// so that no byte needs to be made and every byte in the wrong place shows. And a shortcut to its
// digest, which the linker puts in front of the real one (see BUILD.bazel): half of the time of
// long runs went there.

#include <string.h>

#include "tests/conformance/explore/play_state.h"
#include "tests/conformance/explore/results.h"

// What object o sends as its byte number k is (o * FACTOR + k) % PERIOD.
#define PERIOD 251
#define FACTOR 37
#define PATTERN_BYTES (PERIOD + PROGRAM_BYTES_MAX)

// Shorter pieces are digested as they are.
#define SHORT_BYTES 256

static uint8_t pattern[PATTERN_BYTES];
static uint32_t digests[PATTERN_BYTES + 1]; // Of as many bytes of the pattern as the index says;
static size_t digested = 0;                 // known up to here.

void play_bytes_prepare(void)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i % PERIOD);
}

const void *play_bytes_to_send(const struct player *player, int object)
{
    uint64_t first = (uint64_t)object * FACTOR + player->objects[object].sent_bytes;
    return pattern + first % PERIOD;
}

static bool is_no_socket(const struct player *player, int object)
{
    uint8_t kind = player->program->objects[object].kind;
    return kind == OBJECT_PIPE || kind == OBJECT_FILE;
}

int64_t play_send_now(struct player *player, int object, size_t bytes, uint32_t *ret_digest)
{
    int fd = play_fd(player, object);
    const void *data = play_bytes_to_send(player, object);
    int64_t count = is_no_socket(player, object) ? cede_sys_write(fd, data, bytes)
                                                 : cede_sys_send(fd, data, bytes, 0);
    if (count > 0) {
        *ret_digest = cede_trace_digest(*ret_digest, data, (size_t)count);
        player->objects[object].sent_bytes += (uint64_t)count;
    }
    return count;
}

int64_t play_recv_now(struct player *player, int object, void *buffer, size_t bytes,
                      uint32_t *ret_digest)
{
    int fd = play_fd(player, object);
    int64_t count = is_no_socket(player, object) ? cede_sys_read(fd, buffer, bytes)
                                                 : cede_sys_recv(fd, buffer, bytes, 0);
    if (count > 0)
        *ret_digest = cede_trace_digest(*ret_digest, buffer, (size_t)count);
    return count;
}

// --- Digests ------------------------------------------------------------------------------------

uint32_t __real_cede_trace_digest(uint32_t digest, const void *data, size_t bytes);
uint32_t __wrap_cede_trace_digest(uint32_t digest, const void *data, size_t bytes);

// Where in the pattern these bytes stand: its bytes are their own places. -1: nowhere.
static int place_of(const uint8_t *data, size_t bytes)
{
    size_t place = data[0];
    bool is_pattern =
        place < PERIOD && bytes <= PROGRAM_BYTES_MAX && memcmp(data, pattern + place, bytes) == 0;
    return is_pattern ? (int)place : -1;
}

uint32_t __wrap_cede_trace_digest(uint32_t digest, const void *data, size_t bytes)
{
    int place = bytes < SHORT_BYTES ? -1 : place_of(data, bytes);
    if (place < 0)
        return __real_cede_trace_digest(digest, data, bytes);
    size_t end = (size_t)place + bytes;
    for (; digested < end; digested++)
        digests[digested + 1] = __real_cede_trace_digest(digests[digested], pattern + digested, 1);
    // The sum takes out what it puts in: what stands before the place is moved to where it was.
    uint32_t piece = results_combine(digests[place], digests[end], bytes);
    return digest == 0 ? piece : results_combine(digest, piece, bytes);
}
