// SPDX-License-Identifier: MIT
//
// Each variation goes through the tasks of a program and writes them anew, step by step.

#include "tests/conformance/explore/vary.h"

#include <stdbool.h>
#include <string.h>

#include "tests/seed.h"

struct edit {
    const struct program *from;
    struct program *to;
    uint64_t random;
    unsigned spare; // Steps that may still be added to what the program has.
};

const char *variation_name(enum variation variation)
{
    static const char *const names[VARIATION_COUNT] = {
        [VARY_PAUSES] = "with pauses",
        [VARY_PIECES] = "in other pieces",
        [VARY_TASK_ORDER] = "with tasks in another order",
        [VARY_SPAWN_ORDER] = "with spawns in another order",
        [VARY_WAITS] = "with bare waits",
        [VARY_SMALL_PAIRS] = "with small pairs",
    };
    return names[variation];
}

static unsigned below(struct edit *edit, unsigned bound)
{
    return (unsigned)(((seed_next(&edit->random) >> 32) * bound) >> 32);
}

static void put(struct edit *edit, struct step step)
{
    edit->to->steps[edit->to->step_count++] = step;
}

// Adds a step that the program did not have, if there is room.
static bool put_new(struct edit *edit, struct step step)
{
    if (edit->spare == 0)
        return false;
    edit->spare--;
    put(edit, step);
    return true;
}

// Whether the object carries a stream of bytes: of datagrams one is not as good as two.
static bool is_stream(const struct edit *edit, unsigned object)
{
    return edit->from->objects[object].kind != OBJECT_DATAGRAMS;
}

// --- What is done with a step -------------------------------------------------------------------

static void pause_before(struct edit *edit, struct step step)
{
    static const struct step pause = {.kind = STEP_PAUSE, .within_ns = PROGRAM_NO_TIME};
    static const struct step sleep = {.kind = STEP_SLEEP, .within_ns = 0};
    if (below(edit, 3) == 0)
        put_new(edit, below(edit, 2) ? pause : sleep);
    put(edit, step);
}

static bool is_of_any_length(const struct edit *edit, const struct step *step)
{
    return (step->kind == STEP_RECV_EXACT || step->kind == STEP_SEND_ALL) &&
           is_stream(edit, step->object);
}

// Cuts a transfer into up to four.
static void put_in_pieces(struct edit *edit, struct step step)
{
    unsigned cuts = is_of_any_length(edit, &step) ? below(edit, 4) : 0;
    while (cuts-- > 0 && step.bytes > 1) {
        struct step piece = step;
        piece.bytes = 1 + below(edit, step.bytes - 1);
        if (!put_new(edit, piece))
            break;
        step.bytes -= piece.bytes;
    }
    put(edit, step);
}

static void wait_before(struct edit *edit, struct step step)
{
    bool is_recv = step.kind == STEP_RECV_EXACT || step.kind == STEP_RECV ||
                   step.kind == STEP_RECVMSG || step.kind == STEP_READ || step.kind == STEP_ACCEPT;
    bool is_send = step.kind == STEP_SEND_ALL || step.kind == STEP_SEND ||
                   step.kind == STEP_SENDMSG;
    // Nothing need ever be there for a transfer of nothing.
    bool is_due = step.bytes > 0 || step.kind == STEP_ACCEPT;
    if ((is_recv || is_send) && is_due && below(edit, 2))
        put_new(edit, (struct step){.kind = is_recv ? STEP_WAIT_RECV : STEP_WAIT_SEND,
                                    .object = step.object,
                                    .within_ns = PROGRAM_NO_TIME});
    put(edit, step);
}

static void put_unless_spawn(struct edit *edit, struct step step)
{
    if (step.kind != STEP_SPAWN)
        put(edit, step);
}

