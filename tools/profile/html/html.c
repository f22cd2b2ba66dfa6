// SPDX-License-Identifier: MIT
//
// The template is copied; where it says {{name}} the file of that name follows, and where it says
// {{document}} the digest of the result.

#include "tools/profile/html/html.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tools/profile/html/assets.h"
#include "tools/profile/html/digest.h"

static bool is_named(const char *name, const char *begin, size_t length)
{
    return strlen(name) == length && memcmp(name, begin, length) == 0;
}

static const struct asset *find_asset(const char *name, size_t length)
{
    for (size_t index = 0; index < asset_count; index++) {
        if (is_named(assets[index].name, name, length))
            return &assets[index];
    }
    return NULL;
}

// Nothing in a script element may look like the end of it, or like the begin of a comment. A `<`
// stands only inside of JSON's texts, where it can be written otherwise.
static void write_escaped(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            fputs("\\u003c", stream);
        else
            putc(*text, stream);
    }
}

static void write_part(FILE *stream, const char *name, size_t length, const char *document)
{
    if (is_named("document", name, length))
        write_escaped(stream, document);
    const struct asset *asset = find_asset(name, length);
    if (asset != NULL)
        fwrite(asset->bytes, 1, asset->size, stream);
}

static int write_page(FILE *stream, const char *document)
{
    static const char name[] = "template.html";
    const struct asset *template = find_asset(name, strlen(name));
    const char *at = (const char *)template->bytes;
    const char *end = at + template->size;
    while (at < end) {
        const char *open = memmem(at, (size_t)(end - at), "{{", 2);
        const char *close = open != NULL ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
        if (close == NULL)
            break;
        fwrite(at, 1, (size_t)(open - at), stream);
        write_part(stream, open + 2, (size_t)(close - open) - 2, document);
        at = close + 2;
    }
    fwrite(at, 1, (size_t)(end - at), stream);
    return fflush(stream) != 0 || ferror(stream) ? -EIO : 0;
}

int html_write(FILE *stream, const char *document, size_t length)
{
    json_error_t error;
    json_t *result = json_loadb(document, length, 0, &error);
    if (!json_is_object(result)) {
        bool is_memory = result == NULL && json_error_code(&error) == json_error_out_of_memory;
        json_decref(result);
        return is_memory ? -ENOMEM : -EINVAL;
    }
    int status = digest_make(result);
    // Nine digits are more than any measurement here has.
    char *text =
        status == 0 ? json_dumps(result, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    if (status == 0 && text == NULL)
        status = -ENOMEM;
    if (status == 0)
        status = write_page(stream, text);
    free(text);
    json_decref(result);
    return status;
}
