// SPDX-License-Identifier: MIT
//
// Signals as events: a task waits for the next one as it waits for bytes. By signalfd(2).

#ifndef CEDE_NET_SIGNALS_H
#define CEDE_NET_SIGNALS_H

#include <sys/signalfd.h>

#include "tasks/scheduler.h"

struct cede_signals {
    int fd;
    sigset_t old_mask;
};

// Blocks the signals for this thread and makes them readable: 0, or -errno. Threads that are made
// later inherit the mask; those that run already must block them, too. Does not suspend.
int cede_signals_open(const int *signals, size_t signal_count, struct cede_signals *ret_signals);

// Restores the old mask and closes; signals that nobody waited for are dropped. Suspends.
void cede_signals_close(struct cede_task *self, struct cede_signals *signals);

// Suspends until one arrives: its number, or -errno as cede_await.
int cede_signals_wait(struct cede_task *self, struct cede_signals *signals);
void cede_signals_wait_prepare(struct cede_operation *ret_op, struct cede_signals *signals,
                               struct signalfd_siginfo *ret_info);

#endif
