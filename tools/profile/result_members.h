// SPDX-License-Identifier: MIT
//
// Takes members out of a JSON object and objects to those that are not what they must be. It knows
// types and bounds, not what the members mean; result_read.c calls it.
//
// The first objection is kept, with the place where it arose. After it nothing is stored any more,
// so that a caller need not look after every call.

#ifndef CEDE_TOOLS_PROFILE_RESULT_MEMBERS_H
#define CEDE_TOOLS_PROFILE_RESULT_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whole numbers are safe up to here in every program that reads JSON.
#define READER_INTEGER_LIMIT (INT64_C(1) << 53)

struct reader {
    int error;      // 0, or -errno: the reading has ended
    char where[64]; // such as "blocks[3][0]"
    char *reason;   // where the objection goes
    size_t reason_bytes;
};

// Keep this objection to the member `name`, unless there is one already.
__attribute__((format(printf, 3, 4))) void reader_object(struct reader *reader, const char *name,
                                                         const char *format, ...);

// Go on in this element of an array, or of an array of arrays (`second` is SIZE_MAX if it is not).
void reader_set_where(struct reader *reader, const char *name, size_t first, size_t second);

// True if the value is null or not there at all, which is the same.
bool reader_is_absent(const json_t *value);

// Text of less than `size` bytes. What is absent leaves `text` as it is.
void reader_text(struct reader *reader, const json_t *from, const char *name, char *text,
                 size_t size);

// A whole number within these bounds, which must be there.
void reader_bounded(struct reader *reader, const json_t *from, const char *name, int64_t minimum,
                    int64_t maximum, int64_t *ret);

// A whole number from 0 to 2^53, which must be there.
void reader_needed(struct reader *reader, const json_t *from, const char *name, int64_t *ret);

// The same, or -1 if it is absent.
void reader_count(struct reader *reader, const json_t *from, const char *name, int64_t *ret);

// A number, or NAN if it is absent.
void reader_fraction(struct reader *reader, const json_t *from, const char *name, double *ret);

// True or false; `absent` if it is absent.
void reader_flag(struct reader *reader, const json_t *from, const char *name, bool absent,
                 bool *ret);

// An array of at most `limit` elements, or NULL if it is none. It may be absent if it is not
// needed; that is NULL, too.
const json_t *reader_array(struct reader *reader, const json_t *from, const char *name,
                           size_t limit, bool is_needed);

#endif
