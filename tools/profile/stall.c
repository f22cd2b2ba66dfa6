// SPDX-License-Identifier: MIT
//
// The server is stopped by a child of this process, which does nothing else: the load generator is
// not disturbed by what it measures. The child says how long the stop took, since on a busy machine
// it wakes late, and the arithmetic must be about what happened.

#include "tools/profile/stall.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/profile/clock.h"
#include "tools/profile/load.h"
#include "tools/profile/server.h"

// So few that nearly everybody who comes during the stop finds all of them taken.
enum { CONNECTION_COUNT = 16, MESSAGE_BYTES = 64 };

static void sleep_until(int64_t moment_ns)
{
    const struct timespec moment = {.tv_sec = moment_ns / CLOCK_NS_PER_SECOND,
                                    .tv_nsec = moment_ns % CLOCK_NS_PER_SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) == EINTR) {
    }
}

// In the child. The server is a child of the parent, which has not waited for it: the process id is
// still its own.
_Noreturn static void stop_server(const struct stall_plan *plan, pid_t server, int report_fd)
{
    int64_t began_ns = clock_now_ns();
    // Ctrl-C is the parent's business; without a parent there is nothing to do.
    if (signal(SIGINT, SIG_IGN) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        _exit(1);
    sleep_until(began_ns + plan->duration_ns / 3);
    int64_t stopped_ns = clock_now_ns();
    kill(server, SIGSTOP);
    sleep_until(stopped_ns + plan->stop_ns);
    kill(server, SIGCONT);
    stopped_ns = clock_now_ns() - stopped_ns;
    _exit(write(report_fd, &stopped_ns, sizeof(stopped_ns)) == sizeof(stopped_ns) ? 0 : 1);
}

static int fail(char *reason, size_t reason_bytes, int error, const char *what)
{
    snprintf(reason, reason_bytes, "stall: %s", what);
    return error;
}

// Latencies fall evenly from the whole stop, for those who came at its begin, to nothing. One in a
// hundred operations lies beyond the percentile. The first one of the stop came, on average, half
// an interval after its begin.
static int64_t expect_p99(const struct stall_plan *plan, const struct stall_outcome *outcome)
{
    double beyond = floor((double)outcome->operation_count / 100);
    return outcome->stopped_ns - llround((beyond + 0.5) * 1e9 / plan->rate_per_s);
}

// Run the load while a child stops the server.
static int load_and_stop(const struct stall_plan *plan, struct load *load, pid_t server,
                         const struct load_histograms *histograms,
                         struct stall_outcome *ret_outcome)
{
    struct load_window window;
    int report[2], status;
    if (pipe(report) < 0)
        return -errno;
    pid_t child = fork();
    if (child == 0)
        stop_server(plan, server, report[1]);
    int result = child < 0 ? -errno : 0;
    close(report[1]);
    if (result == 0)
        result = load_run(load, plan->duration_ns, histograms, &window);
    if (child > 0) {
        // A load that ended early leaves a child behind that would stop the server later.
        if (result < 0 || *plan->stop)
            kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    if (result == 0 && read(report[0], &ret_outcome->stopped_ns, sizeof(int64_t)) < 8)
        result = -EINTR;
    close(report[0]);
    if (result == 0)
        ret_outcome->operation_count = window.operation_count;
    return result;
}

static int measure(const struct stall_plan *plan, const struct workload_choice *workload,
                   const struct server *server, struct histogram *histograms, char *reason,
                   size_t reason_bytes, struct stall_outcome *ret_outcome)
{
    struct load *load = NULL;
    struct load_plan load_plan = {
        .workload = workload,
        .address = {.port = server->port},
        .connection_count = CONNECTION_COUNT,
        .depth = 1,
        .loop = LOAD_OPEN,
        .rate_per_s = plan->rate_per_s,
        .arrivals = LOAD_UNIFORM,
        .seed = plan->seed,
        .stop = plan->stop,
    };
    const struct load_histograms into = {.latency = &histograms[0], .service = &histograms[1]};
    struct stall_outcome outcome = {0};
    int result = workload->workload->open(workload, plan->seed, &load_plan.state);
    if (result == 0)
        result = load_open(&load_plan, &load);
    if (result == 0)
        result = load_and_stop(plan, load, server->pid, &into, &outcome);
    if (result == 0) {
        outcome.p99_ns = (int64_t)histogram_percentile(into.latency, 0.99);
        outcome.service_p99_ns = (int64_t)histogram_percentile(into.service, 0.99);
        outcome.expected_p99_ns = expect_p99(plan, &outcome);
        *ret_outcome = outcome;
    } else {
        bool is_told = load != NULL && *load_failure(load) != '\0';
        fail(reason, reason_bytes, result, is_told ? load_failure(load) : strerror(-result));
    }
    load_close(load);
    workload->workload->close(load_plan.state);
    return result;
}

int stall_run(const struct stall_plan *plan, char *reason, size_t reason_bytes,
              struct stall_outcome *ret_outcome)
{
    struct workload_choice workload;
    struct arm_start how;
    struct server server;
    char what[160];
    int result = workload_choose("echo", MESSAGE_BYTES, &workload, what, sizeof(what));
    if (result < 0)
        return fail(reason, reason_bytes, result, what);
    result = arms_prepare(plan->arm, &how);
    if (result < 0)
        return fail(reason, reason_bytes, result, how.reason);
    result = pin_apply(plan->pin.client_cpu, pin_is_shared(&plan->pin));
    if (result < 0)
        return fail(reason, reason_bytes, result, strerror(-result));
    struct histogram *histograms = calloc(2, sizeof(*histograms));
    if (histograms == NULL)
        return fail(reason, reason_bytes, -ENOMEM, strerror(ENOMEM));
    result = server_start(how.words, how.port, plan->pin.server_cpu, pin_is_shared(&plan->pin),
                          what, sizeof(what), &server);
    if (result < 0) {
        fail(reason, reason_bytes, result, what);
    } else {
        result = measure(plan, &workload, &server, histograms, reason, reason_bytes, ret_outcome);
        server_stop(&server);
    }
    free(histograms);
    return result;
}
