// SPDX-License-Identifier: MIT
//
// Shows a result to a human: what was run, a table of the arms, their ratios, and what was
// left out and why. It computes nothing (summary.h does) and is called once, at the end.

#ifndef CEDE_TOOLS_PROFILE_REPORT_H
#define CEDE_TOOLS_PROFILE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/profile/result.h"

// Print the report. With `colors`, differences are green where the arm is better than the reference
// and red where it is worse. 0 or -ENOMEM.
int report_print(const struct result *result, bool colors, FILE *stream);

#endif
