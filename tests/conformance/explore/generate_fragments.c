// SPDX-License-Identifier: MIT
//
// Fragments of one object and its other end. The order in which their steps are invented is one in
// which they could happen; what becomes of them when several fragments meet is for the run to show.

#include "tests/conformance/explore/generate_fragments.h"

// Whether both ends belong to tasks.
static bool is_inside(const struct swarm *swarm, unsigned object)
{
    return swarm_is_end(swarm, object) && !swarm->draft.is_of_outside[swarm->draft.peers[object]];
}

static bool is_inside_and_large(const struct swarm *swarm, unsigned object)
{
    return is_inside(swarm, object) && draft_is_for_large(&swarm->draft, object);
}

static bool is_large(const struct swarm *swarm, unsigned object)
{
    return swarm_is_end(swarm, object) && draft_is_for_large(&swarm->draft, object);
}

void fragment_chain(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned object = swarm_object(swarm);
    unsigned task = swarm_task_for(swarm, object, draft_chance(draft, 50));
    unsigned count = 1 + draft_below(draft, 5);
    for (unsigned i = 0; i < count; i++) {
        if (swarm_is_end(swarm, object) && draft_chance(draft, 30))
            swarm_feed(swarm, object, task);
        struct step step = swarm_any(swarm, object);
        bool is_send = step.kind >= STEP_SEND && step.kind <= STEP_SENDMSG;
        if (draft_chance(draft, 40))
            task = swarm_task_for(swarm, object, is_send);
        // A chain that is stuck at its first link is not worth much.
        if (step.kind <= STEP_UNKNOWN && draft_chance(draft, 30))
            step.within_ns = draft_time(draft);
        swarm_add(swarm, task, step);
    }
}

void fragment_exchange(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned receiver = swarm_object_like(swarm, swarm_is_end);
    if (receiver == PROGRAM_OBJECTS_MAX)
        return;
    unsigned task = swarm_task_for(swarm, receiver, false);
    unsigned bytes = swarm_small_bytes(swarm);
    bool is_receiver_first = draft_chance(draft, 60);
    if (!is_receiver_first)
        swarm_feed(swarm, receiver, task);
    if (draft_chance(draft, 20))
        swarm_add(swarm, task, draft_step(STEP_WAIT_RECV, receiver));
    swarm_add(swarm, task, swarm_receive(swarm, receiver, bytes));
    if (!is_receiver_first)
        return;
    unsigned other = swarm_other_task(swarm, task);
    swarm_delay(swarm, other);
    swarm_feed(swarm, receiver, task);
}

// The steps of a receiver who takes `bytes`, or nearly, in several pieces.
static void receive_in_pieces(struct swarm *swarm, unsigned task, unsigned object, unsigned bytes)
{
    struct draft *draft = &swarm->draft;
    unsigned pieces = 1 + draft_below(draft, 4);
    for (unsigned i = 0; i < pieces; i++) {
        unsigned piece = i + 1 == pieces ? bytes : draft_below(draft, bytes + 1);
        bytes -= piece;
        enum step_kind kind = draft_chance(draft, 60) ? STEP_RECV_EXACT : STEP_RECV;
        swarm_add(swarm, task, draft_transfer(kind, object, piece));
        swarm_delay(swarm, task);
    }
}

void fragment_large(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned sender = swarm_object_like(swarm, is_inside_and_large);
    if (sender == PROGRAM_OBJECTS_MAX)
        return;
    unsigned task = swarm_task_for(swarm, sender, true);
    unsigned bytes = swarm_large_bytes(swarm, sender);
    enum step_kind kind = draft_chance(draft, 75) ? STEP_SEND_ALL : STEP_SEND;
    swarm_add(swarm, task, draft_transfer(kind, sender, bytes));
    if (draft_chance(draft, 30))
        swarm_add(swarm, task, swarm_send(swarm, sender, swarm_small_bytes(swarm)));
    unsigned other = swarm_task_for(swarm, draft->peers[sender], false);
    other = other == task ? swarm_other_task(swarm, task) : other;
    swarm_delay(swarm, other);
    receive_in_pieces(swarm, other, draft->peers[sender], bytes);
}

