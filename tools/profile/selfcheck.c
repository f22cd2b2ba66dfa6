// SPDX-License-Identifier: MIT
//
// Two kinds of evidence. Live runs are the real thing, but few. Trials drawn from a recording are
// many, and say how often the method errs on noise like this machine's. The server that is slower
// is one that this program knows nothing about but its name (peers/slower.c).
//
// Goals are about shares of many runs. Of ten live runs one may go wrong, since at a share of one
// in twenty that happens in two of five such tens. Trials that come from one recording share what
// chance put into it: with noise that is as good as can be, 600 blocks show 4.1 % of false alarms
// give or take 0.8 %, and the 90 of the short form 4.2 give or take 1.8. What lies above the goal,
// but within twice that, is in doubt and not missed.

#include "tools/profile/selfcheck.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "tools/profile/arms.h"
#include "tools/profile/clock.h"
#include "tools/profile/experiment.h"
#include "tools/profile/result.h"
#include "tools/profile/stall.h"
#include "tools/profile/summary.h"
#include "tools/profile/trials.h"

enum { CONNECTION_COUNT = 64, MESSAGE_BYTES = 64, CELL_BYTES = 80 };

static const double FALSE_ALARM_GOAL = 0.05, FIND_GOAL = 0.95, STALL_TOLERANCE = 0.05;
static const double BURDEN = 1.05, STALL_RATE_PER_S = 1000;
static const int64_t STALL_STOP_NS = 200 * CLOCK_NS_PER_MS;

// How much of everything.
struct extent {
    size_t recorded_blocks;
    size_t trial_count;
    size_t run_blocks;  // of a trial, that stay together
    double doubt;       // the share of false alarms of trials up to which chance may explain it
    size_t live_count;  // runs of each kind
    size_t live_blocks; // of a run, and of a trial
    int64_t window_ns;
    int64_t warmup_ns;
    int64_t stall_ns;
};

static const struct extent full_extent = {
    .recorded_blocks = 600,
    .trial_count = 1000,
    .run_blocks = 6,
    .doubt = 0.065,
    .live_count = 10,
    .live_blocks = 150,
    .window_ns = 20 * CLOCK_NS_PER_MS,
    .warmup_ns = 4 * CLOCK_NS_PER_MS,
    .stall_ns = 10 * CLOCK_NS_PER_SECOND,
};

static const struct extent quick_extent = {
    .recorded_blocks = 90,
    .trial_count = 1000,
    .run_blocks = 4,
    .doubt = 0.085,
    .live_count = 2,
    .live_blocks = 40,
    .window_ns = 15 * CLOCK_NS_PER_MS,
    .warmup_ns = 3 * CLOCK_NS_PER_MS,
    .stall_ns = 3 * CLOCK_NS_PER_SECOND,
};

static const struct arm_program slower_program = {
    .name = "slower",
    .path = "tools/profile/peers/slower",
};

struct selfcheck {
    const struct selfcheck_plan *plan;
    const struct extent *extent;
    FILE *stream;
    char *reason;
    size_t reason_bytes;
    int missed_count;
};

// What a number of live runs saw.
struct live_outcome {
    size_t ranked_count; // the others failed a gate, and said nothing
    size_t cpu_seen;
    size_t rate_seen;
    size_t slower_seen;
};

static int fail(struct selfcheck *check, int error, const char *what)
{
    snprintf(check->reason, check->reason_bytes, "%s", what);
    return error;
}

enum verdict { MET, DOUBTFUL, MISSED };

static void print_row(struct selfcheck *check, enum verdict verdict, const char *what,
                      const char *goal, const char *seen)
{
    static const char *const words[] = {"met", "in doubt", "MISSED"};
    check->missed_count += verdict == MISSED;
    fprintf(check->stream, "%-48s %-17s %-20s %s\n", what, goal, seen, words[verdict]);
    fflush(check->stream);
}

// Two arms: the reference, and the reference again or the slower server.
static int choose_arms(struct selfcheck *check, bool is_slower, struct arm arms[ARMS_LIMIT])
{
    char reason[320];
    size_t count;
    int result = arms_parse("raw-epoll,raw-epoll", arms, &count, reason, sizeof(reason));
    if (result < 0)
        return fail(check, result, reason);
    if (is_slower) {
        arms[1].program = &slower_program;
        snprintf(arms[1].name, sizeof(arms[1].name), "%s", slower_program.name);
    }
    return 0;
}

