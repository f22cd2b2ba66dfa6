// SPDX-License-Identifier: MIT
//
// All servers live through the whole experiment, each asleep while another one is measured; so
// nothing but the order of the windows decides who meets which moment of a shared machine, and the
// order is balanced. A block counts as a whole or not at all: a ratio of two arms is taken within a
// block only.
//
// This process is the client of all of them, alone on its side of the sockets. Between two windows
// it does as little as possible, and it computes nothing before the last one.

#include "tools/profile/experiment.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/profile/clock.h"
#include "tools/profile/experiment_parts.h"
#include "tools/profile/experiment_record.h"
#include "tools/profile/gates.h"
#include "tools/profile/headroom.h"
#include "tools/profile/order.h"
#include "tools/profile/statistics.h"
#include "tools/profile/summary.h"
#include "tools/profile/window.h"

// An arm warms up in rounds of so many windows; a round whose rate moves by less than this is the
// last one.
enum { WARMUP_WINDOWS = 10, WARMUP_ROUNDS = 3 };
static const int64_t WARMUP_WINDOW_LIMIT_NS = 50 * CLOCK_NS_PER_MS;
static const double WARMUP_SLOPE_PERCENT = 0.5;

// How long the client is measured alone.
static const int64_t GENERATOR_NS = 200 * CLOCK_NS_PER_MS;

// The server's needs are the workload's, on a path of its own if it is to have one.
static void prepare_contestant(struct experiment *experiment, size_t index, const struct arm *arm)
{
    struct contestant *contestant = &experiment->contestants[index];
    contestant->arm = *arm;
    contestant->arm.needs = experiment->plan.workload.needs;
    contestant->rate_per_s = experiment->plan.rate_per_s;
    contestant->outcome = &experiment->result->arms[index];
    experiment_record_arm(arm, contestant->outcome);
    // Processes of different namespaces may have one number, and one folder.
    snprintf(contestant->unix_path, sizeof(contestant->unix_path),
             "/tmp/profile-%ld-%" PRIx64 "-%zu.socket", (long)getpid(), (uint64_t)clock_now_ns(),
             index);
}

int experiment_create(const struct experiment_plan *plan, const struct arm *arms, size_t count,
                      struct result *result, struct experiment *ret_experiment)
{
    struct experiment *experiment = ret_experiment;
    *experiment = (struct experiment){.plan = *plan, .contestant_count = count, .result = result};
    for (size_t index = 0; index < 3; index++) {
        experiment->scratch[index] = malloc(sizeof(struct histogram));
        if (experiment->scratch[index] == NULL) {
            experiment_destroy(experiment);
            return -ENOMEM;
        }
    }
    int error =
        plan->workload.workload->open(&plan->workload, plan->seed, &experiment->workload_state);
    if (error < 0) {
        experiment_destroy(experiment);
        return error;
    }
    result->arm_count = count;
    for (size_t index = 0; index < count; index++) {
        prepare_contestant(experiment, index, &arms[index]);
        // At many points it would be a mixture of them all.
        if (plan->rate_per_s > 0)
            result->arms[index].service = calloc(1, sizeof(struct histogram));
    }
    experiment_record_plan(plan, result);
    return 0;
}

void experiment_destroy(struct experiment *experiment)
{
    for (size_t index = 0; index < 3; index++)
        free(experiment->scratch[index]);
    experiment->plan.workload.workload->close(experiment->workload_state);
}

// One line on a terminal, written over by the next one.
void experiment_show(const struct experiment *experiment, const char *format, ...)
{
    if (!experiment->plan.shows_progress)
        return;
    va_list arguments;
    va_start(arguments, format);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fflush(stderr);
}

// Give the arm up and end its server, for the rest of the run or at its end.
static void retire(struct contestant *contestant)
{
    if (contestant->is_started)
        server_stop(&contestant->server);
    contestant->is_started = false;
}

__attribute__((format(printf, 2, 3))) static void give_up(struct contestant *contestant,
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(contestant->outcome->failure, sizeof(contestant->outcome->failure), format,
              arguments);
    va_end(arguments);
    retire(contestant);
}

bool experiment_has(const struct contestant *contestant)
{
    return contestant->outcome->failure[0] == '\0';
}

