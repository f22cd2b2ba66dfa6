// SPDX-License-Identifier: MIT
//
// The rules that draft_add and draft_finish keep:
// 1. Through each end of a TCP connection go at most 4 KiB; so no more than that is ever unread.
//    What accept and connect fill may be such an end when there is a TCP listener.
// 2. The backlog of a TCP listener is never full: what happens then is a matter of real time.
// 3. A connect to a full backlog of a unix listener, bare waits for what only hangs up, and
//    receiving datagrams or unix connections after a shutdown, or past an error in the queue (which
//    always looks ready, and never is) are tried again for ever (S2), and the virtual clock would
//    never stop: they have a deadline.
// 4. The outside closes and shuts down only what no task names.

#include "tests/conformance/explore/generate_draft.h"

#include <string.h>

#include "tests/conformance/explore/program_words.h"
#include "tests/seed.h"

// Engines answer so many bare waits in a row at once, whatever comes of it.
#define WAITS_IN_A_ROW 2

void draft_begin(uint64_t random, struct program *ret_program, struct draft *ret_draft)
{
    ret_program->object_count = 0;
    ret_program->task_count = 0;
    ret_program->step_count = 0;
    ret_program->stimulus_count = 0;
    memset(ret_program->objects, 0, sizeof ret_program->objects);
    memset(ret_program->tasks, 0, sizeof ret_program->tasks);
    // All but the steps, of which only those that are added are read.
    memset(ret_draft, 0, offsetof(struct draft, owners));
    ret_draft->random = random;
    ret_draft->program = ret_program;
    ret_draft->step_limit = PROGRAM_STEPS_MAX;
    for (unsigned i = 0; i < PROGRAM_OBJECTS_MAX; i++)
        ret_draft->budgets[i] = UINT32_MAX;
}

// --- Choosing -----------------------------------------------------------------------------------

unsigned draft_below(struct draft *draft, unsigned bound)
{
    return (unsigned)(((seed_next(&draft->random) >> 32) * bound) >> 32);
}

bool draft_chance(struct draft *draft, unsigned percent)
{
    return draft_below(draft, 100) < percent;
}

unsigned draft_weighted(struct draft *draft, const uint8_t *weights, unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    unsigned left = draft_below(draft, sum);
    unsigned chosen = 0;
    while (left >= weights[chosen])
        left -= weights[chosen++];
    return chosen;
}

int64_t draft_time(struct draft *draft)
{
    return draft->times_ns[draft_below(draft, DRAFT_TIMES)];
}

unsigned draft_other_task(struct draft *draft, unsigned not)
{
    unsigned count = draft->program->task_count;
    return count == 1 ? 0 : (not + 1 + draft_below(draft, count - 1)) % count;
}

// --- Declaring ----------------------------------------------------------------------------------

// A letter and a number.
static void name(char *ret_name, char letter, unsigned number)
{
    *ret_name++ = letter;
    if (number >= 10)
        *ret_name++ = (char)('0' + number / 10);
    *ret_name++ = (char)('0' + number % 10);
    *ret_name = '\0';
}

unsigned draft_object(struct draft *draft, enum object_kind kind, uint8_t backlog)
{
    static const char letters[OBJECT_KIND_COUNT][2] = {
        [OBJECT_PAIR] = "ab",          [OBJECT_SMALL_PAIR] = "cd", [OBJECT_TCP] = "ef",
        [OBJECT_PIPE] = "rw",          [OBJECT_DATAGRAMS] = "gh",  [OBJECT_UNIX_LISTENER] = "l",
        [OBJECT_TCP_LISTENER] = "m",   [OBJECT_SLOT] = "s",        [OBJECT_WAKEUP] = "k",
        [OBJECT_FILE] = "i",           [OBJECT_UDP_ERROR] = "u",
    };
    struct program *program = draft->program;
    unsigned first = program->object_count;
    unsigned ends = program_is_double(kind) ? 2 : 1;
    for (unsigned i = 0; i < ends; i++) {
        struct object *object = &program->objects[first + i];
        name(object->name, letters[kind][i], first);
        object->kind = (uint8_t)kind;
        object->backlog = backlog;
        object->is_second = i == 1;
        draft->peers[first + i] = (uint8_t)(ends == 2 ? first + 1 - i : first);
        if (kind == OBJECT_TCP || kind == OBJECT_UDP_ERROR)
            draft->budgets[first + i] = DRAFT_TCP_BYTES;
    }
    program->object_count = (uint8_t)(first + ends);
    draft->has_tcp_listener |= kind == OBJECT_TCP_LISTENER;
    if (draft->has_tcp_listener) {
        for (unsigned i = 0; i < program->object_count; i++) {
            if (program->objects[i].kind == OBJECT_SLOT)
                draft->budgets[i] = DRAFT_TCP_BYTES;
        }
    }
    return first;
}

