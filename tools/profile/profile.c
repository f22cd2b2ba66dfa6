// SPDX-License-Identifier: MIT
//
// The comparative profiler: which of some servers does the same work with less processor time, by
// how much, and how sure is that. This file reads the command line, lets the experiment run and
// shows what came of it; docs/profiling.md says how to read it.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/options.h"
#include "tools/profile/arms.h"
#include "tools/profile/environment.h"
#include "tools/profile/experiment.h"
#include "tools/profile/report.h"
#include "tools/profile/result.h"

// What the command line says.
static struct {
    const char *arms;
    const char *workload;
    uint64_t connection_count;
    uint64_t message_bytes;
    int64_t window_ns;
    int64_t warmup_ns;
    uint64_t block_count;
    uint64_t seed;
    const char *pin;
    const char *json;
    bool quiet;
} settings;

// Written before the command line is read, since the table of arms knows the names.
static char arms_help[400];

static const struct options_entry entries[] = {
    {.long_name = "arms", .argument = "LIST", .help = arms_help, .text = &settings.arms},
    {.long_name = "workload",
     .argument = "NAME",
     .help = "what the client does: echo",
     .initial = "echo",
     .text = &settings.workload},
    {.long_name = "connections",
     .short_name = 'c',
     .argument = "N",
     .help = "connections to each server, all busy",
     .initial = "64",
     .count = &settings.connection_count,
     .minimum = 1,
     .maximum = 10000},
    {.long_name = "message-bytes",
     .short_name = 's',
     .argument = "N",
     .help = "bytes of a message, k = 1024",
     .initial = "64",
     .bytes = &settings.message_bytes,
     .minimum = 1,
     .maximum = 16 << 20},
    {.long_name = "duration",
     .short_name = 'd',
     .argument = "TIME",
     .help = "of one window of one arm, such as 500ms or 2s",
     .initial = "50ms",
     .duration_ns = &settings.window_ns,
     .minimum = 1000000,
     .maximum = 60000000000},
    {.long_name = "blocks",
     .argument = "N",
     .help = "how often each arm gets a window; more make the intervals narrower",
     .initial = "150",
     .count = &settings.block_count,
     .minimum = 1,
     .maximum = 100000},
    {.long_name = "warmup",
     .short_name = 'w',
     .argument = "TIME",
     .help = "load before each window, on the same connections, not counted",
     .initial = "10ms",
     .duration_ns = &settings.warmup_ns,
     .minimum = 0,
     .maximum = 60000000000},
    {.long_name = "seed",
     .argument = "N",
     .help = "of the messages, the order of the windows and the intervals",
     .initial = "1",
     .count = &settings.seed,
     .minimum = 0,
     .maximum = INT64_MAX},
    {.long_name = "pin",
     .argument = "MODE",
     .help = "one: server and client share a processor; server=N,client=M; none",
     .initial = "one",
     .text = &settings.pin},
    {.long_name = "json",
     .argument = "FILE",
     .help = "also write every window to this file",
     .text = &settings.json},
    {.long_name = "quiet",
     .short_name = 'q',
     .help = "show no progress on the terminal",
     .flag = &settings.quiet},
};

static const struct options_program program = {
    .name = "profile",
    .summary =
        "Compare servers: the same load on each in turn, window by window, in balanced order.",
    .closing = "Examples:\n"
               "  profile --arms epoll,raw-epoll -c 256 -s 1k\n"
               "  profile --arms raw-epoll,raw-epoll          (how well can this machine tell?)\n"
               "  profile --arms \"epoll,exec:'./server --port {port}'\" --json result.json",
    .entries = entries,
    .entry_count = sizeof(entries) / sizeof(entries[0]),
};

static void write_arms_help(void)
{
    char names[200];
    arms_list(names, sizeof(names));
    snprintf(arms_help, sizeof(arms_help),
             "what to measure, separated by commas: %s, or\n"
             "exec:'COMMAND {port}'; a name given twice is compared with itself\n"
             "(without this option: all that are built in)",
             names);
}

