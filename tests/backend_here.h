// SPDX-License-Identifier: MIT
//
// Whether this machine has a backend, for tests that run on each. A ring may be denied; a poller
// may not.

#ifndef CEDE_TESTS_BACKEND_HERE_H
#define CEDE_TESTS_BACKEND_HERE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "engine/backends.h"

// False, and a printed reason, where the kernel or a sandbox refuses the backend.
static inline bool backend_is_here(const char *name)
{
    const struct cede_backend *backend = cede_backends_find(name);
    struct cede_trial trial;
    if (!backend || backend->poller || cede_backends_test(backend, &trial) == 0)
        return true;
    bool is_refused = trial.error == -ENOSYS || trial.error == -EPERM ||
                      trial.error == -EACCES || trial.error == -ENOMEM;
    if (is_refused)
        printf("skipped: backend %s, %s\n", name, trial.text);
    return !is_refused;
}

#endif
