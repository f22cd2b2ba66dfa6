// SPDX-License-Identifier: MIT
//
// Plays what it is told to, one request after the other, for tools in other languages. A request is
// `play BACKEND MODE BYTES`, a newline, and so many bytes of program text. The answer is
// `trace OUTCOME BYTES`, a newline and a binary trace; `error TEXT` when that is no program or no
// request; or what else is wrong, `leak WHAT` or `spin` (play.h). A program that crashes or hangs
// takes the process with it.
//
// `confluent SEED BACKENDS BYTES` asks whether a confluent program comes to the same on all
// backends of a list and in variations drawn from the seed (confluent.h): `equal`, `rejected TEXT`,
// or one of the above.

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/explore/confluent.h"
#include "tests/conformance/explore/runner.h"

#define TEXT_BYTES_MAX ((size_t)64 << 10)

struct request {
    size_t bytes;
    const char *backends[PLAY_BACKEND_COUNT];
    size_t backend_count;
    bool is_confluent;
    uint64_t seed;  // Of a confluent one,
    bool is_strict; // and of any other, which has one backend.
};

static char text[TEXT_BYTES_MAX];
static struct program program;

static bool read_request(const char *line, struct request *ret_request)
{
    struct request request = {0};
    char backends[64];
    char mode[16];
    if (sscanf(line, "confluent %" SCNu64 " %63s %zu", &request.seed, backends, &request.bytes) ==
        3) {
        request.is_confluent = true;
    } else if (sscanf(line, "play %63s %15s %zu", backends, mode, &request.bytes) == 3) {
        request.is_strict = strcmp(mode, "strict") == 0;
        if (!request.is_strict && strcmp(mode, "normal") != 0)
            return false;
    } else {
        return false;
    }
    // No name is a part of another.
    for (int i = 0; i < PLAY_BACKEND_COUNT; i++)
        if (strstr(backends, play_backends[i]))
            request.backends[request.backend_count++] = play_backends[i];
    *ret_request = request;
    return request.bytes <= sizeof text && request.backend_count > 0 &&
           (request.is_confluent || request.backend_count == 1);
}

// Plays for confluent_check; `argument` is the trace. -EMFILE: something was left behind; -ELOOP:
// it was a spin.
static int play_variation(void *argument, const struct program *varied, const char *backend,
                          bool is_strict, const uint8_t **ret_trace, size_t *ret_bytes)
{
    struct cede_trace_log *trace = argument;
    struct play_result result;
    int error = play(varied, backend, is_strict, trace, &result);
    if (error == 0 && result.complaint)
        error = strcmp(result.complaint, "spin") == 0 ? -ELOOP : -EMFILE;
    if (error < 0)
        return error;
    *ret_trace = trace->data;
    *ret_bytes = trace->bytes;
    return 0;
}

static void answer_confluent(const struct request *request, struct cede_trace_log *trace)
{
    const struct confluent_player player = {
        .play = play_variation,
        .argument = trace,
        .backends = request->backends,
        .backend_count = request->backend_count,
    };
    char message[256];
    int error = confluent_check(&player, &program, request->seed, message, sizeof message);
    if (error == 0)
        puts("equal");
    else if (error == -EMFILE || error == -ELOOP)
        puts(error == -EMFILE ? "leak" : "spin");
    else
        printf("%s %s\n", error == -EBADMSG ? "rejected" : "error", message);
}

static void answer_play(const struct request *request, struct cede_trace_log *trace)
{
    struct play_result result;
    int error = play(&program, request->backends[0], request->is_strict, trace, &result);
    if (error < 0) {
        printf("error the program cannot be set up: %s\n", strerror(-error));
    } else if (result.complaint) {
        puts(result.complaint);
    } else {
        printf("trace %d %zu\n", result.outcome, trace->bytes);
        fwrite(trace->data, 1, trace->bytes, stdout);
    }
}

static void answer(const struct request *request, struct cede_trace_log *trace)
{
    char error_text[256];
    if (program_parse(text, request->bytes, &program, error_text, sizeof error_text) < 0)
        printf("error %s\n", error_text);
    else if (request->is_confluent)
        answer_confluent(request, trace);
    else
        answer_play(request, trace);
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
