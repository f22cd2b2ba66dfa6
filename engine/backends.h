// SPDX-License-Identifier: MIT
//
// Which backends there are, in order of preference, and which of them this machine allows. The one
// place that names them all; called by the scheduler when it opens an engine, and by tools.

#ifndef CEDE_ENGINE_BACKENDS_H
#define CEDE_ENGINE_BACKENDS_H

#include "engine/backend.h"

#define CEDE_BACKEND_LIMIT 4

// What came of trying a backend.
struct cede_trial {
    const char *name;
    int error;     // 0: it works; else the -errno of what failed.
    char text[96]; // One line for a person: why it is refused, or what it runs with, or nothing.
};

struct cede_backends_choice {
    const struct cede_backend *backend; // NULL when none was found.
    int refusal_count;
    struct cede_trial refusals[CEDE_BACKEND_LIMIT]; // Those that are not to be had.
};

// The index-th backend in order of preference; NULL past the last.
const struct cede_backend *cede_backends_at(int index);

// By the word that users type; NULL when there is none of that name.
const struct cede_backend *cede_backends_find(const char *name);

// Tries a backend by really doing work on it: a byte through a socket pair. Fills in `ret_trial`
// and returns its error: 0, or -errno. Takes well below a millisecond, and up to 140 where locked
// memory is short. Does not suspend.
int cede_backends_test(const struct cede_backend *backend, struct cede_trial *ret_trial);

// Chooses: the named backend, or with "auto" the first that passes its test. NULL stands for the
// environment's CEDE_BACKEND, and that missing for "auto". 0; -EINVAL for an unknown name; else the
// -errno of the last refusal. Every refusal is kept in `ret_choice`, which is always filled. A
// backend that was named is never replaced by another. Does not suspend.
int cede_backends_choose(const char *name, struct cede_backends_choice *ret_choice);

#endif
