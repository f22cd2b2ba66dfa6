// SPDX-License-Identifier: MIT
//
// Takes system calls away from a process, as a container does: a seccomp filter answers them with
// an error. For a child that is about to become the program under test.

#ifndef CEDE_TESTS_DENIAL_H
#define CEDE_TESTS_DENIAL_H

struct denial {
    int call;  // __NR_ of the system call.
    int error; // The errno that it gets.
};

// Denies up to four calls to this process and all it starts, for ever: 0, or -errno.
int denial_install(const struct denial *denials, int count);

#endif
