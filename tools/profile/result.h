// SPDX-License-Identifier: MIT
//
// Writes an experiment to a file for programs to read: schema "profile-result/1", described in
// docs/profiling.md. Every window of every complete block is in it, so that all that report.h
// prints can be computed again. It is called once, at the end.

#ifndef CEDE_TOOLS_PROFILE_RESULT_H
#define CEDE_TOOLS_PROFILE_RESULT_H

#include <stdio.h>

#include "tools/profile/experiment.h"

// Write the document to this stream; `words` is the command line that led to it, up to a NULL.
// 0; -ENOMEM; or -EIO, and the document is incomplete.
int result_write(const struct experiment *experiment, char *const words[], FILE *stream);

#endif