// A run as every other. The result is the caller's to destroy, in every case.
static int record(struct selfcheck *check, bool is_slower, size_t block_count, uint64_t seed,
                  struct result *ret_result)
{
    static struct arm arms[ARMS_LIMIT];
    static struct experiment experiment;
    char reason[160];
    struct experiment_plan plan = {
        .connection_count = CONNECTION_COUNT,
        .depth = 1,
        .window_ns = check->extent->window_ns,
        .warmup_ns = check->extent->warmup_ns,
        .block_count = block_count,
        .seed = seed,
        .pin = check->plan->pin,
        .shows_progress = check->plan->shows_progress,
        .stop = check->plan->stop,
    };
    result_init(ret_result);
    int result = workload_choose("echo", MESSAGE_BYTES, &plan.workload, reason, sizeof(reason));
    if (result < 0)
        return fail(check, result, reason);
    result = choose_arms(check, is_slower, arms);
    if (result < 0)
        return result;
    result = experiment_create(&plan, arms, 2, ret_result, &experiment);
    if (result < 0)
        return fail(check, result, strerror(-result));
    result = experiment_run(&experiment);
    experiment_destroy(&experiment);
    if (*check->plan->stop)
        return fail(check, -EINTR, "stopped");
    for (size_t index = 0; index < 2; index++) {
        if (ret_result->arms[index].failure[0] != '\0')
            return fail(check, -EIO, ret_result->arms[index].failure);
    }
    return result < 0 ? fail(check, result, strerror(-result)) : 0;
}

static int run_live(struct selfcheck *check, bool is_slower, struct live_outcome *ret_outcome)
{
    struct live_outcome outcome = {0};
    int result = 0;
    for (size_t number = 0; number < check->extent->live_count && result == 0; number++) {
        struct result found;
        struct summary summary = {0};
        result = record(check, is_slower, check->extent->live_blocks,
                        check->plan->seed + number + 1, &found);
        if (result == 0 && summary_has(&found, 1))
            result = summary_of(&found, 1, &summary);
        result_destroy(&found);
        if (result < 0 || !summary.is_compared)
            continue;
        outcome.ranked_count++;
        outcome.cpu_seen += statistics_differs(&summary.cpu_ratio);
        outcome.rate_seen += statistics_differs(&summary.rate_ratio);
        outcome.slower_seen += summary.cpu_ratio.low > 1;
    }
    *ret_outcome = outcome;
    return result;
}

static void print_share(char seen[CELL_BYTES], size_t hits, size_t count)
{
    double percent = count > 0 ? 100 * (double)hits / (double)count : 0;
    snprintf(seen, CELL_BYTES, "%zu of %zu, %.1f %%", hits, count, percent);
}

static int check_live(struct selfcheck *check)
{
    char what[CELL_BYTES], seen[CELL_BYTES];
    struct live_outcome outcome;
    int result = run_live(check, false, &outcome);
    if (result < 0)
        return result;
    snprintf(what, sizeof(what), "false alarms, %zu live runs", check->extent->live_count);
    snprintf(seen, sizeof(seen), "%zu of %zu ranked", outcome.cpu_seen, outcome.ranked_count);
    bool is_met = outcome.ranked_count > 0 && outcome.cpu_seen <= 1;
    print_row(check, is_met ? MET : MISSED, what, "at most 1", seen);

    result = run_live(check, true, &outcome);
    if (result < 0)
        return result;
    snprintf(what, sizeof(what), "5 %% slower server found, %zu live runs",
             check->extent->live_count);
    snprintf(seen, sizeof(seen), "%zu of %zu ranked", outcome.slower_seen, outcome.ranked_count);
    is_met = outcome.ranked_count > 0 && outcome.slower_seen + 1 >= outcome.ranked_count;
    print_row(check, is_met ? MET : MISSED, what, "all but 1", seen);
    return 0;
}

// What the recording says about the machine, so that the figures can be weighed.
static int print_recording(struct selfcheck *check, const struct result *recording)
{
    const struct result_environment *environment = check->plan->environment;
    struct summary summary;
    int result = summary_of(recording, 1, &summary);
    if (result < 0)
        return fail(check, result, strerror(-result));
    fprintf(check->stream, "%s against itself, echo, %d bytes, %d connections, %s\n",
            recording->arms[0].name, MESSAGE_BYTES, CONNECTION_COUNT, recording->plan.pin);
    fprintf(check->stream, "%lld processors, Linux %s, load average %.1f\n",
            (long long)environment->processors, environment->kernel, environment->load_average);
    if (!summary.is_compared)
        return fail(check, -EAGAIN,
                    "this machine is too restless now: no recording passes the gates");
    fprintf(check->stream,
            "%zu blocks of two windows of %lld ms: processor time for an operation %.3f [%.3f, "
            "%.3f], operations a second %.3f [%.3f, %.3f]\n\n",
            recording->block_count, (long long)(recording->plan.window_ns / CLOCK_NS_PER_MS),
            summary.cpu_ratio.estimate, summary.cpu_ratio.low, summary.cpu_ratio.high,
            summary.rate_ratio.estimate, summary.rate_ratio.low, summary.rate_ratio.high);
    return 0;
}