static volatile sig_atomic_t stop;

static void request_stop(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

// The first signal asks for an orderly end; SA_RESETHAND leaves the second one its default.
static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = request_stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int complain(const char *what, const char *object, int error)
{
    fprintf(stderr, "profile: %s%s%s: %s\n", what, *object != '\0' ? " " : "", object,
            strerror(-error));
    return OPTIONS_EXIT_FAILED;
}

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

// Turn the settings into a plan. The result is an exit status.
static int read_plan(struct experiment_plan *plan, struct arm arms[ARMS_LIMIT], size_t *ret_count)
{
    char reason[320];
    *plan = (struct experiment_plan){
        .connection_count = settings.connection_count,
        .message_bytes = settings.message_bytes,
        .window_ns = settings.window_ns,
        .warmup_ns = settings.warmup_ns,
        .block_count = settings.block_count,
        .seed = settings.seed,
        .shows_progress = !settings.quiet && isatty(STDERR_FILENO),
        .stop = &stop,
    };
    if (workload_choose(settings.workload, settings.message_bytes, &plan->workload, reason,
                        sizeof(reason)) < 0)
        return options_refuse(&program, "workload", settings.workload, reason);
    if (pin_parse(settings.pin, &plan->pin) < 0)
        return options_refuse(
            &program, "pin", settings.pin,
            "Must be one, none or server=N,client=M with processors of this machine");
    if (arms_parse(settings.arms, arms, ret_count, reason, sizeof(reason)) < 0)
        return options_refuse(&program, "arms", settings.arms, reason);
    return OPTIONS_EXIT_DONE;
}

// An arm that the user named must be timed; of those nobody named, what cannot be started here is
// only mentioned. A wrong server is a failure in either case.
static bool has_failed(const struct experiment *experiment)
{
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        const struct contestant *contestant = &experiment->contestants[index];
        bool is_excused = settings.arms == NULL && contestant->is_unavailable;
        if (contestant->outcome->failure[0] != '\0' && !is_excused)
            return true;
    }
    return experiment->result->block_count == 0;
}

// `json` is the stream of the result file, or NULL.
static int run(struct experiment *experiment, FILE *json)
{
    int result = experiment_run(experiment);
    if (result < 0 && result != -ENOENT)
        return complain("run", "", result);
    result = report_print(experiment->result, options_colors_welcome(stdout), stdout);
    if (result < 0)
        return complain("report", "", result);
    result = json != NULL ? result_write(experiment->result, json) : 0;
    if (result < 0)
        return complain("write", settings.json, result);
    return has_failed(experiment) ? OPTIONS_EXIT_FAILED : OPTIONS_EXIT_DONE;
}

int main(int argc, char *argv[])
{
    static struct arm arms[ARMS_LIMIT];
    static struct experiment experiment;
    static struct result found;
    struct experiment_plan plan;
    size_t arm_count;
    int status;
    write_arms_help();
    if (!options_parse(&program, argc, argv, &status))
        return status;
    status = read_plan(&plan, arms, &arm_count);
    if (status != OPTIONS_EXIT_DONE)
        return status;
    // Opened first: a name that cannot be written must not cost a minute of measuring.
    FILE *json = settings.json != NULL ? fopen(settings.json, "we") : NULL;
    if (settings.json != NULL && json == NULL)
        return complain("open", settings.json, -errno);
    raise_descriptor_limit(plan.connection_count + 256);
    catch_signals();
    result_init(&found);
    environment_read(&found.environment);
    snprintf(found.version, sizeof(found.version), "%s", OPTIONS_VERSION);
    int result = result_set_words(&found, argv);
    if (result == 0)
        result = experiment_create(&plan, arms, arm_count, &found, &experiment);
    if (result < 0)
        return complain("prepare", "", result);
    status = run(&experiment, json);
    experiment_destroy(&experiment);
    result_destroy(&found);
    if (json != NULL)
        fclose(json);
    return status;
}
