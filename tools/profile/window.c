// SPDX-License-Identifier: MIT
//
// What is read of the server and of the machine is read while both sides sleep, just before the
// load and just after it.

#include "tools/profile/window.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/profile/costs.h"

// What counts up on its own while a window runs.
struct counters {
    struct server_usage server;
    struct costs_process process;
    bool has_process;
    int64_t steal_ns;
};

// What the hypervisor gave to others, of all processors together, or RESULT_UNKNOWN. See proc(5).
static int64_t read_steal(void)
{
    unsigned long long steal;
    FILE *stream = fopen("/proc/stat", "re");
    if (stream == NULL)
        return RESULT_UNKNOWN;
    int count = fscanf(stream, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal);
    fclose(stream);
    return count == 1 ? (int64_t)steal * (1000000000 / sysconf(_SC_CLK_TCK)) : RESULT_UNKNOWN;
}

static int read_counters(const struct server *server, struct counters *ret_counters)
{
    ret_counters->steal_ns = read_steal();
    ret_counters->has_process = costs_process(server->pid, &ret_counters->process) == 0;
    return server_usage(server, &ret_counters->server);
}

// The sum of what was recorded, each value at the middle of its bucket: at most 1/2048 wrong.
static int64_t sum_of(const struct histogram *histogram)
{
    double sum = 0;
    uint64_t before = 0;
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) {
        uint64_t end = histogram_bucket_end(index);
        if (histogram->counts[index] > 0)
            sum += (double)histogram->counts[index] * ((double)before + (double)end) / 2;
        before = end + 1;
    }
    return (int64_t)sum;
}

// What ended threads did is no longer counted, so the sum may have become smaller.
static int64_t difference(uint64_t after, uint64_t before)
{
    return after >= before ? (int64_t)(after - before) : RESULT_UNKNOWN;
}

static void keep(const struct load_window *seen, const struct counters *before,
                 const struct counters *after, struct result_window *window)
{
    window->elapsed_ns = seen->elapsed_ns;
    window->operation_count = (int64_t)seen->operation_count;
    window->reply_bytes = (int64_t)seen->reply_bytes;
    window->cpu_ns = after->server.cpu_ns - before->server.cpu_ns;
    window->user_ns = after->server.user_ns - before->server.user_ns;
    window->kernel_ns = after->server.kernel_ns - before->server.kernel_ns;
    window->client_cpu_ns = seen->cpu_ns;
    window->client_work_ns = seen->work_ns;
    window->busy_ns = seen->busy_ns;
    window->unsent_count = (int64_t)seen->unsent_count;
    window->steal_ns =
        before->steal_ns != RESULT_UNKNOWN ? after->steal_ns - before->steal_ns : RESULT_UNKNOWN;
    window->voluntary_switches = RESULT_UNKNOWN;
    window->involuntary_switches = RESULT_UNKNOWN;
    if (before->has_process && after->has_process) {
        window->voluntary_switches =
            difference(after->process.voluntary_switches, before->process.voluntary_switches);
        window->involuntary_switches =
            difference(after->process.involuntary_switches, before->process.involuntary_switches);
    }
}

static int keep_latency(const struct window_request *request, struct result_window *window)
{
    const struct histogram *latency = request->scratch[0];
    window->p50_ns = (int64_t)histogram_percentile(latency, 0.50);
    window->p99_ns = (int64_t)histogram_percentile(latency, 0.99);
    window->maximum_ns = (int64_t)latency->maximum;
    return result_set_latency(window, latency);
}

static int measure(const struct window_request *request, struct load *load,
                   struct result_window *window)
{
    const struct load_histograms ignored = {0};
    const struct load_histograms histograms = {request->scratch[0], request->scratch[1],
                                               request->scratch[2]};
    struct counters before, after;
    struct load_window seen;
    int result = 0;
    if (request->warmup_ns > 0)
        result = load_run(load, request->warmup_ns, &ignored, &seen);
    histogram_clear(histograms.latency);
    histogram_clear(histograms.service);
    histogram_clear(histograms.lag);
    if (result == 0)
        result = read_counters(request->server, &before);
    if (result == 0)
        result = load_run(load, request->duration_ns, &histograms, &seen);
    if (result == 0)
        result = read_counters(request->server, &after);
    if (result < 0)
        return result;
    keep(&seen, &before, &after, window);
    window->service_ns = sum_of(histograms.service);
    window->lag_p50_ns = window->lag_p99_ns = RESULT_UNKNOWN;
    if (request->load.loop == LOAD_OPEN) {
        window->lag_p50_ns = (int64_t)histogram_percentile(histograms.lag, 0.50);
        window->lag_p99_ns = (int64_t)histogram_percentile(histograms.lag, 0.99);
    }
    if (request->total_service != NULL)
        histogram_merge(request->total_service, histograms.service);
    result = keep_latency(request, window);
    return result < 0 ? result : load_finish(load);
}

static void explain(const struct load *load, int error, char *reason, size_t reason_bytes)
{
    const char *what = load_failure(load);
    snprintf(reason, reason_bytes, "window: %s", *what != '\0' ? what : strerror(-error));
}

int window_take(const struct window_request *request, struct result_window *window, char *reason,
                size_t reason_bytes)
{
    struct load *load;
    int result = load_open(&request->load, &load);
    if (result < 0) {
        snprintf(reason, reason_bytes, "connect: %s", strerror(-result));
        return result;
    }
    result = measure(request, load, window);
    if (result < 0)
        explain(load, result, reason, reason_bytes);
    load_close(load);
    return result;
}

int window_take_rates(const struct window_request *request, size_t count, double *ret_seconds,
                      double *ret_rates, char *reason, size_t reason_bytes)
{
    const struct load_histograms ignored = {0};
    struct load_window seen;
    struct load *load;
    double seconds = 0;
    int result = load_open(&request->load, &load);
    if (result < 0) {
        snprintf(reason, reason_bytes, "connect: %s", strerror(-result));
        return result;
    }
    for (size_t index = 0; index < count && result == 0; index++) {
        result = load_run(load, request->duration_ns, &ignored, &seen);
        if (result < 0)
            break;
        seconds += (double)seen.elapsed_ns * 1e-9;
        ret_seconds[index] = seconds;
        ret_rates[index] = (double)seen.operation_count / ((double)seen.elapsed_ns * 1e-9);
    }
    if (result == 0)
        result = load_finish(load);
    if (result < 0)
        explain(load, result, reason, reason_bytes);
    load_close(load);
    return result;
}

int window_count(const struct window_request *request, struct costs_calls *ret_calls,
                 uint64_t *ret_operation_count, char *reason, size_t reason_bytes)
{
    const struct load_histograms ignored = {0};
    struct costs_counting *counting;
    struct load_window seen;
    struct load *load;
    int result = load_open(&request->load, &load);
    if (result < 0) {
        snprintf(reason, reason_bytes, "connect: %s", strerror(-result));
        return result;
    }
    result = load_run(load, request->warmup_ns > 0 ? request->warmup_ns : 1000000, &ignored, &seen);
    if (result == 0) {
        result = costs_counting_start(request->server->pid, reason, reason_bytes, &counting);
        if (result < 0) {
            load_close(load);
            return result;
        }
        result = load_run(load, request->duration_ns, &ignored, &seen);
        costs_counting_stop(counting, ret_calls);
        *ret_operation_count = seen.operation_count;
    }
    if (result == 0)
        result = load_finish(load);
    if (result < 0)
        explain(load, result, reason, reason_bytes);
    load_close(load);
    return result;
}