static void start(struct experiment *experiment, struct contestant *contestant)
{
    const struct experiment_plan *plan = &experiment->plan;
    struct arm_start how;
    char reason[192];
    experiment_show(experiment, "starting %s", contestant->arm.name);
    if (plan->is_unix)
        contestant->arm.needs.unix_path = contestant->unix_path;
    int result = arms_prepare(&contestant->arm, &how);
    if (result < 0)
        snprintf(reason, sizeof(reason), "%s", how.reason);
    else
        result = server_start(how.words, how.port, plan->pin.server_cpu, pin_is_shared(&plan->pin),
                              reason, sizeof(reason), &contestant->server);
    contestant->is_started = result == 0;
    contestant->is_unavailable = result < 0;
    if (result < 0)
        give_up(contestant, "start: %s", reason);
    else
        experiment_record_version(contestant->server.version, contestant->outcome);
}

// Between two calls of these the server has nothing to do. An error of the clock shows in the next
// window.
static void begin_rest(struct contestant *contestant)
{
    struct server_usage used;
    if (server_usage(&contestant->server, &used) < 0)
        return;
    contestant->rest_began_ns = clock_now_ns();
    contestant->rest_began_cpu_ns = used.cpu_ns;
}

static void end_rest(struct contestant *contestant)
{
    struct server_usage used;
    if (server_usage(&contestant->server, &used) < 0)
        return;
    contestant->outcome->rest_ns += clock_now_ns() - contestant->rest_began_ns;
    contestant->outcome->rest_cpu_ns += used.cpu_ns - contestant->rest_began_cpu_ns;
}

static struct loopback_address address_of(const struct experiment *experiment,
                                          const struct contestant *contestant)
{
    const char *path = experiment->plan.is_unix ? contestant->unix_path : NULL;
    return (struct loopback_address){.port = contestant->server.port, .unix_path = path};
}

static void check(struct experiment *experiment, struct contestant *contestant)
{
    const struct experiment_plan *plan = &experiment->plan;
    char reason[192];
    experiment_show(experiment, "checking %s", contestant->arm.name);
    const struct loopback_address address = address_of(experiment, contestant);
    int result = plan->workload.workload->gate(&plan->workload, &address, plan->seed, reason,
                                               sizeof(reason));
    if (result < 0)
        give_up(contestant, "gate: %s", reason);
    else
        begin_rest(contestant);
}

struct window_request experiment_request(const struct experiment *experiment,
                                         const struct contestant *contestant)
{
    const struct experiment_plan *plan = &experiment->plan;
    return (struct window_request){
        .server = &contestant->server,
        .load =
            {
                .workload = &plan->workload,
                .state = experiment->workload_state,
                .address = address_of(experiment, contestant),
                .connection_count = plan->connection_count,
                .depth = plan->depth,
                .loop = plan->loop,
                .rate_per_s = contestant->rate_per_s,
                .arrivals = plan->arrivals,
                .seed = plan->seed + experiment->blocks_taken,
                .polls = plan->polls,
                .stop = plan->stop,
            },
        .warmup_ns = plan->warmup_ns,
        .duration_ns = plan->window_ns,
        .scratch = {experiment->scratch[0], experiment->scratch[1], experiment->scratch[2]},
        .total_service = contestant->outcome->service,
    };
}

// Load the server until its rate has no slope that could be seen, or a small one, or time is up.
static void warm_up(struct experiment *experiment, struct contestant *contestant)
{
    struct window_request request = experiment_request(experiment, contestant);
    double seconds[WARMUP_WINDOWS], rates[WARMUP_WINDOWS];
    struct statistics_slope slope = {0};
    int64_t begin_ns = clock_now_ns();
    char reason[192];
    if (request.duration_ns > WARMUP_WINDOW_LIMIT_NS)
        request.duration_ns = WARMUP_WINDOW_LIMIT_NS;
    for (int round = 0; round < WARMUP_ROUNDS && !*experiment->plan.stop; round++) {
        experiment_show(experiment, "warming up %s", contestant->arm.name);
        if (window_take_rates(&request, WARMUP_WINDOWS, seconds, rates, reason, sizeof(reason)) <
            0) {
            give_up(contestant, "%s", reason);
            return;
        }
        if (statistics_slope_of(seconds, rates, WARMUP_WINDOWS, &slope) < 0)
            return;
        bool is_flat = fabs(slope.estimate) < WARMUP_SLOPE_PERCENT;
        if (is_flat || (slope.low <= 0 && slope.high >= 0))
            break;
    }
    contestant->outcome->warmup_ns = clock_now_ns() - begin_ns;
    contestant->outcome->warmup_slope = slope.estimate;
    begin_rest(contestant);
}

