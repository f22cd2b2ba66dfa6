// SPDX-License-Identifier: MIT
//
// One line a member down to the third level, then all on one line: a window of a block stays one
// line, which keeps the file readable and its differences short.

#include "tools/profile/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LINE_DEPTH = 3 };

static void break_line(const struct json *json)
{
    if (json->depth <= LINE_DEPTH)
        fprintf(json->stream, "\n%*s", json->depth * 2, "");
}

// How many bytes the character takes that begins here, or 0 if they are not UTF-8 (RFC 3629: no
// longer form than needed, no surrogates, nothing above U+10FFFF).
static size_t character_bytes(const unsigned char *text)
{
    static const struct {
        unsigned char first, last;               // of the leading byte
        unsigned char second_first, second_last; // of the one behind it
        unsigned char bytes;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
        if (text[0] < forms[form].first || text[0] > forms[form].last)
            continue;
        if (text[1] < forms[form].second_first || text[1] > forms[form].second_last)
            return 0;
        // The zero at the end of the text is no continuation and so ends each of these.
        for (size_t index = 2; index < forms[form].bytes; index++) {
            if (text[index] < 0x80 || text[index] > 0xbf)
                return 0;
        }
        return forms[form].bytes;
    }
    return 0;
}

// Control characters must be escaped, quote and backslash too; the rest is passed on as it is.
static void quote(const struct json *json, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', json->stream);
    while (*at != '\0') {
        size_t bytes = character_bytes(at);
        if (bytes == 0)
            fputs("\xef\xbf\xbd", json->stream);
        else if (*at == '"' || *at == '\\')
            fprintf(json->stream, "\\%c", *at);
        else if (*at < 0x20)
            fprintf(json->stream, "\\u%04x", (unsigned)*at);
        else
            fwrite(at, 1, bytes, json->stream);
        at += bytes > 0 ? bytes : 1;
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

void json_whole(struct json *json, const char *name, int64_t value)
{
    introduce(json, name);
    fprintf(json->stream, "%" PRId64, value);
}

void json_number(struct json *json, const char *name, double value)
{
    introduce(json, name);
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(isfinite(value) ? text : "null", json->stream);
}

void json_flag(struct json *json, const char *name, bool value)
{
    introduce(json, name);
    fputs(value ? "true" : "false", json->stream);
}
