// SPDX-License-Identifier: MIT
//
// What the files of an experiment share, and nobody else sees.

#ifndef CEDE_TOOLS_PROFILE_EXPERIMENT_PARTS_H
#define CEDE_TOOLS_PROFILE_EXPERIMENT_PARTS_H

#include "tools/profile/experiment.h"
#include "tools/profile/window.h"

// Show what is being done: one line on a terminal, written over by the next one.
__attribute__((format(printf, 2, 3))) void experiment_show(const struct experiment *experiment,
                                                           const char *format, ...);

// True if the arm is still in the race.
bool experiment_has(const struct contestant *contestant);

// The load of this arm, at the rate that is set now.
struct window_request experiment_request(const struct experiment *experiment,
                                         const struct contestant *contestant);

// If the workload has idle connections: what the process grows by, for each connection. What the
// kernel keeps for a socket is not in it. It must be asked of a server that has just started, since
// memory that was used once is there already.
void experiment_look_at_idle(struct experiment *experiment, struct contestant *contestant);

// Find out what each arm costs besides processor time, without timing anything: memory and threads
// of its process, its system calls and, if the plan says so, its instructions. What cannot be had
// stays unknown, and its reason is kept.
void experiment_take_costs(struct experiment *experiment);

#endif