void draft_tasks(struct draft *draft, unsigned count)
{
    struct program *program = draft->program;
    program->task_count = (uint8_t)count;
    memcpy(program->tasks[0].name, "main", sizeof "main");
    for (unsigned i = 1; i < count; i++)
        name(program->tasks[i].name, 't', i);
    draft->is_spawned[0] = true;
}

bool draft_is_for_large(const struct draft *draft, unsigned object)
{
    enum object_kind kind = draft_kind(draft, object);
    return kind == OBJECT_PAIR || kind == OBJECT_SMALL_PAIR ||
           (kind == OBJECT_SLOT && !draft->has_tcp_listener);
}

// --- Inventing ----------------------------------------------------------------------------------

// Takes what is sent off the budget of the object, and cuts it to that.
static uint32_t spend(struct draft *draft, unsigned object, uint32_t bytes)
{
    uint32_t budget = draft->budgets[object];
    if (budget == UINT32_MAX)
        return bytes;
    if (bytes > budget)
        bytes = budget;
    draft->budgets[object] = budget - bytes;
    return bytes;
}

static bool is_send(enum step_kind kind)
{
    return kind == STEP_SEND || kind == STEP_SEND_ALL || kind == STEP_SENDMSG ||
           kind == STEP_TRY_SEND;
}

static bool is_receive(enum step_kind kind)
{
    return kind == STEP_RECV || kind == STEP_RECV_EXACT || kind == STEP_RECVMSG ||
           kind == STEP_READ;
}

static bool is_listener_full(const struct draft *draft, unsigned listener)
{
    return draft->connects[listener] > draft->program->objects[listener].backlog;
}

static void count(struct draft *draft, struct step *step)
{
    enum step_kind kind = (enum step_kind)step->kind;
    if (is_send(kind))
        step->bytes = spend(draft, step->object, step->bytes);
    else if (kind == STEP_CONNECT)
        draft->connects[step->other]++;
    else if (kind == STEP_WAIT_RECV || kind == STEP_WAIT_SEND)
        draft->waits[step->object][kind == STEP_WAIT_SEND]++;
    else if (kind == STEP_SHUTDOWN && step->other != 1)
        draft->is_recv_shut[step->object] = true;
}

// Whether `object` of such a step is the number of an object: not of a task, and not nothing.
static bool names_object(enum step_kind kind)
{
    char operand = program_step_words[kind].operands[0];
    return operand == 'S' || operand == 'W';
}

// Whether a step would break a rule, and cannot be mended by a deadline.
static bool is_forbidden(const struct draft *draft, const struct step *step)
{
    if (names_object((enum step_kind)step->kind) && draft->is_of_outside[step->object])
        return true;
    return step->kind == STEP_CONNECT && draft_kind(draft, step->other) == OBJECT_TCP_LISTENER &&
           is_listener_full(draft, step->other);
}

static void append(struct draft *draft, unsigned task, struct step step)
{
    count(draft, &step);
    draft->owners[draft->step_count] = (uint8_t)task;
    draft->steps[draft->step_count++] = step;
}

