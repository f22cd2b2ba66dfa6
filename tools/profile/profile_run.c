// SPDX-License-Identifier: MIT
//
// The verb `run`, and what all verbs that measure have in common: they differ in the points at
// which they take blocks, and in nothing else.

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "tools/profile/environment.h"
#include "tools/profile/gates.h"
#include "tools/profile/profile.h"
#include "tools/profile/report.h"

// For this process and for the servers, which inherit the limit. Where it cannot be raised far
// enough, connecting fails and says so.
static void raise_descriptor_limit(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// An arm that the user named must be timed; of those nobody named, what cannot be started here is
// only mentioned. A wrong server is a failure in either case, and so is a gate that failed.
static bool has_failed(const struct experiment *experiment)
{
    const struct result *result = experiment->result;
    bool is_named = profile_settings.arms != NULL && strcmp(profile_settings.arms, "all") != 0;
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        const struct contestant *contestant = &experiment->contestants[index];
        bool is_excused = !is_named && contestant->is_unavailable;
        if (contestant->outcome->failure[0] != '\0' && !is_excused)
            return true;
    }
    return !gates_hold(result) || (result->block_count == 0 && result->curve_count == 0);
}

// Measure, print, write.
static int run(struct experiment *experiment, profile_measure_function *measure,
               struct profile_outputs *outputs)
{
    int error = measure(experiment);
    if (error < 0 && error != -ENOENT)
        return profile_complain("run", "", error);
    error = report_print(experiment->result, options_colors_welcome(stdout), stdout);
    if (error < 0)
        return profile_complain("report", "", error);
    if (fflush(stdout) != 0)
        return profile_complain("write", "the report", -errno);
    int status = profile_outputs_write(outputs, experiment->result);
    if (status != OPTIONS_EXIT_DONE)
        return status;
    return has_failed(experiment) ? OPTIONS_EXIT_FAILED : OPTIONS_EXIT_DONE;
}

int profile_measure(enum profile_verb verb, const char *name, profile_measure_function *measure,
                    char *const words[])
{
    static struct arm arms[ARMS_LIMIT];
    static struct experiment experiment;
    static struct result result;
    struct experiment_plan plan;
    struct profile_outputs outputs;
    size_t arm_count;
    int status = profile_plan(verb, &plan, arms, &arm_count);
    if (status == OPTIONS_EXIT_DONE)
        status = profile_outputs_open(&outputs);
    if (status != OPTIONS_EXIT_DONE)
        return status;
    raise_descriptor_limit(workload_open_count(&plan.workload, plan.connection_count) + 256);
    profile_catch_signals();
    result_init(&result);
    environment_read(&result.environment);
    strcpy(result.version, OPTIONS_VERSION);
    int error = result_set_words(&result, words);
    if (error == 0)
        error = experiment_create(&plan, arms, arm_count, &result, &experiment);
    if (error < 0)
        return profile_complain("prepare", "", error);
    strcpy(result.plan.verb, name);
    status = run(&experiment, measure, &outputs);
    experiment_destroy(&experiment);
    result_destroy(&result);
    return status;
}

int profile_run(int argc, char *argv[], char *const words[])
{
    int status;
    if (!profile_parse(PROFILE_RUN, argc, argv, &status))
        return status;
    return profile_measure(PROFILE_RUN, "run", experiment_run, words);
}
