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

int main(int argc, char *argv[])
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (*verb == '-' || *verb == '\0')
        return profile_run(argc, argv, argv);
    if (strcmp(verb, "run") == 0)
        return profile_run(argc - 1, argv + 1, argv);
    if (strcmp(verb, "report") == 0)
        return profile_report(argc - 1, argv + 1);
    if (strcmp(verb, "compare") == 0)
        return profile_compare(argc - 1, argv + 1);
    fprintf(stderr, "profile: %s: Unknown verb, known are run, report and compare\n", verb);
    return OPTIONS_EXIT_USAGE;
}
