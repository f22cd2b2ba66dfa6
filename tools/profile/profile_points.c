// SPDX-License-Identifier: MIT
//
// The verbs `sweep` and `capacity`, which measure at many points, and `selfcheck`, which measures
// the profiler.

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tools/profile/capacity.h"
#include "tools/profile/environment.h"
#include "tools/profile/profile.h"
#include "tools/profile/selfcheck.h"
#include "tools/profile/sweep.h"

static struct sweep_plan sweep;

static int measure_sweep(struct experiment *experiment)
{
    return sweep_run(experiment, &sweep);
}

int profile_sweep(int argc, char *argv[], char *const words[])
{
    const struct profile_settings *settings = &profile_settings;
    char reason[120];
    int status;
    if (!profile_parse(PROFILE_SWEEP, argc, argv, &status))
        return status;
    bool is_over_connections = strcmp(settings->over, "connections") == 0;
    if (!is_over_connections && strcmp(settings->over, "rates") != 0)
        return profile_refuse(PROFILE_SWEEP, "over", settings->over,
                              "Must be rates or connections");
    if (sweep_parse(settings->points, is_over_connections, &sweep, reason, sizeof(reason)) < 0)
        return profile_refuse(PROFILE_SWEEP, "points", settings->points, reason);
    // What is prepared for is the most there will be.
    for (size_t point = 0; point < sweep.point_count && is_over_connections; point++) {
        uint64_t count = (uint64_t)sweep.points[point].value;
        if (point == 0 || count > profile_settings.connection_count)
            profile_settings.connection_count = count;
    }
    return profile_measure(PROFILE_SWEEP, "sweep", measure_sweep, words);
}

static int measure_capacity(struct experiment *experiment)
{
    return capacity_run(experiment, profile_settings.slo_ns);
}

int profile_capacity(int argc, char *argv[], char *const words[])
{
    int status;
    if (!profile_parse(PROFILE_CAPACITY, argc, argv, &status))
        return status;
    return profile_measure(PROFILE_CAPACITY, "capacity", measure_capacity, words);
}

int profile_selfcheck(int argc, char *argv[])
{
    static struct result_environment environment;
    const struct profile_settings *settings = &profile_settings;
    char reason[200];
    int status;
    if (!profile_parse(PROFILE_SELFCHECK, argc, argv, &status))
        return status;
    struct selfcheck_plan plan = {
        .is_quick = settings->is_brief,
        .seed = settings->seed,
        .environment = &environment,
        .shows_progress = !settings->quiet && isatty(STDERR_FILENO),
        .stop = &profile_stop,
    };
    if (pin_parse(settings->pin, &plan.pin) < 0)
        return profile_refuse(PROFILE_SELFCHECK, "pin", settings->pin,
                              "Must be one, none or server=N,client=M with processors of this "
                              "machine");
    environment_read(&environment);
    profile_catch_signals();
    int missed = selfcheck_run(&plan, stdout, reason, sizeof(reason));
    if (fflush(stdout) != 0)
        return profile_complain("write", "the report", -errno);
    if (missed < 0) {
        fprintf(stderr, "profile: selfcheck: %s\n", reason);
        return OPTIONS_EXIT_FAILED;
    }
    return missed > 0 ? OPTIONS_EXIT_FAILED : OPTIONS_EXIT_DONE;
}
