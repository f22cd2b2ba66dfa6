// SPDX-License-Identifier: MIT
//
// Makes one HTML file of a result: it opens from the disk, loads nothing, and shows tables and
// plots. It works on the bytes of the document (schema "profile-result/1") and knows no struct of
// the profiler, so a file that was written years ago will do. The scripts in this folder draw.

#ifndef CEDE_TOOLS_PROFILE_HTML_HTML_H
#define CEDE_TOOLS_PROFILE_HTML_HTML_H

#include <stddef.h>
#include <stdio.h>

// Write the page for this document of `length` bytes to the stream.
// 0; -EINVAL: the document is not a JSON object; -ENOMEM; or -EIO, and the page is incomplete.
int html_write(FILE *stream, const char *document, size_t length);

#endif
