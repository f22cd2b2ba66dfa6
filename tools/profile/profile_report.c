// SPDX-License-Identifier: MIT
//
// The verb `report`: what `run` printed, once more, from its file; and how a verb with operands
// reads its command line.

#include <errno.h>

#include "tools/profile/profile.h"
#include "tools/profile/report.h"

// A verb's first words are operands, up to the first option. A missing one is an error of usage,
// unless help was asked for.
int profile_take_operands(enum profile_verb verb, const char *usage, int argc, char *argv[],
                          int wanted, const char **ret_operands)
{
    int count = 0, status;
    while (count + 1 < argc && argv[count + 1][0] != '-') {
        if (count < wanted)
            ret_operands[count] = argv[count + 1];
        count++;
    }
    argv[count] = argv[0];
    if (!profile_parse(verb, argc - count, argv + count, &status))
        return status == OPTIONS_EXIT_DONE ? PROFILE_ENDED : status;
    if (count == wanted)
        return OPTIONS_EXIT_DONE;
    fprintf(stderr, "profile %s: Needs %s, see --help\n", argv[0], usage);
    return OPTIONS_EXIT_USAGE;
}

int profile_report(int argc, char *argv[])
{
    static struct result result;
    struct profile_outputs outputs;
    const char *path;
    int status = profile_take_operands(PROFILE_REPORT, "one FILE", argc, argv, 1, &path);
    if (status != OPTIONS_EXIT_DONE)
        return status == PROFILE_ENDED ? OPTIONS_EXIT_DONE : status;
    status = profile_read(path, &result);
    if (status == OPTIONS_EXIT_DONE)
        status = profile_outputs_open(&outputs);
    if (status != OPTIONS_EXIT_DONE)
        return status;
    int error = report_print(&result, options_colors_welcome(stdout), stdout);
    status = profile_outputs_write(&outputs, &result);
    result_destroy(&result);
    if (error == 0 && fflush(stdout) != 0)
        error = -errno;
    return error < 0 ? profile_complain("report", path, error) : status;
}
