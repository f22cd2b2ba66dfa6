// SPDX-License-Identifier: MIT
//
// The verbs for one program: generate, play, compare.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/explore/runner.h"

#define TEXT_BYTES_MAX ((size_t)64 << 10)

static char text[TEXT_BYTES_MAX];
static struct program program;

// 0, or a status when the file is no program, which was complained about.
static int read_program(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file)
        return runner_complain("open", path, -errno);
    size_t bytes = fread(text, 1, sizeof text, file);
    bool is_whole = feof(file) != 0;
    if (file != stdin)
        fclose(file);
    if (!is_whole)
        return runner_complain("read", path, -EFBIG);
    char error[256];
    if (program_parse(text, bytes, &program, error, sizeof error) == 0)
        return 0;
    fprintf(stderr, "runner: read %s: %s\n", path, error);
    return RUNNER_USAGE;
}

int runner_generate(const struct runner_options *options)
{
    generate_program(options->class, options->seed, options->first, &program);
    size_t bytes = program_print(&program, text, sizeof text);
    fwrite(text, 1, bytes, stdout);
    return RUNNER_CLEAN;
}

// 0, or a status when it could not be played or something is wrong, which was complained about.
static int play_once(const char *backend, bool is_strict, struct cede_trace_log *trace,
                     struct play_result *ret_result)
{
    int error = play(&program, backend, is_strict, trace, ret_result);
    if (error < 0)
        return runner_complain("play on", backend, error);
    if (!ret_result->complaint)
        return 0;
    fprintf(stderr, "runner: play on %s: %s\n", backend, ret_result->complaint);
    return RUNNER_FOUND;
}

int runner_play(const struct runner_options *options)
{
    int status = read_program(options->file);
    if (status != 0)
        return status;
    struct cede_trace_log trace = {0};
    struct play_result result;
    status = play_once(options->backends[0], options->is_strict, &trace, &result);
    if (options->is_binary)
        fwrite(trace.data, 1, trace.bytes, stdout);
    else
        runner_print_trace(&program, &trace, stdout);
    cede_trace_clear(&trace);
    return status;
}

int runner_compare(const struct runner_options *options)
{
    static struct runner_plays plays;
    int status = read_program(options->file);
    plays.program = &program;
    plays.count = options->backend_count;
    memcpy(plays.backends, options->backends, sizeof plays.backends);
    for (int i = 0; i < plays.count && status == 0; i++)
        status = play_once(plays.backends[i], true, &plays.traces[i], &plays.results[i]);
    if (status != 0)
        return status;
    int index = runner_differs(&plays);
    if (index < 0)
        puts("equal");
    else
        runner_print_difference(&plays, index, stdout);
    for (int i = 0; i < plays.count; i++)
        cede_trace_clear(&plays.traces[i]);
    return index < 0 ? RUNNER_CLEAN : RUNNER_FOUND;
}
