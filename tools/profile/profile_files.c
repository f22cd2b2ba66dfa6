// SPDX-License-Identifier: MIT
//
// Results from and to files.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/html/html.h"
#include "tools/profile/profile.h"
#include "tools/profile/report.h"

static int open_output(const char *path, FILE **ret_stream)
{
    *ret_stream = path != NULL ? fopen(path, "we") : NULL;
    return path != NULL && *ret_stream == NULL ? profile_complain("open", path, -errno)
                                               : OPTIONS_EXIT_DONE;
}

int profile_outputs_open(struct profile_outputs *ret_outputs)
{
    struct profile_outputs outputs = {0};
    int status = open_output(profile_settings.json, &outputs.json);
    if (status == OPTIONS_EXIT_DONE)
        status = open_output(profile_settings.html, &outputs.html);
    if (status == OPTIONS_EXIT_DONE)
        status = open_output(profile_settings.csv, &outputs.csv);
    *ret_outputs = outputs;
    return status;
}

// The page is made of the document, which need not have been asked for.
static int write_html(const struct result *result, FILE *stream)
{
    char *document;
    size_t length;
    FILE *memory = open_memstream(&document, &length);
    if (memory == NULL)
        return -ENOMEM;
    int error = result_write(result, memory);
    if (fclose(memory) != 0 && error == 0)
        error = -ENOMEM;
    if (error == 0)
        error = html_write(stream, document, length);
    free(document);
    return error;
}

// What was written may fail as late as in fclose.
static int finish(FILE *stream, const char *path, int error)
{
    if (fclose(stream) != 0 && error == 0)
        error = -EIO;
    return error < 0 ? profile_complain("write", path, error) : OPTIONS_EXIT_DONE;
}

int profile_outputs_write(struct profile_outputs *outputs, const struct result *result)
{
    const struct profile_settings *settings = &profile_settings;
    int status = OPTIONS_EXIT_DONE;
    if (outputs->json != NULL)
        status |= finish(outputs->json, settings->json, result_write(result, outputs->json));
    if (outputs->html != NULL)
        status |= finish(outputs->html, settings->html, write_html(result, outputs->html));
    if (outputs->csv != NULL)
        status |= finish(outputs->csv, settings->csv, report_write_csv(result, outputs->csv));
    return status;
}

int profile_read(const char *path, struct result *ret_result)
{
    char reason[320];
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return profile_complain("open", path, -errno);
    int error = result_read(stream, ret_result, reason, sizeof(reason));
    fclose(stream);
    if (error == 0)
        return OPTIONS_EXIT_DONE;
    fprintf(stderr, "profile: read %s: %s\n", path, reason);
    return OPTIONS_EXIT_FAILED;
}
