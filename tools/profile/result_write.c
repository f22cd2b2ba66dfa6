// SPDX-License-Identifier: MIT
//
// The order of the file: how it came about (command line, machine, plan), what was concluded
// (arms), what was seen (blocks, curve). Times are integers in nanoseconds. A member is never left
// out; what is not known is null. What is concluded is computed here, from what was seen, and is
// there for readers that do not want to compute; result_read passes over it.

#include "tools/profile/result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "tools/profile/json.h"
#include "tools/profile/summary.h"

static void write_text(struct json *json, const char *name, const char *text)
{
    json_text(json, name, text[0] != '\0' ? text : NULL);
}

static void write_count(struct json *json, const char *name, int64_t value)
{
    if (value == RESULT_UNKNOWN)
        json_text(json, name, NULL);
    else
        json_whole(json, name, value);
}

static void write_environment(struct json *json, const struct result_environment *environment)
{
    json_begin(json, "environment", '{');
    write_text(json, "system", environment->system);
    write_text(json, "kernel", environment->kernel);
    write_text(json, "machine", environment->machine);
    write_count(json, "processors", environment->processors);
    write_text(json, "compiler", environment->compiler);
    write_text(json, "date", environment->date);
    write_text(json, "cpu_model", environment->cpu_model);
    write_text(json, "virtualisation", environment->virtualisation);
    json_number(json, "load_average", environment->load_average);
    write_count(json, "descriptor_limit", environment->descriptor_limit);
    write_count(json, "somaxconn", environment->somaxconn);
    write_text(json, "clock_source", environment->clock_source);
    write_text(json, "git", environment->git);
    json_end(json, '}');
}

static void write_plan(struct json *json, const struct result *result)
{
    const struct result_plan *plan = &result->plan;
    json_begin(json, "plan", '{');
    write_text(json, "verb", plan->verb);
    write_text(json, "workload", plan->workload);
    json_text(json, "loop", plan->is_open_loop ? "open" : "closed");
    json_number(json, "rate", plan->rate);
    write_text(json, "arrivals", plan->arrivals);
    json_whole(json, "connections", plan->connections);
    json_whole(json, "message_bytes", plan->message_bytes);
    json_whole(json, "depth", plan->depth);
    json_flag(json, "unix", plan->is_unix);
    json_flag(json, "polling", plan->is_polling);
    json_whole(json, "window_ns", plan->window_ns);
    json_whole(json, "warmup_ns", plan->warmup_ns);
    json_whole(json, "blocks_planned", plan->blocks_planned);
    json_whole(json, "blocks_done", (int64_t)result->block_count);
    json_text(json, "order", "williams");
    write_text(json, "pin", plan->pin);
    json_whole(json, "server_cpu", plan->server_cpu);
    json_whole(json, "client_cpu", plan->client_cpu);
    json_number(json, "precision", plan->precision);
    write_count(json, "budget_ns", plan->budget_ns);
    write_count(json, "slo_ns", plan->slo_ns);
    json_number(json, "generator_per_s", plan->generator_per_s);
    json_end(json, '}');
}

static void write_ratio(struct json *json, const char *name, const struct statistics_ratio *ratio)
{
    json_begin(json, name, '{');
    json_number(json, "estimate", ratio->estimate);
    json_number(json, "low", ratio->low);
    json_number(json, "high", ratio->high);
    json_number(json, "detectable", ratio->detectable);
    json_end(json, '}');
}

static void write_summary(struct json *json, const struct summary *summary)
{
    json_begin(json, "summary", '{');
    json_whole(json, "operations", summary->operation_count);
    json_whole(json, "reply_bytes", summary->reply_bytes);
    json_number(json, "median_operations_per_second", summary->rate);
    json_number(json, "median_cpu_ns_per_operation", summary->cpu_ns);
    json_number(json, "user_share", summary->user_share);
    if (summary->is_compared) {
        write_ratio(json, "cpu_ratio", &summary->cpu_ratio);
        write_ratio(json, "rate_ratio", &summary->rate_ratio);
    } else {
        json_text(json, "cpu_ratio", NULL);
        json_text(json, "rate_ratio", NULL);
    }
    json_end(json, '}');
}

