// SPDX-License-Identifier: MIT
//
// What stands below the tables of a report: what limited the arms, and what must be known before
// anything is believed.

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tools/profile/report.h"
#include "tools/profile/summary.h"

// One line for each limit, with the arms to which it applied.
static void print_limits(const struct result *result, FILE *stream)
{
    bool is_printed[RESULT_ARM_LIMIT] = {0};
    for (size_t index = 0; index < result->arm_count; index++) {
        const char *limit = result->arms[index].limited_by;
        if (is_printed[index] || limit[0] == '\0')
            continue;
        fprintf(stream, "limited by: %s: %s", limit, result->arms[index].name);
        for (size_t other = index + 1; other < result->arm_count; other++) {
            if (strcmp(result->arms[other].limited_by, limit) != 0)
                continue;
            fprintf(stream, ", %s", result->arms[other].name);
            is_printed[other] = true;
        }
        fputc('\n', stream);
    }
}

// A client that works at more than half of what it can do may be part of what is seen.
static void print_headroom(const struct result *result, FILE *stream)
{
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct result_arm *arm = &result->arms[index];
        if (arm->headroom < 2)
            fprintf(stream, "note: %s: the client could do only %.1f times as much\n", arm->name,
                    arm->headroom);
    }
}

// Most machines withhold the same from all arms alike.
static void print_costs_notes(const struct result *result, FILE *stream)
{
    const char *last = "";
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct result_arm *arm = &result->arms[index];
        if (arm->costs_note[0] != '\0' && strcmp(arm->costs_note, last) != 0)
            fprintf(stream, "not counted: %s: %s\n", arm->name, arm->costs_note);
        last = arm->costs_note;
    }
}

static void print_invalid_windows(const struct result *result, FILE *stream)
{
    size_t count = 0, invalid_count = 0;
    const char *last = "";
    for (size_t block = 0; block < result->block_count; block++) {
        for (size_t index = 0; index < result->arm_count; index++) {
            const struct result_window *window = result_window_at(result, block, index);
            count += window->is_complete;
            if (window->is_complete && !window->is_valid) {
                invalid_count++;
                last = window->invalid;
            }
        }
    }
    if (invalid_count > 0)
        fprintf(stream,
                "invalid windows: %zu of %zu, kept in the file, left out here; the last: %s\n",
                invalid_count, count, last);
}

void report_print_notes(const struct result *result, FILE *stream)
{
    const struct result_environment *machine = &result->environment;
    bool is_reference_bad =
        result->reference != RESULT_NONE && result->arms[result->reference].reason_count > 0;
    print_limits(result, stream);
    print_headroom(result, stream);
    print_costs_notes(result, stream);
    if (machine->load_average >= (double)machine->processors)
        fprintf(stream, "note: the machine was busy with other things, load average %.1f\n",
                machine->load_average);
    print_invalid_windows(result, stream);
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct result_arm *arm = &result->arms[index];
        if (arm->failure[0] != '\0')
            fprintf(stream, "left out: %s: %s\n", arm->name, arm->failure);
    }
    for (size_t index = 0; index < result->arm_count; index++) {
        const struct result_arm *arm = &result->arms[index];
        for (size_t reason = 0; reason < arm->reason_count; reason++)
            fprintf(stream, "not ranked: %s: %s\n", arm->name, arm->reasons[reason]);
    }
    if (is_reference_bad)
        fprintf(stream, "no ranking: the reference %s failed a gate\n",
                result->arms[result->reference].name);
}
