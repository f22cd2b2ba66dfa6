// SPDX-License-Identifier: MIT
//
// A server as a process of its own, for the end-to-end tests: started with a command line, asked
// what it costs, ended and judged by what it printed and how it ended. Failures are cmocka's. The
// kernel kills the server if the test dies.

#ifndef CEDE_TESTS_ECHO_PROCESS_H
#define CEDE_TESTS_ECHO_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct echo_process {
    pid_t pid;
    int pid_fd;        // Readable when it has ended.
    int output_fd;     // Its stdout,
    int messages_fd;   // and its stderr.
    char backend[32];  // As its first line says.
    uint16_t port;     // Likewise; 0 for a unix socket.
    char output[8192]; // After echo_process_wait: what it printed, but for that line.
    char messages[8192];
};

// How a server ends that is asked to, in time.
#define ECHO_PROCESS_LEAVE_MS 5000

// The descriptors that a server may have if a test does not care.
#define ECHO_PROCESS_DESCRIPTORS 2048

// What is run in each process that is started from now on, before it becomes its program: it may
// take something away from it. 0, or the process ends with status 127. NULL: nothing.
void echo_process_deprive(int (*deprive)(const void *argument), const void *argument);

// Starts tools/NAME with arguments, a list that ends with NULL, and `descriptor_limit` as its
// RLIMIT_NOFILE. Its output is still to be read.
void echo_process_start(const char *name, const char *const arguments[], unsigned descriptor_limit,
                        struct echo_process *ret_process);

// The same, and waits for the line that says where it listens.
void echo_process_listen(const char *name, const char *const arguments[], unsigned descriptor_limit,
                         struct echo_process *ret_process);

// tools/echo_server on a port of 127.0.0.1 that the kernel picks, with one option more, or NULL.
void echo_process_serve(const char *backend, const char *option, const char *value,
                        struct echo_process *ret_process);

void echo_process_signal(const struct echo_process *process, int signal);

// Waits until it has ended by itself, for at most `limit_ms`: its exit status, or -signal.
int echo_process_wait(struct echo_process *process, int limit_ms);

// Runs it from start to end: as echo_process_start and echo_process_wait.
int echo_process_run(const char *name, const char *const arguments[],
                     struct echo_process *ret_process);

// Waits for one whole line of its stderr.
void echo_process_read_message(struct echo_process *process, char *ret_line, size_t bytes);

// Ends a server that a failed test left behind. Harmless after echo_process_wait.
void echo_process_kill(struct echo_process *process);

unsigned echo_process_descriptor_count(const struct echo_process *process);
uint64_t echo_process_resident_bytes(const struct echo_process *process);
int64_t echo_process_cpu_ns(const struct echo_process *process);

// CLOCK_MONOTONIC.
int64_t echo_process_now_ns(void);

// Two lines of a table of tests: the same for each backend, which is the test's initial state.
// clang-format off
#define ECHO_ON_EACH_BACKEND(test)                                                                 \
    {#test " (select)", test, NULL, NULL, (void *)(uintptr_t)"select"},                            \
    {#test " (epoll)", test, NULL, NULL, (void *)(uintptr_t)"epoll"},                              \
    {#test " (io_uring)", test, NULL, NULL, (void *)(uintptr_t)"io_uring"}
// clang-format on

#endif