static void write_histogram(struct json *json, const char *name, const struct histogram *histogram)
{
    if (histogram == NULL) {
        json_text(json, name, NULL);
        return;
    }
    json_begin(json, name, '{');
    json_whole(json, "maximum_ns", (int64_t)histogram->maximum);
    json_begin(json, "buckets_ns", '[');
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) {
        if (histogram->counts[index] == 0)
            continue;
        json_begin(json, NULL, '[');
        json_whole(json, NULL, (int64_t)histogram_bucket_end(index));
        json_whole(json, NULL, (int64_t)histogram->counts[index]);
        json_end(json, ']');
    }
    json_end(json, ']');
    json_end(json, '}');
}

static void write_costs(struct json *json, const struct result_arm *arm)
{
    json_whole(json, "rest_ns", arm->rest_ns);
    json_whole(json, "rest_cpu_ns", arm->rest_cpu_ns);
    write_count(json, "rss_bytes", arm->rss_bytes);
    json_number(json, "idle_bytes_per_connection", arm->idle_bytes_per_connection);
    write_count(json, "threads", arm->threads);
    write_count(json, "kernel_workers", arm->kernel_workers);
    json_number(json, "context_switches_per_operation", arm->context_switches_per_operation);
    json_number(json, "syscalls_per_operation", arm->syscalls_per_operation);
    json_number(json, "events_per_wait", arm->events_per_wait);
    json_number(json, "instructions_per_operation", arm->instructions_per_operation);
    write_text(json, "costs_note", arm->costs_note);
    json_number(json, "headroom", arm->headroom);
    write_count(json, "warmup_ns", arm->warmup_ns);
    json_number(json, "warmup_slope_percent_per_s", arm->warmup_slope);
}

// `latency` is space for the histogram of the arm.
static int write_arm(struct json *json, const struct result *result, size_t index,
                     struct histogram *latency)
{
    const struct result_arm *arm = &result->arms[index];
    struct summary summary;
    bool is_summarised = summary_has(result, index);
    int error = is_summarised ? summary_of(result, index, &summary) : 0;
    if (error < 0)
        return error;
    json_begin(json, NULL, '{');
    write_text(json, "name", arm->name);
    write_text(json, "program", arm->program);
    write_text(json, "command", arm->command);
    write_text(json, "version", arm->version);
    write_text(json, "backend", arm->backend);
    write_text(json, "failure", arm->failure);
    json_flag(json, "valid", arm->reason_count == 0);
    json_begin(json, "invalid_reasons", '[');
    for (size_t reason = 0; reason < arm->reason_count; reason++)
        json_text(json, NULL, arm->reasons[reason]);
    json_end(json, ']');
    json_flag(json, "uses_invalid_windows", arm->uses_invalid);
    write_text(json, "limited_by", arm->limited_by);
    write_costs(json, arm);
    if (is_summarised)
        write_summary(json, &summary);
    else
        json_text(json, "summary", NULL);
    summary_latency(result, index, latency);
    write_histogram(json, "latency", latency);
    write_histogram(json, "service", arm->service);
    json_end(json, '}');
    return 0;
}

