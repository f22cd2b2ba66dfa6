// SPDX-License-Identifier: MIT
//
// The claims as tests of cmocka, named BACKEND/CLAIM.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/backends.h"
#include "tests/conformance/suite.h"

// Enough for a sanitizer on a busy machine; a claim takes milliseconds.
#define LIMIT_SECONDS 30

static struct fixture fixture;
static bool is_refused;

static void check_claim(void **state)
{
    const struct claim *claim = *state;
    if (is_refused)
        skip();
    char report[8192];
    if (!suite_check(claim, &fixture, LIMIT_SECONDS, report, sizeof report))
        fail_msg("%s: %s", claim->clause, report);
}

static struct CMUnitTest *make_tests(void)
{
    struct CMUnitTest *tests = calloc(suite_claim_count, sizeof *tests);
    for (size_t i = 0; tests && i < suite_claim_count; i++) {
        char *name;
        if (asprintf(&name, "%s/%s", fixture.backend, suite_claims[i].name) < 0)
            abort();
        // cmocka hands the state on as it is; nobody writes to the table.
        tests[i] = (struct CMUnitTest){
            .name = name,
            .test_func = check_claim,
            .initial_state = (void *)(uintptr_t)&suite_claims[i],
        };
    }
    return tests;
}

int suite_run(const char *backend)
{
    fixture.backend = backend;
    const struct cede_backend *found = cede_backends_find(backend);
    if (!found) {
        fprintf(stderr, "conformance: there is no backend %s\n", backend);
        return 1;
    }
    struct cede_trial trial;
    int error = cede_backends_test(found, &trial);
    // Only a kernel or a sandbox that does not offer it excuses a backend, and never a poller.
    is_refused = !found->poller && (error == -ENOSYS || error == -EPERM || error == -EACCES ||
                                    error == -ENOMEM);
    if (error < 0)
        printf("backend %s: %s\n", trial.name, trial.text);
    if (is_refused)
        puts("every claim is skipped for that reason");
    struct CMUnitTest *tests = make_tests();
    if (!tests)
        return 1;
    int failed = _cmocka_run_group_tests(backend, tests, suite_claim_count, NULL, NULL);
    for (size_t i = 0; i < suite_claim_count; i++)
        free((void *)(uintptr_t)tests[i].name);
    free(tests);
    return failed;
}
