// SPDX-License-Identifier: MIT
//
// Options, sockets and the listening line of a peer. What it answers is in answer.c.

#include "tools/profile/peers/peer.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// A reply to the smallest request that fills a buffer many times over stays within memory.
enum { REQUEST_BYTES_MAX = 16 << 20, REPLY_BYTES_MAX = 16 << 20, BURST_BYTES_MAX = 256 << 20 };

// Of these, the quickest is believed: whatever disturbs a loop makes it longer.
enum { CALIBRATION_STEPS = 1 << 20, CALIBRATION_ROUNDS = 9 };

static const char *const mode_names[PEER_MODE_COUNT] = {"echo", "compute", "rr", "fan-out", "http"};

static uint64_t compute_steps;
static volatile uint64_t compute_result;

// --- Computing ----------------------------------------------------------------------------------

// Each step needs the result of the one before, so that no compiler and no processor shortens it.
static void run_steps(uint64_t count)
{
    uint64_t value = compute_result;
    for (uint64_t step = 0; step < count; step++)
        value = value * 6364136223846793005u + 1442695040888963407u;
    compute_result = value;
}

static int64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void calibrate(unsigned compute_us)
{
    int64_t least_ns = INT64_MAX;
    for (int round = 0; round < CALIBRATION_ROUNDS; round++) {
        int64_t begin_ns = thread_cpu_ns();
        run_steps(CALIBRATION_STEPS);
        int64_t used_ns = thread_cpu_ns() - begin_ns;
        if (used_ns < least_ns)
            least_ns = used_ns;
    }
    compute_steps = (uint64_t)CALIBRATION_STEPS * compute_us * 1000 / (uint64_t)(least_ns + 1);
}

void peer_compute(void)
{
    run_steps(compute_steps);
}

// --- The command line ---------------------------------------------------------------------------

static void refuse(const struct peer_options *options, const char *what)
{
    fprintf(stderr,
            "%s: %s: usage: %s [--port N | --unix PATH] [--mode echo | rr --request N --reply N | "
            "fan-out --request N | compute --compute-us N | http]\n",
            options->program, what, options->program);
    exit(2);
}

static size_t read_number(const struct peer_options *options, const char *text, size_t maximum)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value > maximum)
        refuse(options, text);
    return value;
}

static enum peer_mode read_mode(const struct peer_options *options, const char *text)
{
    int mode = 0;
    while (mode < PEER_MODE_COUNT && strcmp(text, mode_names[mode]) != 0)
        mode++;
    if (mode == PEER_MODE_COUNT)
        refuse(options, text);
    return (enum peer_mode)mode;
}

static void check(const struct peer_options *options, int can_http)
{
    if (options->mode == PEER_HTTP && !can_http)
        refuse(options, "http is not served here");
    if ((options->mode == PEER_RR || options->mode == PEER_FAN_OUT) && options->request_bytes == 0)
        refuse(options, "--request is missing");
    if (options->mode == PEER_RR &&
        (options->reply_bytes == 0 ||
         (PEER_BUFFER_BYTES / options->request_bytes + 1) * options->reply_bytes > BURST_BYTES_MAX))
        refuse(options, "--reply does not fit");
    if (options->mode == PEER_COMPUTE && options->compute_us == 0)
        refuse(options, "--compute-us is missing");
}

void peer_read_options(int argc, char *argv[], const char *program, int can_http, int has_backend,
                       struct peer_options *ret_options)
{
    enum { PORT, UNIX, MODE, REQUEST, REPLY, COMPUTE, BACKEND };
    static const struct option names[] = {
        {"port", required_argument, NULL, PORT},
        {"unix", required_argument, NULL, UNIX},
        {"mode", required_argument, NULL, MODE},
        {"request", required_argument, NULL, REQUEST},
        {"reply", required_argument, NULL, REPLY},
        {"compute-us", required_argument, NULL, COMPUTE},
        {"backend", required_argument, NULL, BACKEND},
        {NULL, 0, NULL, 0},
    };
    struct peer_options options = {.program = program};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == PORT)
            options.port = (uint16_t)read_number(&options, optarg, UINT16_MAX);
        else if (option == UNIX)
            options.unix_path = optarg;
        else if (option == MODE)
            options.mode = read_mode(&options, optarg);
        else if (option == REQUEST)
            options.request_bytes = read_number(&options, optarg, REQUEST_BYTES_MAX);
        else if (option == REPLY)
            options.reply_bytes = read_number(&options, optarg, REPLY_BYTES_MAX);
        else if (option == COMPUTE)
            options.compute_us = (unsigned)read_number(&options, optarg, 10000000);
        else if (option == BACKEND && has_backend)
            options.backend = optarg;
        else
            refuse(&options, "unknown option");
    }
    if (optind != argc)
        refuse(&options, argv[optind]);
    check(&options, can_http);
    if (options.mode == PEER_COMPUTE)
        calibrate(options.compute_us);
    *ret_options = options;
}

// --- Sockets ------------------------------------------------------------------------------------

void peer_fail(const struct peer_options *options, const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", options->program, what, strerror(error));
    exit(1);
}

static int listen_unix(const struct peer_options *options)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(options->unix_path);
    if (length >= sizeof(address.sun_path))
        peer_fail(options, options->unix_path, ENAMETOOLONG);
    memcpy(address.sun_path, options->unix_path, length + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(options->unix_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        peer_fail(options, "bind", errno);
    return fd;
}

static int listen_tcp(const struct peer_options *options)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(options->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        peer_fail(options, "bind", errno);
    return fd;
}

int peer_listen(const struct peer_options *options)
{
    int fd = options->unix_path != NULL ? listen_unix(options) : listen_tcp(options);
    if (listen(fd, PEER_BACKLOG) < 0)
        peer_fail(options, "listen", errno);
    return fd;
}

void peer_set_nodelay(const struct peer_options *options, int fd)
{
    const int on = 1;
    // A connection that is gone already refuses; it will be found out when it is received from.
    if (options->unix_path == NULL)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void peer_announce(const struct peer_options *options, int listener, const char *version)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    if (options->unix_path != NULL) {
        printf("listening on unix:%s (%s)\n", options->unix_path, version);
    } else {
        if (getsockname(listener, (struct sockaddr *)&address, &length) < 0)
            peer_fail(options, "getsockname", errno);
        printf("listening on 127.0.0.1:%u (%s)\n", (unsigned)ntohs(address.sin_port), version);
    }
    fflush(stdout);
}
