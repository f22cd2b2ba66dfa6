// SPDX-License-Identifier: MIT
//
// Two tables, the measured values and the comparison. The words "no difference seen" stand where
// the interval holds 1: such a ratio is not a small difference but none that these blocks could
// show.

#include "tools/profile/report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tools/profile/summary.h"

enum { CELL_BYTES = 64, RATIO_WIDTH = 33 };

// A server that uses more than this share of a processor without being asked is not asleep.
static const double RESTLESS_SHARE = 0.02;

// 1234567 as "1,234,567".
static const char *grouped(uint64_t value, char text[CELL_BYTES])
{
    char digits[CELL_BYTES];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
    char *at = text;
    for (int index = 0; index < length; index++) {
        if (index > 0 && (length - index) % 3 == 0)
            *at++ = ',';
        *at++ = digits[index];
    }
    *at = '\0';
    return text;
}

// Nanoseconds as microseconds with this many digits behind the point, or "-" where nothing is
// known.
static const char *microseconds(double ns, int digits, char text[CELL_BYTES])
{
    if (isnan(ns))
        snprintf(text, CELL_BYTES, "-");
    else
        snprintf(text, CELL_BYTES, "%.*f", digits, ns * 1e-3);
    return text;
}

// A percentile of 0 says that there are too few values for it.
static double known_or_nan(uint64_t percentile_ns)
{
    return percentile_ns > 0 ? (double)percentile_ns : NAN;
}

static void print_plan(const struct result *result, FILE *stream)
{
    const struct result_plan *plan = &result->plan;
    const struct result_environment *machine = &result->environment;
    char bytes[CELL_BYTES], window[CELL_BYTES];
    fprintf(stream, "%s, %s bytes, %" PRId64 " connections, %s loop; ", plan->workload,
            grouped((uint64_t)plan->message_bytes, bytes), plan->connections,
            plan->is_open_loop ? "open" : "closed");
    fprintf(stream, "%zu of %" PRId64 " blocks, windows of %s ms, seed %" PRId64 "\n",
            result->block_count, plan->blocks_planned,
            grouped((uint64_t)plan->window_ns / 1000000, window), result->seed);
    fprintf(stream, "%s; %" PRId64 " processors, %s %s, loopback\n\n", plan->pin,
            machine->processors, machine->system, machine->kernel);
}

static void print_values(const struct result_arm *arm, const struct summary *summary,
                         int name_width, FILE *stream)
{
    char rate[CELL_BYTES], p50[CELL_BYTES], p99[CELL_BYTES];
    char cpu[CELL_BYTES], user[CELL_BYTES], kernel[CELL_BYTES];
    fprintf(
        stream, "%-*s %11s %9s %9s %10s %8s %8s\n", name_width, arm->name,
        grouped((uint64_t)summary->rate, rate), microseconds(known_or_nan(summary->p50_ns), 0, p50),
        microseconds(known_or_nan(summary->p99_ns), 0, p99), microseconds(summary->cpu_ns, 3, cpu),
        microseconds(summary->cpu_ns * summary->user_share, 2, user),
        microseconds(summary->cpu_ns * (1 - summary->user_share), 2, kernel));
}

// `is_better_below` says on which side of 1 the better ratios are.
static void print_ratio(const struct statistics_ratio *ratio, bool is_better_below, int width,
                        bool colors, FILE *stream)
{
    char text[CELL_BYTES];
    const char *color = "";
    if (statistics_differs(ratio)) {
        snprintf(text, sizeof(text), "%.3f [%.3f, %.3f]", ratio->estimate, ratio->low, ratio->high);
        color = (ratio->high < 1) == is_better_below ? "\033[32m" : "\033[31m";
    } else {
        snprintf(text, sizeof(text), "no difference seen [%.3f, %.3f]", ratio->low, ratio->high);
    }
    fprintf(stream, "  %s%-*s%s", colors ? color : "", width, text,
            colors && *color ? "\033[0m" : "");
}

static void print_failures(const struct result *result, FILE *stream)
{
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct result_arm *arm = &result->arms[index];
        if (arm->failure[0] != '\0')
            fprintf(stream, "left out: %s: %s\n", arm->name, arm->failure);
    }
}

static void print_warnings(const struct result *result, FILE *stream)
{
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct result_arm *arm = &result->arms[index];
        double share = (double)arm->rest_cpu_ns / (double)arm->rest_ns;
        if (share > RESTLESS_SHARE)
            fprintf(stream,
                    "warning: %s used %.0f %% of a processor while others were measured, which "
                    "disturbs them\n",
                    arm->name, 100 * share);
    }
}

static int name_width_of(const struct result *result)
{
    int width = (int)strlen("against");
    for (size_t index = 0; index < result->arm_count; index++) {
        int length = (int)strlen(result->arms[index].name);
        width = length > width ? length : width;
    }
    return width;
}

static void print_tables(const struct result *result, const struct summary *summaries,
                         size_t reference, bool colors, FILE *stream)
{
    const struct result_arm *arms = result->arms;
    int width = name_width_of(result);
    char operations[CELL_BYTES], bytes[CELL_BYTES];
    uint64_t operation_count = 0, reply_bytes = 0;
    bool has_ratios = false;

    fprintf(stream, "%-*s %11s %9s %9s %10s %8s %8s\n", width, "arm", "ops/s", "p50 us", "p99 us",
            "CPU us/op", "user", "kernel");
    for (size_t index = 0; index < result->arm_count; index++) {
        if (summaries[index].operation_count == 0)
            continue;
        print_values(&arms[index], &summaries[index], width, stream);
        operation_count += (uint64_t)summaries[index].operation_count;
        reply_bytes += (uint64_t)summaries[index].reply_bytes;
        has_ratios |= summaries[index].is_compared;
    }
    if (has_ratios) {
        fprintf(stream, "\nratios to %s, with 95 %% intervals\n", arms[reference].name);
        fprintf(stream, "%-*s  %-*s  %s\n", width, "arm", RATIO_WIDTH, "CPU per operation",
                "operations a second");
    }
    for (size_t index = 0; index < result->arm_count; index++) {
        if (!summaries[index].is_compared)
            continue;
        fprintf(stream, "%-*s", width, arms[index].name);
        print_ratio(&summaries[index].cpu_ratio, true, RATIO_WIDTH, colors, stream);
        print_ratio(&summaries[index].rate_ratio, false, 0, colors, stream);
        fputc('\n', stream);
    }
    fprintf(stream, "\nverified: every byte of %s replies, %s bytes\n",
            grouped(operation_count, operations), grouped(reply_bytes, bytes));
}

int report_print(const struct result *result, bool colors, FILE *stream)
{
    struct summary summaries[RESULT_ARM_LIMIT] = {0};
    for (size_t index = 0; index < result->arm_count; index++) {
        int error = summary_has(result, index) ? summary_of(result, index, &summaries[index]) : 0;
        if (error < 0)
            return error;
    }
    print_plan(result, stream);
    if (result->reference != RESULT_NONE)
        print_tables(result, summaries, result->reference, colors, stream);
    print_failures(result, stream);
    print_warnings(result, stream);
    return 0;
}
