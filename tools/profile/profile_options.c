// SPDX-License-Identifier: MIT
//
// One table of options for all verbs: a row says to which verbs it belongs. What a verb's help
// shows is therefore what it takes.

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/profile/profile.h"

#define MEASURE (PROFILE_RUN | PROFILE_SWEEP | PROFILE_CAPACITY)
#define POINTS (PROFILE_SWEEP | PROFILE_CAPACITY)
#define EVERY (MEASURE | PROFILE_REPORT)

struct profile_settings profile_settings;

// Written before the command line is read, since the tables of arms and workloads know the names.
static char arms_help[600];
static char workload_help[600];

static const struct row {
    int verbs;
    struct options_entry entry;
} rows[] = {
    {MEASURE,
     {.long_name = "arms", .argument = "LIST", .help = arms_help, .text = &profile_settings.arms}},
    {MEASURE,
     {.long_name = "workload",
      .argument = "NAME",
      .help = workload_help,
      .initial = "echo",
      .text = &profile_settings.workload}},
    {MEASURE,
     {.long_name = "connections",
      .short_name = 'c',
      .argument = "N",
      .help = "connections to each server, all busy",
      .initial = "64",
      .count = &profile_settings.connection_count,
      .minimum = 1,
      .maximum = 10000}},
    {MEASURE,
     {.long_name = "message-bytes",
      .short_name = 's',
      .argument = "N",
      .help = "bytes of a message, k = 1024",
      .initial = "64",
      .bytes = &profile_settings.message_bytes,
      .minimum = 1,
      .maximum = 16 << 20}},
    {MEASURE,
     {.long_name = "pipeline",
      .argument = "N",
      .help = "operations under way on a connection",
      .initial = "1",
      .count = &profile_settings.depth,
      .minimum = 1,
      .maximum = 1024}},
    {MEASURE,
     {.long_name = "unix",
      .help = "unix sockets in the place of TCP",
      .flag = &profile_settings.is_unix}},
    {PROFILE_RUN,
     {.long_name = "loop",
      .argument = "KIND",
      .help = "closed: the next message goes out when the reply is there;\n"
              "open: by the clock, at --rate",
      .text = &profile_settings.loop}},
    {PROFILE_RUN,
     {.long_name = "rate",
      .short_name = 'R',
      .argument = "N",
      .help = "operations a second, over all connections; makes the loop open",
      .initial = "0",
      .count = &profile_settings.rate_per_s,
      .minimum = 0,
      .maximum = 100000000}},
    {MEASURE,
     {.long_name = "arrivals",
      .argument = "KIND",
      .help = "of an open loop: poisson or uniform",
      .initial = "poisson",
      .text = &profile_settings.arrivals}},
    {MEASURE,
     {.long_name = "polling",
      .help = "the client never sleeps; wants a processor of its own",
      .flag = &profile_settings.polls}},
    {PROFILE_RUN,
     {.long_name = "duration",
      .short_name = 'd',
      .argument = "TIME",
      .help = "of one window of one arm, such as 500ms or 2s",
      .initial = "50ms",
      .duration_ns = &profile_settings.window_ns,
      .minimum = 1000000,
      .maximum = 60000000000}},
    {POINTS,
     {.long_name = "duration",
      .short_name = 'd',
      .argument = "TIME",
      .help = "of one window of one arm, such as 500ms or 2s",
      .initial = "200ms",
      .duration_ns = &profile_settings.window_ns,
      .minimum = 1000000,
      .maximum = 60000000000}},
    {PROFILE_RUN,
     {.long_name = "blocks",
      .argument = "N",
      .help = "how often each arm gets a window, or auto: see the next two",
      .initial = "auto",
      .text = &profile_settings.blocks}},
    {PROFILE_RUN,
     {.long_name = "precision",
      .argument = "P%",
      .help = "with --blocks auto: wanted half width of the intervals",
      .initial = "1%",
      .text = &profile_settings.precision}},
    {PROFILE_RUN,
     {.long_name = "budget",
      .argument = "TIME",
      .help = "with --blocks auto: the run must not take much longer",
      .initial = "45s",
      .duration_ns = &profile_settings.budget_ns,
      .minimum = 1000000000,
      .maximum = 86400000000000}},
    {POINTS,
     {.long_name = "blocks",
      .argument = "N",
      .help = "windows of each arm at a point",
      .initial = "3",
      .text = &profile_settings.blocks}},
    {PROFILE_SWEEP,
     {.long_name = "over",
      .argument = "WHAT",
      .help = "rates: open loop, shares of what each arm can do; connections: closed loop",
      .initial = "rates",
      .text = &profile_settings.over}},
    {PROFILE_SWEEP,
     {.long_name = "points",
      .argument = "LIST",
      .help = "operations a second, shares such as 50%, or connections, separated by\n"
              "commas (without this option: 10% ... 120%, or 1 ... 1k)",
      .text = &profile_settings.points}},
    {PROFILE_CAPACITY,
     {.long_name = "slo",
      .argument = "TIME",
      .help = "the 99th percentile of latency must stay below this",
      .initial = "1ms",
      .duration_ns = &profile_settings.slo_ns,
      .minimum = 1000,
      .maximum = 60000000000}},
    {MEASURE,
     {.long_name = "warmup",
      .short_name = 'w',
      .argument = "TIME",
      .help = "load before each window, on the same connections, not counted; auto: a\n"
              "fifth of a window, and before the first one until the rate has no slope",
      .initial = "auto",
      .text = &profile_settings.warmup}},
    {MEASURE | PROFILE_SELFCHECK,
     {.long_name = "seed",
      .argument = "N",
      .help = "of the messages, the arrivals and the order of the windows",
      .initial = "1",
      .count = &profile_settings.seed,
      .minimum = 0,
      .maximum = INT64_MAX}},
    {MEASURE,
     {.long_name = "pin",
      .argument = "MODE",
      .help = "one: server and client share a processor; two: each has its own;\n"
              "server=N,client=M; none; auto: one for a closed loop, two for an open one",
      .initial = "auto",
      .text = &profile_settings.pin}},
    {PROFILE_SELFCHECK,
     {.long_name = "pin",
      .argument = "MODE",
      .help = "one: server and client share a processor; server=N,client=M; none",
      .initial = "one",
      .text = &profile_settings.pin}},
    {PROFILE_SELFCHECK,
     {.long_name = "brief",
      .help = "a small share of it, in twenty seconds instead of five minutes",
      .flag = &profile_settings.is_brief}},
    {PROFILE_RUN,
     {.long_name = "counters",
      .argument = "WHAT",
      .help = "after the last block: syscalls; insns: instructions, too, by callgrind, which\n"
              "takes seconds for each arm; none",
      .initial = "syscalls",
      .text = &profile_settings.counters}},
    {PROFILE_COMPARE,
     {.long_name = "tolerance",
      .argument = "P%",
      .help = "a change for the worse up to this is none",
      .initial = "3%",
      .text = &profile_settings.tolerance}},
    {MEASURE,
     {.long_name = "json",
      .argument = "FILE",
      .help = "also write every window to this file",
      .text = &profile_settings.json}},
    {EVERY,
     {.long_name = "html",
      .argument = "FILE",
      .help = "also write a page with plots",
      .text = &profile_settings.html}},
    {EVERY,
     {.long_name = "csv",
      .argument = "FILE",
      .help = "also write a row for each window",
      .text = &profile_settings.csv}},
    {MEASURE | PROFILE_SELFCHECK,
     {.long_name = "quiet",
      .short_name = 'q',
      .help = "show no progress on the terminal",
      .flag = &profile_settings.quiet}},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const struct verb {
    enum profile_verb verb;
    const char *name, *usage, *summary, *closing;
} verbs[] = {
    {PROFILE_RUN, "profile", "[run] [options]",
     "Compare servers: the same load on each in turn, window by window, in balanced order.",
     "Other verbs, each with a --help of its own:\n"
     "  profile sweep      latency and throughput at many rates or numbers of connections\n"
     "  profile capacity   the highest rate at which the 99th percentile stays below --slo\n"
     "  profile compare    two result files: what has become better or worse\n"
     "  profile report     a result file as a table, a page, CSV\n"
     "  profile selfcheck  how far this tool can be trusted on this machine\n"
     "\n"
     "Examples:\n"
     "  profile --arms epoll,raw-epoll -c 256 -s 1k\n"
     "  profile --arms raw-epoll,raw-epoll          (how well can this machine tell?)\n"
     "  profile --arms \"epoll,exec:'./server --port {port}'\" --json result.json --html r.html"},
    {PROFILE_SWEEP, "profile sweep", "[options]",
     "Measure servers at many rates, or with many numbers of connections.",
     "Examples:\n"
     "  profile sweep --arms epoll,raw-epoll --points 20k,50k,80%,100%\n"
     "  profile sweep --over connections --points 1,16,256,1k"},
    {PROFILE_CAPACITY, "profile capacity", "[options]",
     "Find the highest rate at which a server keeps a promise about its latency.",
     "Example:\n"
     "  profile capacity --arms epoll,raw-epoll --slo 500us"},
    {PROFILE_REPORT, "profile report", "FILE [options]",
     "Show a result file, as the run that wrote it did.",
     "Example:\n"
     "  profile report result.json --html result.html"},
    {PROFILE_COMPARE, "profile compare", "OLD.json NEW.json [options]",
     "Compare the servers that two result files have in common.",
     "The exit status is 1 if a server has become worse by more than the tolerance, and its\n"
     "interval does not hold 1."},
    {PROFILE_SELFCHECK, "profile selfcheck", "[options]",
     "Find out how far this tool can be trusted on this machine.",
     "It counts differences that it sees where there are none, finds a server that is five\n"
     "percent slower, and looks whether it notices one that stands still. The exit status is 1\n"
     "if it falls short of its goals."},
};

// A long list of names goes on in the next line of the help.
static void wrap(char *list)
{
    size_t column = 0;
    for (char *at = list; *at != '\0'; at++, column++) {
        if (column >= 50 && at[0] == ',' && at[1] == ' ') {
            at[1] = '\n';
            column = 0;
        }
    }
}

// The options of the verb that was looked up last.
static struct options_entry entries[ROW_COUNT];
static struct options_program program;

static const struct options_program *program_of(enum profile_verb verb)
{
    char names[300];
    arms_list(names, sizeof(names));
    wrap(names);
    snprintf(arms_help, sizeof(arms_help),
             "what to measure, separated by commas:\n%s,\n"
             "all, or exec:'COMMAND {port}'; a name given twice is compared with itself\n"
             "(without this option: our backends and the loops by hand)",
             names);
    workload_list(names, sizeof(names));
    wrap(names);
    snprintf(workload_help, sizeof(workload_help), "what the client does:\n%s", names);
    program.entries = entries;
    program.entry_count = 0;
    for (size_t index = 0; index < ROW_COUNT; index++) {
        if ((rows[index].verbs & (int)verb) != 0)
            entries[program.entry_count++] = rows[index].entry;
    }
    for (size_t index = 0; index < sizeof(verbs) / sizeof(verbs[0]); index++) {
        if (verbs[index].verb != verb)
            continue;
        program.name = verbs[index].name;
        program.usage = verbs[index].usage;
        program.summary = verbs[index].summary;
        program.closing = verbs[index].closing;
    }
    return &program;
}

bool profile_parse(enum profile_verb verb, int argc, char *const argv[], int *ret_status)
{
    return options_parse(program_of(verb), argc, argv, ret_status);
}

int profile_refuse(enum profile_verb verb, const char *option, const char *value,
                   const char *reason)
{
    return options_refuse(program_of(verb), option, value, reason);
}
