// SPDX-License-Identifier: MIT
//
// Tables for values, costs and ratios. The words "no difference seen" stand where the interval
// holds 1: such a ratio is not a small difference but none that these blocks could show.

#include "tools/profile/report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/summary.h"

const char *report_grouped(uint64_t value, char text[REPORT_CELL_BYTES])
{
    char digits[REPORT_CELL_BYTES];
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

const char *report_microseconds(double ns, int digits, char text[REPORT_CELL_BYTES])
{
    if (isnan(ns))
        snprintf(text, REPORT_CELL_BYTES, "-");
    else
        snprintf(text, REPORT_CELL_BYTES, "%.*f", digits, ns * 1e-3);
    return text;
}

// A number that may be unknown, which is "-".
static const char *number(double value, int digits, char text[REPORT_CELL_BYTES])
{
    if (isnan(value))
        snprintf(text, REPORT_CELL_BYTES, "-");
    else
        snprintf(text, REPORT_CELL_BYTES, "%.*f", digits, value);
    return text;
}

static double known_or_nan(int64_t value)
{
    return value != RESULT_UNKNOWN ? (double)value : NAN;
}

// A percentile of 0 says that there are too few values for it.
static const char *percentile(uint64_t ns, char text[REPORT_CELL_BYTES])
{
    return report_microseconds(ns > 0 ? (double)ns : NAN, 0, text);
}

static void print_plan(const struct result *result, FILE *stream)
{
    const struct result_plan *plan = &result->plan;
    const struct result_environment *machine = &result->environment;
    char text[REPORT_CELL_BYTES];
    bool is_over_connections = strcmp(plan->verb, "sweep") == 0 && !plan->is_open_loop;
    fprintf(stream, "%s, %s bytes, ", plan->workload,
            report_grouped((uint64_t)plan->message_bytes, text));
    fprintf(stream, "%s%" PRId64 " connections", is_over_connections ? "up to " : "",
            plan->connections);
    if (plan->depth > 1)
        fprintf(stream, " of %" PRId64 " under way", plan->depth);
    fprintf(stream, ", %s loop", plan->is_open_loop ? "open" : "closed");
    if (plan->is_open_loop && plan->rate > 0)
        fprintf(stream, " at %s/s (%s)", report_grouped((uint64_t)plan->rate, text),
                plan->arrivals);
    if (result->curve_count == 0)
        fprintf(stream, "; %zu of %" PRId64 " blocks", result->block_count, plan->blocks_planned);
    fprintf(stream, "%s windows of %s ms, seed %" PRId64 "\n", result->curve_count == 0 ? "," : ";",
            report_grouped((uint64_t)plan->window_ns / 1000000, text), result->seed);
    fprintf(stream, "%s; %" PRId64 " processors, %s %s, %s\n\n", plan->pin, machine->processors,
            machine->system, machine->kernel, plan->is_unix ? "unix sockets" : "loopback");
}

static void print_values(const struct result_arm *arm, const struct summary *summary,
                         int name_width, FILE *stream)
{
    char rate[REPORT_CELL_BYTES], p50[REPORT_CELL_BYTES], p99[REPORT_CELL_BYTES];
    char p999[REPORT_CELL_BYTES], cpu[REPORT_CELL_BYTES], user[REPORT_CELL_BYTES];
    char kernel[REPORT_CELL_BYTES];
    fprintf(stream, "%-*s %11s %9s %9s %9s %10s %8s %8s%s\n", name_width, arm->name,
            report_grouped((uint64_t)summary->rate, rate), percentile(summary->p50_ns, p50),
            percentile(summary->p99_ns, p99), percentile(summary->p999_ns, p999),
            report_microseconds(summary->cpu_ns, 3, cpu),
            report_microseconds(summary->cpu_ns * summary->user_share, 2, user),
            report_microseconds(summary->cpu_ns * (1 - summary->user_share), 2, kernel),
            arm->reason_count > 0 ? "  not ranked" : "");
}

static void print_costs(const struct result *result, size_t index, int name_width, FILE *stream)
{
    const struct result_arm *arm = &result->arms[index];
    struct summary_shares shares;
    char cells[9][REPORT_CELL_BYTES];
    summary_shares(result, index, &shares);
    fprintf(stream, "%-*s %6s %6s %7s %7s %7s %8s %7s %9s %7s  %s\n", name_width, arm->name,
            number(100 * shares.server, 0, cells[0]), number(100 * shares.client, 0, cells[1]),
            number(arm->syscalls_per_operation, 2, cells[2]),
            number(arm->context_switches_per_operation, 3, cells[3]),
            number(arm->events_per_wait, 1, cells[4]),
            number(arm->instructions_per_operation, 0, cells[5]),
            number(known_or_nan(arm->rss_bytes) / 1024, 0, cells[6]),
            number(arm->idle_bytes_per_connection, 0, cells[7]),
            number(known_or_nan(arm->threads) + known_or_nan(arm->kernel_workers), 0, cells[8]),
            arm->version);
}

void report_print_ratio(const struct statistics_ratio *ratio, bool is_better_below, int width,
                        bool colors, FILE *stream)
{
    char text[2 * REPORT_CELL_BYTES];
    const char *color = "";
    if (statistics_differs(ratio)) {
        snprintf(text, sizeof(text), "%.3f [%.3f, %.3f]", ratio->estimate, ratio->low, ratio->high);
        color = (ratio->high < 1) == is_better_below ? "\033[32m" : "\033[31m";
    } else if (isinf(ratio->detectable)) {
        snprintf(text, sizeof(text), "too few blocks to tell");
    } else {
        snprintf(text, sizeof(text), "no difference seen (could have seen >= %.1f %%)",
                 100 * (ratio->detectable - 1));
    }
    fprintf(stream, "  %s%-*s%s", colors ? color : "", width, text,
            colors && *color ? "\033[0m" : "");
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

static void print_ratios(const struct result *result, const struct summary *summaries, bool colors,
                         FILE *stream)
{
    int width = name_width_of(result);
    bool has_ratios = false;
    double widest = 0;
    for (size_t index = 0; index < result->arm_count; index++)
        has_ratios |= summaries[index].is_compared;
    if (!has_ratios)
        return;
    fprintf(stream, "\nratios to %s, with 95 %% intervals\n", result->arms[result->reference].name);
    fprintf(stream, "%-*s  %-*s  %s\n", width, "arm", REPORT_RATIO_WIDTH, "CPU per operation",
            "operations a second");
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct summary *summary = &summaries[index];
        if (!summary->is_compared)
            continue;
        fprintf(stream, "%-*s", width, result->arms[index].name);
        report_print_ratio(&summary->cpu_ratio, true, REPORT_RATIO_WIDTH, colors, stream);
        report_print_ratio(&summary->rate_ratio, false, 0, colors, stream);
        fputc('\n', stream);
        widest = fmax(widest, summary_half_width(&summary->cpu_ratio));
        widest = fmax(widest, summary_half_width(&summary->rate_ratio));
    }
    if (widest > 1.25 * result->plan.precision && isfinite(widest))
        fprintf(stream,
                "the widest interval is +-%.1f %%, %.3g %% were wanted: a longer --budget helps\n",
                100 * widest, 100 * result->plan.precision);
}

static void print_tables(const struct result *result, const struct summary *summaries, bool colors,
                         FILE *stream)
{
    int width = name_width_of(result);
    char operations[REPORT_CELL_BYTES], bytes[REPORT_CELL_BYTES];
    int64_t operation_count = 0, reply_bytes = 0;

    fprintf(stream, "%-*s %11s %9s %9s %9s %10s %8s %8s\n", width, "arm", "ops/s", "p50 us",
            "p99 us", "p99.9 us", "CPU us/op", "user", "kernel");
    for (size_t index = 0; index < result->arm_count; index++) {
        if (summaries[index].window_count == 0)
            continue;
        print_values(&result->arms[index], &summaries[index], width, stream);
        operation_count += summaries[index].operation_count;
        reply_bytes += summaries[index].reply_bytes;
    }
    fprintf(stream, "\n%-*s %6s %6s %7s %7s %7s %8s %7s %9s %7s  %s\n", width, "arm", "busy %",
            "client", "sys/op", "ctx/op", "ev/wait", "insns/op", "RSS KiB", "B/idle co", "threads",
            "version");
    for (size_t index = 0; index < result->arm_count; index++) {
        if (summaries[index].window_count > 0)
            print_costs(result, index, width, stream);
    }
    print_ratios(result, summaries, colors, stream);
    fprintf(stream, "\nverified: every byte of %s replies, %s bytes\n",
            report_grouped((uint64_t)operation_count, operations),
            report_grouped((uint64_t)reply_bytes, bytes));
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
    if (result->curve_count > 0)
        report_print_curve(result, stream);
    else if (result->reference != RESULT_NONE)
        print_tables(result, summaries, colors, stream);
    report_print_notes(result, stream);
    return 0;
}
