// SPDX-License-Identifier: MIT
//
// The windows of a point are merged and then dropped: a file with those of thirty points would be
// large, and nothing is compared within their blocks.

#include "tools/profile/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/options.h"
#include "tools/profile/summary.h"

static const char usual_rates[] = "10%,20%,30%,40%,50%,60%,70%,80%,90%,100%,110%,120%";
static const char usual_connections[] = "1,2,4,8,16,32,64,128,256,512,1k";

static int read_point(const char *text, bool is_over_connections, struct sweep_point *ret_point)
{
    uint64_t value, maximum = is_over_connections ? 10000 : 100000000;
    char number[16];
    size_t length = strlen(text);
    bool is_share = length > 0 && text[length - 1] == '%' && !is_over_connections;
    if (length == 0 || length >= sizeof(number))
        return -EINVAL;
    memcpy(number, text, length - is_share);
    number[length - is_share] = '\0';
    if (options_number(number, 1000, &value) < 0 || value < 1 || value > (is_share ? 200 : maximum))
        return -EINVAL;
    ret_point->value = is_share ? (double)value / 100 : (double)value;
    ret_point->is_share = is_share;
    return 0;
}

int sweep_parse(const char *list, bool is_over_connections, struct sweep_plan *ret_plan,
                char *reason, size_t reason_bytes)
{
    struct sweep_plan plan = {.is_over_connections = is_over_connections};
    if (list == NULL)
        list = is_over_connections ? usual_connections : usual_rates;
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ",");
        char word[24];
        snprintf(word, sizeof(word), "%.*s", (int)length, at);
        if (plan.point_count == SWEEP_POINT_LIMIT) {
            snprintf(reason, reason_bytes, "Must be at most %d points", SWEEP_POINT_LIMIT);
            return -EINVAL;
        }
        if (read_point(word, is_over_connections, &plan.points[plan.point_count++]) < 0) {
            snprintf(reason, reason_bytes, "\"%s\" is not a %s", word,
                     is_over_connections ? "number of connections from 1 to 10k"
                                         : "rate such as 50k, nor a share from 1% to 200%");
            return -EINVAL;
        }
        at += length;
        if (*at == '\0')
            break;
    }
    *ret_plan = plan;
    return 0;
}

// True if most windows of the arm failed a gate.
static bool is_doubtful(const struct result *result, size_t index)
{
    size_t invalid_count = 0;
    for (size_t block = 0; block < result->block_count; block++)
        invalid_count += !result_window_at(result, block, index)->is_valid;
    return 2 * invalid_count > result->block_count;
}

// From the blocks that the result holds now.
static int make_point(const struct experiment *experiment, size_t index,
                      struct result_point *ret_point)
{
    struct result *result = experiment->result;
    struct summary summary;
    struct result_point point = {
        .arm = index,
        .rate =
            experiment->plan.loop == LOAD_OPEN ? experiment->contestants[index].rate_per_s : NAN,
        .connections = (int64_t)experiment->plan.connection_count,
        .p50_ns = RESULT_UNKNOWN,
        .p99_ns = RESULT_UNKNOWN,
        .p999_ns = RESULT_UNKNOWN,
        .cpu_ns_per_operation = NAN,
        .is_valid = !is_doubtful(result, index),
    };
    result->arms[index].uses_invalid = !point.is_valid;
    int error = summary_has(result, index) ? summary_of(result, index, &summary) : -ENOENT;
    if (error == 0) {
        point.achieved_per_s = summary.rate;
        point.p50_ns = summary.p50_ns > 0 ? (int64_t)summary.p50_ns : RESULT_UNKNOWN;
        point.p99_ns = summary.p99_ns > 0 ? (int64_t)summary.p99_ns : RESULT_UNKNOWN;
        point.p999_ns = summary.p999_ns > 0 ? (int64_t)summary.p999_ns : RESULT_UNKNOWN;
        point.cpu_ns_per_operation = summary.cpu_ns;
    }
    result->arms[index].uses_invalid = false;
    *ret_point = point;
    return error == -ENOENT ? 0 : error;
}

int sweep_take_points(struct experiment *experiment, const char *text,
                      struct result_point ret_points[ARMS_LIMIT])
{
    struct result *result = experiment->result;
    int error = 0;
    memset(ret_points, 0, ARMS_LIMIT * sizeof(*ret_points));
    while (error == 0 && experiment_goes_on(experiment) &&
           result->block_count < experiment->plan.block_count)
        error = experiment_take_block(experiment, text);
    for (size_t index = 0; index < result->arm_count && error == 0; index++) {
        if (result->arms[index].failure[0] == '\0' && result->block_count > 0)
            error = make_point(experiment, index, &ret_points[index]);
    }
    while (result->block_count > 0)
        result_drop_block(result);
    return error;
}

int sweep_find_limits(struct experiment *experiment, double ret_rates[ARMS_LIMIT])
{
    struct result_point points[ARMS_LIMIT];
    bool is_open = experiment->result->plan.is_open_loop;
    experiment->plan.loop = LOAD_CLOSED;
    experiment->result->plan.is_open_loop = false;
    int error = sweep_take_points(experiment, "closed loop", points);
    experiment->plan.loop = LOAD_OPEN;
    experiment->result->plan.is_open_loop = is_open;
    for (size_t index = 0; index < ARMS_LIMIT; index++) {
        bool is_known = points[index].connections > 0 && points[index].achieved_per_s > 0;
        ret_rates[index] = is_known ? points[index].achieved_per_s : NAN;
    }
    return error;
}

static int take_point(struct experiment *experiment, const struct sweep_plan *plan, size_t point,
                      const double limits[ARMS_LIMIT])
{
    const struct sweep_point *wanted = &plan->points[point];
    struct result_point points[ARMS_LIMIT];
    char text[60];
    if (plan->is_over_connections)
        experiment->plan.connection_count = (size_t)wanted->value;
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        double limit = wanted->is_share ? limits[index] : 1;
        experiment->contestants[index].rate_per_s = isnan(limit) ? 1 : wanted->value * limit;
    }
    snprintf(text, sizeof(text), "point %zu of %zu", point + 1, plan->point_count);
    int error = sweep_take_points(experiment, text, points);
    for (size_t index = 0; index < experiment->contestant_count && error == 0; index++) {
        bool is_known = !wanted->is_share || !isnan(limits[index]);
        if (points[index].connections > 0 && is_known)
            error = result_add_point(experiment->result, &points[index]);
    }
    return error;
}

int sweep_run(struct experiment *experiment, const struct sweep_plan *plan)
{
    double limits[ARMS_LIMIT];
    bool has_share = false;
    for (size_t point = 0; point < plan->point_count; point++)
        has_share |= plan->points[point].is_share;
    int error = experiment_start(experiment);
    if (error == 0 && has_share)
        error = sweep_find_limits(experiment, limits);
    for (size_t point = 0; point < plan->point_count && error == 0; point++) {
        if (experiment_goes_on(experiment))
            error = take_point(experiment, plan, point, limits);
    }
    int missing = experiment_finish(experiment);
    return error < 0 ? error : missing;
}
