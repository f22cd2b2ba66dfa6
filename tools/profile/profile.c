// SPDX-License-Identifier: MIT
//
// The comparative profiler: which of some servers does the same work with less processor time, by
// how much, and how sure is that. This file finds the verb; docs/profiling.md says how to read the
// answers.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/profile/profile.h"

volatile sig_atomic_t profile_stop;

static void request_stop(int signal_number)
{
    (void)signal_number;
    profile_stop = 1;
}

// The first signal asks for an orderly end; SA_RESETHAND leaves the second one its default.
void profile_catch_signals(void)
{
    const struct sigaction action = {.sa_handler = request_stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int profile_complain(const char *what, const char *object, int error)
{
    fprintf(stderr, "profile: %s%s%s: %s\n", what, *object != '\0' ? " " : "", object,
            strerror(-error));
    return OPTIONS_EXIT_FAILED;
}

static const struct verb {
    const char *name;
    int (*measure)(int argc, char *argv[], char *const words[]); // one of the two
    int (*look)(int argc, char *argv[]);
} verbs[] = {
    {"run", profile_run, NULL},           {"sweep", profile_sweep, NULL},
    {"capacity", profile_capacity, NULL}, {"compare", NULL, profile_compare},
    {"report", NULL, profile_report},     {"selfcheck", NULL, profile_selfcheck},
};

int main(int argc, char *argv[])
{
    const char *name = argc > 1 ? argv[1] : "";
    if (*name == '-' || argc < 2)
        return profile_run(argc, argv, argv);
    for (size_t index = 0; index < sizeof(verbs) / sizeof(verbs[0]); index++) {
        if (strcmp(name, verbs[index].name) != 0)
            continue;
        if (verbs[index].measure != NULL)
            return verbs[index].measure(argc - 1, argv + 1, argv);
        return verbs[index].look(argc - 1, argv + 1);
    }
    fprintf(stderr, "profile: %s: Unknown verb, see --help\n", name);
    return OPTIONS_EXIT_USAGE;
}
