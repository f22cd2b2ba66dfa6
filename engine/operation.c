// SPDX-License-Identifier: MIT
//
// The names of the verbs and the sorting of operations. Knows nothing of descriptors or kernels.

#include "engine/operation.h"

const uint8_t cede_verb_classes[CEDE_VERB_COUNT] = {
    [CEDE_VERB_NONE] = CEDE_CLASS_COUNT,
    [CEDE_VERB_WAIT_RECV] = CEDE_CLASS_RECEIVER,
    [CEDE_VERB_RECV] = CEDE_CLASS_RECEIVER,
    [CEDE_VERB_RECV_EXACT] = CEDE_CLASS_RECEIVER,
    [CEDE_VERB_RECVMSG] = CEDE_CLASS_RECEIVER,
    [CEDE_VERB_READ] = CEDE_CLASS_RECEIVER,
    [CEDE_VERB_ACCEPT] = CEDE_CLASS_RECEIVER,
    [CEDE_VERB_WAIT_SEND] = CEDE_CLASS_SENDER,
    [CEDE_VERB_SEND] = CEDE_CLASS_SENDER,
    [CEDE_VERB_SEND_ALL] = CEDE_CLASS_SENDER,
    [CEDE_VERB_SENDMSG] = CEDE_CLASS_SENDER,
    [CEDE_VERB_CONNECT] = CEDE_CLASS_SENDER,
    [CEDE_VERB_CLOSE] = CEDE_CLASS_CLOSER,
    [CEDE_VERB_RELEASE] = CEDE_CLASS_CLOSER,
    [CEDE_VERB_PARK] = CEDE_CLASS_PARKED,
    [CEDE_VERB_WAKEUP] = CEDE_CLASS_PARKED,
};

static const char *const names[CEDE_VERB_COUNT] = {
    [CEDE_VERB_NONE] = "unknown",
    [CEDE_VERB_WAIT_RECV] = "wait-recv",
    [CEDE_VERB_RECV] = "recv",
    [CEDE_VERB_RECV_EXACT] = "recv-exact",
    [CEDE_VERB_RECVMSG] = "recvmsg",
    [CEDE_VERB_READ] = "read",
    [CEDE_VERB_ACCEPT] = "accept",
    [CEDE_VERB_WAIT_SEND] = "wait-send",
    [CEDE_VERB_SEND] = "send",
    [CEDE_VERB_SEND_ALL] = "send-all",
    [CEDE_VERB_SENDMSG] = "sendmsg",
    [CEDE_VERB_CONNECT] = "connect",
    [CEDE_VERB_CLOSE] = "close",
    [CEDE_VERB_RELEASE] = "release",
    [CEDE_VERB_PARK] = "park",
    [CEDE_VERB_WAKEUP] = "wakeup",
};

const char *cede_verb_name(enum cede_verb verb)
{
    return names[(unsigned)verb < CEDE_VERB_COUNT ? verb : CEDE_VERB_NONE];
}

bool cede_verb_moves_data(enum cede_verb verb)
{
    // A bare wait moves nothing, and a connect that was cut off is not retried (S15).
    enum cede_direction direction;
    return cede_verb_has_direction(verb, &direction) && verb != CEDE_VERB_WAIT_RECV &&
           verb != CEDE_VERB_WAIT_SEND && verb != CEDE_VERB_CONNECT;
}

void cede_operation_remove(struct cede_operation_list *list, struct cede_operation *op)
{
    struct cede_operation *before = NULL;
    for (struct cede_operation *here = list->first; here; before = here, here = here->next) {
        if (here != op)
            continue;
        if (before)
            before->next = op->next;
        else
            list->first = op->next;
        if (list->last == op)
            list->last = before;
        op->next = NULL;
        return;
    }
}

typedef bool is_after_function(const struct cede_operation *, const struct cede_operation *);

// Appends what belongs first, until both lists are used up. The left one wins a tie: stability.
static struct cede_operation *merge(struct cede_operation *left, struct cede_operation *right,
                                    is_after_function *is_after)
{
    struct cede_operation head = {.next = NULL};
    struct cede_operation *tail = &head;
    while (left && right) {
        struct cede_operation **lesser = is_after(left, right) ? &right : &left;
        tail->next = *lesser;
        tail = *lesser;
        *lesser = (*lesser)->next;
    }
    tail->next = left ? left : right;
    return head.next;
}

// Cuts the longest sorted beginning off the list.
static struct cede_operation *take_run(struct cede_operation **list, is_after_function *is_after)
{
    struct cede_operation *run = *list;
    struct cede_operation *end = run;
    while (end->next && !is_after(end, end->next))
        end = end->next;
    *list = end->next;
    end->next = NULL;
    return run;
}

void cede_operation_sort(struct cede_operation_list *list, is_after_function *is_after)
{
    // Slot n holds a sorted list made of 2^n runs, so that no run is merged more than log2 times.
    // What is sorted already is one run: a single pass and no merge.
    struct cede_operation *slots[40] = {NULL};
    struct cede_operation *rest = list->first;
    if (!rest)
        return;
    // Whatever comes of it may not be the order of tickets.
    list->is_unsorted = true;
    struct cede_operation *sorted = take_run(&rest, is_after);
    if (!rest)
        return;
    for (; sorted; sorted = rest ? take_run(&rest, is_after) : NULL) {
        unsigned n = 0;
        for (; slots[n]; n++) {
            sorted = merge(slots[n], sorted, is_after);
            slots[n] = NULL;
        }
        slots[n] = sorted;
    }
    struct cede_operation *all = NULL;
    for (unsigned n = 0; n < sizeof slots / sizeof *slots; n++)
        all = slots[n] ? merge(slots[n], all, is_after) : all;
    list->first = all;
    while (all->next)
        all = all->next;
    list->last = all;
}

static bool has_later_ticket(const struct cede_operation *a, const struct cede_operation *b)
{
    return a->ticket > b->ticket;
}

void cede_operation_sort_by_ticket(struct cede_operation_list *list)
{
    if (!list->is_unsorted)
        return;
    cede_operation_sort(list, has_later_ticket);
    list->is_unsorted = false;
}
