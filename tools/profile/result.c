// SPDX-License-Identifier: MIT
//
// The order of the file: how it came about (command line, machine, plan), what was concluded
// (arms), what was seen (blocks). Times are integers in nanoseconds. A member is never left out;
// what is not known is null.

#include "tools/profile/result.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/options.h"
#include "tools/profile/json.h"
#include "tools/profile/summary.h"

static void write_environment(struct json *json)
{
    struct utsname system;
    bool is_known = uname(&system) == 0;
    json_begin(json, "environment", '{');
    json_text(json, "system", is_known ? system.sysname : NULL);
    json_text(json, "kernel", is_known ? system.release : NULL);
    json_text(json, "machine", is_known ? system.machine : NULL);
    json_integer(json, "processors", sysconf(_SC_NPROCESSORS_ONLN));
    json_text(json, "compiler", __VERSION__);
    json_end(json, '}');
}

static void write_plan(struct json *json, const struct experiment *experiment)
{
    const struct experiment_plan *plan = &experiment->plan;
    json_begin(json, "plan", '{');
    json_text(json, "workload", plan->workload->name);
    json_text(json, "loop", "closed");
    json_integer(json, "connections", (int64_t)plan->connection_count);
    json_integer(json, "message_bytes", (int64_t)plan->message_bytes);
    json_integer(json, "window_ns", plan->window_ns);
    json_integer(json, "warmup_ns", plan->warmup_ns);
    json_integer(json, "blocks_planned", (int64_t)plan->block_count);
    json_integer(json, "blocks_done", (int64_t)experiment->blocks_done);
    json_text(json, "order", "williams");
    json_integer(json, "server_cpu", plan->pin.server_cpu);
    json_integer(json, "client_cpu", plan->pin.client_cpu);
    json_end(json, '}');
}

static void write_ratio(struct json *json, const char *name, const struct statistics_ratio *ratio)
{
    json_begin(json, name, '{');
    json_number(json, "estimate", ratio->estimate);
    json_number(json, "low", ratio->low);
    json_number(json, "high", ratio->high);
    json_end(json, '}');
}

static void write_summary(struct json *json, const struct summary *summary)
{
    json_begin(json, "summary", '{');
    json_integer(json, "operations", (int64_t)summary->operation_count);
    json_integer(json, "reply_bytes", (int64_t)summary->reply_bytes);
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

// Pairs of a bucket's largest value and its count; empty buckets are left out.
static void write_latency(struct json *json, const struct histogram *latency)
{
    json_begin(json, "latency", '{');
    json_integer(json, "maximum_ns", (int64_t)latency->maximum);
    json_begin(json, "buckets_ns", '[');
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) {
        if (latency->counts[index] == 0)
            continue;
        json_begin(json, NULL, '[');
        json_integer(json, NULL, (int64_t)histogram_bucket_end(index));
        json_integer(json, NULL, (int64_t)latency->counts[index]);
        json_end(json, ']');
    }
    json_end(json, ']');
    json_end(json, '}');
}

static int write_arm(struct json *json, const struct experiment *experiment, size_t index,
                     size_t reference)
{
    const struct contestant *contestant = &experiment->contestants[index];
    const struct arm *arm = &contestant->arm;
    bool has_failed = contestant->failure[0] != '\0';
    struct summary summary;
    bool is_summarised = !has_failed && reference != SUMMARY_NONE;
    int result = is_summarised ? summary_of(experiment, index, reference, &summary) : 0;
    if (result < 0)
        return result;
    json_begin(json, NULL, '{');
    json_text(json, "name", arm->name);
    json_text(json, "program", arm->program != NULL ? arm->program->path : NULL);
    json_text(json, "command", arm->program != NULL ? NULL : arm->command);
    json_text(json, "failure", has_failed ? contestant->failure : NULL);
    json_integer(json, "rest_ns", contestant->rest_ns);
    json_integer(json, "rest_cpu_ns", contestant->rest_cpu_ns);
    if (is_summarised)
        write_summary(json, &summary);
    else
        json_text(json, "summary", NULL);
    write_latency(json, contestant->latency);
    json_end(json, '}');
    return 0;
}

static void write_window(struct json *json, const struct contestant *contestant,
                         const struct experiment_window *window)
{
    json_begin(json, NULL, '{');
    json_text(json, "arm", contestant->arm.name);
    json_integer(json, "place", (int64_t)window->place);
    json_integer(json, "start_ns", window->start_ns);
    json_integer(json, "elapsed_ns", window->load.elapsed_ns);
    json_integer(json, "operations", (int64_t)window->load.operation_count);
    json_integer(json, "reply_bytes", (int64_t)window->load.reply_bytes);
    json_integer(json, "cpu_ns", window->used.cpu_ns);
    json_integer(json, "user_ns", window->used.user_ns);
    json_integer(json, "kernel_ns", window->used.kernel_ns);
    json_integer(json, "p50_ns", (int64_t)window->p50_ns);
    json_integer(json, "p99_ns", (int64_t)window->p99_ns);
    json_integer(json, "maximum_ns", (int64_t)window->maximum_ns);
    json_end(json, '}');
}

static void write_blocks(struct json *json, const struct experiment *experiment)
{
    json_begin(json, "blocks", '[');
    for (size_t block = 0; block < experiment->blocks_done; block++) {
        json_begin(json, NULL, '[');
        for (size_t index = 0; index < experiment->contestant_count; index++) {
            const struct contestant *contestant = &experiment->contestants[index];
            if (contestant->windows[block].is_complete)
                write_window(json, contestant, &contestant->windows[block]);
        }
        json_end(json, ']');
    }
    json_end(json, ']');
}

int result_write(const struct experiment *experiment, char *const words[], FILE *stream)
{
    struct json json = {.stream = stream};
    size_t reference = summary_reference(experiment);
    int result = 0;
    json_begin(&json, NULL, '{');
    json_text(&json, "schema", "profile-result/1");
    json_text(&json, "version", OPTIONS_VERSION);
    json_begin(&json, "command_line", '[');
    for (; *words != NULL; words++)
        json_text(&json, NULL, *words);
    json_end(&json, ']');
    json_integer(&json, "seed", (int64_t)experiment->plan.seed);
    write_environment(&json);
    write_plan(&json, experiment);
    json_text(&json, "reference",
              reference != SUMMARY_NONE ? experiment->contestants[reference].arm.name : NULL);
    json_begin(&json, "arms", '[');
    for (size_t index = 0; index < experiment->contestant_count && result == 0; index++)
        result = write_arm(&json, experiment, index, reference);
    json_end(&json, ']');
    write_blocks(&json, experiment);
    json_end(&json, '}');
    if (fflush(stream) != 0 && result == 0)
        result = -EIO;
    return result;
}