static void print_alarms(struct selfcheck *check, const char *of_what, size_t seen_count)
{
    const struct extent *extent = check->extent;
    char what[CELL_BYTES], seen[CELL_BYTES];
    double share = (double)seen_count / (double)extent->trial_count;
    snprintf(what, sizeof(what), "false alarms of %s, %zu trials", of_what, extent->trial_count);
    print_share(seen, seen_count, extent->trial_count);
    print_row(check,
              share <= FALSE_ALARM_GOAL ? MET
              : share <= extent->doubt  ? DOUBTFUL
                                        : MISSED,
              what, "at most 5 %", seen);
}

static int check_trials(struct selfcheck *check, const struct result *recording)
{
    char what[CELL_BYTES], seen[CELL_BYTES];
    struct trials_outcome equal, planted;
    struct trials_plan plan = {
        .trial_count = check->extent->trial_count,
        .block_count = check->extent->live_blocks,
        .run_blocks = check->extent->run_blocks,
        .burden = 1,
        .seed = check->plan->seed,
    };
    int result = trials_run(recording, &plan, &equal);
    plan.burden = BURDEN;
    if (result == 0)
        result = trials_run(recording, &plan, &planted);
    if (result < 0)
        return fail(check, result, strerror(-result));
    print_alarms(check, "processor time", equal.cpu_seen);
    print_alarms(check, "rate", equal.rate_seen);
    double share = (double)planted.slower_seen / (double)plan.trial_count;
    snprintf(what, sizeof(what), "5 %% more processor time found, %zu trials", plan.trial_count);
    print_share(seen, planted.slower_seen, plan.trial_count);
    print_row(check, share >= FIND_GOAL ? MET : MISSED, what, "at least 95 %", seen);
    fprintf(check->stream, "  (a trial has %zu blocks, and could have seen %.1f %%)\n",
            plan.block_count, 100 * (equal.detectable - 1));
    return 0;
}

static int check_stall(struct selfcheck *check)
{
    struct arm arms[ARMS_LIMIT];
    struct stall_outcome outcome;
    char goal[CELL_BYTES], seen[CELL_BYTES];
    int result = choose_arms(check, false, arms);
    if (result < 0)
        return result;
    const struct stall_plan plan = {
        .arm = &arms[0],
        .pin = check->plan->pin,
        .rate_per_s = STALL_RATE_PER_S,
        .duration_ns = check->extent->stall_ns,
        .stop_ns = STALL_STOP_NS,
        .seed = check->plan->seed,
        .stop = check->plan->stop,
    };
    result = stall_run(&plan, check->reason, check->reason_bytes, &outcome);
    if (result < 0)
        return result;
    double expected_ms = (double)outcome.expected_p99_ns * 1e-6;
    double p99_ms = (double)outcome.p99_ns * 1e-6;
    snprintf(goal, sizeof(goal), "%.1f ms +-5 %%", expected_ms);
    snprintf(seen, sizeof(seen), "%.1f ms", p99_ms);
    bool is_met = fabs(p99_ms - expected_ms) <= STALL_TOLERANCE * expected_ms;
    print_row(check, is_met ? MET : MISSED, "p99 when the server stops for 200 ms, open loop", goal,
              seen);
    fprintf(check->stream, "  (from the real send of each operation it would have been %.2f ms)\n",
            (double)outcome.service_p99_ns * 1e-6);
    return 0;
}

int selfcheck_run(const struct selfcheck_plan *plan, FILE *stream, char *reason,
                  size_t reason_bytes)
{
    struct selfcheck check = {
        .plan = plan,
        .extent = plan->is_quick ? &quick_extent : &full_extent,
        .stream = stream,
        .reason = reason,
        .reason_bytes = reason_bytes,
    };
    struct result recording;
    int result = record(&check, false, check.extent->recorded_blocks, plan->seed, &recording);
    if (result == 0)
        result = print_recording(&check, &recording);
    if (result == 0)
        result = check_trials(&check, &recording);
    result_destroy(&recording);
    if (result == 0)
        result = check_live(&check);
    if (result == 0)
        result = check_stall(&check);
    return result < 0 ? result : check.missed_count;
}
