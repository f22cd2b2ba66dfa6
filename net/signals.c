// SPDX-License-Identifier: MIT
//
// A signalfd and the mask that feeds it.

#include "net/signals.h"

#include <errno.h>
#include <signal.h>

#include "engine/sys.h"
#include "net/socket.h"

int cede_signals_open(const int *signals, size_t signal_count, struct cede_signals *ret_signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < signal_count; i++)
        if (sigaddset(&set, signals[i]) < 0)
            return -EINVAL;
    sigset_t old_mask;
    int error = cede_sys_signal_mask(SIG_BLOCK, &set, &old_mask);
    if (error < 0)
        return error;
    int fd = cede_sys_signalfd(&set);
    if (fd < 0) {
        cede_sys_signal_mask(SIG_SETMASK, &old_mask, NULL);
        return fd;
    }
    *ret_signals = (struct cede_signals){.fd = fd, .old_mask = old_mask};
    return 0;
}

void cede_signals_close(struct cede_task *self, struct cede_signals *signals)
{
    // What has arrived and was not waited for must not strike when the mask is lifted.
    struct signalfd_siginfo info;
    while (cede_sys_read(signals->fd, &info, sizeof info) == sizeof info)
        continue;
    cede_close(self, signals->fd);
    cede_sys_signal_mask(SIG_SETMASK, &signals->old_mask, NULL);
}

void cede_signals_wait_prepare(struct cede_operation *ret_op, struct cede_signals *signals,
                               struct signalfd_siginfo *ret_info)
{
    cede_operation_prepare(ret_op, CEDE_VERB_READ, signals->fd);
    ret_op->as.buffer.data = ret_info;
    ret_op->as.buffer.bytes = sizeof *ret_info;
}

int cede_signals_wait(struct cede_task *self, struct cede_signals *signals)
{
    struct signalfd_siginfo info;
    struct cede_operation op;
    cede_signals_wait_prepare(&op, signals, &info);
    int64_t result = cede_await(self, &op);
    return result < 0 ? (int)result : (int)info.ssi_signo;
}
