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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/clock.h"
#include "tools/profile/order.h"
#include "tools/profile/summary.h"

_Static_assert((int)ARMS_LIMIT <= (int)RESULT_ARM_LIMIT, "every arm fits into a result");

static void record_plan(const struct experiment_plan *plan, struct result *result)
{
    struct result_plan *to = &result->plan;
    result->seed = (int64_t)plan->seed;
    snprintf(to->verb, sizeof(to->verb), "run");
    snprintf(to->workload, sizeof(to->workload), "%s", plan->workload.name);
    to->connections = (int64_t)plan->connection_count;
    to->message_bytes = (int64_t)plan->message_bytes;
    to->window_ns = plan->window_ns;
    to->warmup_ns = plan->warmup_ns;
    to->blocks_planned = (int64_t)plan->block_count;
    to->server_cpu = plan->pin.server_cpu;
    to->client_cpu = plan->pin.client_cpu;
    pin_describe(&plan->pin, to->pin, sizeof(to->pin));
}

static void record_arm(const struct arm *arm, struct result_arm *outcome)
{
    snprintf(outcome->name, sizeof(outcome->name), "%s", arm->name);
    if (arm->program != NULL)
        snprintf(outcome->program, sizeof(outcome->program), "%s", arm->program->path);
    else
        snprintf(outcome->command, sizeof(outcome->command), "%s", arm->command);
}

int experiment_create(const struct experiment_plan *plan, const struct arm *arms, size_t count,
                      struct result *result, struct experiment *ret_experiment)
{
    struct experiment experiment = {.plan = *plan, .contestant_count = count, .result = result};
    experiment.latency = malloc(sizeof(*experiment.latency));
    if (experiment.latency == NULL)
        return -ENOMEM;
    int error =
        plan->workload.workload->open(&plan->workload, plan->seed, &experiment.workload_state);
    if (error < 0) {
        free(experiment.latency);
        return error;
    }
    for (size_t index = 0; index < count; index++) {
        experiment.contestants[index].arm = arms[index];
        experiment.contestants[index].outcome = &result->arms[index];
        record_arm(&arms[index], &result->arms[index]);
    }
    result->arm_count = count;
    record_plan(plan, result);
    *ret_experiment = experiment;
    return 0;
}

void experiment_destroy(struct experiment *experiment)
{
    free(experiment->latency);
    experiment->plan.workload.workload->close(experiment->workload_state);
}

// One line on a terminal, written over by the next one.
__attribute__((format(printf, 2, 3))) static void progress(const struct experiment *experiment,
                                                           const char *format, ...)
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

static bool is_in_race(const struct contestant *contestant)
{
    return contestant->outcome->failure[0] == '\0';
}

