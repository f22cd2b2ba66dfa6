// SPDX-License-Identifier: MIT
//
// Where the programs are that were built together with this one.

#ifndef CEDE_TOOLS_PROFILE_RUNFILES_H
#define CEDE_TOOLS_PROFILE_RUNFILES_H

#include <stddef.h>

// Find a file that is named from the root of the workspace, such as "tools/echo_server", and write
// its path to `found`, where -ENOENT (it is nowhere) and -ENAMETOOLONG leave a path that does not
// help.
int runfiles_find(const char *path, char *found, size_t size);

#endif
