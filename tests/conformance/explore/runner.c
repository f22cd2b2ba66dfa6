// SPDX-License-Identifier: MIT
//
// The command line: a verb, and long options with a value each.

#include "tests/conformance/explore/runner.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: runner run --first N --count N --seed S [--kind random|confluent|rude]\n"
    "                  [--backends NAME,...] [--mode strict|normal] [--stop-after N]\n"
    "                  [--emit FILE] [--digests FILE] [--expect FILE] [--stats FILE]\n"
    "                  [--hashes FILE] [--watchdog SECONDS]\n"
    "       runner generate --seed S --number N [--kind random|confluent|rude]\n"
    "       runner play FILE [--backend NAME] [--mode strict|normal] [--binary]\n"
    "       runner compare FILE [--backends NAME,...]\n"
    "       runner serve\n"
    "A FILE called - is the standard input or output.\n";

int runner_complain(const char *what, const char *object, int error)
{
    fprintf(stderr, "runner: %s %s: %s\n", what, object, strerror(-error));
    return RUNNER_BROKEN;
}

// The name among the backends, or NULL.
static const char *find_backend(const char *name, size_t bytes)
{
    for (int i = 0; i < PLAY_BACKEND_COUNT; i++)
        if (strlen(play_backends[i]) == bytes && memcmp(play_backends[i], name, bytes) == 0)
            return play_backends[i];
    return NULL;
}

static bool read_backends(const char *list, struct runner_options *options)
{
    options->backend_count = 0;
    for (;;) {
        size_t bytes = strcspn(list, ",");
        const char *name = find_backend(list, bytes);
        if (!name || options->backend_count == PLAY_BACKEND_COUNT)
            return false;
        options->backends[options->backend_count++] = name;
        if (!list[bytes])
            return true;
        list += bytes + 1;
    }
}

static bool read_number(const char *text, uint64_t *ret_number)
{
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end)
        return false;
    *ret_number = number;
    return true;
}

static bool read_class(const char *text, enum program_class *ret_class)
{
    static const char *const names[] = {
        [PROGRAM_RANDOM] = "random",
        [PROGRAM_CONFLUENT] = "confluent",
        [PROGRAM_RUDE] = "rude",
    };
    for (unsigned class = 0; class < sizeof names / sizeof *names; class++) {
        if (strcmp(names[class], text) == 0) {
            *ret_class = (enum program_class)class;
            return true;
        }
    }
    return false;
}

// One of two words: whether it is the first.
static bool read_choice(const char *text, const char *first, const char *second, bool *ret_is_first)
{
    *ret_is_first = strcmp(text, first) == 0;
    return *ret_is_first || strcmp(text, second) == 0;
}

static bool read_option(const char *name, const char *value, struct runner_options *options)
{
    const struct {
        const char *name;
        uint64_t *number;
        const char **text;
    } plain[] = {
        {"--first", &options->first, NULL},           {"--number", &options->first, NULL},
        {"--count", &options->count, NULL},           {"--seed", &options->seed, NULL},
        {"--stop-after", &options->stop_after, NULL}, {"--emit", NULL, &options->emit},
        {"--digests", NULL, &options->digests},       {"--expect", NULL, &options->expect},
        {"--stats", NULL, &options->stats},           {"--hashes", NULL, &options->hashes},
        {"--watchdog", &options->watchdog_s, NULL},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(plain[i].name, name) != 0)
            continue;
        if (plain[i].number)
            return read_number(value, plain[i].number);
        *plain[i].text = value;
        return true;
    }
    if (strcmp(name, "--kind") == 0)
        return read_class(value, &options->class);
    if (strcmp(name, "--mode") == 0)
        return read_choice(value, "strict", "normal", &options->is_strict);
    if (strcmp(name, "--backend") == 0 || strcmp(name, "--backends") == 0)
        return read_backends(value, options);
    return false;
}

// Everything behind the verb.
static bool read_options(int argc, char **argv, struct runner_options *options)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--binary") == 0)
            options->is_binary = true;
        else if (strncmp(argv[i], "--", 2) != 0 && !options->file)
            options->file = argv[i];
        else if (i + 1 == argc || !read_option(argv[i], argv[i + 1], options))
            return false;
        else
            i++;
    }
    return true;
}

static int act(const char *verb, const struct runner_options *options)
{
    if (strcmp(verb, "run") == 0 && !options->file)
        return runner_run(options);
    if (strcmp(verb, "generate") == 0 && !options->file)
        return runner_generate(options);
    if (strcmp(verb, "play") == 0 && options->file)
        return runner_play(options);
    if (strcmp(verb, "compare") == 0 && options->file)
        return runner_compare(options);
    if (strcmp(verb, "serve") == 0 && !options->file)
        return runner_serve();
    fputs(usage, stderr);
    return RUNNER_USAGE;
}

int main(int argc, char **argv)
{
    struct runner_options options = {
        .count = 1,
        .stop_after = 1,
        .watchdog_s = 5,
        .is_strict = true,
        .backend_count = PLAY_BACKEND_COUNT,
    };
    memcpy(options.backends, play_backends, sizeof options.backends);
    if (argc < 2 || !read_options(argc, argv, &options)) {
        fputs(usage, stderr);
        return RUNNER_USAGE;
    }
    // Pipes are written to past the engine, too.
    signal(SIGPIPE, SIG_IGN);
    int error = play_open();
    if (error < 0)
        return runner_complain("open", "sockets", error);
    int status = act(argv[1], &options);
    play_close();
    return status;
}