void draft_spawn(struct draft *draft, unsigned task)
{
    if (draft->is_spawned[task] || draft->step_count == draft->step_limit)
        return;
    unsigned spawner = draft_below(draft, draft->program->task_count);
    while (!draft->is_spawned[spawner])
        spawner = (spawner + 1) % draft->program->task_count;
    append(draft, spawner, draft_step(STEP_SPAWN, task));
    draft->is_spawned[task] = true;
    draft->spawners[task] = (uint8_t)spawner;
}

bool draft_add(struct draft *draft, unsigned task, struct step step)
{
    unsigned spawns = draft->is_spawned[task] ? 0 : 1;
    if (draft->step_count + spawns + 1 > draft->step_limit || is_forbidden(draft, &step))
        return false;
    draft_spawn(draft, task);
    append(draft, task, step);
    return true;
}

void draft_stimulate(struct draft *draft, struct stimulus stimulus)
{
    struct program *program = draft->program;
    bool closes = stimulus.kind == STIMULUS_CLOSE || stimulus.kind == STIMULUS_SHUTDOWN;
    bool connects = stimulus.kind == STIMULUS_CONNECT;
    bool has_budget = draft->budgets[stimulus.object] != UINT32_MAX;
    if (program->stimulus_count == PROGRAM_STEPS_MAX ||
        (closes && !draft->is_of_outside[stimulus.object]) ||
        (stimulus.kind == STIMULUS_FILL && has_budget) ||
        (connects && draft_kind(draft, stimulus.other) == OBJECT_TCP_LISTENER &&
         is_listener_full(draft, stimulus.other)))
        return;
    if (stimulus.kind == STIMULUS_PUT)
        stimulus.bytes = spend(draft, stimulus.object, stimulus.bytes);
    if (connects)
        draft->connects[stimulus.other]++;
    program->stimuli[program->stimulus_count++] = stimulus;
}

// Whether waiting there may be answered by a hang-up alone.
static bool may_only_hang_up(enum object_kind kind)
{
    return kind == OBJECT_PIPE || kind == OBJECT_SLOT || kind == OBJECT_UNIX_LISTENER ||
           kind == OBJECT_TCP_LISTENER;
}

static bool needs_deadline(const struct draft *draft, const struct step *step)
{
    enum step_kind kind = (enum step_kind)step->kind;
    if (kind == STEP_CONNECT)
        return is_listener_full(draft, step->other);
    enum object_kind object_kind = draft_kind(draft, step->object);
    if (kind == STEP_WAIT_RECV || kind == STEP_WAIT_SEND)
        return object_kind == OBJECT_UDP_ERROR ||
               (may_only_hang_up(object_kind) &&
                draft->waits[step->object][kind == STEP_WAIT_SEND] > WAITS_IN_A_ROW);
    if (object_kind == OBJECT_UDP_ERROR)
        return is_receive(kind);
    bool is_vain = (is_receive(kind) && object_kind == OBJECT_DATAGRAMS) ||
                   (kind == STEP_ACCEPT && object_kind == OBJECT_UNIX_LISTENER);
    return is_vain && draft->is_recv_shut[step->object];
}

void draft_finish(struct draft *draft)
{
    struct program *program = draft->program;
    uint16_t places[PROGRAM_TASKS_MAX] = {0};
    for (unsigned i = 0; i < draft->step_count; i++)
        program->tasks[draft->owners[i]].step_count++;
    for (unsigned i = 1; i < program->task_count; i++)
        places[i] = (uint16_t)(places[i - 1] + program->tasks[i - 1].step_count);
    for (unsigned i = 0; i < program->task_count; i++)
        program->tasks[i].first_step = places[i];
    for (unsigned i = 0; i < draft->step_count; i++) {
        struct step *step = &draft->steps[i];
        if (step->within_ns == PROGRAM_NO_TIME && needs_deadline(draft, step))
            step->within_ns = draft_time(draft);
        program->steps[places[draft->owners[i]]++] = *step;
    }
    program->step_count = (uint16_t)draft->step_count;
}
