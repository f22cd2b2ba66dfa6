// SPDX-License-Identifier: MIT
//
// What a connect ends with (S17): what connect(2) says about this one, and not about one before.

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

static int connect_to_address(struct cede_task *self, void *argument)
{
    int fd = cede_connect(self, argument);
    return fd < 0 ? fd : keep(fd);
}

static int connect_and_note(struct cede_task *self, void *argument)
{
    struct cede_handle handle;
    int result = 0;
    require_number(cede_spawn(self, "connect", connect_to_address, argument, &handle), 0);
    require_number(cede_join(self, handle, &result), 0);
    record(result < 0 ? strerrorname_np(-result) : "connected");
    return 0;
}

void a_connect_ends_with_the_outcome_of_the_handshake(const struct fixture *fixture)
{
    struct cede_address address;
    int listener = open_tcp_listener(&address);
    require_number(run_normally(fixture, connect_and_note, &address), 0);
    require(close(listener) == 0);
    require_number(run_normally(fixture, connect_and_note, &address), 0);
    require_text(recorded(), "connected ECONNREFUSED");
}

static int connect_again(struct cede_task *self, void *argument)
{
    struct request *connect = argument;
    ask(self, connect);
    require_number(answer(self, connect), -EISCONN);
    return 0;
}

void a_connect_of_a_connected_socket_is_an_error(const struct fixture *fixture)
{
    struct cede_address address;
    struct request connect = {.verb = CEDE_VERB_CONNECT, .address = &address};
    int fds[2];
    open_tcp_pair(fds);
    open_tcp_listener(&address);
    connect.fd = fds[0];
    require_number(run_strictly(fixture, connect_again, &connect), 0);
    require_number(run_normally(fixture, connect_again, &connect), 0);
    open_pair(fds);
    open_unix_listener(4, &address);
    connect.fd = fds[0];
    require_number(run_strictly(fixture, connect_again, &connect), 0);
}
