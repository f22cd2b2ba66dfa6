// SPDX-License-Identifier: MIT
//
// One row of the fault matrix: `matrix_row SECONDS BACKEND...` prints the name of each claim that
// does not hold on one of the backends, and why. fault_matrix_test.py links it with a fault.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/suite.h"

static void check_claim(const struct claim *claim, unsigned limit_seconds, char **backends)
{
    for (; *backends; backends++) {
        struct fixture fixture = {.backend = *backends};
        char report[8192];
        if (suite_check(claim, &fixture, limit_seconds, report, sizeof report))
            continue;
        report[strcspn(report, "\n")] = '\0';
        printf("%s\t%s: %s\n", claim->name, *backends, report);
        return;
    }
}

int main(int count, char **words)
{
    if (count < 3) {
        fprintf(stderr, "usage: matrix_row SECONDS BACKEND...\n");
        return 2;
    }
    for (size_t i = 0; i < suite_claim_count; i++)
        check_claim(&suite_claims[i], (unsigned)atoi(words[1]), words + 2);
    return 0;
}
