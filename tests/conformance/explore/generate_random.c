// SPDX-License-Identifier: MIT
//
// A random program: a swarm is drawn, then objects and tasks, then fragments until it is long
// enough. Leaving parts of the language out of a program is what lets the rest of it happen often
// enough, and far enough into a run, to meet.

#include <string.h>

#include "tests/conformance/explore/generate_classes.h"
#include "tests/conformance/explore/generate_fragments.h"

static void (*const fragments[FRAGMENT_COUNT])(struct swarm *) = {
    [FRAGMENT_CHAIN] = fragment_chain,       [FRAGMENT_EXCHANGE] = fragment_exchange,
    [FRAGMENT_LARGE] = fragment_large,       [FRAGMENT_RESCUE] = fragment_rescue,
    [FRAGMENT_CONNECT] = fragment_connect,   [FRAGMENT_REUSE] = fragment_reuse,
    [FRAGMENT_TWO] = fragment_two,           [FRAGMENT_SHUTDOWN] = fragment_shutdown,
    [FRAGMENT_STEAL] = fragment_steal,       [FRAGMENT_SCOPE] = fragment_scope,
    [FRAGMENT_TASKS] = fragment_tasks,       [FRAGMENT_TIME] = fragment_time,
    [FRAGMENT_WAKEUP] = fragment_wakeup,     [FRAGMENT_OUTSIDE] = fragment_outside,
    [FRAGMENT_HANG_UP] = fragment_hang_up,   [FRAGMENT_WAITS] = fragment_waits,
    [FRAGMENT_BACKLOG] = fragment_backlog,
};

// What a program is made for. All but the first are rare.
enum shape {
    SHAPE_USUAL,
    SHAPE_CROWD,
    SHAPE_LONG_TURN,
};

// Weights for a random half of what is usual, times 1, 2 or 4.
static void draw_weights(struct draft *draft, const uint8_t *usual, unsigned count,
                         uint8_t *ret_weights)
{
    unsigned sum = 0;
    while (sum == 0) {
        for (unsigned i = 0; i < count; i++) {
            ret_weights[i] =
                (uint8_t)(draft_chance(draft, 60) ? usual[i] << draft_below(draft, 3) : 0);
            sum += ret_weights[i];
        }
    }
}

static enum shape draw_shape(struct draft *draft)
{
    unsigned rare = draft_below(draft, 500);
    return rare < 3 ? SHAPE_CROWD : rare == 3 ? SHAPE_LONG_TURN : SHAPE_USUAL;
}

// In normal mode they pass, so the long ones are rare: as long as the first rest of an operation
// that is woken in vain (S2), and longer than any.
static void draw_times(struct draft *draft)
{
    static const int64_t times_ns[] = {0, 1, 1000, 1000, 5000, 10000, 20000, 50000, 100000};
    static const int64_t long_times_ns[] = {1000000, 1000000, 1000000, 2000000, 3000000, 150000000};
    for (unsigned i = 0; i < DRAFT_TIMES; i++) {
        bool is_long = draft_chance(draft, 10);
        draft->times_ns[i] = is_long ? long_times_ns[draft_below(draft, 6)]
                                     : times_ns[draft_below(draft, 9)];
    }
}

