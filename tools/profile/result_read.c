// SPDX-License-Identifier: MIT
//
// From a file back to a result, by jansson. A member that is missing counts as null, since files of
// earlier versions lack the newer ones; what everything else rests on must be there. The first
// objection is kept and ends the reading: all that follows does nothing.

#include "tools/profile/result.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/result_members.h"

// What is summed over all windows stays far below the end of an int64_t.
#define SUMMAND_LIMIT (INT64_C(1) << 45)
enum { BLOCK_LIMIT = 100000, BUCKET_LIMIT = HISTOGRAM_BUCKET_COUNT };

// The arm of this name.
static size_t arm_of(struct reader *reader, const struct result *result, const json_t *from,
                     const char *name)
{
    char text[RESULT_NAME_BYTES] = "";
    reader_text(reader, from, name, text, sizeof(text));
    for (size_t index = 0; index < result->arm_count; index++) {
        if (strcmp(result->arms[index].name, text) == 0)
            return index;
    }
    reader_object(reader, name, "There is no arm \"%s\"", text);
    return 0;
}

static void read_environment(struct reader *reader, const json_t *from,
                             struct result_environment *environment)
{
    struct result_environment *to = environment;
    strcpy(reader->where, "environment");
    reader_text(reader, from, "system", to->system, sizeof(to->system));
    reader_text(reader, from, "kernel", to->kernel, sizeof(to->kernel));
    reader_text(reader, from, "machine", to->machine, sizeof(to->machine));
    reader_count(reader, from, "processors", &to->processors);
    reader_text(reader, from, "compiler", to->compiler, sizeof(to->compiler));
    reader_text(reader, from, "date", to->date, sizeof(to->date));
    reader_text(reader, from, "cpu_model", to->cpu_model, sizeof(to->cpu_model));
    reader_text(reader, from, "virtualisation", to->virtualisation, sizeof(to->virtualisation));
    reader_fraction(reader, from, "load_average", &to->load_average);
    reader_count(reader, from, "descriptor_limit", &to->descriptor_limit);
    reader_count(reader, from, "somaxconn", &to->somaxconn);
    reader_text(reader, from, "clock_source", to->clock_source, sizeof(to->clock_source));
    reader_text(reader, from, "git", to->git, sizeof(to->git));
}

static void read_plan(struct reader *reader, const json_t *from, struct result_plan *plan)
{
    char loop[16] = "";
    strcpy(reader->where, "plan");
    if (!json_is_object(from))
        reader_object(reader, "", "Must be an object");
    strcpy(plan->verb, "run");
    reader_text(reader, from, "verb", plan->verb, sizeof(plan->verb));
    reader_text(reader, from, "workload", plan->workload, sizeof(plan->workload));
    reader_text(reader, from, "loop", loop, sizeof(loop));
    if (strcmp(loop, "open") != 0 && strcmp(loop, "closed") != 0)
        reader_object(reader, "loop", "Must be open or closed");
    plan->is_open_loop = strcmp(loop, "open") == 0;
    reader_fraction(reader, from, "rate", &plan->rate);
    reader_text(reader, from, "arrivals", plan->arrivals, sizeof(plan->arrivals));
    reader_needed(reader, from, "connections", &plan->connections);
    reader_needed(reader, from, "message_bytes", &plan->message_bytes);
    if (!reader_is_absent(json_object_get(from, "depth")))
        reader_needed(reader, from, "depth", &plan->depth);
    reader_flag(reader, from, "unix", false, &plan->is_unix);
    reader_flag(reader, from, "polling", false, &plan->is_polling);
    reader_needed(reader, from, "window_ns", &plan->window_ns);
    reader_needed(reader, from, "warmup_ns", &plan->warmup_ns);
    reader_needed(reader, from, "blocks_planned", &plan->blocks_planned);
    reader_text(reader, from, "pin", plan->pin, sizeof(plan->pin));
    reader_bounded(reader, from, "server_cpu", -1, READER_INTEGER_LIMIT, &plan->server_cpu);
    reader_bounded(reader, from, "client_cpu", -1, READER_INTEGER_LIMIT, &plan->client_cpu);
    reader_fraction(reader, from, "precision", &plan->precision);
    reader_count(reader, from, "budget_ns", &plan->budget_ns);
    reader_count(reader, from, "slo_ns", &plan->slo_ns);
    reader_fraction(reader, from, "generator_per_s", &plan->generator_per_s);
}