// Lets a task go on that is stuck with an object.
static void rescue(struct swarm *swarm, unsigned stuck, unsigned object, bool is_sending)
{
    struct draft *draft = &swarm->draft;
    unsigned task = swarm_other_task(swarm, stuck);
    swarm_delay(swarm, task);
    switch (swarm_is_too_soon(swarm) ? 0 : draft_below(draft, 10)) {
    case 0:
    case 1:
    case 2:
        (is_sending ? swarm_drain : swarm_feed)(swarm, object, stuck);
        break;
    case 3:
    case 4:
        swarm_add(swarm, task, draft_step(STEP_CLOSE, object));
        break;
    case 5:
        swarm_add(swarm, task, draft_of_two(STEP_SHUTDOWN, object, draft_below(draft, 3)));
        break;
    case 6:
    case 7:
        swarm_cancel(swarm, task, stuck);
        break;
    case 8:
        if (is_inside(swarm, object) && draft_chance(draft, 50))
            swarm_add(swarm, task, draft_step(STEP_CLOSE, draft->peers[object]));
        else if (is_inside(swarm, object))
            swarm_add(swarm, task,
                      draft_of_two(STEP_SHUTDOWN, draft->peers[object], draft_below(draft, 3)));
        else
            swarm_end_outside(swarm, draft->peers[object]);
        break;
    default:
        swarm_add(swarm, task, draft_step(STEP_RELEASE, object));
        break;
    }
}

// Fills what the object sends into, so that whoever sends next is stuck.
static void fill(struct swarm *swarm, unsigned task, unsigned object)
{
    struct draft *draft = &swarm->draft;
    unsigned bytes = draft_kind(draft, object) == OBJECT_SMALL_PAIR ? 9000 : 300000;
    bool is_raw = draft_kind(draft, object) == OBJECT_PIPE || draft_chance(draft, 60);
    enum step_kind kind = is_raw ? STEP_TRY_SEND : STEP_SEND;
    if (bytes <= swarm->large_bytes) {
        swarm->large_bytes -= bytes;
        draft_add(draft, task, draft_transfer(kind, object, bytes));
    }
}

// What takes a lot, and then no more.
static bool can_be_filled(const struct swarm *swarm, unsigned object)
{
    const struct object *declared = &swarm->draft.program->objects[object];
    return is_large(swarm, object) || (declared->kind == OBJECT_PIPE && declared->is_second);
}

static void get_stuck_sending(struct swarm *swarm, unsigned task, unsigned object)
{
    struct draft *draft = &swarm->draft;
    fill(swarm, task, object);
    // Nothing else sends into a pipe and waits.
    if (draft_kind(draft, object) == OBJECT_PIPE || draft_chance(draft, 25))
        swarm_add(swarm, task, draft_step(STEP_WAIT_SEND, object));
    else
        swarm_add(swarm, task, swarm_send(swarm, object, 1 + swarm_small_bytes(swarm)));
}

void fragment_rescue(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    bool is_sending = draft_chance(draft, 50);
    unsigned object = swarm_object_like(swarm, is_sending ? can_be_filled : swarm_is_end);
    if (object == PROGRAM_OBJECTS_MAX)
        return;
    unsigned stuck = swarm_task_for(swarm, object, is_sending);
    if (is_sending)
        get_stuck_sending(swarm, stuck, object);
    else if (draft_chance(draft, 25))
        swarm_add(swarm, stuck, draft_step(STEP_WAIT_RECV, object));
    else
        swarm_add(swarm, stuck, swarm_receive(swarm, object, 1 + swarm_small_bytes(swarm)));
    if (draft_chance(draft, 85))
        rescue(swarm, stuck, object, is_sending);
    if (draft_chance(draft, 50))
        swarm_add(swarm, stuck, swarm_any(swarm, object));
}

void fragment_two(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned object = swarm_object(swarm);
    unsigned task = swarm_task(swarm);
    bool is_sending = draft_chance(draft, 30);
    for (unsigned i = 0; i < 2; i++) {
        unsigned bytes = 1 + swarm_small_bytes(swarm);
        if (swarm_is_listener(swarm, object))
            swarm_add(swarm, task, swarm_any(swarm, object));
        else
            swarm_add(swarm, task, is_sending ? swarm_send(swarm, object, bytes)
                                              : swarm_receive(swarm, object, bytes));
        task = swarm_other_task(swarm, task);
        swarm_delay(swarm, task);
    }
    if (swarm_is_end(swarm, object))
        rescue(swarm, task, object, is_sending);
}