static void draw_swarm(struct swarm *swarm)
{
    static const uint8_t usual_fragments[FRAGMENT_COUNT] = {
        [FRAGMENT_CHAIN] = 12,  [FRAGMENT_EXCHANGE] = 8, [FRAGMENT_LARGE] = 9,
        [FRAGMENT_RESCUE] = 16, [FRAGMENT_CONNECT] = 8,  [FRAGMENT_REUSE] = 4,
        [FRAGMENT_TWO] = 3,     [FRAGMENT_SHUTDOWN] = 4, [FRAGMENT_STEAL] = 3,
        [FRAGMENT_SCOPE] = 4,   [FRAGMENT_TASKS] = 8,    [FRAGMENT_TIME] = 3,
        [FRAGMENT_WAKEUP] = 6,  [FRAGMENT_OUTSIDE] = 4,  [FRAGMENT_HANG_UP] = 3,
        [FRAGMENT_WAITS] = 2,   [FRAGMENT_BACKLOG] = 2,
    };
    static const uint8_t usual_steps[STEP_KIND_COUNT] = {
        [STEP_WAIT_RECV] = 4, [STEP_WAIT_SEND] = 4, [STEP_RECV] = 6,     [STEP_RECV_EXACT] = 5,
        [STEP_RECVMSG] = 4,   [STEP_READ] = 4,      [STEP_ACCEPT] = 3,   [STEP_SEND] = 6,
        [STEP_SEND_ALL] = 5,  [STEP_SENDMSG] = 4,   [STEP_CONNECT] = 3,  [STEP_CLOSE] = 3,
        [STEP_RELEASE] = 2,   [STEP_UNKNOWN] = 3,   [STEP_SHUTDOWN] = 3, [STEP_TRY_RECV] = 3,
        [STEP_TRY_SEND] = 3,
    };
    static const uint8_t usual_sizes[sizeof swarm->sizes] = {1, 8, 4, 4, 6, 4, 3, 2};
    struct draft *draft = &swarm->draft;
    draw_weights(draft, usual_fragments, FRAGMENT_COUNT, swarm->fragments);
    draw_weights(draft, usual_steps, STEP_KIND_COUNT, swarm->steps);
    draw_weights(draft, usual_sizes, sizeof swarm->sizes, swarm->sizes);
    static const uint8_t homes[] = {0, 60, 80, 95};
    static const uint8_t percents[] = {0, 0, 0, 5, 15, 40};
    swarm->deadline_percent = percents[draft_below(draft, sizeof percents)];
    swarm->late_percent = percents[draft_below(draft, sizeof percents)];
    swarm->home_percent = homes[draft_below(draft, sizeof homes)];
    swarm->large_bytes = 1200000;
    memset(swarm->is_cancelled, 0, sizeof swarm->is_cancelled);
    memset(swarm->is_closed, 0, sizeof swarm->is_closed);
    draw_times(draft);
}

static bool has_room_for(const struct draft *draft, unsigned objects)
{
    return draft->program->object_count + objects <= PROGRAM_OBJECTS_MAX;
}

// A listener and what is needed to use it.
static void declare_listener(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    bool is_tcp = draft_chance(draft, 30);
    // A backlog of n takes n + 1.
    uint8_t backlog = (uint8_t)(is_tcp ? 8 + draft_below(draft, 8) : draft_below(draft, 4));
    draft_object(draft, is_tcp ? OBJECT_TCP_LISTENER : OBJECT_UNIX_LISTENER, backlog);
    for (unsigned i = 2 + draft_below(draft, 3); i > 0; i--)
        swarm->is_closed[draft_object(draft, OBJECT_SLOT, 0)] = true;
}

static void declare_objects(struct swarm *swarm, enum shape shape)
{
    static const uint8_t usual[OBJECT_KIND_COUNT] = {
        [OBJECT_PAIR] = 6,      [OBJECT_SMALL_PAIR] = 6,    [OBJECT_TCP] = 4, [OBJECT_PIPE] = 3,
        [OBJECT_DATAGRAMS] = 2, [OBJECT_UNIX_LISTENER] = 6, [OBJECT_FILE] = 1,
        [OBJECT_UDP_ERROR] = 1,
    };
    struct draft *draft = &swarm->draft;
    uint8_t kinds[OBJECT_KIND_COUNT];
    draw_weights(draft, usual, OBJECT_KIND_COUNT, kinds);
    unsigned count = shape == SHAPE_CROWD      ? 16
                     : draft_chance(draft, 92) ? 1 + draft_below(draft, 3)
                                               : 4 + draft_below(draft, 13);
    for (unsigned i = 0; i < count || draft->program->object_count < 2; i++) {
        enum object_kind kind = (enum object_kind)draft_weighted(draft, kinds, OBJECT_KIND_COUNT);
        if (kind == OBJECT_UNIX_LISTENER && has_room_for(draft, 6))
            declare_listener(swarm);
        else if (kind != OBJECT_UNIX_LISTENER && has_room_for(draft, 3))
            draft_object(draft, kind, 0);
        else
            break;
    }
    unsigned last = draft->program->object_count - 1U;
    // The first of the two stays with the tasks.
    if (draft->program->objects[last].is_second && draft_chance(draft, 25))
        draft->is_of_outside[last] = true;
    if (swarm->fragments[FRAGMENT_WAKEUP] && draft_chance(draft, 50))
        for (unsigned i = 1 + draft_below(draft, 3); i > 0 && has_room_for(draft, 1); i--)
            draft_object(draft, OBJECT_WAKEUP, 0);
    swarm->first_object = (uint8_t)draft_below(draft, draft->program->object_count);
    swarm->first_percent = (uint8_t)(draft_chance(draft, 50) ? 60 : 0);
}

