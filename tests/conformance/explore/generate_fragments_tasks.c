// SPDX-License-Identifier: MIT
//
// Fragments of listeners, of tasks, of time and of the outside.

#include "tests/conformance/explore/generate_fragments.h"

// --- Listeners ----------------------------------------------------------------------------------

// Two slots that are not the same, and a listener. False where there are none.
static bool find_slots(struct swarm *swarm, unsigned *ret_listener, unsigned ret_slots[2])
{
    struct draft *draft = &swarm->draft;
    unsigned listener = swarm_object_like(swarm, swarm_is_listener);
    unsigned first = swarm_object_like(swarm, swarm_is_slot);
    if (listener == PROGRAM_OBJECTS_MAX || first == PROGRAM_OBJECTS_MAX)
        return false;
    unsigned second = first;
    for (unsigned i = 0; i < 8 && second == first; i++)
        second = swarm_object_like(swarm, swarm_is_slot);
    // What each of the two sends, the other receives, for all that is known.
    draft->peers[first] = (uint8_t)second;
    draft->peers[second] = (uint8_t)first;
    *ret_listener = listener;
    ret_slots[0] = first;
    ret_slots[1] = second;
    return true;
}

// Connects a slot, or has the outside do it.
static void connect_slot(struct swarm *swarm, unsigned task, unsigned slot, unsigned listener)
{
    struct draft *draft = &swarm->draft;
    if (draft_chance(draft, 80))
        swarm_add(swarm, task, draft_of_two(STEP_CONNECT, slot, listener));
    else
        draft_stimulate(draft, (struct stimulus){.kind = STIMULUS_CONNECT,
                                                 .object = (uint8_t)slot,
                                                 .other = (uint8_t)listener,
                                                 .at_ns = PROGRAM_NO_TIME});
}

static void accept_slot(struct swarm *swarm, unsigned task, unsigned slot, unsigned listener)
{
    struct draft *draft = &swarm->draft;
    if (draft_chance(draft, 90))
        swarm_add(swarm, task, draft_of_two(STEP_ACCEPT, listener, slot));
    else
        draft_stimulate(draft, (struct stimulus){.kind = STIMULUS_ACCEPT,
                                                 .object = (uint8_t)listener,
                                                 .other = (uint8_t)slot,
                                                 .at_ns = PROGRAM_NO_TIME});
}

void fragment_connect(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned listener;
    unsigned slots[2];
    if (!find_slots(swarm, &listener, slots))
        return;
    unsigned server = swarm_task(swarm);
    unsigned client = swarm_other_task(swarm, server);
    bool is_server_first = draft_chance(draft, 50);
    if (draft_chance(draft, 15))
        swarm_add(swarm, server, draft_step(STEP_WAIT_RECV, listener));
    if (is_server_first)
        accept_slot(swarm, server, slots[1], listener);
    connect_slot(swarm, client, slots[0], listener);
    if (draft_chance(draft, 10) && !swarm_is_too_soon(swarm))
        swarm_add(swarm, server, draft_step(STEP_CLOSE, listener));
    if (!is_server_first && draft_chance(draft, 85))
        accept_slot(swarm, server, slots[1], listener);
    for (unsigned i = draft_below(draft, 4); i > 0; i--) {
        bool is_by_server = draft_chance(draft, 50);
        unsigned task = is_by_server ? server : client;
        unsigned slot = slots[is_by_server];
        unsigned bytes = swarm_small_bytes(swarm);
        swarm_add(swarm, task, draft_chance(draft, 50) ? swarm_send(swarm, slot, bytes)
                                                       : swarm_receive(swarm, slot, bytes));
    }
    if (draft_chance(draft, 40))
        swarm_add(swarm, client, draft_step(STEP_CLOSE, slots[draft_below(draft, 2)]));
}

// A number is closed while another task's operation takes the lowest that is free.
void fragment_reuse(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned listener;
    unsigned slots[2];
    if (!find_slots(swarm, &listener, slots))
        return;
    unsigned victim = swarm_object(swarm);
    unsigned task = swarm_task(swarm);
    unsigned other = swarm_other_task(swarm, task);
    if (draft_chance(draft, 60)) {
        struct step step = swarm_any(swarm, victim);
        swarm_add(swarm, swarm_other_task(swarm, other), step);
    }
    bool is_accepted = draft_chance(draft, 60);
    if (is_accepted)
        connect_slot(swarm, swarm_task(swarm), slots[0], listener);
    if (draft_chance(draft, 50)) {
        // Both wake in the same tick, whatever they did before.
        int64_t time_ns = draft_time(draft);
        draft_add(draft, task, draft_timed(STEP_SLEEP, time_ns));
        draft_add(draft, other, draft_timed(STEP_SLEEP, time_ns));
    }
    swarm_add(swarm, task,
              draft_step(draft_chance(draft, 85) ? STEP_CLOSE : STEP_RELEASE, victim));
    if (is_accepted)
        accept_slot(swarm, other, slots[1], listener);
    else
        connect_slot(swarm, other, slots[1], listener);
    for (unsigned i = 1 + draft_below(draft, 3); i > 0; i--) {
        struct step step = swarm_any(swarm, slots[1]);
        swarm_add(swarm, swarm_task(swarm), step);
    }
}

