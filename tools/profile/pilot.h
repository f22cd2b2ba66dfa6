// SPDX-License-Identifier: MIT
//
// How long a run must be: how many blocks the wanted precision takes, judged by those that were
// taken first, and how many the time allows. It knows numbers of a result only. The experiment
// calls it after its first blocks, which count as all others do.

#ifndef CEDE_TOOLS_PROFILE_PILOT_H
#define CEDE_TOOLS_PROFILE_PILOT_H

#include <stddef.h>
#include <stdint.h>

#include "tools/profile/result.h"

enum { PILOT_BLOCKS = 12, PILOT_BLOCKS_MINIMUM = 6 };

// The blocks until every ratio to the reference of the result is known to about `precision` (0.02:
// 2 %) to each side, but no more than fit into `left_ns` beside those that are there, at
// `block_ns` each, and no fewer than those. Rounded up to whole cycles of `cycle` blocks where they
// fit. 0 or -ENOMEM.
int pilot_plan(const struct result *result, double precision, int64_t left_ns, int64_t block_ns,
               size_t cycle, size_t *ret_block_count);

#endif
