// SPDX-License-Identifier: MIT
//
// Confluent programs and their variations, played on a machine of a few lines that has next to no
// buffers: nobody is ever stuck, whichever task goes first, and what each object receives is the
// same for the program and for all that is made of it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "tests/conformance/explore/generate.h"
#include "tests/conformance/explore/vary.h"

#define PROGRAMS 200
#define SEED 21
#define CAPACITY 50 // Bytes on the way in a direction.
#define NO_PEER (-1)

struct machine_object {
    int peer;
    uint32_t queued; // Bytes that it has sent and nobody has received: of datagrams the one.
    bool has_datagram;
    bool is_shut;
    bool is_closed;
    bool has_ended; // It received the end.
    uint64_t received;
    uint8_t waiting[PROGRAM_OBJECTS_MAX]; // Of a listener: slots that have connected.
    unsigned waiting_count;
};

struct machine_task {
    unsigned place;
    uint32_t progress;
    bool is_spawned;
};

struct machine {
    const struct program *program;
    struct machine_object objects[PROGRAM_OBJECTS_MAX];
    struct machine_task tasks[PROGRAM_TASKS_MAX];
};

static bool is_pair(unsigned kind)
{
    return kind <= OBJECT_DATAGRAMS;
}

static bool is_done(const struct machine *machine, unsigned task)
{
    return machine->tasks[task].is_spawned &&
           machine->tasks[task].place == machine->program->tasks[task].step_count;
}

// The other end, if there is one yet.
static struct machine_object *peer_of(struct machine *machine, unsigned object)
{
    int peer = machine->objects[object].peer;
    return peer == NO_PEER ? NULL : &machine->objects[peer];
}

static bool send_some(struct machine *machine, struct machine_task *task, const struct step *step)
{
    struct machine_object *object = &machine->objects[step->object];
    if (machine->program->objects[step->object].kind == OBJECT_DATAGRAMS) {
        if (object->has_datagram)
            return false;
        object->has_datagram = true;
        object->queued = step->bytes;
        return true;
    }
    assert_false(object->is_shut);
    uint32_t room = CAPACITY - object->queued;
    uint32_t left = step->bytes - task->progress;
    uint32_t count = left < room ? left : room;
    object->queued += count;
    task->progress += count;
    return task->progress == step->bytes;
}

static bool receive_exactly(struct machine *machine, struct machine_task *task,
                            const struct step *step)
{
    struct machine_object *object = &machine->objects[step->object];
    struct machine_object *peer = peer_of(machine, step->object);
    if (step->bytes == 0)
        return true;
    if (!peer)
        return false;
    uint32_t left = step->bytes - task->progress;
    uint32_t count = left < peer->queued ? left : peer->queued;
    peer->queued -= count;
    object->received += count;
    task->progress += count;
    bool is_over = peer->is_shut && peer->queued == 0 && task->progress < step->bytes;
    object->has_ended |= is_over;
    return is_over || task->progress == step->bytes;
}

// A receive that takes what is there: of a stream only its end may be there.
static bool receive_once(struct machine *machine, const struct step *step)
{
    struct machine_object *object = &machine->objects[step->object];
    struct machine_object *peer = peer_of(machine, step->object);
    if (!peer)
        return false;
    if (peer->has_datagram) {
        assert_true(peer->queued <= step->bytes);
        object->received += peer->queued;
        peer->has_datagram = false;
        peer->queued = 0;
        return true;
    }
    assert_true(peer->queued == 0);
    object->has_ended |= peer->is_shut;
    return peer->is_shut;
}

static bool can_receive(struct machine *machine, unsigned object)
{
    const struct machine_object *peer = peer_of(machine, object);
    return machine->objects[object].waiting_count > 0 ||
           (peer && (peer->queued > 0 || peer->has_datagram || peer->is_shut));
}

static bool accept_one(struct machine *machine, const struct step *step)
{
    struct machine_object *listener = &machine->objects[step->object];
    if (listener->waiting_count == 0)
        return false;
    int client = listener->waiting[0];
    memmove(listener->waiting, listener->waiting + 1, --listener->waiting_count);
    machine->objects[client].peer = step->other;
    machine->objects[step->other].peer = client;
    return true;
}

static bool end_object(struct machine_object *object, bool closes)
{
    object->is_shut = true;
    object->is_closed = closes;
    return true;
}

// What names no object: true when the step is over.
static bool take_step_of_tasks(struct machine *machine, const struct step *step)
{
    switch (step->kind) {
    case STEP_SPAWN:
        assert_false(machine->tasks[step->object].is_spawned);
        machine->tasks[step->object].is_spawned = true;
        return true;
    case STEP_JOIN:
        assert_true(machine->tasks[step->object].is_spawned);
        return is_done(machine, step->object);
    default:
        assert_true(step->kind == STEP_PAUSE || step->kind == STEP_SLEEP);
        return true;
    }
}

// True when the step is over.
static bool take_step(struct machine *machine, struct machine_task *task, const struct step *step)
{
    struct machine_object *object = &machine->objects[step->object];
    if (step->kind >= STEP_WAIT_WAKEUP && step->kind != STEP_SHUTDOWN)
        return take_step_of_tasks(machine, step);
    assert_int_equal(step->within_ns, PROGRAM_NO_TIME);
    assert_false(object->is_closed);
    switch (step->kind) {
    case STEP_SEND:
    case STEP_SENDMSG:
    case STEP_SEND_ALL:
        return send_some(machine, task, step);
    case STEP_RECV_EXACT:
        return receive_exactly(machine, task, step);
    case STEP_RECV:
    case STEP_RECVMSG:
    case STEP_READ:
        return receive_once(machine, step);
    case STEP_WAIT_RECV:
        return can_receive(machine, step->object);
    case STEP_WAIT_SEND:
        return object->queued == 0;
    case STEP_CONNECT:
        machine->objects[step->other]
            .waiting[machine->objects[step->other].waiting_count++] = step->object;
        return true;
    case STEP_ACCEPT:
        return accept_one(machine, step);
    case STEP_SHUTDOWN:
        assert_int_equal(step->other, 1);
        return end_object(object, false);
    default:
        assert_int_equal(step->kind, STEP_CLOSE);
        return end_object(object, true);
    }
}

