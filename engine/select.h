// SPDX-License-Identifier: MIT
//
// The select poller: the oracle that the faster ones are tested against.

#ifndef CEDE_ENGINE_SELECT_H
#define CEDE_ENGINE_SELECT_H

#include "engine/poller.h"

extern const struct cede_poller cede_select_poller;

#endif