static void start(struct experiment *experiment, struct contestant *contestant)
{
    const struct experiment_plan *plan = &experiment->plan;
    struct arm_start how;
    char reason[192];
    progress(experiment, "starting %s", contestant->arm.name);
    int result = arms_prepare(&contestant->arm, &how);
    if (result < 0)
        snprintf(reason, sizeof(reason), "%s", strerror(-result));
    else
        result = server_start(how.words, how.port, plan->pin.server_cpu, pin_is_shared(&plan->pin),
                              reason, sizeof(reason), &contestant->server);
    contestant->is_started = result == 0;
    contestant->is_unavailable = result < 0;
    if (result < 0)
        give_up(contestant, "start: %s", reason);
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

static void check(struct experiment *experiment, struct contestant *contestant)
{
    const struct experiment_plan *plan = &experiment->plan;
    char reason[192];
    progress(experiment, "checking %s", contestant->arm.name);
    const struct loopback_address address = {.port = contestant->server.port};
    int result = plan->workload.workload->gate(&plan->workload, &address, plan->seed, reason,
                                               sizeof(reason));
    if (result < 0)
        give_up(contestant, "gate: %s", reason);
    else
        begin_rest(contestant);
}

// Load the server for a moment that does not count, and then for one that does. Its time is read
// while it sleeps, before and after.
static int measure(const struct experiment_plan *plan, const struct server *server,
                   struct load *load, struct histogram *latency, struct result_window *window)
{
    struct server_usage before, after;
    struct load_window seen;
    const struct load_histograms histograms = {.latency = latency};
    int result = 0;
    if (plan->warmup_ns > 0)
        result = load_run(load, plan->warmup_ns, &histograms, &seen);
    if (result < 0)
        return result;
    histogram_clear(latency);
    result = server_usage(server, &before);
    if (result == 0)
        result = load_run(load, plan->window_ns, &histograms, &seen);
    if (result == 0)
        result = server_usage(server, &after);
    if (result < 0)
        return result;
    window->elapsed_ns = seen.elapsed_ns;
    window->operation_count = (int64_t)seen.operation_count;
    window->reply_bytes = (int64_t)seen.reply_bytes;
    window->cpu_ns = after.cpu_ns - before.cpu_ns;
    window->user_ns = after.user_ns - before.user_ns;
    window->kernel_ns = after.kernel_ns - before.kernel_ns;
    window->p50_ns = (int64_t)histogram_percentile(latency, 0.50);
    window->p99_ns = (int64_t)histogram_percentile(latency, 0.99);
    window->maximum_ns = (int64_t)latency->maximum;
    result = result_set_latency(window, latency);
    return result < 0 ? result : load_finish(load);
}

// Take one window, on connections of its own.
static void take_window(struct experiment *experiment, struct contestant *contestant,
                        struct result_window *window)
{
    const struct experiment_plan *plan = &experiment->plan;
    struct load *load;
    window->start_ns = clock_now_ns() - experiment->start_ns;
    const struct load_plan load_plan = {
        .workload = &plan->workload,
        .state = experiment->workload_state,
        .address = {.port = contestant->server.port},
        .connection_count = plan->connection_count,
        .stop = plan->stop,
    };
    int result = load_open(&load_plan, &load);
    if (result < 0) {
        give_up(contestant, "connect: %s", strerror(-result));
        return;
    }
    result = measure(plan, &contestant->server, load, experiment->latency, window);
    if (result < 0) {
        const char *what = load_failure(load);
        give_up(contestant, "window: %s", *what != '\0' ? what : strerror(-result));
    } else {
        window->is_complete = true;
        window->is_valid = true;
        window->client_cpu_ns = RESULT_UNKNOWN;
        window->busy_ns = RESULT_UNKNOWN;
        window->steal_ns = RESULT_UNKNOWN;
        window->lag_p99_ns = RESULT_UNKNOWN;
        window->voluntary_switches = RESULT_UNKNOWN;
        window->involuntary_switches = RESULT_UNKNOWN;
    }
    load_close(load);
}

// One window of every arm that is still in the race. A block that was interrupted is dropped.
static int take_block(struct experiment *experiment, size_t block)
{
    const struct experiment_plan *plan = &experiment->plan;
    size_t order[ARMS_LIMIT];
    order_of_block(experiment->contestant_count, block, plan->seed, order);
    int result = result_add_block(experiment->result);
    if (result < 0)
        return result;
    for (size_t place = 0; place < experiment->contestant_count && !*plan->stop; place++) {
        struct contestant *contestant = &experiment->contestants[order[place]];
        struct result_window *window = result_window_at(experiment->result, block, order[place]);
        if (!is_in_race(contestant))
            continue;
        progress(experiment, "block %zu of %zu: %s", block + 1, plan->block_count,
                 contestant->arm.name);
        end_rest(contestant);
        window->place = (int64_t)place;
        take_window(experiment, contestant, window);
        if (is_in_race(contestant))
            begin_rest(contestant);
    }
    if (*plan->stop)
        result_drop_block(experiment->result);
    return 0;
}

// The arm that the table marks, if it was timed to the end; else the first one that was.
static size_t choose_reference(const struct experiment *experiment)
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

static size_t count_in_race(const struct experiment *experiment)
{
    size_t count = 0;
    for (size_t index = 0; index < experiment->contestant_count; index++)
        count += is_in_race(&experiment->contestants[index]);
    return count;
}

int experiment_run(struct experiment *experiment)
{
    const struct experiment_plan *plan = &experiment->plan;
    int result = pin_apply(plan->pin.client_cpu, pin_is_shared(&plan->pin));
    if (result < 0)
        return result;
    experiment->start_ns = clock_now_ns();
    for (size_t index = 0; index < experiment->contestant_count && !*plan->stop; index++) {
        struct contestant *contestant = &experiment->contestants[index];
        start(experiment, contestant);
        if (is_in_race(contestant))
            check(experiment, contestant);
    }
    for (size_t block = 0; block < plan->block_count && !*plan->stop && result == 0; block++) {
        if (count_in_race(experiment) == 0)
            break;
        result = take_block(experiment, block);
    }
    progress(experiment, "%s", "");
    if (result == 0 && count_in_race(experiment) == 0)
        result = -ENOENT;
    experiment->result->reference = choose_reference(experiment);
    for (size_t index = 0; index < experiment->contestant_count; index++)
        retire(&experiment->contestants[index]);
    return result;
}
