// SPDX-License-Identifier: MIT
//
// Whether this machine has a backend, for tests that run on each. A ring may be denied; a poller
// may not.

#ifndef CEDE_TESTS_BACKEND_HERE_H
#define CEDE_TESTS_BACKEND_HERE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/backends.h"

// False, and a printed reason, where the kernel or a sandbox refuses the backend. A child asks: the
// end of a ring may interrupt the next system call of its process.
static inline bool backend_is_here(const char *name)
{
    const struct cede_backend *backend = cede_backends_find(name);
    if (!backend || backend->poller)
        return true;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct cede_trial trial;
        int error = cede_backends_test(backend, &trial);
        bool is_refused =
            error == -ENOSYS || error == -EPERM || error == -EACCES || error == -ENOMEM;
        if (is_refused)
            printf("skipped: backend %s, %s\n", name, trial.text);
        fflush(stdout);
        _exit(is_refused);
    }
    int status = 0;
    return child < 0 || waitpid(child, &status, 0) != child || status == 0;
}

#endif
