// SPDX-License-Identifier: MIT
//
// The table of the verbs and the lists of operations. Knows nothing of descriptors or kernels.

#include "engine/operation.h"

#include "engine/check.h"

struct verb_facts {
    const char *name;
    enum cede_class class;
    bool moves_data;
};

static const struct verb_facts facts[CEDE_VERB_COUNT] = {
    [CEDE_VERB_NONE] = {"unknown", CEDE_CLASS_COUNT, false},
    [CEDE_VERB_WAIT_RECV] = {"wait-recv", CEDE_CLASS_RECEIVER, false},
    [CEDE_VERB_RECV] = {"recv", CEDE_CLASS_RECEIVER, true},
    [CEDE_VERB_RECV_EXACT] = {"recv-exact", CEDE_CLASS_RECEIVER, true},
    [CEDE_VERB_RECVMSG] = {"recvmsg", CEDE_CLASS_RECEIVER, true},
    [CEDE_VERB_READ] = {"read", CEDE_CLASS_RECEIVER, true},
    [CEDE_VERB_ACCEPT] = {"accept", CEDE_CLASS_RECEIVER, true},
    [CEDE_VERB_WAIT_SEND] = {"wait-send", CEDE_CLASS_SENDER, false},
    [CEDE_VERB_SEND] = {"send", CEDE_CLASS_SENDER, true},
    [CEDE_VERB_SEND_ALL] = {"send-all", CEDE_CLASS_SENDER, true},
    [CEDE_VERB_SENDMSG] = {"sendmsg", CEDE_CLASS_SENDER, true},
    // A connect that was cut off is not retried (S15).
    [CEDE_VERB_CONNECT] = {"connect", CEDE_CLASS_SENDER, false},
    [CEDE_VERB_CLOSE] = {"close", CEDE_CLASS_CLOSER, false},
    [CEDE_VERB_RELEASE] = {"release", CEDE_CLASS_CLOSER, false},
    [CEDE_VERB_PARK] = {"park", CEDE_CLASS_PARKED, false},
    [CEDE_VERB_WAKEUP] = {"wakeup", CEDE_CLASS_PARKED, false},
};

static const struct verb_facts *facts_of(enum cede_verb verb)
{
    return (unsigned)verb < CEDE_VERB_COUNT ? &facts[verb] : &facts[CEDE_VERB_NONE];
}

enum cede_class cede_verb_class(enum cede_verb verb)
{
    return facts_of(verb)->class;
}

const char *cede_verb_name(enum cede_verb verb)
{
    return facts_of(verb)->name;
}

bool cede_verb_moves_data(enum cede_verb verb)
{
    return facts_of(verb)->moves_data;
}

bool cede_verb_has_direction(enum cede_verb verb, enum cede_direction *ret_direction)
{
    enum cede_class class = cede_verb_class(verb);
    if (class != CEDE_CLASS_RECEIVER && class != CEDE_CLASS_SENDER)
        return false;
    *ret_direction = class == CEDE_CLASS_RECEIVER ? CEDE_RECV : CEDE_SEND;
    return true;
}

void cede_operation_append(struct cede_operation_list *list, struct cede_operation *op)
{
    op->next = NULL;
    if (list->last)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
}

struct cede_operation *cede_operation_take_first(struct cede_operation_list *list)
{
    struct cede_operation *op = list->first;
    if (!op)
        return NULL;
    list->first = op->next;
    if (!list->first)
        list->last = NULL;
    op->next = NULL;
    return op;
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

bool cede_operation_has_later_ticket(const struct cede_operation *a, const struct cede_operation *b)
{
    return a->ticket > b->ticket;
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