static void write_window(struct json *json, const char *arm, const struct result_window *window)
{
    json_begin(json, NULL, '{');
    json_text(json, "arm", arm);
    json_whole(json, "place", window->place);
    json_whole(json, "start_ns", window->start_ns);
    json_whole(json, "elapsed_ns", window->elapsed_ns);
    json_whole(json, "operations", window->operation_count);
    json_whole(json, "reply_bytes", window->reply_bytes);
    json_whole(json, "cpu_ns", window->cpu_ns);
    json_whole(json, "user_ns", window->user_ns);
    json_whole(json, "kernel_ns", window->kernel_ns);
    write_count(json, "client_cpu_ns", window->client_cpu_ns);
    write_count(json, "client_work_ns", window->client_work_ns);
    write_count(json, "busy_ns", window->busy_ns);
    write_count(json, "service_ns", window->service_ns);
    write_count(json, "steal_ns", window->steal_ns);
    write_count(json, "lag_p50_ns", window->lag_p50_ns);
    write_count(json, "lag_p99_ns", window->lag_p99_ns);
    write_count(json, "unsent", window->unsent_count);
    write_count(json, "voluntary_switches", window->voluntary_switches);
    write_count(json, "involuntary_switches", window->involuntary_switches);
    json_whole(json, "p50_ns", window->p50_ns);
    json_whole(json, "p99_ns", window->p99_ns);
    json_whole(json, "maximum_ns", window->maximum_ns);
    json_flag(json, "valid", window->is_valid);
    write_text(json, "invalid", window->invalid);
    json_begin(json, "latency", '[');
    for (size_t index = 0; index < window->latency_count; index++) {
        json_whole(json, NULL, (int64_t)window->latency[index].end_ns);
        json_whole(json, NULL, (int64_t)window->latency[index].count);
    }
    json_end(json, ']');
    json_end(json, '}');
}

static void write_blocks(struct json *json, const struct result *result)
{
    json_begin(json, "blocks", '[');
    for (size_t block = 0; block < result->block_count; block++) {
        json_begin(json, NULL, '[');
        for (size_t index = 0; index < result->arm_count; index++) {
            const struct result_window *window = result_window_at(result, block, index);
            if (window->is_complete)
                write_window(json, result->arms[index].name, window);
        }
        json_end(json, ']');
    }
    json_end(json, ']');
}

static void write_curve(struct json *json, const struct result *result)
{
    json_begin(json, "curve", '[');
    for (size_t index = 0; index < result->curve_count; index++) {
        const struct result_point *point = &result->curve[index];
        json_begin(json, NULL, '{');
        json_text(json, "arm", result->arms[point->arm].name);
        json_number(json, "rate", point->rate);
        json_whole(json, "connections", point->connections);
        json_number(json, "achieved_per_s", point->achieved_per_s);
        write_count(json, "p50_ns", point->p50_ns);
        write_count(json, "p99_ns", point->p99_ns);
        write_count(json, "p999_ns", point->p999_ns);
        json_number(json, "cpu_ns_per_operation", point->cpu_ns_per_operation);
        json_flag(json, "valid", point->is_valid);
        json_end(json, '}');
    }
    json_end(json, ']');
}

int result_write(const struct result *result, FILE *stream)
{
    struct json json = {.stream = stream};
    struct histogram *latency = malloc(sizeof(*latency));
    int error = 0;
    if (latency == NULL)
        return -ENOMEM;
    json_begin(&json, NULL, '{');
    json_text(&json, "schema", RESULT_SCHEMA);
    write_text(&json, "version", result->version);
    json_begin(&json, "command_line", '[');
    for (size_t index = 0; index < result->word_count; index++)
        json_text(&json, NULL, result->words[index]);
    json_end(&json, ']');
    json_whole(&json, "seed", result->seed);
    write_environment(&json, &result->environment);
    write_plan(&json, result);
    json_text(&json, "reference",
              result->reference != RESULT_NONE ? result->arms[result->reference].name : NULL);
    json_begin(&json, "arms", '[');
    for (size_t index = 0; index < result->arm_count && error == 0; index++)
        error = write_arm(&json, result, index, latency);
    json_end(&json, ']');
    write_blocks(&json, result);
    write_curve(&json, result);
    json_end(&json, '}');
    free(latency);
    if (fflush(stream) != 0 && error == 0)
        error = -EIO;
    return error;
}
