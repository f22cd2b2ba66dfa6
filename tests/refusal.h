// SPDX-License-Identifier: MIT
//
// A kernel that lacks something, for a test of what the library does then: a system call that ends
// with an error without being made.

#ifndef CEDE_TESTS_REFUSAL_H
#define CEDE_TESTS_REFUSAL_H

// From now on the system call `number` with `value` as its third argument ends with `error` in this
// thread, and in those it makes; with 0, nothing is done and it says that all went well. Cannot be
// taken back, so it is for children (tests/child.h). 0, or -errno.
int refusal_install(unsigned number, unsigned value, unsigned error);

#endif
