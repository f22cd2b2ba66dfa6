// SPDX-License-Identifier: MIT
//
// A claim runs in a forked child, which an alarm ends if it hangs. What the child says goes to a
// file in memory and not to a pipe, so that nobody waits for a grandchild that holds the other end.

#include "tests/conformance/suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/watch.h"

#define LIST_CLAIM(clause_of_claim, name_of_claim)                                                 \
    {.clause = (clause_of_claim), .name = #name_of_claim, .check = (name_of_claim)},

const struct claim suite_claims[] = {CLAIMS(LIST_CLAIM)};
const size_t suite_claim_count = sizeof suite_claims / sizeof *suite_claims;

_Noreturn static void be_child(const struct claim *claim, const struct fixture *fixture,
                               unsigned limit_seconds, int report_fd)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    setpgid(0, 0);
    dup2(report_fd, STDERR_FILENO);
    close(report_fd);
    // cmocka's own handlers would report in the parent's name.
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    alarm(limit_seconds);

    watch_begin();
    claim->check(fixture);
    close_kept();
    watch_end();
    _exit(0);
}

static void explain(int status, unsigned limit_seconds, char *ret_report, size_t bytes)
{
    size_t length = strlen(ret_report);
    char *end = ret_report + length;
    size_t room = bytes - length;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(end, room, "no end within %u s\n", limit_seconds);
    else if (WIFSIGNALED(status))
        snprintf(end, room, "ended by signal %d, %s\n", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (length == 0)
        snprintf(end, room, "exit status %d\n", WEXITSTATUS(status));
}

bool suite_check(const struct claim *claim, const struct fixture *fixture, unsigned limit_seconds,
                 char *ret_report, size_t bytes)
{
    ret_report[0] = '\0';
    int report_fd = memfd_create("report", MFD_CLOEXEC);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        be_child(claim, fixture, limit_seconds, report_fd);
    int status = 0;
    if (report_fd < 0 || pid < 0 || waitpid(pid, &status, 0) != pid) {
        snprintf(ret_report, bytes, "no child to check it in\n");
        return false;
    }
    // Its own children, if it left any.
    kill(-pid, SIGKILL);
    ssize_t length = pread(report_fd, ret_report, bytes - 1, 0);
    ret_report[length > 0 ? length : 0] = '\0';
    close(report_fd);
    bool holds = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!holds)
        explain(status, limit_seconds, ret_report, bytes);
    return holds;
}
