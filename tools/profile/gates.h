// SPDX-License-Identifier: MIT
//
// What a measurement must satisfy before anything is concluded from it. A window that fails is kept
// in the file and left out of every statement; an arm that fails is not ranked. It knows numbers of
// a result only. The experiment calls it, after each window and at the end.

#ifndef CEDE_TOOLS_PROFILE_GATES_H
#define CEDE_TOOLS_PROFILE_GATES_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/profile/result.h"

// Set `is_valid` and `invalid` of a complete window. The gates: time that other guests took from
// the machine's processors; and, where the client is on its own processor and the loop is open, how
// late the client was; operations that were given up; and Little's law, by which the operations
// under way must be the rate times the mean time in flight. Members that are not known fail no
// gate.
void gates_judge_window(const struct result *result, struct result_window *window);

// Set `limited_by`, `headroom` and the reasons of an arm that was timed. The gates: at least half
// of its windows are valid; it rests while others are measured; the client is not what set the
// pace. The windows must be judged.
void gates_judge_arm(struct result *result, size_t index);

// True if every arm that was timed passed.
bool gates_hold(const struct result *result);

#endif
