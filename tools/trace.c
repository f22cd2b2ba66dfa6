// SPDX-License-Identifier: MIT
//
// Prints a trace, a line an event; or finds the first event that two traces do not share. What the
// lines say is in tasks/trace_text.h. It knows files and the command line; tasks/trace_text.c does
// the rest.

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/trace_text.h"
#include "tools/options.h"

static const char tool_name[] = "trace";

// Shown before the first difference.
#define CONTEXT_EVENTS 10

// How `trace diff` ends, as diff(1) does.
enum { EXIT_EQUAL = 0, EXIT_DIFFERENT = 1, EXIT_TROUBLE = 2 };

static void complain(const char *what, const char *reason)
{
    fprintf(stderr, "%s: %s: %s\n", tool_name, what, reason);
}

// --- Files --------------------------------------------------------------------------------------

// Reads all that is left of a file: 0, or -errno.
static int read_all(FILE *file, struct cede_trace_log *log)
{
    for (;;) {
        if (log->bytes == log->capacity) {
            size_t capacity = log->capacity ? 2 * log->capacity : (size_t)1 << 16;
            uint8_t *data = realloc(log->data, capacity);
            if (data == NULL)
                return -ENOMEM;
            log->data = data;
            log->capacity = capacity;
        }
        size_t count = fread(log->data + log->bytes, 1, log->capacity - log->bytes, file);
        log->bytes += count;
        if (count == 0)
            return ferror(file) ? -errno : 0;
    }
}

// The whole file; its memory is the caller's to free. False after complaining.
static bool read_file(const char *path, struct cede_trace_log *ret_log)
{
    *ret_log = (struct cede_trace_log){0};
    FILE *file = fopen(path, "re");
    int error = file ? read_all(file, ret_log) : -errno;
    if (file)
        fclose(file);
    if (error < 0) {
        free(ret_log->data);
        complain(path, strerror(-error));
    }
    return error == 0;
}

// Whether all that was printed has arrived.
static bool has_printed(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    complain("stdout", strerror(errno));
    return false;
}

// --- Printing -----------------------------------------------------------------------------------

// Prints event after event: 0, or -errno; -EBADMSG where something is no event. Then *ret_offset
// says at which byte that was.
static int print_events(const struct cede_trace_log *log, struct cede_trace_text *text,
                        size_t *ret_offset)
{
    struct cede_trace_event event;
    char line[CEDE_TRACE_LINE_BYTES];
    for (size_t offset = 0, bytes; offset < log->bytes; offset += bytes) {
        *ret_offset = offset;
        bytes = cede_trace_decode(log->data + offset, log->bytes - offset, &event);
        if (bytes == 0)
            return -EBADMSG;
        int error = cede_trace_text_next(text, &event, line);
        if (error < 0)
            return error;
        puts(line);
    }
    return 0;
}

static int print_file(const char *path)
{
    struct cede_trace_log log;
    struct cede_trace_text text = {.names = NULL};
    if (!read_file(path, &log))
        return OPTIONS_EXIT_FAILED;
    size_t offset = 0;
    int error = print_events(&log, &text, &offset);
    // What could be read stands above the complaint, also where both go to one terminal.
    bool is_done = has_printed() && error == 0;
    if (error == -EBADMSG)
        fprintf(stderr, "%s: %s: event %" PRIu64 ", byte %zu: Cut off, or no event\n", tool_name,
                path, text.event_count + 1, offset);
    else if (error < 0)
        complain(path, strerror(-error));
    cede_trace_text_close(&text);
    free(log.data);
    return is_done ? OPTIONS_EXIT_DONE : OPTIONS_EXIT_FAILED;
}

// --- Comparing ----------------------------------------------------------------------------------

static void print_line(void *argument, const char *line)
{
    (void)argument;
    puts(line);
}

static int compare_logs(const char *const paths[2], const struct cede_trace_log logs[2])
{
    int64_t number = cede_trace_diff(&logs[0], &logs[1], NULL, CONTEXT_EVENTS, print_line, NULL);
    if (number == 0)
        return EXIT_EQUAL;
    if (number < 0)
        complain("diff", strerror((int)-number));
    else
        printf("- %s\n+ %s\nfirst difference: event %" PRId64 "\n", paths[0], paths[1], number);
    return has_printed() && number > 0 ? EXIT_DIFFERENT : EXIT_TROUBLE;
}

static int compare_files(const char *const paths[2])
{
    struct cede_trace_log logs[2];
    if (!read_file(paths[0], &logs[0]))
        return EXIT_TROUBLE;
    int exit_status = EXIT_TROUBLE;
    if (read_file(paths[1], &logs[1])) {
        exit_status = compare_logs(paths, logs);
        free(logs[1].data);
    }
    free(logs[0].data);
    return exit_status;
}

int main(int argc, char **argv)
{
    const struct options_program program = {
        .name = tool_name,
        .usage = "FILE\n       trace diff FILE FILE",
        .summary = "Prints what a run did, a line an event; or where two runs part.",
        .closing = "A file is what `echo_server --trace FILE` writes. diff prints the first event\n"
                   "that differs and what stands before it; it ends with status 0 when the traces\n"
                   "are equal, 1 when they differ, 2 when it cannot say.",
    };
    int exit_status;
    if (argc > 1 && argv[1][0] == '-' && !options_parse(&program, argc, argv, &exit_status))
        return exit_status;
    if (argc == 2)
        return print_file(argv[1]);
    if (argc == 4 && strcmp(argv[1], "diff") == 0)
        return compare_files((const char *const[]){argv[2], argv[3]});
    complain("command line", "Needs a file, or diff and two files; see --help");
    return OPTIONS_EXIT_USAGE;
}
