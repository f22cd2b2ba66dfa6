// SPDX-License-Identifier: MIT
//
// Counting wakes in vain, one byte a descriptor and direction.

#include "engine/vain.h"

#include <poll.h>

bool cede_vain_is_too_often(struct cede_descriptor *slot, enum cede_direction direction)
{
    if (slot->vain_wakes[direction] >= CEDE_VAIN_WAKES_ALLOWED)
        return true;
    slot->vain_wakes[direction]++;
    return slot->vain_wakes[direction] >= CEDE_VAIN_WAKES_ALLOWED;
}

// Whether there is more than an error or a hang-up, which no wait makes go away.
static bool has_more_than_hang_up(const struct cede_operation *op, short events)
{
    short wanted = op->verb == CEDE_VERB_WAIT_RECV ? POLLIN : POLLOUT;
    if (events)
        return events & wanted;
    struct pollfd question = {.fd = op->fd, .events = wanted};
    return cede_sys_poll(&question, 1) > 0 && (question.revents & wanted);
}

bool cede_vain_wait_rests(struct cede_descriptor *slot, const struct cede_operation *op,
                          bool is_immediate, short events)
{
    enum cede_direction direction = cede_operation_direction(op);
    if (slot->vain_wakes[direction] < CEDE_VAIN_WAKES_ALLOWED) {
        slot->vain_wakes[direction] = is_immediate ? slot->vain_wakes[direction] + 1 : 0;
        return false;
    }
    if (has_more_than_hang_up(op, events)) {
        slot->vain_wakes[direction] = 0;
        return false;
    }
    return is_immediate;
}
