// SPDX-License-Identifier: MIT
//
// How fast could the load generator be, if the server cost nothing? A result near that tells of the
// generator. It starts a server of its own, which does as little as it can, and counts the work of
// the generator alone. The experiment asks before it measures.

#ifndef CEDE_TOOLS_PROFILE_HEADROOM_H
#define CEDE_TOOLS_PROFILE_HEADROOM_H

#include "tools/profile/load.h"

// Run this load, as a closed loop whatever it says, for so long against a null server, and say how
// many operations a second the generator would do if it never had to wait. Of the plan's address
// only the family counts; a unix path gets the suffix ".null"; the state is made here. The null
// server runs on `server_cpu` and never sleeps there; with -1 it runs and sleeps as the kernel
// pleases, which a shared processor needs. 0, or an error as of load_open and load_run.
int headroom_measure(const struct load_plan *plan, int server_cpu, int64_t duration_ns,
                     double *ret_per_s);

#endif
