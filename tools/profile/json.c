// SPDX-License-Identifier: MIT
//
// One line a member down to the third level, then all on one line: a window of a block stays one
// line, which keeps the file readable and its differences short.

#include "tools/profile/json.h"

#include <inttypes.h>
#include <math.h>

enum { LINE_DEPTH = 3 };

static void break_line(const struct json *json)
{
    if (json->depth <= LINE_DEPTH)
        fprintf(json->stream, "\n%*s", json->depth * 2, "");
}

// Control characters must be escaped, quote and backslash too; the rest is passed on as it is.
static void quote(const struct json *json, const char *text)
{
    fputc('"', json->stream);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(json->stream, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(json->stream, "\\u%04x", (unsigned)byte);
        else
            fputc(byte, json->stream);
    }
    fputc('"', json->stream);
}

// What precedes every value: a comma, a line break, the name.
static void introduce(struct json *json, const char *name)
{
    if (json->has_member)
        fputs(json->depth > LINE_DEPTH ? ", " : ",", json->stream);
    if (json->depth > 0)
        break_line(json);
    if (name != NULL) {
        quote(json, name);
        fputs(": ", json->stream);
    }
    json->has_member = true;
}

void json_begin(struct json *json, const char *name, char bracket)
{
    introduce(json, name);
    fputc(bracket, json->stream);
    json->depth++;
    json->has_member = false;
}

void json_end(struct json *json, char bracket)
{
    json->depth--;
    if (json->has_member && json->depth < LINE_DEPTH)
        break_line(json);
    fputc(bracket, json->stream);
    json->has_member = true;
    if (json->depth == 0)
        fputc('\n', json->stream);
}

void json_text(struct json *json, const char *name, const char *value)
{
    introduce(json, name);
    if (value == NULL)
        fputs("null", json->stream);
    else
        quote(json, value);
}

void json_integer(struct json *json, const char *name, int64_t value)
{
    introduce(json, name);
    fprintf(json->stream, "%" PRId64, value);
}

void json_number(struct json *json, const char *name, double value)
{
    introduce(json, name);
    if (isfinite(value))
        fprintf(json->stream, "%.9g", value);
    else
        fputs("null", json->stream);
}
