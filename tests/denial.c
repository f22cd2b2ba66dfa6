// SPDX-License-Identifier: MIT
//
// The filter is a program for the kernel: load the number of the call, compare it with each that is
// denied, and allow the rest. Calls of another architecture are not of interest here.

#include "tests/denial.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define DENIAL_LIMIT 4

int denial_install(const struct denial *denials, int count)
{
    struct sock_filter program[2 * DENIAL_LIMIT + 2];
    unsigned short length = 0;
    if (count > DENIAL_LIMIT)
        return -E2BIG;
    program[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < count; i++) {
        program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                         (unsigned)denials[i].call, 0, 1);
        program[length++] = (struct sock_filter)BPF_STMT(
            BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)denials[i].error);
    }
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog filter = {.len = length, .filter = program};
    // Without the first, only root may install a filter.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        return -errno;
    return 0;
}
