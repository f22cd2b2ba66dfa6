// SPDX-License-Identifier: MIT
//
// Bazel puts links to what a program needs at run time beside it, in PROGRAM.runfiles/WORKSPACE.
// Three callers are served: a test (its environment names the directory), `bazel run` and a user
// who starts the built program by its path (both: beside the executable), and one who stands in the
// root of such a directory, or built by hand in the root of the tree.

#include "tools/profile/runfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKSPACE "cede"

static int try_path(const char *root, const char *middle, const char *path, char *text, size_t size)
{
    int length = snprintf(text, size, "%s%s%s", root, middle, path);
    if (length < 0 || (size_t)length >= size)
        return -ENAMETOOLONG;
    return access(text, X_OK) == 0 ? 0 : -ENOENT;
}

int runfiles_find(const char *path, char *found, size_t size)
{
    char self[4096];
    const char *root = getenv("RUNFILES_DIR");
    if (root != NULL && try_path(root, "/" WORKSPACE "/", path, found, size) == 0)
        return 0;
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length > 0) {
        self[length] = '\0';
        if (try_path(self, ".runfiles/" WORKSPACE "/", path, found, size) == 0)
            return 0;
    }
    return try_path("", "", path, found, size);
}
