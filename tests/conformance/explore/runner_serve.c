// SPDX-License-Identifier: MIT
//
// Plays what it is told to, one request after the other, for tools in other languages. A request is
// `play BACKEND MODE BYTES`, a newline, and so many bytes of program text. The answer is
// `trace OUTCOME BYTES`, a newline and a binary trace; `error TEXT` when that is no program or no
// request; or `leak DESCRIPTOR`. A program that crashes or hangs takes the process with it.

#include <stdio.h>
#include <string.h>

#include "tests/conformance/explore/runner.h"

#define TEXT_BYTES_MAX ((size_t)64 << 10)

struct request {
    const char *backend;
    bool is_strict;
    size_t bytes;
};

static char text[TEXT_BYTES_MAX];

static bool read_request(const char *line, struct request *ret_request)
{
    char backend[16];
    char mode[16];
    size_t bytes;
    if (sscanf(line, "play %15s %15s %zu", backend, mode, &bytes) != 3 || bytes > sizeof text)
        return false;
    bool is_strict = strcmp(mode, "strict") == 0;
    if (!is_strict && strcmp(mode, "normal") != 0)
        return false;
    for (int i = 0; i < PLAY_BACKEND_COUNT; i++) {
        if (strcmp(play_backends[i], backend) != 0)
            continue;
        *ret_request = (struct request){
            .backend = play_backends[i], .is_strict = is_strict, .bytes = bytes};
        return true;
    }
    return false;
}

static void answer(const struct request *request, struct cede_trace_log *trace)
{
    static struct program program;
    char error_text[256];
    if (program_parse(text, request->bytes, &program, error_text, sizeof error_text) < 0) {
        printf("error %s\n", error_text);
        return;
    }
    struct play_result result;
    int error = play(&program, request->backend, request->is_strict, trace, &result);
    if (error < 0) {
        printf("error the program cannot be set up: %s\n", strerror(-error));
    } else if (result.left_open >= 0) {
        printf("leak %d\n", result.left_open);
    } else {
        printf("trace %d %zu\n", result.outcome, trace->bytes);
        fwrite(trace->data, 1, trace->bytes, stdout);
    }
}

int runner_serve(void)
{
    struct cede_trace_log trace = {0};
    char line[128];
    int status = RUNNER_CLEAN;
    while (status == RUNNER_CLEAN && fgets(line, sizeof line, stdin)) {
        struct request request;
        if (!read_request(line, &request)) {
            // Where the next request begins is not known.
            puts("error not a request");
            status = RUNNER_USAGE;
        } else if (fread(text, 1, request.bytes, stdin) == request.bytes) {
            answer(&request, &trace);
        }
        fflush(stdout);
    }
    cede_trace_clear(&trace);
    return status;
}
