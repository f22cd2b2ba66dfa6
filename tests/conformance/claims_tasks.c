// SPDX-License-Identifier: MIT
//
// Tasks and runs: verbs that nobody knows (S11), ends and joins and runs that can go no further
// (S12), other processes and threads (S21, S22).

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/sockets.h"
#include "tests/conformance/support.h"

// --- S11, S12 -----------------------------------------------------------------------------------

static int ask_for_the_unknown(struct cede_task *self, void *argument)
{
    (void)argument;
    struct request unknown = {.name = "curious", .verb = 77, .fd = -1};
    ask(self, &unknown);
    require_number(answer(self, &unknown), -EINVAL);
    require(strstr(logged(), "curious") && strstr(logged(), "77"));
    return 0;
}

void an_unknown_verb_is_refused_and_logged_with_its_task(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, ask_for_the_unknown, NULL), 0);
}

static int return_seven(struct cede_task *self, void *argument)
{
    (void)self;
    (void)argument;
    return 7;
}

static int sleep_and_return_eight(struct cede_task *self, void *argument)
{
    (void)argument;
    require_number(cede_sleep(self, SECOND), 0);
    return 8;
}

static int join_early_and_late(struct cede_task *self, void *argument)
{
    struct cede_handle handles[2];
    int result = 0;
    (void)argument;
    require_number(cede_spawn(self, "7", return_seven, NULL, &handles[0]), 0);
    require_number(cede_spawn(self, "8", sleep_and_return_eight, NULL, &handles[1]), 0);
    next_tick(self);
    require_number(cede_join(self, handles[0], &result), 0);
    require_number(result, 7);
    require_number(cede_join(self, handles[1], &result), 0);
    require_number(result, 8);
    return 0;
}

void a_task_can_be_joined_before_and_after_its_end(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, join_early_and_late, NULL), 0);
}

static int join_twice(struct cede_task *self, void *argument)
{
    struct cede_handle handle;
    struct cede_handle successor;
    (void)argument;
    require_number(cede_spawn(self, "7", return_seven, NULL, &handle), 0);
    require_number(cede_join(self, handle, NULL), 0);
    // The memory of the first is the next one's.
    require_number(cede_spawn(self, "8", return_seven, NULL, &successor), 0);
    require_number(cede_join(self, handle, NULL), -EINVAL);
    require_number(cede_join(self, successor, NULL), 0);
    return 0;
}

void a_task_cannot_be_joined_twice(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, join_twice, NULL), 0);
}

static int join_self(struct cede_task *self, void *argument)
{
    (void)argument;
    return cede_join(self, cede_self(self), NULL);
}

static int start_one_that_joins_itself(struct cede_task *self, void *argument)
{
    struct cede_handle handle;
    int result = 0;
    (void)argument;
    require_number(cede_spawn(self, "narcissus", join_self, NULL, &handle), 0);
    next_tick(self);
    require_number(cede_join(self, handle, &result), 0);
    require_number(result, -EINVAL);
    return 0;
}

void a_task_cannot_join_itself(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, start_one_that_joins_itself, NULL), 0);
}

static int sleep_and_record(struct cede_task *self, void *argument)
{
    (void)argument;
    require_number(cede_sleep(self, SECOND), 0);
    record("slept");
    return 0;
}

static int leave_a_sleeper(struct cede_task *self, void *argument)
{
    (void)argument;
    require_number(cede_spawn(self, "sleeper", sleep_and_record, NULL, NULL), 0);
    return 0;
}

void a_run_goes_on_until_no_task_is_left(const struct fixture *fixture)
{
    require_number(run_strictly(fixture, leave_a_sleeper, NULL), 0);
    require_text(recorded(), "slept");
}

static int join_the_argument(struct cede_task *self, void *argument)
{
    const struct cede_handle *other = argument;
    require_number(cede_join(self, *other, NULL), -ECANCELED);
    record("unwound");
    return 0;
}

static int join_each_other(struct cede_task *self, void *argument)
{
    struct cede_handle handles[2];
    (void)argument;
    require_number(cede_spawn(self, "romeo", join_the_argument, &handles[1], &handles[0]), 0);
    require_number(cede_spawn(self, "juliet", join_the_argument, &handles[0], &handles[1]), 0);
    require_number(cede_sleep(self, CEDE_NEVER), -ECANCELED);
    return 0;
}

// In normal mode, where the engine may not think that every wait can still be ended.
void tasks_that_nothing_can_wake_unwind_and_are_named(const struct fixture *fixture)
{
    require_number(run_normally(fixture, join_each_other, NULL), -EDEADLK);
    require_text(recorded(), "unwound unwound");
    require(strstr(logged(), "main") && strstr(logged(), "romeo") && strstr(logged(), "juliet"));
}

// --- Other threads ------------------------------------------------------------------------------

static int bell[2];

static void *signal_after_a_byte(void *argument)
{
    char byte;
    // Blocks until the engine has nothing left to do.
    require(fcntl(bell[0], F_SETFL, 0) == 0 && read(bell[0], &byte, 1) == 1);
    cede_wakeup_signal(argument);
    return NULL;
}