// Times in which an operation that is woken in vain rests a few times.
static int64_t rest_time(struct draft *draft)
{
    return (1 + (int64_t)draft_below(draft, 16)) * 500000;
}

// More connections than the backlog holds: who comes too late is woken in vain, and rests. One that
// its client has closed keeps its place.
void fragment_backlog(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned listener;
    unsigned slots[2];
    if (!find_slots(swarm, &listener, slots) ||
        draft_kind(draft, listener) != OBJECT_UNIX_LISTENER)
        return;
    unsigned client = swarm_task(swarm);
    unsigned server = swarm_other_task(swarm, client);
    for (unsigned i = 0; i <= draft->program->objects[listener].backlog; i++) {
        draft_add(draft, client, draft_of_two(STEP_CONNECT, slots[0], listener));
        draft_add(draft, client, draft_step(STEP_CLOSE, slots[0]));
    }
    for (unsigned i = 1 + draft_below(draft, 3); i > 0; i--) {
        struct step step = draft_of_two(STEP_CONNECT, slots[0], listener);
        step.within_ns = rest_time(draft);
        draft_add(draft, client, step);
        draft_add(draft, client, draft_step(STEP_CLOSE, slots[0]));
    }
    for (unsigned i = 1 + draft_below(draft, 2); i > 0; i--) {
        draft_add(draft, server, draft_timed(STEP_SLEEP, rest_time(draft)));
        draft_add(draft, server, draft_of_two(STEP_ACCEPT, listener, slots[1]));
        draft_add(draft, server, draft_step(STEP_CLOSE, slots[1]));
    }
}

// --- Tasks and scopes ---------------------------------------------------------------------------

void fragment_scope(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned task = swarm_task(swarm);
    unsigned depth = draft_chance(draft, 3) ? 9 : 1 + draft_below(draft, 3);
    for (unsigned i = 0; i < depth; i++) {
        bool has_deadline = draft_chance(draft, 60);
        draft_add(draft, task,
                  draft_timed(STEP_SCOPE, has_deadline ? draft_time(draft) : PROGRAM_NO_TIME));
    }
    for (unsigned i = 0; i < depth; i++) {
        if (draft_chance(draft, 80))
            swarm_add(swarm, task, swarm_any(swarm, swarm_object(swarm)));
        bool is_cancelled = draft_chance(draft, 15);
        if (is_cancelled)
            draft_add(draft, task, draft_step(STEP_CANCEL_SCOPE, 0));
        swarm_delay(swarm, task);
        if (is_cancelled || draft_chance(draft, 85))
            draft_add(draft, task, draft_step(STEP_LEAVE, 0));
    }
}

void fragment_tasks(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned task = swarm_task(swarm);
    unsigned other = draft_chance(draft, 90) ? swarm_other_task(swarm, task) : task;
    switch (draft_below(draft, 8)) {
    case 0:
    case 1:
        swarm_add(swarm, task, draft_step(STEP_JOIN, other));
        // A handle is good for one.
        if (draft_chance(draft, 30))
            swarm_add(swarm, draft_chance(draft, 50) ? task : swarm_task(swarm),
                      draft_step(STEP_JOIN, other));
        break;
    case 2:
    case 3:
        swarm_delay(swarm, task);
        swarm_cancel(swarm, task, other);
        break;
    case 4:
        // Cancelled before it starts: what it does first fails.
        if (!draft->is_spawned[other]) {
            draft_spawn(draft, other);
            swarm_cancel(swarm, 0, other);
        }
        swarm_add(swarm, other, swarm_any(swarm, swarm_object(swarm)));
        break;
    case 5:
        // Data is there, and the task is cancelled before it has heard of it.
        swarm_add(swarm, other, swarm_any(swarm, swarm_object(swarm)));
        swarm_feed(swarm, swarm_object(swarm), other);
        swarm_cancel(swarm, task, other);
        break;
    case 6:
        draft_add(draft, task, draft_step(STEP_SPAWN, other));
        break;
    default:
        draft_add(draft, task, draft_step(STEP_CANCEL_SCOPE, 0));
        break;
    }
}

// --- Time and the outside -----------------------------------------------------------------------

void fragment_time(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    int64_t time_ns = draft_time(draft);
    for (unsigned i = 1 + draft_below(draft, 3); i > 0; i--) {
        unsigned task = swarm_task(swarm);
        if (draft_chance(draft, 25))
            draft_add(draft, task, draft_step(STEP_PAUSE, 0));
        else
            draft_add(draft, task, draft_timed(STEP_SLEEP, time_ns));
        // What is due together with the sleep, or just after it.
        if (draft_chance(draft, 30)) {
            struct step step = swarm_any(swarm, swarm_object(swarm));
            if (step.kind <= STEP_UNKNOWN)
                step.within_ns = time_ns;
            draft_add(draft, swarm_task(swarm), step);
        }
    }
}

