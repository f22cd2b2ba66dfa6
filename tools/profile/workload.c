// SPDX-License-Identifier: MIT
//
// The table of workloads. A new one is a file of its own and a line here.

#include "tools/profile/workload.h"

#include <string.h>

static const struct workload *const workloads[] = {&workload_echo};

const struct workload *workload_find(const char *name)
{
    for (size_t index = 0; index < sizeof(workloads) / sizeof(workloads[0]); index++) {
        if (strcmp(workloads[index]->name, name) == 0)
            return workloads[index];
    }
    return NULL;
}
