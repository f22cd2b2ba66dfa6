// SPDX-License-Identifier: MIT
//
// fork, exec and what /proc tells of a process. Waiting is for a descriptor to become readable,
// with a limit, and never for time to pass.

#include "tests/backend_here.h"
#include "tests/echo_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENT_LIMIT 16

// For what should come at once, on a machine that may be busy.
#define ANSWER_LIMIT_MS 20000

static int (*deprive_child)(const void *argument);
static const void *deprive_argument;

void echo_process_deprive(int (*deprive)(const void *argument), const void *argument)
{
    deprive_child = deprive;
    deprive_argument = argument;
}

static void find_program(const char *name, char *ret_path, size_t bytes)
{
    const char *root = getenv("TEST_SRCDIR");
    const char *workspace = getenv("TEST_WORKSPACE");
    assert_non_null(root);
    assert_non_null(workspace);
    assert_true((size_t)snprintf(ret_path, bytes, "%s/%s/tools/%s", root, workspace, name) < bytes);
}

// In the child.
_Noreturn static void become(const char *path, const char *const arguments[], const int pipes[2],
                             unsigned descriptor_limit)
{
    char *words[ARGUMENT_LIMIT + 2] = {strdup(path)};
    for (int i = 0; arguments[i] && i < ARGUMENT_LIMIT; i++)
        words[i + 1] = strdup(arguments[i]);
    const struct rlimit limit = {.rlim_cur = descriptor_limit, .rlim_max = descriptor_limit};
    // Opened first: a process that was deprived of root may not find its way to it.
    int program_fd = open(path, O_PATH | O_CLOEXEC);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(pipes[0], STDOUT_FILENO) >= 0 &&
        dup2(pipes[1], STDERR_FILENO) >= 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        (!deprive_child || deprive_child(deprive_argument) == 0))
        fexecve(program_fd, words, environ);
    _exit(127);
}

// The backend that a server is told to use; NULL for none.
static const char *backend_of(const char *const arguments[])
{
    for (size_t i = 0; arguments[i]; i++)
        if (strcmp(arguments[i], "--backend") == 0)
            return arguments[i + 1];
    return NULL;
}

void echo_process_start(const char *name, const char *const arguments[], unsigned descriptor_limit,
                        struct echo_process *ret_process)
{
    char path[4096];
    int output[2], messages[2];
    find_program(name, path, sizeof path);
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    assert_int_equal(pipe2(messages, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(path, arguments, (const int[]){output[1], messages[1]}, descriptor_limit);
    close(output[1]);
    close(messages[1]);
    *ret_process = (struct echo_process){
        .pid = pid,
        .pid_fd = pidfd_open(pid, 0),
        .output_fd = output[0],
        .messages_fd = messages[0],
    };
    assert_true(ret_process->pid_fd >= 0);
}

static void await_readable(int fd, int limit_ms)
{
    struct pollfd question = {.fd = fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&question, 1, limit_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        fail_msg("nothing came within %d ms", limit_ms);
}

static void read_line(int fd, char *ret_line, size_t bytes)
{
    for (size_t length = 0; length + 1 < bytes; length++) {
        await_readable(fd, ANSWER_LIMIT_MS);
        assert_int_equal(read(fd, &ret_line[length], 1), 1);
        if (ret_line[length] == '\n') {
            ret_line[length] = '\0';
            return;
        }
    }
    fail_msg("a line longer than %zu bytes", bytes);
}

void echo_process_listen(const char *name, const char *const arguments[], unsigned descriptor_limit,
                         struct echo_process *ret_process)
{
    char line[256];
    const char *backend = backend_of(arguments);
    if (backend && !backend_is_here(backend))
        skip();
    echo_process_start(name, arguments, descriptor_limit, ret_process);
    read_line(ret_process->output_fd, line, sizeof line);
    assert_memory_equal(line, "listening on ", 13);
    const char *parenthesis = strstr(line, " (");
    if (parenthesis)
        assert_int_equal(sscanf(parenthesis, " (%31[a-z_])", ret_process->backend), 1);
    const char *colon = strrchr(line, ':');
    assert_non_null(colon);
    sscanf(colon, ":%hu", &ret_process->port);
}

void echo_process_serve(const char *backend, const char *option, const char *value,
                        struct echo_process *ret_process)
{
    const char *const arguments[] = {"--port", "0", "--backend", backend, option, value, NULL};
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, ret_process);
    assert_string_equal(ret_process->backend, backend);
}

void echo_process_signal(const struct echo_process *process, int signal)
{
    assert_int_equal(kill(process->pid, signal), 0);
}

static void read_to_end(int fd, char *ret_text, size_t bytes)
{
    size_t length = 0;
    ssize_t count;
    while (length + 1 < bytes && (count = read(fd, ret_text + length, bytes - 1 - length)) > 0)
        length += (size_t)count;
    ret_text[length] = '\0';
}

int echo_process_wait(struct echo_process *process, int limit_ms)
{
    int status;
    await_readable(process->pid_fd, limit_ms);
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    process->pid = 0;
    read_to_end(process->output_fd, process->output, sizeof process->output);
    read_to_end(process->messages_fd, process->messages, sizeof process->messages);
    close(process->output_fd);
    close(process->messages_fd);
    close(process->pid_fd);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int echo_process_run(const char *name, const char *const arguments[],
                     struct echo_process *ret_process)
{
    echo_process_start(name, arguments, ECHO_PROCESS_DESCRIPTORS, ret_process);
    return echo_process_wait(ret_process, ANSWER_LIMIT_MS);
}

void echo_process_read_message(struct echo_process *process, char *ret_line, size_t bytes)
{
    read_line(process->messages_fd, ret_line, bytes);
}

void echo_process_kill(struct echo_process *process)
{
    if (process->pid <= 0)
        return;
    kill(process->pid, SIGKILL);
    echo_process_wait(process, ANSWER_LIMIT_MS);
}

unsigned echo_process_descriptor_count(const struct echo_process *process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)process->pid);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

uint64_t echo_process_resident_bytes(const struct echo_process *process)
{
    char path[64];
    unsigned long pages;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)process->pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int64_t read_clock_ns(clockid_t clock)
{
    struct timespec time;
    assert_int_equal(clock_gettime(clock, &time), 0);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int64_t echo_process_cpu_ns(const struct echo_process *process)
{
    clockid_t clock;
    assert_int_equal(clock_getcpuclockid(process->pid, &clock), 0);
    return read_clock_ns(clock);
}

int64_t echo_process_now_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}
