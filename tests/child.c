// SPDX-License-Identifier: MIT
//
// The pipe is drained until its end, before the wait: a child that writes more than a pipe holds
// would otherwise never end.

#include "tests/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

_Noreturn static void be_child(void (*body)(void *argument), void *argument, int keep_handlers,
                               int output_fd)
{
    // A planned death needs no core file.
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(output_fd, STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    if (!keep_handlers) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
    }
    body(argument);
    _exit(0);
}

void child_run(void (*body)(void *argument), void *argument, int keep_handlers,
               struct child_end *ret_end)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        close(fds[0]);
        be_child(body, argument, keep_handlers, fds[1]);
    }
    close(fds[1]);

    size_t length = 0;
    char overflow[4096];
    for (;;) {
        size_t room = sizeof(ret_end->text) - 1 - length;
        ssize_t got = read(fds[0], room > 0 ? ret_end->text + length : overflow,
                           room > 0 ? room : sizeof(overflow));
        if (got <= 0)
            break;
        if (room > 0)
            length += (size_t)got;
    }
    ret_end->text[length] = '\0';
    close(fds[0]);

    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ret_end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    ret_end->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
