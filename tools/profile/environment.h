// SPDX-License-Identifier: MIT
//
// What machine this is, and in which state, as far as results depend on it. It measures nothing;
// the verbs that measure call it once, before.

#ifndef CEDE_TOOLS_PROFILE_ENVIRONMENT_H
#define CEDE_TOOLS_PROFILE_ENVIRONMENT_H

#include "tools/profile/result.h"

// Fill it in. What this machine does not tell stays unknown.
void environment_read(struct result_environment *ret_environment);

#endif