void fragment_shutdown(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    if (swarm_is_too_soon(swarm))
        return;
    unsigned object = swarm_object(swarm);
    unsigned task = swarm_task(swarm);
    unsigned how = draft_below(draft, 3);
    if (draft_chance(draft, 60)) {
        unsigned waiter = swarm_other_task(swarm, task);
        unsigned bytes = swarm_small_bytes(swarm);
        swarm_add(swarm, waiter, draft_chance(draft, 60) ? swarm_receive(swarm, object, bytes)
                                                         : swarm_send(swarm, object, bytes));
        swarm_delay(swarm, task);
    }
    swarm_add(swarm, task, draft_of_two(STEP_SHUTDOWN, object, how));
    if (is_inside(swarm, object)) {
        unsigned peer = draft->peers[object];
        unsigned other = swarm_other_task(swarm, task);
        swarm_add(swarm, other, draft_chance(draft, 60) ? swarm_receive(swarm, peer, 100)
                                                        : swarm_send(swarm, peer, 100));
    }
    if (draft_chance(draft, 50))
        swarm_add(swarm, task, swarm_any(swarm, object));
}

void fragment_steal(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned object = swarm_object_like(swarm, swarm_is_end);
    if (object == PROGRAM_OBJECTS_MAX)
        return;
    unsigned waiter = swarm_task_for(swarm, object, false);
    unsigned bytes = 1 + swarm_small_bytes(swarm);
    swarm_add(swarm, waiter, draft_chance(draft, 30) ? draft_step(STEP_WAIT_RECV, object)
                                                     : swarm_receive(swarm, object, bytes));
    unsigned thief = swarm_other_task(swarm, waiter);
    swarm_delay(swarm, thief);
    if (is_inside(swarm, object))
        draft_add(draft, thief, draft_transfer(STEP_TRY_SEND, draft->peers[object], bytes));
    draft_add(draft, thief, draft_transfer(STEP_TRY_RECV, object, draft_below(draft, bytes + 1)));
    if (draft_chance(draft, 60))
        swarm_feed(swarm, object, waiter);
}

void fragment_hang_up(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned object = swarm_object_like(swarm, swarm_is_end);
    if (object == PROGRAM_OBJECTS_MAX || swarm_is_too_soon(swarm))
        return;
    unsigned task = swarm_task_for(swarm, object, false);
    unsigned peer = draft->peers[object];
    if (draft_chance(draft, 50))
        swarm_feed(swarm, object, task);
    if (draft->is_of_outside[peer])
        swarm_end_outside(swarm, peer);
    else
        swarm_add(swarm, swarm_other_task(swarm, task), draft_step(STEP_CLOSE, peer));
    for (unsigned i = 0; i < 3; i++)
        swarm_add(swarm, task, swarm_any(swarm, object));
}

// The waiter leaves what it was told of, or takes it past the engine, which does not hear of it.
void fragment_waits(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned object = swarm_object_like(swarm, swarm_is_end);
    if (object == PROGRAM_OBJECTS_MAX || !is_inside(swarm, object))
        return;
    unsigned waiter = swarm_task(swarm);
    unsigned other = swarm_other_task(swarm, waiter);
    unsigned peer = draft->peers[object];
    for (unsigned i = 2 + draft_below(draft, 4); i > 0; i--) {
        draft_add(draft, other, draft_transfer(STEP_TRY_SEND, peer, 1));
        if (draft_chance(draft, 60))
            draft_add(draft, other, draft_step(STEP_PAUSE, 0));
        swarm_add(swarm, waiter, draft_step(STEP_WAIT_RECV, object));
        if (draft_chance(draft, 60))
            draft_add(draft, waiter, draft_transfer(STEP_TRY_RECV, object, 8));
    }
    draft_add(draft, other, draft_step(STEP_CLOSE, peer));
    for (unsigned i = 1 + draft_below(draft, 4); i > 0; i--)
        swarm_add(swarm, waiter, draft_step(STEP_WAIT_RECV, object));
}
