// SPDX-License-Identifier: MIT
//
// An echo server, and the example of how a server is written with this library. Each connection is
// a task: a function with a loop that receives and sends, and that reads as if it had the machine
// to itself. What a program of callbacks would have to keep between two events (how much of the
// buffer is still to be sent, say) is here a local matter of a function that has simply not
// returned yet. `echo` in tools/echo_connection.c is that loop; read it first.
//
// This file is what a server needs around it. One task accepts; while there are as many connections
// as allowed it waits, and the kernel keeps the others in its queue. The first task sleeps until a
// signal comes. Then everybody has to be told, although each is asleep in an operation of its own,
// and that is what scopes are for: to cancel one ends the operation in which its task sleeps, and
// only this stretch of the task's work. The acceptor looks once more for who is connected already;
// the connections echo what has arrived, and close. Who takes too long for that is cancelled as a
// task: every further suspension fails, and the function returns.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cede.h"
#include "tools/echo_connection.h"
#include "tools/echo_options.h"
#include "tools/echo_trace.h"
#include "tools/options.h"

// After a signal: how long connections may take to end by themselves.
#define LEAVE_NS (3 * CEDE_NANOSECONDS_PER_SECOND)

// After a signal: how long those may take to be accepted who are in the queue, where more may
// arrive.
#define QUEUE_NS (500 * CEDE_NANOSECONDS_PER_MILLISECOND)

// After a failure of accept, which may last.
#define ACCEPT_REST_NS (100 * CEDE_NANOSECONDS_PER_MILLISECOND)

struct server {
    const struct echo_options *options;
    int listener;
    struct cede_signals signals;
    struct cede_scope accepting;
    struct echo_connections connections;
    bool has_file;    // The socket has a file,
    struct stat file; // which is this one.
    int exit_status;
};

static void complain(const char *what, int error)
{
    fprintf(stderr, "echo_server: %s: %s\n", what, strerror(-error));
}

// --- Accepting ----------------------------------------------------------------------------------

// Accepts one: 0, or -errno.
static int accept_one(struct cede_task *self, struct server *server, int64_t deadline_ns)
{
    struct cede_operation op;
    cede_accept_prepare(&op, server->listener, NULL, NULL);
    op.deadline_ns = deadline_ns;
    int fd = (int)cede_await(self, &op);
    if (fd < 0)
        return fd;
    // A small answer must not wait for more. A unix socket knows no such delay, and refuses.
    cede_set_nodelay(fd, true);
    int error = echo_connections_start(self, &server->connections, fd);
    if (error < 0) {
        complain("start a connection", error);
        server->connections.failed_count++;
        cede_close(self, fd);
    }
    return 0;
}

static bool has_room(const struct server *server)
{
    return server->connections.count < server->options->connection_limit;
}

// To sleep for ever in a scope that somebody cancels is how a task waits for another one's news.
static void await_room(struct cede_task *self, struct server *server)
{
    echo_event_enter(self, CEDE_NEVER, &server->connections.has_room);
    cede_sleep_until(self, CEDE_NEVER);
    echo_event_leave(self, &server->connections.has_room);
}

// The task that accepts.
static int accept_connections(struct cede_task *self, void *argument)
{
    struct server *server = argument;
    cede_scope_enter(self, CEDE_NEVER, &server->accepting);
    while (!server->accepting.is_cancelled) {
        if (!has_room(server))
            await_room(self, server);
        else if (accept_one(self, server, CEDE_NEVER) < 0)
            // The network's trouble, since a lack of descriptors is waited for in the engine (S19).
            cede_sleep(self, ACCEPT_REST_NS);
    }
    cede_scope_leave(self, &server->accepting);

    // Who is in the kernel's queue is connected already, and may have sent something. An accept
    // that is due at once takes one or ends.
    int64_t end_ns = cede_now_ns(self) + QUEUE_NS;
    for (int64_t now_ns; has_room(server) && (now_ns = cede_now_ns(self)) < end_ns;)
        if (accept_one(self, server, now_ns) < 0)
            break;
    return 0;
}

// --- The server ---------------------------------------------------------------------------------

static void announce(struct cede_task *self, const struct server *server)
{
    struct cede_address address;
    char text[CEDE_ADDRESS_TEXT_BYTES];
    int error = cede_listen_address(server->listener, &address);
    cede_address_format(error == 0 ? &address : &server->options->address, text, sizeof text);
    if (server->options->is_quiet)
        return;
    printf("listening on %s (%s)\n", text, cede_backend_name(self));
    fflush(stdout);
}

// The file of the socket, to know it again: false where there is none. An abstract name, which
// begins with a zero, has none.
static bool see_socket_file(const struct cede_address *address, struct stat *ret_status)
{
    const char *path = address->as.unix_path.sun_path;
    return address->as.any.sa_family == AF_UNIX && path[0] != '\0' && stat(path, ret_status) == 0;
}

// Removes the file that was made, and not one that another server has put in its place meanwhile.
static void remove_socket_file(const struct server *server)
{
    struct stat now;
    const struct cede_address *address = &server->options->address;
    if (server->has_file && see_socket_file(address, &now) &&
        now.st_dev == server->file.st_dev && now.st_ino == server->file.st_ino)
        unlink(address->as.unix_path.sun_path);
}

