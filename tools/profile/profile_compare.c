// SPDX-License-Identifier: MIT
//
// The verb `compare`.

#include <errno.h>

#include "tools/profile/compare.h"
#include "tools/profile/profile.h"
#include "tools/profile/report.h"

int profile_compare(int argc, char *argv[])
{
    static struct result results[2];
    struct compare_outcome outcome;
    const char *paths[2];
    double tolerance;
    int status =
        profile_take_operands(PROFILE_COMPARE, "OLD.json and NEW.json", argc, argv, 2, paths);
    if (status != OPTIONS_EXIT_DONE)
        return status == PROFILE_ENDED ? OPTIONS_EXIT_DONE : status;
    if (profile_percent(profile_settings.tolerance, &tolerance) < 0)
        return profile_refuse(PROFILE_COMPARE, "tolerance", profile_settings.tolerance,
                              "Must be a percentage such as 3%");
    for (int index = 0; index < 2 && status == OPTIONS_EXIT_DONE; index++)
        status = profile_read(paths[index], &results[index]);
    if (status != OPTIONS_EXIT_DONE)
        return status;
    int error = compare_results(&results[0], &results[1], tolerance, &outcome);
    if (error == 0)
        compare_print(&outcome, paths, options_colors_welcome(stdout), stdout);
    for (int index = 0; index < 2; index++)
        result_destroy(&results[index]);
    if (error == 0 && fflush(stdout) != 0)
        error = -errno;
    if (error == -ENOENT) {
        fprintf(stderr, "profile: compare %s %s: They have no arm in common that was timed\n",
                paths[0], paths[1]);
        return OPTIONS_EXIT_FAILED;
    }
    if (error < 0)
        return profile_complain("compare", paths[1], error);
    return outcome.regression_count > 0 ? OPTIONS_EXIT_FAILED : OPTIONS_EXIT_DONE;
}
