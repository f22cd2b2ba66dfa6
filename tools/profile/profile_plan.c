// SPDX-License-Identifier: MIT
//
// From settings to a plan: what the table of options cannot check by itself.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/profile/profile.h"

int profile_percent(const char *text, double *ret_share)
{
    char *end;
    if (*text < '0' || *text > '9')
        return -EINVAL;
    double percent = strtod(text, &end);
    end += strspn(end, " ");
    if ((strcmp(end, "") != 0 && strcmp(end, "%") != 0) || !(percent >= 0 && percent <= 100))
        return -EINVAL;
    *ret_share = percent / 100;
    return 0;
}

// A word of a short list. RESULT_NONE, if it is none of them.
static size_t choose(const char *word, const char *const words[], size_t count)
{
    for (size_t index = 0; index < count; index++) {
        if (strcmp(word, words[index]) == 0)
            return index;
    }
    return RESULT_NONE;
}

static int plan_loop(enum profile_verb verb, struct experiment_plan *plan)
{
    static const char *const loops[] = {"closed", "open"};
    static const char *const arrivals[] = {"poisson", "uniform"};
    const struct profile_settings *settings = &profile_settings;
    size_t kind = choose(settings->arrivals, arrivals, 2);
    if (kind == RESULT_NONE)
        return profile_refuse(verb, "arrivals", settings->arrivals, "Must be poisson or uniform");
    plan->arrivals = kind == 0 ? LOAD_POISSON : LOAD_UNIFORM;
    plan->rate_per_s = (double)settings->rate_per_s;
    plan->loop = settings->rate_per_s > 0 ? LOAD_OPEN : LOAD_CLOSED;
    if (verb == PROFILE_CAPACITY || (verb == PROFILE_SWEEP && strcmp(settings->over, "rates") == 0))
        plan->loop = LOAD_OPEN;
    if (settings->loop != NULL) {
        kind = choose(settings->loop, loops, 2);
        if (kind == RESULT_NONE)
            return profile_refuse(verb, "loop", settings->loop, "Must be closed or open");
        if (kind == 1 && settings->rate_per_s == 0)
            return profile_refuse(verb, "loop", settings->loop, "Needs a --rate");
        if (kind == 0 && settings->rate_per_s > 0)
            return profile_refuse(verb, "loop", settings->loop, "Has no --rate");
    }
    return OPTIONS_EXIT_DONE;
}

static int plan_length(enum profile_verb verb, struct experiment_plan *plan)
{
    const struct profile_settings *settings = &profile_settings;
    uint64_t block_count = 0;
    bool is_auto = strcmp(settings->blocks, "auto") == 0 && verb == PROFILE_RUN;
    if (!is_auto && (options_number(settings->blocks, 1000, &block_count) < 0 || block_count < 1 ||
                     block_count > 100000))
        return profile_refuse(verb, "blocks", settings->blocks,
                              verb == PROFILE_RUN ? "Must be auto or from 1 to 100000"
                                                  : "Must be from 1 to 100000");
    plan->block_count = block_count;
    if (verb == PROFILE_RUN &&
        (profile_percent(settings->precision, &plan->precision) < 0 || plan->precision < 0.0001))
        return profile_refuse(verb, "precision", settings->precision,
                              "Must be a percentage such as 2%, from 0.01% on");
    plan->budget_ns = settings->budget_ns;
    plan->warms_up = strcmp(settings->warmup, "auto") == 0;
    plan->warmup_ns = plan->window_ns / 5;
    if (!plan->warms_up &&
        (options_duration(settings->warmup, &plan->warmup_ns) < 0 || plan->warmup_ns > 60000000000))
        return profile_refuse(verb, "warmup", settings->warmup,
                              "Must be auto or a duration up to 60s");
    return OPTIONS_EXIT_DONE;
}

// Where two processors are wanted and there is one, they share it; what is then measured is said in
// the report.
static int plan_pin(enum profile_verb verb, struct experiment_plan *plan)
{
    const char *pin = profile_settings.pin;
    if (strcmp(pin, "auto") == 0)
        pin = plan->loop == LOAD_OPEN || plan->polls ? "two" : "one";
    if (strcmp(pin, "two") == 0 && pin_parse("server=0,client=1", &plan->pin) == 0)
        return OPTIONS_EXIT_DONE;
    if (pin_parse(strcmp(pin, "two") == 0 ? "one" : pin, &plan->pin) < 0)
        return profile_refuse(
            verb, "pin", pin,
            "Must be auto, one, two, none or server=N,client=M with processors of this machine");
    if (plan->polls && pin_is_shared(&plan->pin))
        return profile_refuse(verb, "pin", pin, "A --polling client wants a processor of its own");
    return OPTIONS_EXIT_DONE;
}

static int plan_counters(enum profile_verb verb, struct experiment_plan *plan)
{
    static const char *const counters[] = {"none", "syscalls", "insns"};
    if (verb != PROFILE_RUN)
        return OPTIONS_EXIT_DONE;
    size_t level = choose(profile_settings.counters, counters, 3);
    if (level == RESULT_NONE)
        return profile_refuse(verb, "counters", profile_settings.counters,
                              "Must be syscalls, insns or none");
    plan->counts_calls = level >= 1;
    plan->counts_instructions = level >= 2;
    return OPTIONS_EXIT_DONE;
}

int profile_plan(enum profile_verb verb, struct experiment_plan *ret_plan,
                 struct arm ret_arms[ARMS_LIMIT], size_t *ret_count)
{
    const struct profile_settings *settings = &profile_settings;
    char reason[320];
    struct experiment_plan plan = {
        .is_unix = settings->is_unix,
        .connection_count = settings->connection_count,
        .depth = settings->depth,
        .polls = settings->polls,
        .window_ns = settings->window_ns,
        .seed = settings->seed,
        .shows_progress = !settings->quiet && isatty(STDERR_FILENO),
        .stop = &profile_stop,
    };
    if (workload_choose(settings->workload, settings->message_bytes, &plan.workload, reason,
                        sizeof(reason)) < 0)
        return profile_refuse(verb, "workload", settings->workload, reason);
    int status = plan_loop(verb, &plan);
    if (status == OPTIONS_EXIT_DONE)
        status = plan_length(verb, &plan);
    if (status == OPTIONS_EXIT_DONE)
        status = plan_pin(verb, &plan);
    if (status == OPTIONS_EXIT_DONE)
        status = plan_counters(verb, &plan);
    if (status != OPTIONS_EXIT_DONE)
        return status;
    if (arms_parse(settings->arms, ret_arms, ret_count, reason, sizeof(reason)) < 0)
        return profile_refuse(verb, "arms", settings->arms, reason);
    *ret_plan = plan;
    return OPTIONS_EXIT_DONE;
}
