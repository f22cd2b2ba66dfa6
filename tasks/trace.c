// SPDX-License-Identifier: MIT
//
// Events as bytes, and back. What comes from outside is believed nothing: a trace may have been cut
// off by a full disk, or be no trace at all.

#include "tasks/trace.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/check.h"
#include "engine/sys.h"

// --- Fields -------------------------------------------------------------------------------------

// In the order of struct cede_trace_event. The name comes behind the numbers.
enum field {
    TASK,
    OTHER,
    VERB,
    OBJECT,
    RESULT,
    BYTES,
    DIGEST,
    NOW,
    DEADLINE,
    VALUE,
    NUMBER_COUNT,
    NAME = NUMBER_COUNT,
};

#define HAS(field) (1U << (field))

static const uint16_t fields_of[CEDE_TRACE_KIND_COUNT] = {
    [CEDE_TRACE_TICK] = HAS(NOW),
    [CEDE_TRACE_SPAWN] = HAS(TASK) | HAS(OTHER) | HAS(RESULT) | HAS(NAME),
    [CEDE_TRACE_SUBMIT] = HAS(TASK) | HAS(VERB) | HAS(OBJECT) | HAS(BYTES) | HAS(DEADLINE),
    [CEDE_TRACE_END] =
        HAS(TASK) | HAS(VERB) | HAS(OBJECT) | HAS(RESULT) | HAS(BYTES) | HAS(DIGEST),
    [CEDE_TRACE_PAUSE] = HAS(TASK) | HAS(RESULT),
    [CEDE_TRACE_JOIN] = HAS(TASK) | HAS(OTHER) | HAS(RESULT) | HAS(VALUE),
    [CEDE_TRACE_CANCEL] = HAS(TASK) | HAS(OTHER),
    [CEDE_TRACE_SHUTDOWN] = HAS(TASK) | HAS(VERB) | HAS(OBJECT) | HAS(RESULT),
    [CEDE_TRACE_SCOPE] = HAS(TASK) | HAS(VERB) | HAS(VALUE),
    [CEDE_TRACE_DONE] = HAS(TASK) | HAS(RESULT),
    [CEDE_TRACE_OUTCOME] = HAS(RESULT),
    [CEDE_TRACE_NOTE] = HAS(TASK) | HAS(VERB) | HAS(OBJECT) | HAS(RESULT) | HAS(DIGEST),
};

// Which of the numbers are signed, and which have 32 bits.
#define SIGNED (HAS(OBJECT) | HAS(RESULT) | HAS(NOW) | HAS(DEADLINE) | HAS(VALUE))
#define SHORT (HAS(TASK) | HAS(OTHER) | HAS(VERB))

// Both directions of one assignment each, beside the enumeration above.
static void event_to_numbers(const struct cede_trace_event *event, uint64_t numbers[NUMBER_COUNT])
{
    numbers[TASK] = event->task;
    numbers[OTHER] = event->other;
    numbers[VERB] = event->verb;
    numbers[OBJECT] = (uint64_t)event->object;
    numbers[RESULT] = (uint64_t)event->result;
    numbers[BYTES] = event->bytes;
    numbers[DIGEST] = event->digest;
    numbers[NOW] = (uint64_t)event->now_ns;
    numbers[DEADLINE] = (uint64_t)event->deadline_ns;
    numbers[VALUE] = (uint64_t)event->value;
}

static void numbers_to_event(const uint64_t numbers[NUMBER_COUNT], struct cede_trace_event *event)
{
    event->task = (uint32_t)numbers[TASK];
    event->other = (uint32_t)numbers[OTHER];
    event->verb = (uint32_t)numbers[VERB];
    event->object = (int64_t)numbers[OBJECT];
    event->result = (int64_t)numbers[RESULT];
    event->bytes = numbers[BYTES];
    event->digest = numbers[DIGEST];
    event->now_ns = (int64_t)numbers[NOW];
    event->deadline_ns = (int64_t)numbers[DEADLINE];
    event->value = (int64_t)numbers[VALUE];
}

