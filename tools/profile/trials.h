// SPDX-License-Identifier: MIT
//
// Runs that never took place: the blocks of one recording, drawn anew many times, each time put
// through the same summary as a real run. Where both arms of the recording are the same server, the
// truth of each trial is known (no difference, or one that is planted here), and the share of the
// wrong answers shows how far the profiler can be trusted on this machine. It knows results only;
// selfcheck.h records and judges.

#ifndef CEDE_TOOLS_PROFILE_TRIALS_H
#define CEDE_TOOLS_PROFILE_TRIALS_H

#include <stddef.h>
#include <stdint.h>

#include "tools/profile/result.h"

struct trials_plan {
    size_t trial_count; // at least 1
    size_t block_count; // of each trial
    size_t run_blocks;  // neighbours in the recording that stay together, at least 1
    double burden;      // by which arm 1's processor time is multiplied; 1: nothing is planted
    uint64_t seed;
};

// How many of the trials saw what.
struct trials_outcome {
    size_t cpu_seen;    // a difference of processor time for an operation, whichever way
    size_t rate_seen;   // a difference of operations a second
    size_t slower_seen; // arm 1 takes more processor time for an operation
    double detectable;  // median of the ratios of processor time that could have been seen
};

// Draw trials from a recording of two arms, arm 0 being the reference. Blocks are drawn in runs of
// neighbours, so that what lasts longer than a block lasts in the trial too. The arms of a trial
// are equal whatever the recording holds: by what they differ in all of it, arm 1 is corrected, and
// by the toss of a coin the arms of a run exchange their parts. 0; -EINVAL: not such a recording,
// or an arm has no valid window; or -ENOMEM.
int trials_run(const struct result *recording, const struct trials_plan *plan,
               struct trials_outcome *ret_outcome);

#endif
