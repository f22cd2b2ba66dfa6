// SPDX-License-Identifier: MIT
//
// The files of which the page is made, as bytes in the program, by their names. embed.py writes the
// table when the program is built; html.c reads it.

#ifndef CEDE_TOOLS_PROFILE_HTML_ASSETS_H
#define CEDE_TOOLS_PROFILE_HTML_ASSETS_H

#include <stddef.h>

struct asset {
    const char *name;
    const unsigned char *bytes;
    size_t size;
};

extern const struct asset assets[];
extern const size_t asset_count;

#endif
