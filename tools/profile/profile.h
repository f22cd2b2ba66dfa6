// SPDX-License-Identifier: MIT
//
// The command line of the profiler: its verbs, each in a file profile_*.c, and what they share. It
// is the only part that prints messages and decides on exit statuses.

#ifndef CEDE_TOOLS_PROFILE_PROFILE_H
#define CEDE_TOOLS_PROFILE_PROFILE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/options.h"
#include "tools/profile/experiment.h"
#include "tools/profile/result.h"

// The verbs; each is a bit, so that a table can say to which ones a row belongs.
enum profile_verb {
    PROFILE_RUN = 1,
    PROFILE_SWEEP = 2,
    PROFILE_CAPACITY = 4,
    PROFILE_REPORT = 8,
    PROFILE_COMPARE = 16,
    PROFILE_SELFCHECK = 32,
};

// What the command line says. What a verb has no option for stays as it is.
struct profile_settings {
    const char *arms;
    const char *workload;
    uint64_t connection_count;
    uint64_t message_bytes;
    uint64_t depth;
    const char *loop;
    uint64_t rate_per_s;
    const char *arrivals;
    bool is_unix;
    bool polls;
    int64_t window_ns;
    const char *blocks;
    const char *precision;
    int64_t budget_ns;
    const char *warmup;
    uint64_t seed;
    const char *pin;
    const char *counters;
    const char *over;
    const char *points;
    int64_t slo_ns;
    const char *tolerance;
    const char *json;
    const char *html;
    const char *csv;
    bool quiet;
    bool is_brief;
};

extern struct profile_settings profile_settings;

// Read the options of a verb into the settings; `argv[0]` is passed over. Meaning of the result and
// the status: as for options_parse.
bool profile_parse(enum profile_verb verb, int argc, char *const argv[], int *ret_status);

// Read a verb's operands, its first words, and then its options. An exit status; or PROFILE_ENDED:
// help was printed.
enum { PROFILE_ENDED = -1 };
int profile_take_operands(enum profile_verb verb, const char *usage, int argc, char *argv[],
                          int wanted, const char **ret_operands);

// Refuse the value of an option of this verb: print the line, return the status.
int profile_refuse(enum profile_verb verb, const char *option, const char *value,
                   const char *reason);

// Turn the settings of a verb that measures into a plan. An exit status, 0 to go on.
int profile_plan(enum profile_verb verb, struct experiment_plan *ret_plan,
                 struct arm ret_arms[ARMS_LIMIT], size_t *ret_count);

// Read "3%", "0.5 %" or "3" as 0.03, 0.005, 0.03. 0, or -EINVAL: it is none, or not from 0 to 100.
int profile_percent(const char *text, double *ret_share);

// Say in one line what failed, by this -errno; returns the exit status.
int profile_complain(const char *what, const char *object, int error);

// Set to 1 by the first SIGINT or SIGTERM, from profile_catch_signals on; the second one ends the
// process.
extern volatile sig_atomic_t profile_stop;
void profile_catch_signals(void);

// Files for a result, named by --json, --html and --csv.
struct profile_outputs {
    FILE *json;
    FILE *html;
    FILE *csv;
};

// Open what is asked for, before anything is measured: a name that cannot be written must not cost
// a minute. An exit status.
int profile_outputs_open(struct profile_outputs *ret_outputs);

// Write the result to them and close them. An exit status.
int profile_outputs_write(struct profile_outputs *outputs, const struct result *result);

// Read a result file. An exit status; if it is not 0, the line was printed.
int profile_read(const char *path, struct result *ret_result);

// What a verb does with an experiment that was created. 0, -ENOENT when no arm could be timed, or
// -errno.
typedef int profile_measure_function(struct experiment *experiment);

// By the settings: plan, measure, print, write. `words` is the whole command line. An exit status.
int profile_measure(enum profile_verb verb, const char *name, profile_measure_function *measure,
                    char *const words[]);

// The verbs: `argv` begins with the verb, or with the program's name where none was given. Exit
// statuses.
int profile_run(int argc, char *argv[], char *const words[]);
int profile_sweep(int argc, char *argv[], char *const words[]);
int profile_capacity(int argc, char *argv[], char *const words[]);
int profile_report(int argc, char *argv[]);
int profile_compare(int argc, char *argv[]);
int profile_selfcheck(int argc, char *argv[]);

#endif
