// SPDX-License-Identifier: MIT
//
// Puts down in a result what was asked for: the plan and the arms of an experiment. It measures
// nothing; experiment.c calls it.

#ifndef CEDE_TOOLS_PROFILE_EXPERIMENT_RECORD_H
#define CEDE_TOOLS_PROFILE_EXPERIMENT_RECORD_H

#include "tools/profile/arms.h"
#include "tools/profile/experiment.h"
#include "tools/profile/result.h"

// The plan. The verb is `run` until somebody changes it.
void experiment_record_plan(const struct experiment_plan *plan, struct result *result);

// What the arm is.
void experiment_record_arm(const struct arm *arm, struct result_arm *outcome);

// What a server called itself, and the backend in it.
void experiment_record_version(const char *version, struct result_arm *outcome);

#endif
