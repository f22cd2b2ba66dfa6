// SPDX-License-Identifier: MIT
//
// The io_uring backend: operations carried out by the kernel. Named in engine/backends.c only.

#ifndef CEDE_ENGINE_URING_H
#define CEDE_ENGINE_URING_H

#include "engine/backend.h"

extern const struct cede_backend cede_uring_backend;

#endif