// Signed numbers so that small ones have small codes, negative or not.
static uint64_t zigzag(uint64_t number)
{
    return number << 1 ^ (number >> 63 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t code)
{
    return code >> 1 ^ (code & 1 ? UINT64_MAX : 0);
}

// --- Encoding -----------------------------------------------------------------------------------

static uint8_t *write_number(uint64_t number, uint8_t *at)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

size_t cede_trace_encode(const struct cede_trace_event *event,
                         uint8_t ret_data[CEDE_TRACE_EVENT_BYTES])
{
    cede_check(event->kind > 0 && event->kind < CEDE_TRACE_KIND_COUNT);
    uint64_t numbers[NUMBER_COUNT];
    event_to_numbers(event, numbers);
    uint32_t fields = fields_of[event->kind];
    uint8_t *at = ret_data;
    *at++ = (uint8_t)event->kind;
    for (unsigned i = 0; i < NUMBER_COUNT; i++)
        if (fields & HAS(i))
            at = write_number(SIGNED & HAS(i) ? zigzag(numbers[i]) : numbers[i], at);
    if (fields & HAS(NAME)) {
        size_t length = strnlen(event->name, sizeof event->name);
        cede_check(length < sizeof event->name);
        at = write_number(length, at);
        memcpy(at, event->name, length);
        at += length;
    }
    return (size_t)(at - ret_data);
}

// --- Decoding -----------------------------------------------------------------------------------

// What is left to read.
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

// False: cut off, more than 64 bits, or longer than it need be.
static bool read_number(struct reader *reader, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        uint64_t part = byte & 0x7f;
        if (shift == 63 && part > 1)
            return false;
        number |= part << shift;
        if (byte & 0x80)
            continue;
        *ret_number = number;
        return byte != 0 || shift == 0;
    }
    return false;
}

static bool read_name(struct reader *reader, char *name)
{
    uint64_t length;
    if (!read_number(reader, &length) || length >= CEDE_TRACE_NAME_BYTES ||
        length > (size_t)(reader->end - reader->at) || memchr(reader->at, '\0', length))
        return false;
    memcpy(name, reader->at, length);
    reader->at += length;
    return true;
}

size_t cede_trace_decode(const uint8_t *data, size_t bytes, struct cede_trace_event *ret_event)
{
    if (bytes == 0 || data[0] == 0 || data[0] >= CEDE_TRACE_KIND_COUNT)
        return 0;
    struct cede_trace_event event = {.kind = (enum cede_trace_kind)data[0]};
    struct reader reader = {.at = data + 1, .end = data + bytes};
    uint32_t fields = fields_of[event.kind];
    uint64_t numbers[NUMBER_COUNT] = {0};
    for (unsigned i = 0; i < NUMBER_COUNT; i++) {
        if (!(fields & HAS(i)))
            continue;
        if (!read_number(&reader, &numbers[i]) || (SHORT & HAS(i) && numbers[i] > UINT32_MAX))
            return 0;
        if (SIGNED & HAS(i))
            numbers[i] = unzigzag(numbers[i]);
    }
    numbers_to_event(numbers, &event);
    if (fields & HAS(NAME) && !read_name(&reader, event.name))
        return 0;
    *ret_event = event;
    return (size_t)(reader.at - data);
}

// --- In memory ----------------------------------------------------------------------------------

#define FIRST_CAPACITY ((size_t)4 << 10)

static int grow(struct cede_trace_log *log)
{
    size_t capacity = log->capacity ? log->capacity * 2 : FIRST_CAPACITY;
    uint8_t *data = log->data ? cede_sys_reallocate(log->data, capacity)
                              : cede_sys_allocate(capacity);
    if (!data)
        return -ENOMEM;
    log->data = data;
    log->capacity = capacity;
    return 0;
}

int cede_trace_append(struct cede_trace_log *log, const struct cede_trace_event *event)
{
    uint8_t data[CEDE_TRACE_EVENT_BYTES];
    if (log->error < 0)
        return log->error;
    size_t bytes = cede_trace_encode(event, data);
    if (log->limit_bytes > 0 && bytes > log->limit_bytes - log->bytes)
        log->error = -EFBIG;
    else if (bytes > log->capacity - log->bytes)
        log->error = grow(log);
    if (log->error < 0)
        return log->error;
    memcpy(log->data + log->bytes, data, bytes);
    log->bytes += bytes;
    return 0;
}

