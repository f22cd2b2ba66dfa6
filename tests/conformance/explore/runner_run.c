// SPDX-License-Identifier: MIT
//
// The verb `run`: programs of a seed, one after the other, each on each backend. In strict mode
// their traces must be equal; in normal mode they are only emitted, for others to judge. What shows
// is a line on stdout, and what differs stands on stderr:
//
//     divergence SEED NUMBER BACKEND EVENT        the first event that differs, from 1
//     divergence SEED NUMBER confluent SENTENCE   a confluent program came to something else
//     unexpected SEED NUMBER                      the digest is not that of --expect
//     leak SEED NUMBER BACKEND WHAT               something is left behind: it ends the process
//     spin SEED NUMBER BACKEND                    the kernel was asked over and over, for nothing
//
// To these come those of watchdog.h.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/conformance/explore/confluent.h"
#include "tests/conformance/explore/coverage.h"
#include "tests/conformance/explore/opcodes.h"
#include "tests/conformance/explore/runner.h"
#include "tests/conformance/explore/watchdog.h"

#define TEXT_BYTES_MAX ((size_t)64 << 10)

struct run {
    const struct runner_options *options;
    FILE *emit;
    FILE *hashes;
    int digests_fd; // -1, like the next: not asked for.
    int expect_fd;
    uint64_t number; // Of the program, whose text is
    struct program program;
    struct runner_plays plays;
    struct cede_trace_log varied; // The trace that a confluent check looks at.
    struct coverage coverage;
    uint64_t play_count;
    uint64_t found_count;
    bool is_broken; // Something was left behind: nothing that comes after would mean anything.
};

// --- What is found ------------------------------------------------------------------------------

static void find(struct run *run, const char *what, const char *rest)
{
    run->found_count++;
    printf("%s %" PRIu64 " %" PRIu64 "%s%s\n", what, run->options->seed, run->number,
           *rest ? " " : "", rest);
    fflush(stdout);
}

static void find_divergence(struct run *run, int index)
{
    char rest[64];
    fprintf(stderr, "program %" PRIu64 " of seed %" PRIu64 ": ", run->number, run->options->seed);
    int64_t event = runner_print_difference(&run->plays, index, stderr);
    snprintf(rest, sizeof rest, "%s %" PRId64, run->plays.backends[index], event);
    find(run, "divergence", rest);
}

// After a leak nothing would mean anything: -EMFILE then, else 0.
static int find_complaint(struct run *run, const char *backend, const char *complaint)
{
    char rest[64];
    if (strcmp(complaint, "spin") == 0) {
        find(run, complaint, backend);
        return 0;
    }
    snprintf(rest, sizeof rest, "%s %s", backend, complaint + strlen("leak "));
    find(run, "leak", rest);
    run->is_broken = true;
    return -EMFILE;
}

// 0, or -errno.
static int play_one(struct run *run, const struct program *program, const char *backend,
                    bool is_strict, struct cede_trace_log *trace, struct play_result *ret_result)
{
    watchdog_watch(run->options->seed, run->number, backend);
    int error = play(program, backend, is_strict, trace, ret_result);
    if (error < 0)
        return error;
    run->play_count++;
    return ret_result->complaint ? find_complaint(run, backend, ret_result->complaint) : 0;
}

static int play_variation(void *argument, const struct program *program, const char *backend,
                          bool is_strict, const uint8_t **ret_trace, size_t *ret_bytes)
{
    struct run *run = argument;
    struct play_result result;
    int error = play_one(run, program, backend, is_strict, &run->varied, &result);
    if (error < 0)
        return error;
    *ret_trace = run->varied.data;
    *ret_bytes = run->varied.bytes;
    return 0;
}

// 0, or -errno.
static int check_confluence(struct run *run)
{
    const struct confluent_player player = {
        .play = play_variation,
        .argument = run,
        .backends = run->plays.backends,
        .backend_count = (size_t)run->plays.count,
    };
    char message[256];
    char rest[sizeof message + 16];
    int error = confluent_check(&player, &run->program, run->options->seed + run->number, message,
                                sizeof message);
    if (error != -EBADMSG)
        return error;
    snprintf(rest, sizeof rest, "confluent %s", message);
    find(run, "divergence", rest);
    return 0;
}

// --- Files --------------------------------------------------------------------------------------

