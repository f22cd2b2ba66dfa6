// SPDX-License-Identifier: MIT
//
// A server is a child in a process group of its own, so that Ctrl-C reaches the profiler alone and
// the profiler decides. The kernel ends it if the profiler dies first (PR_SET_PDEATHSIG). Until it
// was waited for, its process id cannot be given to anybody else: signals sent here meet the right
// process.

#include "tools/profile/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/profile/clock.h"
#include "tools/profile/loopback.h"
#include "tools/profile/pin.h"

enum { START_LIMIT_MS = 5000, STOP_LIMIT_MS = 2000, END_LIMIT_MS = 1000, CONNECT_PAUSE_MS = 5 };

// In the child. Returns only by ending it: 127, as a shell says "not started".
_Noreturn static void become(char *const words[], int output_fd, pid_t parent, int cpu,
                             bool shared_cpu)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    // A parent that died before the request was made sends no signal; hence the second look.
    if (null_fd < 0 || setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        getppid() != parent || pin_apply(cpu, shared_cpu) < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(output_fd >= 0 ? output_fd : null_fd, STDOUT_FILENO) < 0)
        _exit(127);
    execv(words[0], words);
    _exit(127);
}

static int fail(char *reason, size_t reason_bytes, int error, const char *what)
{
    snprintf(reason, reason_bytes, "%s", what);
    return error;
}

// The child's output ended or its port stays shut: see whether it is still there.
static int has_ended(pid_t pid, char *reason, size_t reason_bytes)
{
    siginfo_t info = {.si_pid = 0};
    // WNOWAIT leaves it to server_stop to collect the child, in this case as in every other.
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return 0;
    snprintf(reason, reason_bytes, "ended with %s %d before it listened",
             info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
    return -ECHILD;
}

// The end of its output and the end of the process are a moment apart, and more on a busy machine.
static void await_end(pid_t pid)
{
    struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    if (end.fd < 0)
        return;
    poll(&end, 1, END_LIMIT_MS);
    close(end.fd);
}

// What the first line that matters says. 1: where it listens; 0: this is another line; or -ENOPKG.
static int read_line(struct server *server, const char *line, char *reason, size_t reason_bytes)
{
    static const char absent[] = "not built: ";
    unsigned port = 0;
    int length = 0;
    if (strncmp(line, absent, strlen(absent)) == 0)
        return fail(reason, reason_bytes, -ENOPKG, line);
    if (sscanf(line, "listening on 127.0.0.1:%5u%n", &port, &length) == 1 && port <= 65535)
        server->port = (uint16_t)port;
    else if (sscanf(line, "listening on unix:%107[^ \n]%n", server->unix_path, &length) != 1)
        return 0;
    // Servers that are not ours may say where they listen and nothing else.
    sscanf(line + length, " (%63[^)\n])", server->version);
    return 1;
}

// Read its stdout up to the line that says where it listens. Lines before that are skipped.
static int read_address(struct server *server, char *reason, size_t reason_bytes)
{
    char line[256];
    size_t length = 0;
    int64_t limit_ns = clock_now_ns() + START_LIMIT_MS * CLOCK_NS_PER_MS;
    for (;;) {
        int64_t left_ms = (limit_ns - clock_now_ns()) / CLOCK_NS_PER_MS;
        struct pollfd poller = {.fd = server->output_fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&poller, 1, (int)left_ms) : 0;
        if (ready < 0)
            return fail(reason, reason_bytes, -errno, strerror(errno));
        if (ready == 0)
            return fail(reason, reason_bytes, -ETIMEDOUT, "did not say that it listens");
        char byte;
        ssize_t count = read(server->output_fd, &byte, 1);
        if (count <= 0) {
            await_end(server->pid);
            int result = has_ended(server->pid, reason, reason_bytes);
            return result < 0 ? result
                              : fail(reason, reason_bytes, -EPIPE, "closed its standard output");
        }
        if (byte != '\n') {
            line[length] = byte;
            length += length < sizeof(line) - 1;
            continue;
        }
        line[length] = '\0';
        length = 0;
        int result = read_line(server, line, reason, reason_bytes);
        if (result != 0)
            return result < 0 ? result : 0;
    }
}

// Knock until somebody opens.
static int await_port(const struct server *server, char *reason, size_t reason_bytes)
{
    int64_t limit_ns = clock_now_ns() + START_LIMIT_MS * CLOCK_NS_PER_MS;
    for (;;) {
        int fd = loopback_connect(server->port);
        if (fd >= 0) {
            close(fd);
            return 0;
        }
        int result = has_ended(server->pid, reason, reason_bytes);
        if (result < 0)
            return result;
        if (fd != -ECONNREFUSED)
            return fail(reason, reason_bytes, fd, strerror(-fd));
        if (clock_now_ns() > limit_ns)
            return fail(reason, reason_bytes, -ETIMEDOUT, "did not open its port");
        // An interrupted pause is a shorter one.
        if (poll(NULL, 0, CONNECT_PAUSE_MS) < 0)
            return fail(reason, reason_bytes, -errno, strerror(errno));
    }
}

static int open_clocks(struct server *server)
{
    char path[64];
    int error = clock_getcpuclockid(server->pid, &server->cpu_clock);
    if (error != 0)
        return -error;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)server->pid);
    server->stat_fd = open(path, O_RDONLY | O_CLOEXEC);
    return server->stat_fd < 0 ? -errno : 0;
}