static void rewrite(struct edit *edit, void (*write)(struct edit *edit, struct step step))
{
    const struct program *from = edit->from;
    for (unsigned task = 0; task < from->task_count; task++) {
        struct task_text *to = &edit->to->tasks[task];
        if (task > 0)
            to->first_step = edit->to->step_count;
        for (unsigned i = 0; i < from->tasks[task].step_count; i++)
            write(edit, from->steps[from->tasks[task].first_step + i]);
        to->step_count = (uint16_t)(edit->to->step_count - to->first_step);
    }
}

// --- Variations of the whole --------------------------------------------------------------------

// Fills a list with 0 .. count-1 in random order; the first stays the first.
static void shuffle(struct edit *edit, unsigned count, uint8_t ret_places[PROGRAM_TASKS_MAX])
{
    for (unsigned i = 0; i < count; i++) {
        unsigned other = i < 2 ? i : 1 + below(edit, i);
        ret_places[i] = ret_places[other];
        ret_places[other] = (uint8_t)i;
    }
}

static bool names_task(enum step_kind kind)
{
    return kind == STEP_SPAWN || kind == STEP_JOIN || kind == STEP_CANCEL;
}

static void reorder_tasks(struct edit *edit)
{
    const struct program *from = edit->from;
    uint8_t places[PROGRAM_TASKS_MAX];
    uint8_t sources[PROGRAM_TASKS_MAX];
    shuffle(edit, from->task_count, sources);
    for (uint8_t i = 0; i < from->task_count; i++)
        places[sources[i]] = i;
    for (unsigned i = 0; i < from->task_count; i++) {
        const struct task_text *source = &from->tasks[sources[i]];
        edit->to->tasks[i] = *source;
        edit->to->tasks[i].first_step = edit->to->step_count;
        for (unsigned k = 0; k < source->step_count; k++) {
            struct step step = from->steps[source->first_step + k];
            if (names_task((enum step_kind)step.kind))
                step.object = places[step.object];
            put(edit, step);
        }
    }
}

// Nothing that a task waits for depends on when another was spawned, so the first task can spawn
// all at once.
static void reorder_spawns(struct edit *edit)
{
    const struct program *from = edit->from;
    uint8_t order[PROGRAM_TASKS_MAX];
    bool is_spawned[PROGRAM_TASKS_MAX] = {false};
    for (unsigned i = 0; i < from->step_count; i++)
        if (from->steps[i].kind == STEP_SPAWN)
            is_spawned[from->steps[i].object] = true;
    shuffle(edit, from->task_count, order);
    for (unsigned i = 0; i < from->task_count; i++)
        if (is_spawned[order[i]])
            put(edit, (struct step){
                          .kind = STEP_SPAWN, .object = order[i], .within_ns = PROGRAM_NO_TIME});
    rewrite(edit, put_unless_spawn);
}

static void shrink_pairs(struct edit *edit)
{
    for (unsigned i = 0; i < edit->to->object_count; i++)
        if (edit->to->objects[i].kind == OBJECT_PAIR)
            edit->to->objects[i].kind = OBJECT_SMALL_PAIR;
    rewrite(edit, put);
}

void vary(const struct program *program, enum variation variation, uint64_t seed,
          struct program *ret_program)
{
    struct edit edit = {.from = program,
                        .to = ret_program,
                        .random = seed,
                        .spare = PROGRAM_STEPS_MAX - program->step_count};
    *ret_program = *program;
    ret_program->step_count = 0;
    switch (variation) {
    case VARY_PAUSES:
        rewrite(&edit, pause_before);
        break;
    case VARY_PIECES:
        rewrite(&edit, put_in_pieces);
        break;
    case VARY_WAITS:
        rewrite(&edit, wait_before);
        break;
    case VARY_TASK_ORDER:
        reorder_tasks(&edit);
        break;
    case VARY_SPAWN_ORDER:
        reorder_spawns(&edit);
        break;
    case VARY_SMALL_PAIRS:
    case VARIATION_COUNT:
        shrink_pairs(&edit);
        break;
    }
}