static void declare_tasks(struct swarm *swarm, enum shape shape)
{
    struct draft *draft = &swarm->draft;
    unsigned kind = draft_below(draft, 100);
    unsigned count = shape != SHAPE_USUAL ? 26 + draft_below(draft, 7)
                     : kind < 3           ? 1
                     : kind < 92          ? 2 + draft_below(draft, 5)
                     : kind < 98          ? 7 + draft_below(draft, 10)
                                          : 17 + draft_below(draft, 16);
    draft_tasks(draft, count);
    // The others are spawned when they have something to do.
    if (draft_chance(draft, 60)) {
        for (unsigned task = 1; task < count; task++)
            if (draft_chance(draft, 80))
                draft_spawn(draft, task);
    }
}

static unsigned draw_length(struct draft *draft)
{
    unsigned kind = draft_below(draft, 100);
    unsigned length = kind < 80   ? 12 + draft_below(draft, 30)
                      : kind < 97 ? 40 + draft_below(draft, 60)
                                  : 100 + draft_below(draft, 150);
    return length + 2U * draft->program->task_count;
}

// Before a program is given up (S12) the outside is asked once more: that gets most tasks unstuck.
static void awaken(struct swarm *swarm)
{
    struct draft *draft = &swarm->draft;
    for (unsigned object = 0; object < draft->program->object_count; object++) {
        struct stimulus stimulus = {.object = (uint8_t)object, .at_ns = PROGRAM_NO_TIME};
        if (swarm_is_listener(swarm, object)) {
            stimulus.kind = STIMULUS_CONNECT;
            stimulus.object = (uint8_t)swarm_object_like(swarm, swarm_is_slot);
            stimulus.other = (uint8_t)object;
        } else if (swarm_is_end(swarm, object) && draft_chance(draft, 60)) {
            stimulus.kind = STIMULUS_PUT;
            stimulus.bytes = draft_is_for_large(draft, object) ? 20000 : 3000;
        } else if (swarm_is_end(swarm, object)) {
            stimulus.kind = STIMULUS_DRAIN;
        } else {
            continue;
        }
        draft_stimulate(draft, stimulus);
    }
}

static void invent(struct swarm *swarm, enum shape shape)
{
    struct draft *draft = &swarm->draft;
    draft->step_limit = draw_length(draft);
    if (shape == SHAPE_CROWD) {
        fragment_crowd(swarm);
    } else if (shape == SHAPE_LONG_TURN) {
        draft->step_limit = PROGRAM_STEPS_MAX;
        fragment_long_turn(swarm);
    }
    // Some fragments need what is not there.
    for (unsigned i = 0; i < 200 && draft->step_count + 2 < draft->step_limit; i++)
        fragments[draft_weighted(draft, swarm->fragments, FRAGMENT_COUNT)](swarm);
    for (unsigned i = draft_below(draft, 5); i > 0; i--)
        awaken(swarm);
    // What is left is joined, now and then.
    if (draft_chance(draft, 30)) {
        draft->step_limit = PROGRAM_STEPS_MAX;
        for (unsigned task = 1; task < draft->program->task_count; task++)
            if (draft_chance(draft, 70))
                draft_add(draft, 0, draft_step(STEP_JOIN, task));
    }
}

void generate_random(uint64_t random, struct program *ret_program)
{
    struct swarm swarm;
    // A swarm of nothing but fragments that need what is not there has invented nothing.
    do {
        draft_begin(random, ret_program, &swarm.draft);
        draw_swarm(&swarm);
        enum shape shape = draw_shape(&swarm.draft);
        declare_objects(&swarm, shape);
        declare_tasks(&swarm, shape);
        invent(&swarm, shape);
        random = swarm.draft.random;
    } while (swarm.draft.step_count == 0);
    draft_finish(&swarm.draft);
}