void cede_trace_record(void *log, const struct cede_trace_event *event)
{
    cede_trace_append(log, event);
}

void cede_trace_clear(struct cede_trace_log *log)
{
    cede_sys_free(log->data);
    *log = (struct cede_trace_log){.limit_bytes = log->limit_bytes};
}

// --- The digest ---------------------------------------------------------------------------------

// What each half byte does to the remainder, with none to seven half bytes behind it: so that the
// eight of four bytes are looked up side by side. An entry is the one above it after four steps,
// each of which divides by two in the field of the polynomial 0xedb88320.
static const uint32_t remainders[8][16] = {
    {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
     0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
     0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c},
    {0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f,
     0xe963a535, 0x9e6495a3, 0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988,
     0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91},
    {0x00000000, 0x4ac21251, 0x958424a2, 0xdf4636f3, 0xf0794f05, 0xbabb5d54,
     0x65fd6ba7, 0x2f3f79f6, 0x3b83984b, 0x71418a1a, 0xae07bce9, 0xe4c5aeb8,
     0xcbfad74e, 0x8138c51f, 0x5e7ef3ec, 0x14bce1bd},
    {0x00000000, 0x191b3141, 0x32366282, 0x2b2d53c3, 0x646cc504, 0x7d77f445,
     0x565aa786, 0x4f4196c7, 0xc8d98a08, 0xd1c2bb49, 0xfaefe88a, 0xe3f4d9cb,
     0xacb54f0c, 0xb5ae7e4d, 0x9e832d8e, 0x87981ccf},
    {0x00000000, 0x1c26a370, 0x384d46e0, 0x246be590, 0x709a8dc0, 0x6cbc2eb0,
     0x48d7cb20, 0x54f16850, 0xe1351b80, 0xfd13b8f0, 0xd9785d60, 0xc55efe10,
     0x91af9640, 0x8d893530, 0xa9e2d0a0, 0xb5c473d0},
    {0x00000000, 0x01c26a37, 0x0384d46e, 0x0246be59, 0x0709a8dc, 0x06cbc2eb,
     0x048d7cb2, 0x054f1685, 0x0e1351b8, 0x0fd13b8f, 0x0d9785d6, 0x0c55efe1,
     0x091af964, 0x08d89353, 0x0a9e2d0a, 0x0b5c473d},
    {0x00000000, 0x5019579f, 0xa032af3e, 0xf02bf8a1, 0x9b14583d, 0xcb0d0fa2,
     0x3b26f703, 0x6b3fa09c, 0xed59b63b, 0xbd40e1a4, 0x4d6b1905, 0x1d724e9a,
     0x764dee06, 0x2654b999, 0xd67f4138, 0x866616a7},
    {0x00000000, 0xb8bc6765, 0xaa09c88b, 0x12b5afee, 0x8f629757, 0x37def032,
     0x256b5fdc, 0x9dd738b9, 0xc5b428ef, 0x7d084f8a, 0x6fbde064, 0xd7018701,
     0x4ad6bfb8, 0xf26ad8dd, 0xe0df7733, 0x58631056},
};

static uint32_t divide_word(uint32_t rest)
{
    return remainders[7][rest & 15] ^ remainders[6][rest >> 4 & 15] ^
           remainders[5][rest >> 8 & 15] ^ remainders[4][rest >> 12 & 15] ^
           remainders[3][rest >> 16 & 15] ^ remainders[2][rest >> 20 & 15] ^
           remainders[1][rest >> 24 & 15] ^ remainders[0][rest >> 28];
}

static uint32_t divide_byte(uint32_t rest)
{
    return remainders[1][rest & 15] ^ remainders[0][rest >> 4 & 15] ^ rest >> 8;
}

uint32_t cede_trace_digest(uint32_t digest, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint32_t rest = ~digest;
    for (; bytes >= 4; bytes -= 4, at += 4)
        rest = divide_word(rest ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 |
                                   (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24));
    for (; bytes > 0; bytes--, at++)
        rest = divide_byte(rest ^ *at);
    return ~rest;
}