static bool is_wakeup(const struct swarm *swarm, unsigned object)
{
    return draft_kind(&swarm->draft, object) == OBJECT_WAKEUP;
}

// Signals come in another order than those who wait for them.
static void cross_signals(struct swarm *swarm, unsigned first, unsigned second)
{
    struct draft *draft = &swarm->draft;
    unsigned task = swarm_task(swarm);
    unsigned other = swarm_other_task(swarm, task);
    swarm_add(swarm, task, draft_step(STEP_WAIT_WAKEUP, first));
    swarm_add(swarm, other, draft_step(STEP_WAIT_WAKEUP, second));
    unsigned signaller = swarm_task(swarm);
    swarm_delay(swarm, signaller);
    draft_add(draft, signaller, draft_step(STEP_SIGNAL, second));
    draft_add(draft, signaller, draft_step(STEP_SIGNAL, first));
}

void fragment_wakeup(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned wakeup = swarm_object_like(swarm, is_wakeup);
    if (wakeup == PROGRAM_OBJECTS_MAX)
        return;
    unsigned second = swarm_object_like(swarm, is_wakeup);
    if (second != wakeup && draft_chance(draft, 40)) {
        cross_signals(swarm, wakeup, second);
        return;
    }
    unsigned task = swarm_task(swarm);
    if (draft_chance(draft, 30))
        draft_add(draft, swarm_task(swarm), draft_step(STEP_SIGNAL, wakeup));
    swarm_add(swarm, task, draft_step(STEP_WAIT_WAKEUP, wakeup));
    if (draft_chance(draft, 15))
        swarm_add(swarm, swarm_other_task(swarm, task), draft_step(STEP_WAIT_WAKEUP, wakeup));
    if (draft_chance(draft, 40))
        draft_add(draft, swarm_other_task(swarm, task), draft_step(STEP_SIGNAL, wakeup));
    else if (draft_chance(draft, 60))
        draft_stimulate(draft, (struct stimulus){.kind = STIMULUS_SIGNAL,
                                                 .object = (uint8_t)wakeup,
                                                 .at_ns = PROGRAM_NO_TIME});
}

void fragment_outside(struct swarm *swarm)
{
    static const uint8_t kinds[] = {STIMULUS_PUT,  STIMULUS_PUT,   STIMULUS_PUT,
                                    STIMULUS_TAKE, STIMULUS_DRAIN, STIMULUS_FILL};
    struct draft *draft = &swarm->draft;
    unsigned object = swarm_object_like(swarm, swarm_is_end);
    if (object == PROGRAM_OBJECTS_MAX)
        return;
    unsigned peer = draft->peers[object];
    if (draft->is_of_outside[peer] && draft_chance(draft, 20)) {
        swarm_end_outside(swarm, peer);
        return;
    }
    struct stimulus stimulus = {.kind = kinds[draft_below(draft, sizeof kinds)],
                                .at_ns = PROGRAM_NO_TIME};
    stimulus.object = (uint8_t)(draft_chance(draft, 75) ? peer : object);
    if (stimulus.kind == STIMULUS_PUT || stimulus.kind == STIMULUS_TAKE)
        stimulus.bytes = swarm_small_bytes(swarm);
    if (draft_chance(draft, 30))
        stimulus.at_ns = draft_time(draft);
    draft_stimulate(draft, stimulus);
}

// --- Whole programs -----------------------------------------------------------------------------

void fragment_crowd(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned count = draft->program->task_count;
    int64_t time_ns = draft_time(draft);
    bool is_of_sleepers = draft_chance(draft, 40);
    bool are_equal = draft_chance(draft, 50);
    for (unsigned task = 0; task < count; task++) {
        unsigned object = (swarm->first_object + task) % draft->program->object_count;
        struct step step = draft_timed(STEP_SLEEP, time_ns);
        if (!is_of_sleepers && swarm_is_end(swarm, object) && draft_chance(draft, 90))
            step = swarm_receive(swarm, object, 1 + swarm_small_bytes(swarm));
        if (step.kind != STEP_SLEEP && draft_chance(draft, 30))
            step.within_ns = are_equal ? time_ns : draft_time(draft);
        draft_add(draft, task, step);
    }
    for (unsigned task = 0; task < count; task++) {
        unsigned object = (swarm->first_object + task) % draft->program->object_count;
        if (swarm_is_end(swarm, object) && draft_chance(draft, 80))
            draft_add(draft, task, swarm_send(swarm, object, 1 + swarm_small_bytes(swarm)));
    }
}

void fragment_long_turn(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    unsigned count = draft->program->task_count;
    // Those that sleep for no time are what the next tick begins with.
    for (unsigned i = 0; i < 12 * count; i++)
        draft_add(draft, i % count,
                  draft_chance(draft, 97) ? draft_step(STEP_PAUSE, 0) : draft_timed(STEP_SLEEP, 0));
}