static void take_window(struct experiment *experiment, struct contestant *contestant,
                        struct result_window *window)
{
    const struct window_request request = experiment_request(experiment, contestant);
    char reason[192];
    window->start_ns = clock_now_ns() - experiment->start_ns;
    int error = window_take(&request, window, reason, sizeof(reason));
    if (error < 0) {
        give_up(contestant, "%s", reason);
        return;
    }
    window->is_complete = true;
    gates_judge_window(experiment->result, window);
}

int experiment_take_block(struct experiment *experiment, const char *text)
{
    const struct experiment_plan *plan = &experiment->plan;
    size_t order[ARMS_LIMIT];
    size_t block = experiment->result->block_count;
    order_of_block(experiment->contestant_count, experiment->blocks_taken++, plan->seed, order);
    int result = result_add_block(experiment->result);
    if (result < 0)
        return result;
    for (size_t place = 0; place < experiment->contestant_count && !*plan->stop; place++) {
        struct contestant *contestant = &experiment->contestants[order[place]];
        struct result_window *window = result_window_at(experiment->result, block, order[place]);
        if (!experiment_has(contestant))
            continue;
        experiment_show(experiment, "%s: %s", text, contestant->arm.name);
        end_rest(contestant);
        window->place = (int64_t)place;
        take_window(experiment, contestant, window);
        if (experiment_has(contestant))
            begin_rest(contestant);
    }
    if (*plan->stop)
        result_drop_block(experiment->result);
    return 0;
}

// The arm that the table marks, if it was timed to the end; else the first one that was.
static size_t find_reference(const struct experiment *experiment)
{
    size_t first = RESULT_NONE;
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        const struct arm_program *program = experiment->contestants[index].arm.program;
        if (!summary_has(experiment->result, index))
            continue;
        if (program != NULL && program->reference)
            return index;
        if (first == RESULT_NONE)
            first = index;
    }
    return first;
}

void experiment_choose_reference(struct experiment *experiment)
{
    experiment->result->reference = find_reference(experiment);
}

static size_t count_in_race(const struct experiment *experiment)
{
    size_t count = 0;
    for (size_t index = 0; index < experiment->contestant_count; index++)
        count += experiment_has(&experiment->contestants[index]);
    return count;
}

bool experiment_goes_on(const struct experiment *experiment)
{
    return !*experiment->plan.stop && count_in_race(experiment) > 0;
}

// Where it cannot be found out, it stays unknown.
static void measure_generator(struct experiment *experiment)
{
    const struct experiment_plan *plan = &experiment->plan;
    struct window_request request = experiment_request(experiment, &experiment->contestants[0]);
    int cpu = pin_is_shared(&plan->pin) ? -1 : plan->pin.server_cpu;
    double rate;
    experiment_show(experiment, "measuring the client");
    if (headroom_measure(&request.load, cpu, GENERATOR_NS, &rate) == 0)
        experiment->result->plan.generator_per_s = rate;
}

int experiment_start(struct experiment *experiment)
{
    const struct experiment_plan *plan = &experiment->plan;
    int result = pin_apply(plan->pin.client_cpu, pin_is_shared(&plan->pin));
    if (result < 0)
        return result;
    experiment->start_ns = clock_now_ns();
    measure_generator(experiment);
    for (size_t index = 0; index < experiment->contestant_count && !*plan->stop; index++) {
        struct contestant *contestant = &experiment->contestants[index];
        start(experiment, contestant);
        if (experiment_has(contestant))
            experiment_look_at_idle(experiment, contestant);
        if (experiment_has(contestant))
            check(experiment, contestant);
    }
    for (size_t index = 0; index < experiment->contestant_count && plan->warms_up; index++) {
        if (experiment_has(&experiment->contestants[index]))
            warm_up(experiment, &experiment->contestants[index]);
    }
    return 0;
}

int experiment_finish(struct experiment *experiment)
{
    experiment_show(experiment, "%s", "");
    int result = count_in_race(experiment) > 0 ? 0 : -ENOENT;
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        retire(&experiment->contestants[index]);
        if (experiment_has(&experiment->contestants[index]))
            gates_judge_arm(experiment->result, index);
    }
    experiment_choose_reference(experiment);
    return result;
}
