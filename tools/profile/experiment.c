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

int experiment_create(const struct experiment_plan *plan, const struct arm *arms, size_t count,
                      struct experiment *ret_experiment)
{
    memset(ret_experiment, 0, sizeof(*ret_experiment));
    ret_experiment->plan = *plan;
    for (; ret_experiment->contestant_count < count; ret_experiment->contestant_count++) {
        size_t index = ret_experiment->contestant_count;
        struct contestant *contestant = &ret_experiment->contestants[index];
        contestant->arm = arms[index];
        contestant->latency = calloc(1, sizeof(struct histogram));
        contestant->windows = calloc(plan->block_count, sizeof(struct experiment_window));
        ret_experiment->window_latency[index] = calloc(1, sizeof(struct histogram));
        if (contestant->latency == NULL || contestant->windows == NULL ||
            ret_experiment->window_latency[index] == NULL)
            break;
    }
    int result = ret_experiment->contestant_count < count
                     ? -ENOMEM
                     : plan->workload->open(plan->message_bytes, plan->seed,
                                            &ret_experiment->workload_state);
    if (result < 0)
        experiment_destroy(ret_experiment);
    return result;
}

void experiment_destroy(struct experiment *experiment)
{
    for (size_t index = 0; index < ARMS_LIMIT; index++) {
        free(experiment->contestants[index].latency);
        free(experiment->contestants[index].windows);
        free(experiment->window_latency[index]);
    }
    experiment->plan.workload->close(experiment->workload_state);
    memset(experiment, 0, sizeof(*experiment));
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
    vsnprintf(contestant->failure, sizeof(contestant->failure), format, arguments);
    va_end(arguments);
    retire(contestant);
}

static bool is_in_race(const struct contestant *contestant)
{
    return contestant->failure[0] == '\0';
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
    contestant->rest_ns += clock_now_ns() - contestant->rest_began_ns;
    contestant->rest_cpu_ns += used.cpu_ns - contestant->rest_began_cpu_ns;
}

static void check(struct experiment *experiment, struct contestant *contestant)
{
    const struct experiment_plan *plan = &experiment->plan;
    char reason[192];
    progress(experiment, "checking %s", contestant->arm.name);
    int result = plan->workload->gate(contestant->server.port, plan->seed, reason, sizeof(reason));
    if (result < 0)
        give_up(contestant, "gate: %s", reason);
    else
        begin_rest(contestant);
}

// Load the server for a moment that does not count, and then for one that does. Its time is read
// while it sleeps, before and after.
static int measure(const struct experiment_plan *plan, const struct server *server,
                   struct load *load, struct histogram *latency, struct experiment_window *window)
{
    struct server_usage before;
    int result = 0;
    if (plan->warmup_ns > 0)
        result = load_run(load, plan->warmup_ns, plan->stop, latency, &window->load);
    if (result < 0)
        return result;
    histogram_clear(latency);
    result = server_usage(server, &before);
    if (result == 0)
        result = load_run(load, plan->window_ns, plan->stop, latency, &window->load);
    if (result == 0)
        result = server_usage(server, &window->used);
    if (result < 0)
        return result;
    window->used.cpu_ns -= before.cpu_ns;
    window->used.user_ns -= before.user_ns;
    window->used.kernel_ns -= before.kernel_ns;
    return load_finish(load);
}

// Take one window, on connections of its own.
static void take_window(struct experiment *experiment, struct contestant *contestant,
                        struct histogram *latency, struct experiment_window *ret_window)
{
    const struct experiment_plan *plan = &experiment->plan;
    struct experiment_window window = {.start_ns = clock_now_ns() - experiment->start_ns};
    struct load *load;
    int result = load_open(plan->workload, experiment->workload_state, contestant->server.port,
                           plan->connection_count, &load);
    if (result < 0) {
        give_up(contestant, "connect: %s", strerror(-result));
        return;
    }
    result = measure(plan, &contestant->server, load, latency, &window);
    if (result < 0) {
        const char *what = load_failure(load);
        give_up(contestant, "window: %s", *what != '\0' ? what : strerror(-result));
    } else {
        window.p50_ns = histogram_percentile(latency, 0.50);
        window.p99_ns = histogram_percentile(latency, 0.99);
        window.maximum_ns = latency->maximum;
        window.is_complete = !*plan->stop;
        *ret_window = window;
    }
    load_close(load);
}

// One window of every arm that is still in the race.
static void take_block(struct experiment *experiment, size_t block)
{
    const struct experiment_plan *plan = &experiment->plan;
    size_t order[ARMS_LIMIT];
    order_of_block(experiment->contestant_count, block, plan->seed, order);
    for (size_t place = 0; place < experiment->contestant_count && !*plan->stop; place++) {
        struct contestant *contestant = &experiment->contestants[order[place]];
        if (!is_in_race(contestant))
            continue;
        progress(experiment, "block %zu of %zu: %s", block + 1, plan->block_count,
                 contestant->arm.name);
        end_rest(contestant);
        take_window(experiment, contestant, experiment->window_latency[order[place]],
                    &contestant->windows[block]);
        if (is_in_race(contestant))
            begin_rest(contestant);
        contestant->windows[block].place = place;
    }
    if (*plan->stop)
        return;
    experiment->blocks_done = block + 1;
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        struct contestant *contestant = &experiment->contestants[index];
        if (contestant->windows[block].is_complete)
            histogram_merge(contestant->latency, experiment->window_latency[index]);
    }
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
    for (size_t block = 0; block < plan->block_count && !*plan->stop; block++) {
        if (count_in_race(experiment) == 0)
            break;
        take_block(experiment, block);
    }
    progress(experiment, "%s", "");
    result = count_in_race(experiment) > 0 ? 0 : -ENOENT;
    for (size_t index = 0; index < experiment->contestant_count; index++)
        retire(&experiment->contestants[index]);
    return result;
}
