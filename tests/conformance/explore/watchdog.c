// SPDX-License-Identifier: MIT
//
// Two timers of the process, set anew now and then only, so that they cost no system call a
// program. The handlers call write(2) and _exit(2) alone, on a stack of their own: a task may have
// overflown its one.

#include "tests/conformance/explore/watchdog.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/sys.h"

#define ASLEEP_NS (5 * CEDE_NANOSECONDS_PER_SECOND)

static struct {
    int64_t limit_ns;
    uint64_t seed;
    uint64_t number;
    const char *backend;
    int64_t set_ns; // When the timer was set last.
} watched;

static size_t append(char *line, size_t used, const char *word)
{
    size_t bytes = strlen(word);
    memcpy(line + used, word, bytes);
    return used + bytes;
}

static size_t append_number(char *line, size_t used, uint64_t number)
{
    char digits[24];
    size_t first = sizeof digits - 1;
    digits[first] = '\0';
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    used = append(line, used, digits + first);
    return append(line, used, " ");
}

static void tell(int signal)
{
    char line[128];
    bool is_late = signal == SIGALRM || signal == SIGPROF;
    size_t used = append(line, 0, is_late ? "hang " : "crash ");
    used = append_number(line, used, watched.seed);
    used = append_number(line, used, watched.number);
    used = append(line, used, watched.backend);
    used = append(line, used, "\n");
    ssize_t written = write(STDOUT_FILENO, line, used);
    _exit(written < 0 ? 1 : WATCHDOG_EXIT_STATUS);
}

void watchdog_start(uint64_t limit_s)
{
    watched.limit_ns = (int64_t)limit_s * CEDE_NANOSECONDS_PER_SECOND;
    static char stack[32 << 10];
    const int signals[] = {SIGALRM, SIGPROF, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    const struct sigaction action = {.sa_handler = tell, .sa_flags = SA_ONSTACK};
    sigaltstack(&own, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

static void set_timer(enum __itimer_which which, int64_t time_ns)
{
    const struct itimerval limit = {
        .it_value = {.tv_sec = time_ns / CEDE_NANOSECONDS_PER_SECOND,
                     .tv_usec = time_ns % CEDE_NANOSECONDS_PER_SECOND / 1000},
    };
    setitimer(which, &limit, NULL);
}

void watchdog_watch(uint64_t seed, uint64_t number, const char *backend)
{
    watched.seed = seed;
    watched.number = number;
    watched.backend = backend;
    int64_t now_ns = cede_sys_now_ns();
    if (watched.set_ns != 0 && now_ns - watched.set_ns < watched.limit_ns / 4)
        return;
    watched.set_ns = now_ns;
    int64_t time_ns = watched.limit_ns + watched.limit_ns / 4;
    set_timer(ITIMER_PROF, time_ns);
    set_timer(ITIMER_REAL, time_ns + ASLEEP_NS);
}

void watchdog_rest(void)
{
    watched.set_ns = 0;
    set_timer(ITIMER_PROF, 0);
    set_timer(ITIMER_REAL, 0);
}
