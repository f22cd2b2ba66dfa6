// SPDX-License-Identifier: MIT
//
// Reading results off a trace. Streams are compared as wholes: the digest of a stream is combined
// from those of its pieces, so it does not matter how it was cut.

#include "tests/conformance/explore/results.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/operation.h"
#include "tasks/trace.h"
#include "tests/conformance/explore/program_words.h"

// Task numbers start at 1, and a run may have a reaper.
#define NUMBERS (PROGRAM_TASKS_MAX + 2)
#define NOBODY PROGRAM_TASKS_MAX

// Of task numbers: whose results they belong to; and how much the running operation asked for.
struct reading {
    struct results *results;
    uint8_t places[NUMBERS];
    uint64_t asked[NUMBERS];
};

// --- Digests ------------------------------------------------------------------------------------

// The polynomial of CRC-32, lowest bit first as everywhere in it: bit 31 is x to the 0th.
#define POLYNOMIAL 0xedb88320U
#define ONE 0x80000000U

static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (uint32_t bit = ONE; bit != 0; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
    }
    return product;
}

uint32_t results_combine(uint32_t first, uint32_t second, uint64_t second_bytes)
{
    // The first piece is moved up by x to the 8th for each byte behind it, by repeated squaring.
    uint32_t power = ONE >> 8;
    for (; second_bytes > 0; second_bytes >>= 1) {
        if (second_bytes & 1)
            first = multiply(first, power);
        power = multiply(power, power);
    }
    return first ^ second;
}

// Mixes a number into a digest of several, whose order counts.
static uint64_t mix(uint64_t digest, int64_t number)
{
    digest = (digest ^ (uint64_t)number) * UINT64_C(0x9e3779b97f4a7c15);
    return digest ^ digest >> 29;
}

static void extend(struct stream *stream, const struct cede_trace_event *event)
{
    stream->checksum = results_combine(stream->checksum, (uint32_t)event->digest, event->bytes);
    stream->bytes += event->bytes;
}

// --- Reading ------------------------------------------------------------------------------------

// Names in order, so that neither the order of declaration nor that of spawning counts.
static void sort_names(const struct program *program, struct results *results)
{
    results->task_count = program->task_count;
    for (unsigned i = 0; i < program->task_count; i++) {
        const char *name = program->tasks[i].name;
        unsigned place = i;
        for (; place > 0 && strcmp(results->names[place - 1], name) > 0; place--)
            memcpy(results->names[place], results->names[place - 1], PROGRAM_NAME_BYTES);
        memcpy(results->names[place], name, PROGRAM_NAME_BYTES);
    }
}

static uint8_t place_of(const struct results *results, const char *name)
{
    uint8_t place = 0;
    while (place < results->task_count && strcmp(results->names[place], name) != 0)
        place++;
    return place < results->task_count ? place : NOBODY;
}

// The results of a task by its number; NULL for the reaper and for nobody.
static struct task_results *task_of(struct reading *reading, uint32_t number)
{
    uint8_t place = number < NUMBERS ? reading->places[number] : NOBODY;
    return place == NOBODY ? NULL : &reading->results->tasks[place];
}

static void read_spawn(struct reading *reading, const struct cede_trace_event *event)
{
    if (event->result < 0 || event->other >= NUMBERS)
        return;
    reading->places[event->other] = place_of(reading->results, event->name);
    struct task_results *task = task_of(reading, event->other);
    if (task)
        task->spawns++;
}

static void read_end(struct reading *reading, const struct cede_trace_event *event)
{
    if (event->object < 0 || event->object >= PROGRAM_OBJECTS_MAX || event->task >= NUMBERS)
        return;
    struct object_results *object = &reading->results->objects[event->object];
    uint64_t asked = reading->asked[event->task];
    bool is_connection = false;
    switch ((enum cede_verb)event->verb) {
    case CEDE_VERB_RECV:
    case CEDE_VERB_RECV_EXACT:
    case CEDE_VERB_RECVMSG:
    case CEDE_VERB_READ:
        extend(&object->received, event);
        if (event->result >= 0)
            object->has_ended |= event->bytes < asked &&
                                 (event->bytes == 0 || event->verb == CEDE_VERB_RECV_EXACT);
        break;
    case CEDE_VERB_SEND:
    case CEDE_VERB_SEND_ALL:
    case CEDE_VERB_SENDMSG:
        extend(&object->sent, event);
        break;
    case CEDE_VERB_ACCEPT:
    case CEDE_VERB_CONNECT:
        is_connection = true;
        object->connections = mix(object->connections, event->result);
        break;
    default:
        break;
    }
    if (event->result < 0 && !is_connection)
        object->failures = mix(object->failures, event->result);
}