// Pairs of a bucket's end and its count, one after the other, as a window has them.
static void read_latency(struct reader *reader, const json_t *from, struct result_window *window)
{
    const json_t *list = reader_array(reader, from, "latency", 2 * (size_t)BUCKET_LIMIT, false);
    size_t size = json_array_size(list);
    if (size % 2 != 0)
        reader_object(reader, "latency", "Must be pairs");
    if (reader->error < 0 || size == 0)
        return;
    window->latency = calloc(size / 2, sizeof(*window->latency));
    if (window->latency == NULL) {
        reader->error = -ENOMEM;
        return;
    }
    uint64_t least = 0;
    for (size_t at = 0; at + 1 < size; at += 2) {
        json_int_t end = json_integer_value(json_array_get(list, at));
        json_int_t count = json_integer_value(json_array_get(list, at + 1));
        if (end < (json_int_t)least || end > READER_INTEGER_LIMIT || count < 1 ||
            count > READER_INTEGER_LIMIT) {
            reader_object(reader, "latency", "Must ascend, with counts above 0");
            return;
        }
        least = (uint64_t)end + 1;
        window->latency[window->latency_count++] =
            (struct result_bucket){(uint64_t)end, (uint64_t)count};
    }
}

static void read_window(struct reader *reader, const json_t *from, struct result_window *window)
{
    if (window->is_complete)
        reader_object(reader, "arm", "Must not be there twice");
    if (reader->error < 0)
        return;
    window->is_complete = true;
    reader_needed(reader, from, "place", &window->place);
    reader_needed(reader, from, "start_ns", &window->start_ns);
    reader_bounded(reader, from, "elapsed_ns", 1, READER_INTEGER_LIMIT, &window->elapsed_ns);
    reader_bounded(reader, from, "operations", 0, SUMMAND_LIMIT, &window->operation_count);
    reader_bounded(reader, from, "reply_bytes", 0, SUMMAND_LIMIT, &window->reply_bytes);
    reader_needed(reader, from, "cpu_ns", &window->cpu_ns);
    reader_needed(reader, from, "user_ns", &window->user_ns);
    reader_needed(reader, from, "kernel_ns", &window->kernel_ns);
    reader_count(reader, from, "client_cpu_ns", &window->client_cpu_ns);
    reader_count(reader, from, "client_work_ns", &window->client_work_ns);
    reader_count(reader, from, "busy_ns", &window->busy_ns);
    reader_count(reader, from, "service_ns", &window->service_ns);
    reader_count(reader, from, "steal_ns", &window->steal_ns);
    reader_count(reader, from, "lag_p50_ns", &window->lag_p50_ns);
    reader_count(reader, from, "lag_p99_ns", &window->lag_p99_ns);
    reader_count(reader, from, "unsent", &window->unsent_count);
    reader_count(reader, from, "voluntary_switches", &window->voluntary_switches);
    reader_count(reader, from, "involuntary_switches", &window->involuntary_switches);
    reader_needed(reader, from, "p50_ns", &window->p50_ns);
    reader_needed(reader, from, "p99_ns", &window->p99_ns);
    reader_needed(reader, from, "maximum_ns", &window->maximum_ns);
    reader_flag(reader, from, "valid", true, &window->is_valid);
    reader_text(reader, from, "invalid", window->invalid, sizeof(window->invalid));
    read_latency(reader, from, window);
}

static void read_service(struct reader *reader, const json_t *from, struct result_arm *arm)
{
    const json_t *value = json_object_get(from, "service");
    struct result_window window = {0};
    if (reader_is_absent(value) || reader->error < 0)
        return;
    // Its pairs stand in arrays of their own; flattened, they are read as those of a window are.
    const json_t *pairs = reader_array(reader, value, "buckets_ns", BUCKET_LIMIT, true);
    json_t *flat = json_object(), *list = json_array();
    size_t index;
    json_t *pair;
    json_array_foreach((json_t *)(uintptr_t)pairs, index, pair) json_array_extend(list, pair);
    json_object_set_new(flat, "latency", list);
    reader_needed(reader, value, "maximum_ns", &window.maximum_ns);
    read_latency(reader, flat, &window);
    json_decref(flat);
    arm->service = calloc(1, sizeof(*arm->service));
    if (arm->service == NULL)
        reader->error = -ENOMEM;
    else
        result_merge_latency(&window, arm->service);
    free(window.latency);
}

