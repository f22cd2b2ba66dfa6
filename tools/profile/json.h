// SPDX-License-Identifier: MIT
//
// Writes JSON (RFC 8259) as it goes, without a tree in memory. It puts commas, quotes and line
// breaks; what is written, and that every begin has its end, is the caller's affair (result.c).

#ifndef CEDE_TOOLS_PROFILE_JSON_H
#define CEDE_TOOLS_PROFILE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *stream;
    int depth;
    bool has_member; // something precedes in the object or array that is open
};

// The names are none of jansson's, with which these are linked. `name` is the member's name, or
// NULL in an array and at the top. Of a text, bytes that are not UTF-8 become U+FFFD, since JSON
// has no way to keep them; a number is written with as many digits as tell it from every other one.
void json_begin(struct json *json, const char *name, char bracket);
void json_end(struct json *json, char bracket);
void json_text(struct json *json, const char *name, const char *value); // NULL becomes null
void json_whole(struct json *json, const char *name, int64_t value);
void json_number(struct json *json, const char *name, double value); // not finite: null
void json_flag(struct json *json, const char *name, bool value);

#endif
