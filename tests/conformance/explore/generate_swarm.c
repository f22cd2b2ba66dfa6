// SPDX-License-Identifier: MIT
//
// What fragments choose from, and how steps get their deadlines.

#include "tests/conformance/explore/generate_swarm.h"

#include <string.h>

#include "tests/conformance/explore/program_words.h"

// --- Choosing -----------------------------------------------------------------------------------

static bool is_worthless(struct swarm *swarm, unsigned task)
{
    return swarm->is_cancelled[task] && draft_chance(&swarm->draft, 90);
}

unsigned swarm_task(struct swarm *swarm)
{
    unsigned count = swarm->draft.program->task_count;
    unsigned task = draft_below(&swarm->draft, count);
    for (unsigned i = 0; i < count && is_worthless(swarm, task); i++)
        task = (task + 1) % count;
    return task;
}

unsigned swarm_other_task(struct swarm *swarm, unsigned not)
{
    unsigned count = swarm->draft.program->task_count;
    unsigned task = draft_other_task(&swarm->draft, not);
    for (unsigned i = 0; i < count && (task == not || is_worthless(swarm, task)); i++)
        task = (task + 1) % count;
    return task;
}

unsigned swarm_task_for(struct swarm *swarm, unsigned object, bool is_sending)
{
    unsigned home = (2 * object + is_sending) % swarm->draft.program->task_count;
    bool is_at_home = draft_chance(&swarm->draft, swarm->home_percent);
    return is_at_home && !is_worthless(swarm, home) ? home : swarm_task(swarm);
}

bool swarm_is_end(const struct swarm *swarm, unsigned object)
{
    return swarm->draft.peers[object] != object;
}

bool swarm_is_listener(const struct swarm *swarm, unsigned object)
{
    enum object_kind kind = draft_kind(&swarm->draft, object);
    return kind == OBJECT_UNIX_LISTENER || kind == OBJECT_TCP_LISTENER;
}

bool swarm_is_slot(const struct swarm *swarm, unsigned object)
{
    return draft_kind(&swarm->draft, object) == OBJECT_SLOT;
}

static bool has_descriptor(const struct swarm *swarm, unsigned object)
{
    return draft_kind(&swarm->draft, object) != OBJECT_WAKEUP;
}

unsigned swarm_object_like(struct swarm *swarm,
                           bool (*is_wanted)(const struct swarm *swarm, unsigned object))
{
    struct draft *draft = &swarm->draft;
    unsigned count = draft->program->object_count;
    unsigned first = draft_chance(draft, swarm->first_percent) ? swarm->first_object
                                                               : draft_below(draft, count);
    bool may_be_closed = draft_chance(draft, 15);
    unsigned closed = PROGRAM_OBJECTS_MAX;
    for (unsigned i = 0; i < count; i++) {
        unsigned object = (first + i) % count;
        if (draft->is_of_outside[object] || !is_wanted(swarm, object))
            continue;
        if (may_be_closed || !swarm->is_closed[object])
            return object;
        closed = object;
    }
    return closed;
}

unsigned swarm_object(struct swarm *swarm)
{
    return swarm_object_like(swarm, has_descriptor);
}

unsigned swarm_small_bytes(struct swarm *swarm)
{
    static const uint16_t sizes[sizeof swarm->sizes] = {0, 1, 2, 7, 64, 300, 1000, 4000};
    return sizes[draft_weighted(&swarm->draft, swarm->sizes, sizeof swarm->sizes)];
}

unsigned swarm_large_bytes(struct swarm *swarm, unsigned object)
{
    static const uint32_t small_pair_sizes[] = {2000, 4600, 5000, 9000, 20000};
    static const uint32_t sizes[] = {5000, 65536, 150000, 230000, 300000, 500000};
    struct draft *draft = &swarm->draft;
    uint32_t bytes = draft_kind(draft, object) == OBJECT_SMALL_PAIR
                         ? small_pair_sizes[draft_below(draft, 5)]
                         : sizes[draft_below(draft, 6)];
    if (bytes > swarm->large_bytes)
        bytes = 5000;
    else
        swarm->large_bytes -= bytes;
    return bytes;
}

bool swarm_is_too_soon(struct swarm *swarm)
{
    const struct draft *draft = &swarm->draft;
    bool is_early = 2 * draft->step_count < draft->step_limit;
    return is_early && !draft_chance(&swarm->draft, 25);
}

struct step swarm_receive(struct swarm *swarm, unsigned object, unsigned bytes)
{
    static const uint8_t of_stream[] = {STEP_RECV, STEP_RECV, STEP_RECV_EXACT, STEP_RECV_EXACT,
                                        STEP_RECVMSG, STEP_READ, STEP_RECV};
    struct draft *draft = &swarm->draft;
    unsigned kind = of_stream[draft_below(draft, sizeof of_stream)];
    if (draft_kind(draft, object) == OBJECT_PIPE && !draft_chance(draft, 5))
        kind = STEP_READ;
    return draft_transfer((enum step_kind)kind, object, bytes);
}

struct step swarm_send(struct swarm *swarm, unsigned object, unsigned bytes)
{
    static const uint8_t of_stream[] = {STEP_SEND, STEP_SEND_ALL, STEP_SENDMSG, STEP_SEND};
    struct draft *draft = &swarm->draft;
    unsigned kind = of_stream[draft_below(draft, sizeof of_stream)];
    if (draft_kind(draft, object) == OBJECT_PIPE && !draft_chance(draft, 5))
        kind = STEP_TRY_SEND;
    return draft_transfer((enum step_kind)kind, object, bytes);
}

// Whether a step of a kind is one that counts its bytes.
static bool has_bytes(enum step_kind kind)
{
    return strchr(program_step_words[kind].operands, 'N');
}

