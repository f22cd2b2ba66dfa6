// SPDX-License-Identifier: MIT
//
// Wakes in vain (S2): the kernel calls a descriptor ready, and there is nothing. Once is normal.
// Over and over it is a spin, and the operation has to rest. The backends count here; what a rest
// is stands in engine/rest.c.

#ifndef CEDE_ENGINE_VAIN_H
#define CEDE_ENGINE_VAIN_H

#include "engine/descriptors.h"

// So many wakes in vain in a row, and the operation rests before the next.
#define CEDE_VAIN_WAKES_ALLOWED 2

// An operation was called ready and then would block. Whether that was once too often: then it is
// to end with -EAGAIN. Beyond those allowed the engine counts: rests.
bool cede_vain_is_too_often(struct cede_descriptor *slot, enum cede_direction direction);

// A bare wait is ready. What its task finds we do not see; but if wait after wait is satisfied at
// the first answer (`is_immediate`), by a hang-up or an error alone, then the task finds nothing.
// Returns whether the wait is to rest instead of ending. `events` are those of poll(2) that the
// kernel reported, 0 if that is not known: then poll(2) is asked, and only where it matters.
bool cede_vain_wait_rests(struct cede_descriptor *slot, const struct cede_operation *op,
                          bool is_immediate, short events);

#endif
