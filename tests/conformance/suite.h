// SPDX-License-Identifier: MIT
//
// Runs claims, each in a process of its own and not for ever.

#ifndef CEDE_TESTS_CONFORMANCE_SUITE_H
#define CEDE_TESTS_CONFORMANCE_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/conformance/claims.h"

extern const struct claim suite_claims[];
extern const size_t suite_claim_count;

// Whether the claim holds on the backend. If it does not, `ret_report` (of `bytes`) says why.
bool suite_check(const struct claim *claim, const struct fixture *fixture, unsigned limit_seconds,
                 char *ret_report, size_t bytes);

// All claims on one backend as a cmocka group; the exit status of a test. A backend that this
// machine refuses is skipped, with the reason.
int suite_run(const char *backend);

#endif