// Ends the connections: in peace as long as there is time and no second signal, then by force.
static void end_connections(struct cede_task *self, struct server *server)
{
    struct echo_connections *connections = &server->connections;
    echo_connections_leave(connections);
    if (connections->count == 0)
        return;
    echo_event_enter(self, cede_now_ns(self) + LEAVE_NS, &connections->is_empty);
    // Three things may end this wait: a second signal, the last connection, and the time.
    int signal = cede_signals_wait(self, &server->signals);
    echo_event_leave(self, &connections->is_empty);
    if (connections->count == 0)
        return;
    if (signal > 0)
        server->exit_status = 128 + signal;
    // A cancelled task does not wait for its peer any more, so now the end comes soon.
    echo_connections_cut_off(self, connections);
    echo_event_enter(self, CEDE_NEVER, &connections->is_empty);
    cede_sleep_until(self, CEDE_NEVER);
    echo_event_leave(self, &connections->is_empty);
}

// Accepts until a signal comes: 0, or -errno.
static int serve_until_signal(struct cede_task *self, struct server *server)
{
    struct cede_handle acceptor;
    int error = cede_spawn(self, "acceptor", accept_connections, server, &acceptor);
    if (error < 0)
        return error;
    announce(self, server);
    // That this fails is not foreseen, and would be no reason to go on without an end.
    cede_signals_wait(self, &server->signals);
    cede_scope_cancel(&server->accepting);
    cede_join(self, acceptor, NULL);
    return 0;
}

// The first task.
static int serve(struct cede_task *self, void *argument)
{
    struct server *server = argument;
    int error = serve_until_signal(self, server);
    if (error < 0) {
        complain("start", error);
        server->exit_status = OPTIONS_EXIT_FAILED;
    }
    cede_close(self, server->listener);
    remove_socket_file(server);
    end_connections(self, server);
    cede_signals_close(self, &server->signals);
    return 0;
}

static void log_message(void *argument, const char *message)
{
    (void)argument;
    fprintf(stderr, "echo_server: %s\n", message);
}

static void print_totals(const struct echo_connections *connections)
{
    printf("%llu connections, %llu bytes, %llu errors, %llu idle, %llu cut off\n",
           (unsigned long long)connections->started_count,
           (unsigned long long)connections->echoed_bytes,
           (unsigned long long)connections->failed_count,
           (unsigned long long)connections->idle_count,
           (unsigned long long)connections->cut_off_count);
}

// Prepares what can fail before there is a task: 0, or -errno after complaining.
static int open_server(struct server *server)
{
    // First of all, so that from the moment on at which somebody can know of us we end in peace.
    const int signals[] = {SIGINT, SIGTERM};
    int error = cede_signals_open(signals, sizeof signals / sizeof *signals, &server->signals);
    if (error < 0) {
        complain("signals", error);
        return error;
    }
    server->listener = cede_listen_at(&server->options->address, NULL);
    if (server->listener < 0) {
        char text[CEDE_ADDRESS_TEXT_BYTES];
        cede_address_format(&server->options->address, text, sizeof text);
        fprintf(stderr, "echo_server: listen %s: %s\n", text, strerror(-server->listener));
        return server->listener;
    }
    server->has_file = see_socket_file(&server->options->address, &server->file);
    return 0;
}

static int run(const struct echo_options *echo_options, struct echo_trace *trace)
{
    struct server server = {
        .options = echo_options,
        .connections.options = echo_options,
        .exit_status = OPTIONS_EXIT_DONE,
    };
    const struct cede_options options = {
        .backend = echo_options->backend,
        .limits.stack_bytes = echo_options->stack_bytes,
        .reports_overflow = true,
        .log = log_message,
        .trace = echo_options->trace_path ? echo_trace_record : NULL,
        .trace_argument = trace,
    };
    if (open_server(&server) < 0)
        return OPTIONS_EXIT_FAILED;
    int error = cede_run(&options, serve, &server);
    if (error < 0) {
        complain("run", error);
        return OPTIONS_EXIT_FAILED;
    }
    if (!echo_options->is_quiet)
        print_totals(&server.connections);
    return server.exit_status;
}

// The same with the trace that is wanted. A trace with events missing is a failure.
static int run_traced(const struct echo_options *options)
{
    struct echo_trace trace;
    if (!options->trace_path)
        return run(options, NULL);
    if (echo_trace_open(options->trace_path, &trace) < 0)
        return OPTIONS_EXIT_FAILED;
    int exit_status = run(options, &trace);
    return echo_trace_close(&trace) < 0 ? OPTIONS_EXIT_FAILED : exit_status;
}

// Whoever started us may have closed a standard stream. Its number must not go to a socket, into
// which messages would then be written.
static void fill_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char *argv[])
{
    struct echo_options options;
    int exit_status;
    fill_standard_streams();
    // A reader of our output that is gone is no reason to end without a word.
    signal(SIGPIPE, SIG_IGN);
    if (!echo_options_read(argc, argv, &options, &exit_status))
        return exit_status;
    return run_traced(&options);
}