static void read_reasons(struct reader *reader, const json_t *from, struct result_arm *arm)
{
    const json_t *list = reader_array(reader, from, "invalid_reasons", RESULT_REASON_LIMIT, false);
    size_t count = json_array_size(list);
    for (size_t index = 0; index < count; index++) {
        const char *text = json_string_value(json_array_get(list, index));
        if (text == NULL || strlen(text) >= RESULT_TEXT_BYTES) {
            reader_object(reader, "invalid_reasons", "Must be short texts");
            return;
        }
        strcpy(arm->reasons[arm->reason_count++], text);
    }
}

static void read_arm(struct reader *reader, const json_t *from, struct result_arm *arm)
{
    reader_text(reader, from, "name", arm->name, sizeof(arm->name));
    if (arm->name[0] == '\0')
        reader_object(reader, "name", "Must be there");
    reader_text(reader, from, "program", arm->program, sizeof(arm->program));
    reader_text(reader, from, "command", arm->command, sizeof(arm->command));
    reader_text(reader, from, "failure", arm->failure, sizeof(arm->failure));
    reader_text(reader, from, "version", arm->version, sizeof(arm->version));
    reader_text(reader, from, "backend", arm->backend, sizeof(arm->backend));
    reader_text(reader, from, "limited_by", arm->limited_by, sizeof(arm->limited_by));
    read_reasons(reader, from, arm);
    reader_flag(reader, from, "uses_invalid_windows", false, &arm->uses_invalid);
    reader_needed(reader, from, "rest_ns", &arm->rest_ns);
    reader_needed(reader, from, "rest_cpu_ns", &arm->rest_cpu_ns);
    reader_count(reader, from, "rss_bytes", &arm->rss_bytes);
    reader_count(reader, from, "threads", &arm->threads);
    reader_count(reader, from, "kernel_workers", &arm->kernel_workers);
    reader_fraction(reader, from, "idle_bytes_per_connection", &arm->idle_bytes_per_connection);
    reader_fraction(reader, from, "context_switches_per_operation",
                    &arm->context_switches_per_operation);
    reader_fraction(reader, from, "syscalls_per_operation", &arm->syscalls_per_operation);
    reader_fraction(reader, from, "events_per_wait", &arm->events_per_wait);
    reader_fraction(reader, from, "instructions_per_operation", &arm->instructions_per_operation);
    reader_text(reader, from, "costs_note", arm->costs_note, sizeof(arm->costs_note));
    reader_fraction(reader, from, "headroom", &arm->headroom);
    reader_count(reader, from, "warmup_ns", &arm->warmup_ns);
    reader_fraction(reader, from, "warmup_slope_percent_per_s", &arm->warmup_slope);
    read_service(reader, from, arm);
}

static void read_blocks(struct reader *reader, const json_t *from, struct result *result)
{
    const json_t *blocks = reader_array(reader, from, "blocks", BLOCK_LIMIT, true);
    for (size_t block = 0; block < json_array_size(blocks) && reader->error == 0; block++) {
        const json_t *windows = json_array_get(blocks, block);
        if (result_add_block(result) < 0)
            reader->error = -ENOMEM;
        for (size_t at = 0; at < json_array_size(windows) && reader->error == 0; at++) {
            const json_t *window = json_array_get(windows, at);
            reader_set_where(reader, "blocks", block, at);
            size_t arm = arm_of(reader, result, window, "arm");
            if (reader->error == 0)
                read_window(reader, window, result_window_at(result, block, arm));
        }
    }
}

