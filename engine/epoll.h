// SPDX-License-Identifier: MIT
//
// The epoll poller: what most programs run on.

#ifndef CEDE_ENGINE_EPOLL_H
#define CEDE_ENGINE_EPOLL_H

#include "engine/poller.h"

extern const struct cede_poller cede_epoll_poller;

#endif