// FNV-1a.
static uint64_t digest_of(const struct cede_trace_log *trace)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < trace->bytes; i++)
        hash = (hash ^ trace->data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

// Digests stand by program number, so that several processes can write one file. 0, or -errno.
static int handle_digest(struct run *run)
{
    if (run->digests_fd < 0 && run->expect_fd < 0)
        return 0;
    uint64_t digest = digest_of(&run->plays.traces[0]);
    off_t place = (off_t)(run->number * sizeof digest);
    uint64_t expected = 0;
    if (run->digests_fd >= 0 &&
        pwrite(run->digests_fd, &digest, sizeof digest, place) != sizeof digest)
        return -EIO;
    if (run->expect_fd >= 0 &&
        (pread(run->expect_fd, &expected, sizeof expected, place) != sizeof expected ||
         expected != digest))
        find(run, "unexpected", "");
    return 0;
}

// 0, or -errno.
static int emit(const struct run *run)
{
    static char text[TEXT_BYTES_MAX];
    const struct runner_options *options = run->options;
    watchdog_rest(); // Who reads may be a slow judge.
    size_t bytes = program_print(&run->program, text, sizeof text);
    fprintf(run->emit, "program %" PRIu64 " %" PRIu64 " %zu\n", options->seed, run->number, bytes);
    fwrite(text, 1, bytes, run->emit);
    for (int i = 0; i < run->plays.count; i++) {
        const struct cede_trace_log *trace = &run->plays.traces[i];
        fprintf(run->emit, "trace %s %s %zu\n", run->plays.backends[i],
                options->is_strict ? "strict" : "normal", trace->bytes);
        fwrite(trace->data, 1, trace->bytes, run->emit);
    }
    return fflush(run->emit) == 0 ? 0 : -errno;
}

static int print_stats(const struct run *run, int64_t duration_ns)
{
    FILE *file = fopen(run->options->stats, "we");
    if (!file)
        return -errno;
    fprintf(file, "{\"plays\": %" PRIu64 ", \"nanoseconds\": %" PRId64 ",\n\"opcodes\": ",
            run->play_count, duration_ns);
    opcodes_print(file);
    fputs(",\n\"coverage\": ", file);
    coverage_print(file, &run->coverage);
    fputs("}\n", file);
    return fclose(file) == 0 ? 0 : -errno;
}

static int open_files(struct run *run)
{
    const struct runner_options *options = run->options;
    if (options->emit)
        run->emit = strcmp(options->emit, "-") == 0 ? stdout : fopen(options->emit, "we");
    if (options->emit && !run->emit)
        return runner_complain("open", options->emit, -errno);
    if (options->hashes && !(run->hashes = fopen(options->hashes, "we")))
        return runner_complain("open", options->hashes, -errno);
    if (options->digests)
        run->digests_fd = open(options->digests, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (options->digests && run->digests_fd < 0)
        return runner_complain("open", options->digests, -errno);
    if (options->expect)
        run->expect_fd = open(options->expect, O_RDONLY | O_CLOEXEC);
    if (options->expect && run->expect_fd < 0)
        return runner_complain("open", options->expect, -errno);
    return 0;
}

static int close_files(struct run *run)
{
    int error = 0;
    if (run->emit && fclose(run->emit) != 0)
        error = -errno;
    if (run->hashes && fclose(run->hashes) != 0)
        error = -errno;
    if (run->digests_fd >= 0)
        close(run->digests_fd);
    if (run->expect_fd >= 0)
        close(run->expect_fd);
    return error;
}

// --- The run ------------------------------------------------------------------------------------

// Everything that is done with one program: 0, or -errno.
static int handle(struct run *run)
{
    const struct runner_options *options = run->options;
    generate_program(options->class, options->seed, run->number, &run->program);
    for (int i = 0; i < run->plays.count; i++) {
        int error = play_one(run, &run->program, run->plays.backends[i], options->is_strict,
                             &run->plays.traces[i], &run->plays.results[i]);
        if (error < 0)
            return error;
    }
    bool must_be_equal = options->is_strict && options->class != PROGRAM_RUDE;
    int index = must_be_equal ? runner_differs(&run->plays) : -1;
    if (index >= 0)
        find_divergence(run, index);
    const struct cede_trace_log *first = &run->plays.traces[0];
    coverage_add(&run->coverage, &run->program, first->data, first->bytes);
    int error = run->hashes ? coverage_append_hash(run->hashes, &run->program) : 0;
    if (error == 0)
        error = handle_digest(run);
    if (error == 0 && run->emit)
        error = emit(run);
    if (error == 0 && options->class == PROGRAM_CONFLUENT && options->is_strict)
        error = check_confluence(run);
    return error;
}

static int handle_all(struct run *run)
{
    const struct runner_options *options = run->options;
    watchdog_start(options->watchdog_s);
    for (run->number = options->first; run->number - options->first < options->count;
         run->number++) {
        int error = handle(run);
        if (run->is_broken)
            return RUNNER_BROKEN;
        if (error < 0) {
            char name[32];
            snprintf(name, sizeof name, "%" PRIu64, run->number);
            return runner_complain("program", name, error);
        }
        if (run->found_count >= options->stop_after)
            break;
    }
    return run->found_count > 0 ? RUNNER_FOUND : RUNNER_CLEAN;
}

int runner_run(const struct runner_options *options)
{
    static struct run run = {.digests_fd = -1, .expect_fd = -1};
    run.options = options;
    run.plays.program = &run.program;
    run.plays.count = options->backend_count;
    memcpy(run.plays.backends, options->backends, sizeof run.plays.backends);
    int64_t start_ns = cede_sys_now_ns();
    int status = open_files(&run);
    if (status == 0)
        status = handle_all(&run);
    int error = options->stats ? print_stats(&run, cede_sys_now_ns() - start_ns) : 0;
    if (error < 0)
        status = runner_complain("write", options->stats, error);
    error = close_files(&run);
    if (error < 0)
        status = runner_complain("write", "results", error);
    for (int i = 0; i < run.plays.count; i++)
        cede_trace_clear(&run.plays.traces[i]);
    cede_trace_clear(&run.varied);
    return status;
}