int server_start(char *const words[], uint16_t port, int cpu, bool shared_cpu, char *reason,
                 size_t reason_bytes, struct server *ret_server)
{
    struct server server = {.port = port, .output_fd = -1, .stat_fd = -1};
    int output[2] = {-1, -1};
    if (port == 0 && pipe2(output, O_CLOEXEC) < 0)
        return fail(reason, reason_bytes, -errno, strerror(errno));
    pid_t self = getpid();
    server.pid = fork();
    if (server.pid == 0)
        become(words, output[1], self, cpu, shared_cpu);
    int result = server.pid < 0 ? -errno : 0;
    server.output_fd = output[0];
    if (output[1] >= 0)
        close(output[1]);
    if (result < 0) {
        if (output[0] >= 0)
            close(output[0]);
        return fail(reason, reason_bytes, result, strerror(-result));
    }
    result = open_clocks(&server);
    if (result < 0)
        fail(reason, reason_bytes, result, strerror(-result));
    else
        result = port == 0 ? read_address(&server, reason, reason_bytes)
                           : await_port(&server, reason, reason_bytes);
    if (result < 0) {
        server_stop(&server);
        return result;
    }
    *ret_server = server;
    return 0;
}

int server_usage(const struct server *server, struct server_usage *ret_usage)
{
    struct timespec used;
    char text[1024];
    unsigned long user, kernel;
    if (clock_gettime(server->cpu_clock, &used) < 0)
        return -errno;
    ssize_t length = pread(server->stat_fd, text, sizeof(text) - 1, 0);
    if (length < 0)
        return -errno;
    text[length] = '\0';
    // The second field is the program's name in parentheses, and may hold anything, also ")". The
    // times are the fourteenth and fifteenth, see proc(5).
    const char *after_name = strrchr(text, ')');
    if (after_name == NULL ||
        sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel) != 2)
        return -EBADMSG;
    int64_t tick_ns = CLOCK_NS_PER_SECOND / sysconf(_SC_CLK_TCK);
    ret_usage->cpu_ns = used.tv_sec * CLOCK_NS_PER_SECOND + used.tv_nsec;
    ret_usage->user_ns = (int64_t)user * tick_ns;
    ret_usage->kernel_ns = (int64_t)kernel * tick_ns;
    return 0;
}

void server_stop(struct server *server)
{
    int pid_fd = pidfd_open(server->pid, 0);
    struct pollfd poller = {.fd = pid_fd, .events = POLLIN};
    kill(server->pid, SIGTERM);
    // Without a descriptor of the process there is no waiting with a limit, and no patience.
    if (pid_fd < 0 || poll(&poller, 1, STOP_LIMIT_MS) <= 0)
        kill(server->pid, SIGKILL);
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (pid_fd >= 0)
        close(pid_fd);
    if (server->output_fd >= 0)
        close(server->output_fd);
    if (server->stat_fd >= 0)
        close(server->stat_fd);
    if (server->unix_path[0] != '\0')
        unlink(server->unix_path);
}
