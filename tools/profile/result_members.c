// SPDX-License-Identifier: MIT
//
// Members of JSON objects, each taken only if it is of its type and within its bounds.

#include "tools/profile/result_members.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) void reader_object(struct reader *reader, const char *name,
                                                         const char *format, ...)
{
    if (reader->error < 0)
        return;
    char what[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    snprintf(reader->reason, reader->reason_bytes, "%s%s%s: %s", reader->where,
             reader->where[0] != '\0' ? "." : "", name, what);
    reader->error = -EINVAL;
}

void reader_set_where(struct reader *reader, const char *name, size_t first, size_t second)
{
    if (second == SIZE_MAX)
        snprintf(reader->where, sizeof(reader->where), "%s[%zu]", name, first);
    else
        snprintf(reader->where, sizeof(reader->where), "%s[%zu][%zu]", name, first, second);
}

bool reader_is_absent(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

void reader_text(struct reader *reader, const json_t *from, const char *name, char *text,
                 size_t size)
{
    const json_t *value = json_object_get(from, name);
    if (reader_is_absent(value))
        return;
    if (!json_is_string(value))
        reader_object(reader, name, "Must be text");
    else if (json_string_length(value) >= size)
        reader_object(reader, name, "Must be shorter than %zu bytes", size);
    else
        memcpy(text, json_string_value(value), json_string_length(value) + 1);
}

void reader_bounded(struct reader *reader, const json_t *from, const char *name, int64_t minimum,
                    int64_t maximum, int64_t *ret)
{
    const json_t *value = json_object_get(from, name);
    if (reader_is_absent(value))
        reader_object(reader, name, "Must be there");
    else if (!json_is_integer(value))
        reader_object(reader, name, "Must be a whole number");
    else if (json_integer_value(value) < minimum || json_integer_value(value) > maximum)
        reader_object(reader, name, "Must be from %lld to %lld", (long long)minimum,
                      (long long)maximum);
    else
        *ret = json_integer_value(value);
}

void reader_needed(struct reader *reader, const json_t *from, const char *name, int64_t *ret)
{
    reader_bounded(reader, from, name, 0, READER_INTEGER_LIMIT, ret);
}

void reader_count(struct reader *reader, const json_t *from, const char *name, int64_t *ret)
{
    if (reader_is_absent(json_object_get(from, name)))
        *ret = -1;
    else
        reader_needed(reader, from, name, ret);
}

void reader_fraction(struct reader *reader, const json_t *from, const char *name, double *ret)
{
    const json_t *value = json_object_get(from, name);
    if (reader_is_absent(value))
        *ret = NAN;
    else if (!json_is_number(value))
        reader_object(reader, name, "Must be a number");
    else
        *ret = json_number_value(value);
}

void reader_flag(struct reader *reader, const json_t *from, const char *name, bool absent,
                 bool *ret)
{
    const json_t *value = json_object_get(from, name);
    if (!reader_is_absent(value) && !json_is_boolean(value))
        reader_object(reader, name, "Must be true or false");
    *ret = reader_is_absent(value) ? absent : json_is_true(value);
}

// An array, or NULL if it is none. One that is not needed may be absent, which is NULL too.
const json_t *reader_array(struct reader *reader, const json_t *from, const char *name,
                           size_t limit, bool is_needed)
{
    const json_t *value = json_object_get(from, name);
    if (reader_is_absent(value) && !is_needed)
        return NULL;
    if (!json_is_array(value)) {
        reader_object(reader, name, "Must be an array");
        return NULL;
    }
    if (json_array_size(value) > limit) {
        reader_object(reader, name, "Must have at most %zu elements", limit);
        return NULL;
    }
    return value;
}
