// SPDX-License-Identifier: MIT
//
// The program this library grew from, on this library: tasks that say what they wait for, recv or
// send, and the socket, and make the call themselves when they go on. What runs them (take the
// first task, run it to its next wait, and ask the kernel when none is left to run) is
// `cede_scheduler_run` in tasks/scheduler.c. The server answers whatever it received with GOT: and
// that.
//
// A wait has ended: the call would not have blocked a moment ago (S1). It still may, so it is told
// not to, and whoever gets EAGAIN waits again. tools/echo_server.c shows how a server is written
// when the library does that part, too.

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cede.h"
#include "tools/options.h"

#define ANSWER "GOT:"
#define ANSWER_BYTES (sizeof ANSWER - 1)
#define MESSAGE_BYTES 1000
#define RETRY_NS (10 * CEDE_NANOSECONDS_PER_MILLISECOND)

// Sends all of the answer: 0, or -errno.
static int answer_client(struct cede_task *self, int client, const char *answer, size_t bytes)
{
    while (bytes > 0) {
        int error = cede_wait(self, CEDE_SEND, client);
        if (error < 0)
            return error;
        ssize_t count = send(client, answer, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN)
            return -errno;
        answer += count > 0 ? count : 0;
        bytes -= count > 0 ? (size_t)count : 0;
    }
    return 0;
}

static int handle_client(struct cede_task *self, void *argument)
{
    int client = (int)(intptr_t)argument;
    char answer[ANSWER_BYTES + MESSAGE_BYTES] = ANSWER;
    while (cede_wait(self, CEDE_RECV, client) == 0) {
        ssize_t count = recv(client, answer + ANSWER_BYTES, MESSAGE_BYTES, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN)
            continue;
        if (count <= 0 || answer_client(self, client, answer, ANSWER_BYTES + (size_t)count) < 0)
            break;
    }
    puts("task done");
    return cede_close(self, client);
}

static int serve(struct cede_task *self, void *argument)
{
    int listener = *(const int *)argument;
    int error;
    while ((error = cede_wait(self, CEDE_RECV, listener)) == 0) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        // Whatever it was, out of descriptors say, may be better in a moment.
        if (client < 0 && (error = cede_sleep(self, RETRY_NS)) == 0)
            continue;
        if (error < 0)
            break;
        // The descriptor itself is the argument: a pointer to it would outlive it.
        if (cede_spawn(self, "client", handle_client, (void *)(intptr_t)client, NULL) < 0)
            cede_close(self, client);
    }
    fprintf(stderr, "brief: accept: %s\n", strerror(-error));
    return cede_close(self, listener);
}

int main(int argc, char *argv[])
{
    uint64_t port;
    int exit_status;
    const struct options_entry port_option = {.long_name = "port",
                                              .short_name = 'p',
                                              .argument = "N",
                                              .count = &port,
                                              .initial = "9001",
                                              .maximum = UINT16_MAX,
                                              .help = "the port; 0 lets the kernel pick one"};
    const struct options_program program = {
        .name = "brief",
        .summary = "Answers what it receives with GOT: and what it received.",
        .entries = &port_option,
        .entry_count = 1};
    if (!options_parse(&program, argc, argv, &exit_status))
        return exit_status;

    struct cede_address address;
    int listener = cede_listen("127.0.0.1", (uint16_t)port);
    int error = listener < 0 ? listener : cede_listen_address(listener, &address);
    if (error < 0) {
        fprintf(stderr, "brief: listen 127.0.0.1:%u: %s\n", (unsigned)port, strerror(-error));
        return OPTIONS_EXIT_FAILED;
    }
    setlinebuf(stdout);
    printf("listening on 127.0.0.1:%u\n", cede_address_port(&address));
    // It serves until it is killed; what ends it otherwise is a failure, and has been named.
    error = cede_run(NULL, serve, &listener);
    if (error < 0)
        fprintf(stderr, "brief: run: %s\n", strerror(-error));
    return OPTIONS_EXIT_FAILED;
}
