// SPDX-License-Identifier: MIT
//
// Each run gives a median with its interval; both are independent, so the interval of their
// difference follows from the two (G. Y. Zou and A. Donner's method of variance estimates
// recovery): on each side the distances to the two ends that count are added as the legs of a
// right-angled triangle.

#include "tools/profile/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/report.h"
#include "tools/profile/summary.h"

static bool is_fit(const struct result *result, size_t index)
{
    return result->arms[index].reason_count == 0 && summary_has(result, index);
}

static size_t find(const struct result *result, const char *name)
{
    for (size_t index = 0; index < result->arm_count; index++) {
        if (strcmp(result->arms[index].name, name) == 0)
            return index;
    }
    return RESULT_NONE;
}

// The median of an arm's values in a run, over the reference's or alone, with its interval.
static int estimate(const struct result *result, size_t index, bool is_relative,
                    enum summary_metric metric, size_t family, struct statistics_ratio *ret_ratio)
{
    double *logarithms = calloc(result->block_count + 1, sizeof(*logarithms));
    if (logarithms == NULL)
        return -ENOMEM;
    size_t count = is_relative ? summary_logarithms(result, index, metric, logarithms)
                               : summary_values(result, index, metric, logarithms);
    for (size_t at = 0; at < count && !is_relative; at++)
        logarithms[at] = log(logarithms[at]);
    int error = count > 0 ? statistics_ratio_among(logarithms, count, family, ret_ratio) : -ENOENT;
    free(logarithms);
    return error;
}

static void divide(const struct statistics_ratio *new, const struct statistics_ratio *old,
                   struct statistics_ratio *ret_ratio)
{
    double centre = log(new->estimate / old->estimate);
    double down = hypot(log(new->estimate / new->low), log(old->high / old->estimate));
    double up = hypot(log(new->high / new->estimate), log(old->estimate / old->low));
    *ret_ratio = (struct statistics_ratio){
        .estimate = exp(centre),
        .low = exp(centre - down),
        .high = exp(centre + up),
        .detectable = exp(hypot(log(new->detectable), log(old->detectable))),
    };
}

static int compare_metric(const struct result *old, size_t old_index, const struct result *new,
                          size_t new_index, bool is_relative, enum summary_metric metric,
                          size_t family, struct statistics_ratio *ret_ratio)
{
    struct statistics_ratio before, after;
    int error = estimate(old, old_index, is_relative, metric, family, &before);
    if (error == 0)
        error = estimate(new, new_index, is_relative, metric, family, &after);
    if (error == 0)
        divide(&after, &before, ret_ratio);
    return error;
}

// What was asked for must be the same, or the comparison is one of questions.
static void compare_plans(const struct result *old, const struct result *new,
                          struct compare_outcome *outcome)
{
    const struct result_plan *before = &old->plan, *after = &new->plan;
    const char *what = "";
    if (strcmp(before->workload, after->workload) != 0)
        what = "workload";
    else if (before->message_bytes != after->message_bytes)
        what = "size of the messages";
    else if (before->connections != after->connections)
        what = "number of connections";
    else if (before->depth != after->depth)
        what = "depth of the pipeline";
    else if (before->is_open_loop != after->is_open_loop ||
             (before->is_open_loop && before->rate != after->rate))
        what = "loop or the rate";
    else if (before->is_unix != after->is_unix)
        what = "kind of socket";
    else if (strcmp(before->pin, after->pin) != 0)
        what = "placing on processors";
    else if (strcmp(old->environment.cpu_model, new->environment.cpu_model) != 0)
        what = "processor";
    else if (strcmp(old->environment.kernel, new->environment.kernel) != 0)
        what = "kernel";
    snprintf(outcome->difference, sizeof(outcome->difference), "%s", what);
}

static bool is_worse(const struct statistics_ratio *ratio, bool is_better_below, double tolerance)
{
    if (!statistics_differs(ratio))
        return false;
    return is_better_below ? ratio->estimate > 1 + tolerance
                           : ratio->estimate < 1 / (1 + tolerance);
}

