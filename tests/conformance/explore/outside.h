// SPDX-License-Identifier: MIT
//
// The outside of a program that is being played: what it does to the sockets, and when.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_OUTSIDE_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>

// The engine's idle function (engine/options.h); `player` is a struct player (play_state.h). Makes
// the next stimulus if it is its time. When there is none left and nothing is due, it wakes the
// reaper, if there is one.
bool outside_idle(void *player, int64_t next_due_ns);

#endif
