// SPDX-License-Identifier: MIT
//
// The points of a sweep, arm by arm, and what a search for a capacity found.

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tools/profile/report.h"

static void print_point(const struct result *result, const struct result_point *point, int width,
                        FILE *stream)
{
    char rate[REPORT_CELL_BYTES] = "-", achieved[REPORT_CELL_BYTES], cpu[REPORT_CELL_BYTES];
    char cells[3][REPORT_CELL_BYTES];
    const int64_t percentiles[] = {point->p50_ns, point->p99_ns, point->p999_ns};
    for (int index = 0; index < 3; index++)
        report_microseconds(percentiles[index] > 0 ? (double)percentiles[index] : NAN, 0,
                            cells[index]);
    if (!isnan(point->rate))
        report_grouped((uint64_t)point->rate, rate);
    fprintf(stream, "%-*s %11s %6" PRId64 " %11s %9s %9s %9s %10s%s\n", width,
            result->arms[point->arm].name, rate, point->connections,
            report_grouped((uint64_t)point->achieved_per_s, achieved), cells[0], cells[1], cells[2],
            report_microseconds(point->cpu_ns_per_operation, 3, cpu),
            point->is_valid ? "" : "  invalid");
}

// The highest rate that was kept, since the search went on from it.
static const struct result_point *best_point(const struct result *result, size_t arm)
{
    const struct result_point *best = NULL;
    for (size_t index = 0; index < result->curve_count; index++) {
        const struct result_point *point = &result->curve[index];
        if (point->arm == arm && result_keeps(result, point) &&
            (best == NULL || point->rate > best->rate))
            best = point;
    }
    return best;
}

static void print_capacities(const struct result *result, int width, FILE *stream)
{
    char text[REPORT_CELL_BYTES];
    fprintf(stream, "\nhighest rate with the 99th percentile below %s us\n",
            report_grouped((uint64_t)result->plan.slo_ns / 1000, text));
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct result_point *best = best_point(result, index);
        if (result->arms[index].failure[0] != '\0')
            continue;
        if (best != NULL)
            fprintf(stream, "%-*s %11s\n", width, result->arms[index].name,
                    report_grouped((uint64_t)best->rate, text));
        else
            fprintf(stream, "%-*s %11s\n", width, result->arms[index].name, "none found");
    }
}

void report_print_curve(const struct result *result, FILE *stream)
{
    int width = 7;
    for (size_t index = 0; index < result->arm_count; index++) {
        int length = (int)strlen(result->arms[index].name);
        width = length > width ? length : width;
    }
    fprintf(stream, "%-*s %11s %6s %11s %9s %9s %9s %10s\n", width, "arm", "rate", "conns", "ops/s",
            "p50 us", "p99 us", "p99.9 us", "CPU us/op");
    for (size_t arm = 0; arm < result->arm_count; arm++) {
        for (size_t index = 0; index < result->curve_count; index++) {
            if (result->curve[index].arm == arm)
                print_point(result, &result->curve[index], width, stream);
        }
    }
    if (result->plan.slo_ns != RESULT_UNKNOWN)
        print_capacities(result, width, stream);
}