// Lets a task go as far as it can; whether that was anywhere.
static bool run_task(struct machine *machine, unsigned number)
{
    struct machine_task *task = &machine->tasks[number];
    const struct task_text *text = &machine->program->tasks[number];
    bool has_moved = false;
    while (task->is_spawned && task->place < text->step_count) {
        const struct step *step = &machine->program->steps[text->first_step + task->place];
        uint32_t before = task->progress;
        bool is_over = take_step(machine, task, step);
        has_moved |= is_over || task->progress != before;
        if (!is_over)
            break;
        task->progress = 0;
        task->place++;
    }
    return has_moved;
}

// Plays to the end, tasks in order or the other way round.
static void play(const struct program *program, bool is_backwards, struct machine *ret_machine)
{
    memset(ret_machine, 0, sizeof *ret_machine);
    ret_machine->program = program;
    ret_machine->tasks[0].is_spawned = true;
    for (int i = 0; i < program->object_count; i++) {
        const struct object *object = &program->objects[i];
        ret_machine->objects[i].peer =
            is_pair(object->kind) ? i + (object->is_second ? -1 : 1) : NO_PEER;
    }
    bool has_moved = true;
    while (has_moved) {
        has_moved = false;
        for (unsigned i = 0; i < program->task_count; i++)
            has_moved |= run_task(ret_machine, is_backwards ? program->task_count - 1U - i : i);
    }
    for (unsigned i = 0; i < program->task_count; i++)
        assert_true(is_done(ret_machine, i) || program->tasks[i].step_count == 0);
}

static void assert_same(const struct machine *one, const struct machine *other)
{
    for (unsigned i = 0; i < one->program->object_count; i++) {
        assert_int_equal(one->objects[i].received, other->objects[i].received);
        assert_int_equal(one->objects[i].has_ended, other->objects[i].has_ended);
        assert_int_equal(one->objects[i].peer, other->objects[i].peer);
    }
}

static void test_vary_changes_nothing_that_counts(void **state)
{
    (void)state;
    struct program program;
    struct program varied;
    struct machine expected;
    struct machine found;
    for (uint64_t number = 0; number < PROGRAMS; number++) {
        generate_program(PROGRAM_CONFLUENT, SEED, number, &program);
        play(&program, false, &expected);
        play(&program, true, &found);
        assert_same(&expected, &found);
        for (int i = 0; i < VARIATION_COUNT; i++) {
            vary(&program, (enum variation)i, number, &varied);
            play(&varied, number % 2, &found);
            assert_same(&expected, &found);
        }
    }
}

static void test_vary_changes_something(void **state)
{
    (void)state;
    struct program program;
    struct program varied;
    unsigned changed[VARIATION_COUNT] = {0};
    for (uint64_t number = 0; number < 100; number++) {
        generate_program(PROGRAM_CONFLUENT, SEED, number, &program);
        for (int i = 0; i < VARIATION_COUNT; i++) {
            vary(&program, (enum variation)i, number, &varied);
            changed[i] += program_hash(&varied) != program_hash(&program);
        }
    }
    for (int i = 0; i < VARIATION_COUNT; i++)
        assert_true(changed[i] > 25);
}

static void test_vary_makes_the_same_of_the_same_seed(void **state)
{
    (void)state;
    struct program program;
    struct program one;
    struct program other;
    generate_program(PROGRAM_CONFLUENT, SEED, 0, &program);
    for (int i = 0; i < VARIATION_COUNT; i++) {
        vary(&program, (enum variation)i, 5, &one);
        vary(&program, (enum variation)i, 5, &other);
        assert_int_equal(program_hash(&one), program_hash(&other));
    }
}

// A program that is as long as can be has no room for anything new.
static void test_vary_leaves_what_does_not_fit(void **state)
{
    (void)state;
    static struct program program;
    static struct program varied;
    program = (struct program){.object_count = 2, .task_count = 1, .step_count = PROGRAM_STEPS_MAX};
    program.objects[0] = (struct object){.name = "a", .kind = OBJECT_PAIR};
    program.objects[1] = (struct object){.name = "b", .kind = OBJECT_PAIR, .is_second = true};
    program.tasks[0] = (struct task_text){.name = "main", .step_count = PROGRAM_STEPS_MAX};
    for (unsigned i = 0; i < PROGRAM_STEPS_MAX; i++)
        program.steps[i] = (struct step){
            .kind = STEP_SEND_ALL, .bytes = 9, .within_ns = PROGRAM_NO_TIME};
    for (int i = 0; i < VARY_SMALL_PAIRS; i++) {
        vary(&program, (enum variation)i, 1, &varied);
        assert_int_equal(program_hash(&varied), program_hash(&program));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vary_changes_nothing_that_counts),
        cmocka_unit_test(test_vary_changes_something),
        cmocka_unit_test(test_vary_makes_the_same_of_the_same_seed),
        cmocka_unit_test(test_vary_leaves_what_does_not_fit),
    };
    return cmocka_run_group_tests_name("vary", tests, NULL, NULL);
}