static void read_curve(struct reader *reader, const json_t *from, struct result *result)
{
    const json_t *curve = reader_array(reader, from, "curve", BLOCK_LIMIT, false);
    for (size_t index = 0; index < json_array_size(curve) && reader->error == 0; index++) {
        const json_t *at = json_array_get(curve, index);
        struct result_point point = {0};
        reader_set_where(reader, "curve", index, RESULT_NONE);
        point.arm = arm_of(reader, result, at, "arm");
        reader_fraction(reader, at, "rate", &point.rate);
        reader_needed(reader, at, "connections", &point.connections);
        reader_fraction(reader, at, "achieved_per_s", &point.achieved_per_s);
        reader_count(reader, at, "p50_ns", &point.p50_ns);
        reader_count(reader, at, "p99_ns", &point.p99_ns);
        reader_count(reader, at, "p999_ns", &point.p999_ns);
        reader_fraction(reader, at, "cpu_ns_per_operation", &point.cpu_ns_per_operation);
        reader_flag(reader, at, "valid", true, &point.is_valid);
        if (reader->error == 0)
            reader->error = result_add_point(result, &point);
    }
}

static void read_words(struct reader *reader, const json_t *from, struct result *result)
{
    const json_t *list = reader_array(reader, from, "command_line", BLOCK_LIMIT, false);
    size_t count = json_array_size(list);
    char **words = calloc(count + 1, sizeof(*words));
    if (words == NULL)
        reader->error = -ENOMEM;
    for (size_t index = 0; index < count && reader->error == 0; index++) {
        words[index] = (char *)(uintptr_t)json_string_value(json_array_get(list, index));
        if (words[index] == NULL)
            reader_object(reader, "command_line", "Must be texts");
    }
    if (reader->error == 0)
        reader->error = result_set_words(result, words);
    free(words);
}

static void read_document(struct reader *reader, const json_t *from, struct result *result)
{
    char schema[64] = "";
    reader_text(reader, from, "schema", schema, sizeof(schema));
    if (strcmp(schema, RESULT_SCHEMA) != 0)
        reader_object(reader, "schema", "Must be \"%s\"", RESULT_SCHEMA);
    reader_text(reader, from, "version", result->version, sizeof(result->version));
    read_words(reader, from, result);
    reader_bounded(reader, from, "seed", 0, INT64_MAX, &result->seed);
    const json_t *arms = reader_array(reader, from, "arms", RESULT_ARM_LIMIT, true);
    read_environment(reader, json_object_get(from, "environment"), &result->environment);
    read_plan(reader, json_object_get(from, "plan"), &result->plan);
    for (size_t index = 0; index < json_array_size(arms) && reader->error == 0; index++) {
        struct result_arm *arm = &result->arms[index];
        reader_set_where(reader, "arms", index, RESULT_NONE);
        read_arm(reader, json_array_get(arms, index), arm);
        for (size_t other = 0; other < index; other++) {
            if (strcmp(arm->name, result->arms[other].name) == 0)
                reader_object(reader, "name", "Must not be there twice");
        }
        result->arm_count = index + 1;
    }
    reader->where[0] = '\0';
    if (!reader_is_absent(json_object_get(from, "reference")))
        result->reference = arm_of(reader, result, from, "reference");
    read_blocks(reader, from, result);
    read_curve(reader, from, result);
}

int result_read(FILE *stream, struct result *ret_result, char *reason, size_t reason_bytes)
{
    struct reader reader = {.reason = reason, .reason_bytes = reason_bytes};
    json_error_t error;
    json_t *document = json_loadf(stream, JSON_REJECT_DUPLICATES, &error);
    snprintf(reason, reason_bytes, "%s", strerror(ENOMEM));
    if (document == NULL && ferror(stream)) {
        snprintf(reason, reason_bytes, "%s", strerror(errno));
        return errno > 0 ? -errno : -EIO;
    }
    if (document == NULL) {
        snprintf(reason, reason_bytes, "Line %d: %s", error.line, error.text);
        return -EINVAL;
    }
    struct result *result = malloc(sizeof(*result));
    if (result == NULL) {
        json_decref(document);
        return -ENOMEM;
    }
    result_init(result);
    read_document(&reader, document, result);
    json_decref(document);
    if (reader.error < 0)
        result_destroy(result);
    else
        *ret_result = *result;
    free(result);
    return reader.error;
}