struct step swarm_any(struct swarm *swarm, unsigned object)
{
    struct draft *draft = &swarm->draft;
    enum step_kind kind =
        (enum step_kind)draft_weighted(draft, swarm->steps, STEP_KIND_COUNT);
    if (kind == STEP_CLOSE && swarm_is_too_soon(swarm))
        kind = (enum step_kind)draft_weighted(draft, swarm->steps, STEP_KIND_COUNT);
    // Most of what a listener refuses is refused in the same way, and so with an empty slot.
    if (swarm_is_listener(swarm, object) && draft_chance(draft, 40))
        kind = STEP_ACCEPT;
    else if (swarm_is_slot(swarm, object) && draft_chance(draft, 20))
        kind = STEP_CONNECT;
    unsigned other = 0;
    if (kind == STEP_ACCEPT)
        other = swarm_object_like(swarm, swarm_is_slot);
    else if (kind == STEP_CONNECT)
        other = swarm_is_slot(swarm, object) ? swarm_object_like(swarm, swarm_is_listener)
                                             : PROGRAM_OBJECTS_MAX;
    else if (kind == STEP_SHUTDOWN)
        other = draft_below(draft, 3);
    // Where there is nothing to accept into or to connect to.
    if (other == PROGRAM_OBJECTS_MAX)
        return draft_step(draft_chance(draft, 50) ? STEP_WAIT_RECV : STEP_WAIT_SEND, object);
    struct step step = draft_of_two(kind, object, other);
    step.bytes = has_bytes(kind) ? swarm_small_bytes(swarm) : 0;
    return step;
}

// --- Inventing ----------------------------------------------------------------------------------

static bool suspends(enum step_kind kind)
{
    return kind <= STEP_WAIT_WAKEUP;
}

void swarm_add(struct swarm *swarm, unsigned task, struct step step)
{
    struct draft *draft = &swarm->draft;
    if (suspends((enum step_kind)step.kind) && step.within_ns == PROGRAM_NO_TIME &&
        draft_chance(draft, swarm->deadline_percent))
        step.within_ns = draft_time(draft);
    if (step.kind == STEP_CLOSE)
        swarm->is_closed[step.object] = true;
    else if (step.kind == STEP_CONNECT)
        swarm->is_closed[step.object] = false;
    else if (step.kind == STEP_ACCEPT)
        swarm->is_closed[step.other] = false;
    draft_add(draft, task, step);
}

void swarm_cancel(struct swarm *swarm, unsigned task, unsigned other)
{
    if (swarm_is_too_soon(swarm))
        return;
    draft_add(&swarm->draft, task, draft_step(STEP_CANCEL, other));
    swarm->is_cancelled[other] = true;
}

void swarm_delay(struct swarm *swarm, unsigned task)
{
    struct draft *draft = &swarm->draft;
    if (!draft_chance(draft, swarm->late_percent))
        return;
    if (draft_chance(draft, 40))
        draft_add(draft, task, draft_step(STEP_PAUSE, 0));
    else
        draft_add(draft, task, draft_timed(STEP_SLEEP, draft_time(draft)));
}

// Who does something with an object, and is not `not`.
static unsigned other_task_for(struct swarm *swarm, unsigned object, bool is_sending, unsigned not)
{
    unsigned task = swarm_task_for(swarm, object, is_sending);
    return task == not ? swarm_other_task(swarm, not) : task;
}

void swarm_feed(struct swarm *swarm, unsigned object, unsigned not)
{
    struct draft *draft = &swarm->draft;
    unsigned peer = draft->peers[object];
    unsigned bytes = 1 + swarm_small_bytes(swarm);
    if (draft->is_of_outside[peer] || draft_chance(draft, 15)) {
        draft_stimulate(draft, (struct stimulus){.kind = STIMULUS_PUT,
                                                 .object = (uint8_t)peer,
                                                 .bytes = bytes,
                                                 .at_ns = PROGRAM_NO_TIME});
        return;
    }
    unsigned task = other_task_for(swarm, peer, true, not);
    if (draft_chance(draft, 20))
        draft_add(draft, task, draft_transfer(STEP_TRY_SEND, peer, bytes));
    else
        swarm_add(swarm, task, swarm_send(swarm, peer, bytes));
}

void swarm_drain(struct swarm *swarm, unsigned object, unsigned not)
{
    struct draft *draft = &swarm->draft;
    unsigned peer = draft->peers[object];
    if (draft->is_of_outside[peer] || draft_chance(draft, 15)) {
        bool is_all = draft_chance(draft, 60);
        draft_stimulate(draft, (struct stimulus){.kind = is_all ? STIMULUS_DRAIN : STIMULUS_TAKE,
                                                 .object = (uint8_t)peer,
                                                 .bytes = is_all ? 0 : 3000,
                                                 .at_ns = PROGRAM_NO_TIME});
        return;
    }
    unsigned task = other_task_for(swarm, peer, false, not);
    unsigned bytes = swarm_large_bytes(swarm, object);
    if (draft_chance(draft, 20))
        draft_add(draft, task, draft_transfer(STEP_TRY_RECV, peer, bytes));
    else
        swarm_add(swarm, task, swarm_receive(swarm, peer, bytes));
}

void swarm_end_outside(struct swarm *swarm, unsigned object)
{
    struct draft *draft = &swarm->draft;
    bool is_close = draft_chance(draft, 50);
    draft_stimulate(draft,
                    (struct stimulus){.kind = is_close ? STIMULUS_CLOSE : STIMULUS_SHUTDOWN,
                                      .object = (uint8_t)object,
                                      .other = (uint8_t)(is_close ? 0 : draft_below(draft, 3)),
                                      .at_ns = PROGRAM_NO_TIME});
}