static int wait_for_a_thread(struct cede_task *self, void *argument)
{
    struct cede_wakeup *wakeup;
    pthread_t thread;
    (void)argument;
    require_number(cede_wakeup_open(self, &wakeup), 0);
    require(pthread_create(&thread, NULL, signal_after_a_byte, wakeup) == 0);
    when_idle(put_a_byte, &bell[1]);
    require_number(cede_wakeup_wait(self, wakeup), 0);
    require(pthread_join(thread, NULL) == 0);
    cede_wakeup_close(self, wakeup);
    return 0;
}

void while_a_wakeup_is_open_a_thread_may_wake_the_last_task(const struct fixture *fixture)
{
    open_pipe(bell);
    require_number(run_normally(fixture, wait_for_a_thread, NULL), 0);
}

static int wait_after_closing_the_wakeup(struct cede_task *self, void *argument)
{
    struct cede_wakeup *wakeup;
    (void)argument;
    require_number(cede_wakeup_open(self, &wakeup), 0);
    next_tick(self);
    cede_wakeup_close(self, wakeup);
    require_number(cede_sleep(self, CEDE_NEVER), -ECANCELED);
    return 0;
}

void a_wakeup_that_was_closed_keeps_no_run_from_ending(const struct fixture *fixture)
{
    require_number(run_normally(fixture, wait_after_closing_the_wakeup, NULL), -EDEADLK);
}

// --- S21, S22 -----------------------------------------------------------------------------------

static int pass_a_byte(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request recv = {.verb = CEDE_VERB_RECV, .fd = fds[0]};
    ask_and_park(self, &recv);
    require_number(perform(self, CEDE_VERB_SEND, fds[1]), 1);
    require_number(answer(self, &recv), 1);
    return 0;
}

static const struct fixture *fixture_of_child;

// The exit status of a child that was forked inside a task and opened a run of its own.
static int fork_and_run(void)
{
    int status;
    pid_t pid = fork();
    require(pid >= 0);
    if (pid == 0) {
        int fds[2];
        open_pair(fds);
        require_number(run_strictly(fixture_of_child, pass_a_byte, fds), 0);
        _exit(0);
    }
    require(waitpid(pid, &status, 0) == pid);
    return status;
}

static int fork_beside_a_waiter(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    struct request wait = {.verb = CEDE_VERB_WAIT_RECV, .fd = fds[0]};
    ask_and_park(self, &wait);
    require_number(fork_and_run(), 0);
    put(fds[1], "x");
    require_number(answer(self, &wait), 0);
    return 0;
}

void a_forked_child_can_open_an_engine_of_its_own(const struct fixture *fixture)
{
    int fds[2];
    open_pair(fds);
    fixture_of_child = fixture;
    require_number(run_strictly(fixture, fork_beside_a_waiter, fds), 0);
}

static int open_all_kinds(struct cede_task *self, void *argument)
{
    const bool *was_open = argument;
    struct cede_address address;
    struct cede_wakeup *wakeup;
    int listener = keep(cede_listen("127.0.0.1", 0));
    require_number(cede_listen_address(listener, &address), 0);
    keep(cede_connect(self, &address));
    keep(cede_accept(self, listener));
    require_number(cede_wakeup_open(self, &wakeup), 0);
    for (int fd = 0; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);
        require(flags < 0 || was_open[fd] || (flags & FD_CLOEXEC));
    }
    cede_wakeup_close(self, wakeup);
    return 0;
}

void every_descriptor_that_is_opened_closes_on_exec(const struct fixture *fixture)
{
    bool was_open[64];
    for (int fd = 0; fd < 64; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    require_number(run_normally(fixture, open_all_kinds, was_open), 0);
}

static pthread_barrier_t barrier;

// Both threads are inside a run when the first of the operations is asked for.
static int meet_and_pass_a_byte(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    pthread_barrier_wait(&barrier);
    require_number(perform(self, CEDE_VERB_SEND, fds[1]), 1);
    pthread_barrier_wait(&barrier);
    require_number(perform(self, CEDE_VERB_RECV, fds[0]), 1);
    pthread_barrier_wait(&barrier);
    return 0;
}

struct thread_run {
    const struct fixture *fixture;
    int fds[2];
};

static void *run_in_thread(void *argument)
{
    struct thread_run *run = argument;
    struct cede_options options = {.backend = run->fixture->backend};
    require_number(cede_run(&options, meet_and_pass_a_byte, run->fds), 0);
    return NULL;
}

void engines_in_two_threads_do_not_know_of_each_other(const struct fixture *fixture)
{
    struct thread_run runs[2];
    pthread_t threads[2];
    require(pthread_barrier_init(&barrier, NULL, 2) == 0);
    for (int i = 0; i < 2; i++) {
        runs[i].fixture = fixture;
        open_pair(runs[i].fds);
    }
    for (int i = 0; i < 2; i++)
        require(pthread_create(&threads[i], NULL, run_in_thread, &runs[i]) == 0);
    for (int i = 0; i < 2; i++)
        require(pthread_join(threads[i], NULL) == 0);
    require(pthread_barrier_destroy(&barrier) == 0);
}

static int run_again(struct cede_task *self, void *argument)
{
    const struct fixture *fixture = argument;
    struct cede_options options = {.backend = fixture->backend};
    require_number(cede_run(&options, return_seven, NULL), -EDEADLK);
    // The run around it goes on.
    next_tick(self);
    return 0;
}

void a_run_inside_a_task_is_refused(const struct fixture *fixture)
{
    struct fixture copy = *fixture;
    require_number(run_strictly(fixture, run_again, &copy), 0);
}