static void read_event(struct reading *reading, const struct cede_trace_event *event)
{
    struct task_results *task = NULL;
    switch (event->kind) {
    case CEDE_TRACE_SPAWN:
        read_spawn(reading, event);
        break;
    case CEDE_TRACE_SUBMIT:
        if (event->task < NUMBERS)
            reading->asked[event->task] = event->bytes;
        break;
    case CEDE_TRACE_END:
        read_end(reading, event);
        break;
    case CEDE_TRACE_JOIN:
        task = task_of(reading, event->other);
        if (task)
            task->joins = mix(mix(task->joins, event->result), event->value);
        break;
    case CEDE_TRACE_DONE:
        task = task_of(reading, event->task);
        if (task)
            task->done = event->result;
        break;
    case CEDE_TRACE_OUTCOME:
        reading->results->outcome = event->result;
        break;
    default:
        break;
    }
}

int results_read(const struct program *program, const uint8_t *trace, size_t bytes,
                 struct results *ret_results)
{
    struct results results = {.outcome = INT64_MIN, .object_count = program->object_count};
    struct reading reading = {.results = &results};
    sort_names(program, &results);
    for (unsigned i = 0; i < program->task_count; i++)
        results.tasks[i].done = INT64_MIN;
    memset(reading.places, NOBODY, sizeof reading.places);
    // Nobody spawns the first, whether or not the trace has an event for it.
    reading.places[1] = place_of(&results, program->tasks[0].name);
    while (bytes > 0) {
        struct cede_trace_event event;
        size_t length = cede_trace_decode(trace, bytes, &event);
        if (length == 0)
            return -EINVAL;
        read_event(&reading, &event);
        trace += length;
        bytes -= length;
    }
    if (results.outcome == INT64_MIN)
        return -EINVAL;
    *ret_results = results;
    return 0;
}

// --- Comparing ----------------------------------------------------------------------------------

struct comparison {
    char *message;
    size_t message_bytes;
    bool differs;
};

// Says so when two numbers differ, unless others did before.
static void compare(struct comparison *comparison, const char *kind, const char *name,
                    const char *what, uint64_t expected, uint64_t found)
{
    if (expected == found || comparison->differs)
        return;
    comparison->differs = true;
    snprintf(comparison->message, comparison->message_bytes,
             "%s%s: %s: %" PRId64 " expected, %" PRId64 " found", kind, name, what,
             (int64_t)expected, (int64_t)found);
}

static void compare_objects(struct comparison *comparison, unsigned number,
                            const struct object_results *expected,
                            const struct object_results *found)
{
    char name[16];
    snprintf(name, sizeof name, " %u", number);
    compare(comparison, "object", name, "bytes sent", expected->sent.bytes, found->sent.bytes);
    compare(comparison, "object", name, "CRC-32 of what was sent", expected->sent.checksum,
            found->sent.checksum);
    compare(comparison, "object", name, "bytes received", expected->received.bytes,
            found->received.bytes);
    compare(comparison, "object", name, "CRC-32 of what was received",
            expected->received.checksum, found->received.checksum);
    compare(comparison, "object", name, "end of stream", expected->has_ended, found->has_ended);
    compare(comparison, "object", name, "digest of connections", expected->connections,
            found->connections);
    compare(comparison, "object", name, "digest of failures", expected->failures, found->failures);
}

int results_compare(const struct results *expected, const struct results *found, char *ret_message,
                    size_t message_bytes)
{
    struct comparison comparison = {.message = ret_message, .message_bytes = message_bytes};
    compare(&comparison, "run", "", "outcome", (uint64_t)expected->outcome,
            (uint64_t)found->outcome);
    compare(&comparison, "run", "", "objects", expected->object_count, found->object_count);
    compare(&comparison, "run", "", "tasks", expected->task_count, found->task_count);
    for (unsigned i = 0; !comparison.differs && i < expected->task_count; i++) {
        const struct task_results *task = &expected->tasks[i];
        compare(&comparison, "task ", expected->names[i], "spawned", task->spawns,
                found->tasks[i].spawns);
        compare(&comparison, "task ", expected->names[i], "result", (uint64_t)task->done,
                (uint64_t)found->tasks[i].done);
        compare(&comparison, "task ", expected->names[i], "digest of joins", task->joins,
                found->tasks[i].joins);
    }
    for (unsigned i = 0; !comparison.differs && i < expected->object_count; i++)
        compare_objects(&comparison, i, &expected->objects[i], &found->objects[i]);
    return comparison.differs ? -EBADMSG : 0;
}

int results_check_pairs(const struct program *program, const struct results *results,
                        char *ret_message, size_t message_bytes)
{
    struct comparison comparison = {.message = ret_message, .message_bytes = message_bytes};
    for (unsigned i = 0; i < program->object_count; i++) {
        const struct object *object = &program->objects[i];
        if (!program_is_double((enum object_kind)object->kind))
            continue;
        const struct stream *sent = &results->objects[object->is_second ? i - 1 : i + 1].sent;
        const struct stream *received = &results->objects[i].received;
        compare(&comparison, "object ", object->name, "bytes sent to it", sent->bytes,
                received->bytes);
        compare(&comparison, "object ", object->name, "CRC-32 of those", sent->checksum,
                received->checksum);
    }
    return comparison.differs ? -EBADMSG : 0;
}