static size_t count_common(const struct result *old, const struct result *new)
{
    size_t count = 0;
    for (size_t index = 0; index < new->arm_count; index++) {
        size_t other = find(old, new->arms[index].name);
        count += other != RESULT_NONE && is_fit(new, index) && is_fit(old, other);
    }
    return count;
}

static int compare_arm(const struct result *old, const struct result *new, size_t index,
                       size_t family, struct compare_outcome *outcome)
{
    struct compare_arm *arm = &outcome->arms[outcome->arm_count];
    size_t other = find(old, new->arms[index].name);
    if (other == RESULT_NONE || !is_fit(new, index) || !is_fit(old, other))
        return 0;
    strcpy(arm->name, new->arms[index].name);
    arm->is_relative = outcome->reference[0] != '\0' && index != new->reference;
    int error = compare_metric(old, other, new, index, arm->is_relative, SUMMARY_CPU, family,
                               &arm->cpu_ratio);
    if (error == 0)
        error = compare_metric(old, other, new, index, arm->is_relative, SUMMARY_RATE, family,
                               &arm->rate_ratio);
    if (error == -ENOENT)
        return 0;
    // The reference itself shows what the machine did in between.
    bool is_judged = arm->is_relative || outcome->reference[0] == '\0';
    arm->is_regression = is_judged && (is_worse(&arm->cpu_ratio, true, outcome->tolerance) ||
                                       is_worse(&arm->rate_ratio, false, outcome->tolerance));
    outcome->regression_count += arm->is_regression;
    outcome->arm_count++;
    return error;
}

int compare_results(const struct result *old, const struct result *new, double tolerance,
                    struct compare_outcome *ret_outcome)
{
    struct compare_outcome outcome = {.tolerance = tolerance};
    size_t family = count_common(old, new);
    if (family == 0)
        return -ENOENT;
    compare_plans(old, new, &outcome);
    bool has_reference = old->reference != RESULT_NONE &&
                         new->reference != RESULT_NONE &&is_fit(old, old->reference) &&
                         is_fit(new, new->reference);
    if (has_reference && family > 1 &&
        strcmp(old->arms[old->reference].name, new->arms[new->reference].name) == 0)
        strcpy(outcome.reference, new->arms[new->reference].name);
    for (size_t index = 0; index < new->arm_count; index++) {
        int error = compare_arm(old, new, index, family, &outcome);
        if (error < 0)
            return error;
    }
    *ret_outcome = outcome;
    return outcome.arm_count > 0 ? 0 : -ENOENT;
}

void compare_print(const struct compare_outcome *outcome, const char *const paths[2], bool colors,
                   FILE *stream)
{
    int width = (int)strlen("against");
    for (size_t index = 0; index < outcome->arm_count; index++) {
        int length = (int)strlen(outcome->arms[index].name);
        width = length > width ? length : width;
    }
    fprintf(stream, "%s over %s, ratios with 95 %% intervals\n", paths[1], paths[0]);
    if (outcome->reference[0] != '\0')
        fprintf(stream,
                "each server as it stood to %s in its own run; %s itself as it was, which\n"
                "shows what the machine did in between and is not judged\n",
                outcome->reference, outcome->reference);
    fprintf(stream, "\n%-*s  %-*s  %s\n", width, "arm", REPORT_RATIO_WIDTH, "CPU per operation",
            "operations a second");
    for (size_t index = 0; index < outcome->arm_count; index++) {
        const struct compare_arm *arm = &outcome->arms[index];
        fprintf(stream, "%-*s", width, arm->name);
        report_print_ratio(&arm->cpu_ratio, true, REPORT_RATIO_WIDTH, colors, stream);
        report_print_ratio(&arm->rate_ratio, false, 0, colors, stream);
        fprintf(stream, "%s\n", arm->is_regression ? "  REGRESSION" : "");
    }
    fprintf(stream,
            "\nThe runs were not interleaved: what changed on the machine in between is part "
            "of this.\n");
    if (outcome->difference[0] != '\0')
        fprintf(stream, "warning: the runs differ in the %s\n", outcome->difference);
    fprintf(stream, "%zu of %zu worse by more than %.3g %%\n", outcome->regression_count,
            outcome->arm_count, 100 * outcome->tolerance);
}
