// SPDX-License-Identifier: MIT
//
// What fragments choose from, and how steps get their deadlines.

#include "tests/conformance/explore/generate_swarm.h"

#include <string.h>

#include "tests/conformance/explore/program_words.h"

// --- Choosing -----------------------------------------------------------------------------------

unsigned swarm_task(struct swarm *swarm)
{
    return draft_below(&swarm->draft, swarm->draft.program->task_count);
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
    for (unsigned i = 0; i < count; i++) {
        unsigned object = (first + i) % count;
        if (!draft->is_of_outside[object] && is_wanted(swarm, object))
            return object;
    }
    return PROGRAM_OBJECTS_MAX;
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
    // Most of what a listener refuses is refused in the same way.
    if (swarm_is_listener(swarm, object) && draft_chance(draft, 40))
        kind = STEP_ACCEPT;
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
    draft_add(draft, task, step);
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
    unsigned task = draft_other_task(draft, not);
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
    unsigned task = draft_other_task(draft, not);
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
