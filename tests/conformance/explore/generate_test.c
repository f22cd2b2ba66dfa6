// SPDX-License-Identifier: MIT
//
// Generated programs: the same words make the same program; its text is read back as the program;
// and the rules of strict programs hold, counted here once more in a way of its own.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/explore/generate.h"

#define PROGRAMS 20000
#define TEXTS 2000
#define SEED 20
#define TEXT_BYTES ((size_t)64 << 10)
#define TCP_BYTES 4096

// What all steps and stimuli of a program come to, by object.
struct sums {
    uint64_t sent[PROGRAM_OBJECTS_MAX];
    unsigned connects[PROGRAM_OBJECTS_MAX];
    unsigned waits[PROGRAM_OBJECTS_MAX][2];
    bool is_filled[PROGRAM_OBJECTS_MAX];
    bool is_receive_shut[PROGRAM_OBJECTS_MAX];
    bool is_named[PROGRAM_OBJECTS_MAX];
    unsigned spawns[PROGRAM_TASKS_MAX];
};

static bool is_send(unsigned kind)
{
    return kind == STEP_SEND || kind == STEP_SEND_ALL || kind == STEP_SENDMSG ||
           kind == STEP_TRY_SEND;
}

static bool is_receive(unsigned kind)
{
    return kind == STEP_RECV || kind == STEP_RECV_EXACT || kind == STEP_RECVMSG ||
           kind == STEP_READ;
}

static bool names_task(unsigned kind)
{
    return kind == STEP_SPAWN || kind == STEP_JOIN || kind == STEP_CANCEL;
}

static bool names_nothing(unsigned kind)
{
    return kind == STEP_SLEEP || kind == STEP_PAUSE || kind == STEP_SCOPE || kind == STEP_LEAVE ||
           kind == STEP_CANCEL_SCOPE;
}

static bool names_two(unsigned kind)
{
    return kind == STEP_ACCEPT || kind == STEP_CONNECT;
}

static void add_step(const struct step *step, struct sums *sums)
{
    if (names_task(step->kind)) {
        sums->spawns[step->object] += step->kind == STEP_SPAWN;
        return;
    }
    if (names_nothing(step->kind))
        return;
    sums->is_named[step->object] = true;
    if (names_two(step->kind))
        sums->is_named[step->other] = true;
    if (is_send(step->kind))
        sums->sent[step->object] += step->bytes;
    sums->connects[step->other] += step->kind == STEP_CONNECT;
    sums->waits[step->object][0] += step->kind == STEP_WAIT_RECV;
    sums->waits[step->object][1] += step->kind == STEP_WAIT_SEND;
    sums->is_receive_shut[step->object] |= step->kind == STEP_SHUTDOWN && step->other != 1;
}

static void add_all(const struct program *program, struct sums *ret_sums)
{
    memset(ret_sums, 0, sizeof *ret_sums);
    for (unsigned i = 0; i < program->step_count; i++)
        add_step(&program->steps[i], ret_sums);
    for (unsigned i = 0; i < program->stimulus_count; i++) {
        const struct stimulus *stimulus = &program->stimuli[i];
        if (stimulus->kind == STIMULUS_PUT)
            ret_sums->sent[stimulus->object] += stimulus->bytes;
        ret_sums->connects[stimulus->other] += stimulus->kind == STIMULUS_CONNECT;
        ret_sums->is_filled[stimulus->object] |= stimulus->kind == STIMULUS_FILL;
    }
}

static bool declares(const struct program *program, unsigned kind)
{
    for (unsigned i = 0; i < program->object_count; i++)
        if (program->objects[i].kind == kind)
            return true;
    return false;
}

// Whether what the object sends may go through TCP.
static bool may_be_tcp(const struct program *program, unsigned object)
{
    unsigned kind = program->objects[object].kind;
    return kind == OBJECT_TCP ||
           (kind == OBJECT_SLOT && declares(program, OBJECT_TCP_LISTENER));
}

static void check_objects(const struct program *program, const struct sums *sums)
{
    for (unsigned i = 0; i < program->object_count; i++) {
        if (may_be_tcp(program, i)) {
            assert_true(sums->sent[i] <= TCP_BYTES);
            assert_false(sums->is_filled[i]);
        }
        // One more than the backlog fit.
        if (program->objects[i].kind == OBJECT_TCP_LISTENER)
            assert_true(sums->connects[i] <= program->objects[i].backlog + 1U);
    }
}

// Whether a step may be tried again and again, and in vain, for ever.
static bool may_spin(const struct program *program, const struct sums *sums,
                     const struct step *step)
{
    const struct object *object = &program->objects[step->object];
    bool is_wait = step->kind == STEP_WAIT_RECV || step->kind == STEP_WAIT_SEND;
    if (step->kind == STEP_CONNECT)
        return program->objects[step->other].kind == OBJECT_UNIX_LISTENER &&
               sums->connects[step->other] > program->objects[step->other].backlog + 1U;
    if (object->kind == OBJECT_UDP_ERROR)
        return is_receive(step->kind) || is_wait;
    if (object->kind == OBJECT_DATAGRAMS)
        return is_receive(step->kind) && sums->is_receive_shut[step->object];
    if (step->kind == STEP_ACCEPT)
        return object->kind == OBJECT_UNIX_LISTENER && sums->is_receive_shut[step->object];
    bool may_hang_up = object->kind == OBJECT_PIPE || object->kind == OBJECT_SLOT ||
                       object->kind == OBJECT_UNIX_LISTENER || object->kind == OBJECT_TCP_LISTENER;
    return is_wait && may_hang_up && sums->waits[step->object][step->kind == STEP_WAIT_SEND] > 2;
}

static void check_steps(const struct program *program, const struct sums *sums)
{
    for (unsigned i = 0; i < program->step_count; i++) {
        const struct step *step = &program->steps[i];
        assert_true(step->bytes <= PROGRAM_BYTES_MAX);
        if (names_task(step->kind)) {
            assert_true(step->object < program->task_count);
            continue;
        }
        if (names_nothing(step->kind))
            continue;
        assert_true(step->object < program->object_count);
        if (step->kind == STEP_ACCEPT)
            assert_int_equal(program->objects[step->other].kind, OBJECT_SLOT);
        if (step->kind == STEP_CONNECT)
            assert_int_equal(program->objects[step->object].kind, OBJECT_SLOT);
        if (may_spin(program, sums, step))
            assert_true(step->within_ns >= 0);
    }
}

static void check_stimuli(const struct program *program, const struct sums *sums)
{
    for (unsigned i = 0; i < program->stimulus_count; i++) {
        const struct stimulus *stimulus = &program->stimuli[i];
        assert_true(stimulus->object < program->object_count);
        if (stimulus->kind == STIMULUS_CLOSE || stimulus->kind == STIMULUS_SHUTDOWN)
            assert_false(sums->is_named[stimulus->object]);
    }
}

// Each task has its steps behind those of the task before it.
static void check_tasks(const struct program *program)
{
    unsigned first = 0;
    for (unsigned i = 0; i < program->task_count; i++) {
        assert_int_equal(program->tasks[i].first_step, first);
        first += program->tasks[i].step_count;
    }
    assert_int_equal(first, program->step_count);
}

static void check_rules(enum program_class class)
{
    struct program program;
    struct sums sums;
    for (uint64_t number = 0; number < PROGRAMS; number++) {
        generate_program(class, SEED, number, &program);
        assert_in_range(program.task_count, 1, PROGRAM_TASKS_MAX);
        assert_in_range(program.object_count, 1, PROGRAM_OBJECTS_MAX);
        assert_in_range(program.step_count, 1, PROGRAM_STEPS_MAX);
        add_all(&program, &sums);
        check_objects(&program, &sums);
        check_tasks(&program);
        check_steps(&program, &sums);
        check_stimuli(&program, &sums);
    }
}

static void test_generate_keeps_the_rules_of_strict_programs(void **state)
{
    (void)state;
    check_rules(PROGRAM_RANDOM);
    check_rules(PROGRAM_CONFLUENT);
}

static void test_generate_makes_the_same_program_of_the_same_words(void **state)
{
    (void)state;
    struct program one;
    struct program other;
    memset(&one, 0, sizeof one);
    memset(&other, UINT8_MAX, sizeof other);
    for (uint64_t number = 0; number < 1000; number++) {
        generate_program(PROGRAM_RANDOM, SEED, number, &one);
        generate_program(PROGRAM_RANDOM, SEED, number, &other);
        assert_int_equal(program_hash(&one), program_hash(&other));
    }
}

static void test_generate_makes_another_program_of_each_word(void **state)
{
    (void)state;
    struct program program;
    uint64_t hashes[4];
    generate_program(PROGRAM_RANDOM, SEED, 0, &program);
    hashes[0] = program_hash(&program);
    generate_program(PROGRAM_RANDOM, SEED, 1, &program);
    hashes[1] = program_hash(&program);
    generate_program(PROGRAM_RANDOM, SEED + 1, 0, &program);
    hashes[2] = program_hash(&program);
    generate_program(PROGRAM_CONFLUENT, SEED, 0, &program);
    hashes[3] = program_hash(&program);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < i; k++)
            assert_int_not_equal(hashes[i], hashes[k]);
}

// Whatever the compiler. A change of the generator changes this number, and makes the numbers of
// programs in ledgers and reports mean other programs.
static void test_generate_is_the_same_everywhere(void **state)
{
    (void)state;
    struct program program;
    uint64_t hash = 0;
    for (uint64_t number = 0; number < 100; number++) {
        generate_program(PROGRAM_RANDOM, SEED, number, &program);
        hash = hash * 31 + program_hash(&program);
        generate_program(PROGRAM_CONFLUENT, SEED, number, &program);
        hash = hash * 31 + program_hash(&program);
    }
    assert_int_equal(hash, UINT64_C(0xb3d08d108ece7f79));
}

static void check_text(enum program_class class)
{
    static char text[TEXT_BYTES];
    static char again[TEXT_BYTES];
    char error[128];
    struct program program;
    struct program read;
    for (uint64_t number = 0; number < TEXTS; number++) {
        generate_program(class, SEED, number, &program);
        size_t bytes = program_print(&program, text, sizeof text);
        assert_true(bytes < sizeof text);
        assert_int_equal(program_parse(text, bytes, &read, error, sizeof error), 0);
        assert_int_equal(program_hash(&read), program_hash(&program));
        assert_int_equal(program_print(&read, again, sizeof again), bytes);
        assert_memory_equal(again, text, bytes);
    }
}

static void test_generate_makes_programs_that_are_read_back_from_their_text(void **state)
{
    (void)state;
    check_text(PROGRAM_RANDOM);
    check_text(PROGRAM_CONFLUENT);
    check_text(PROGRAM_RUDE);
}

static void test_generate_makes_rude_programs_that_sleep_and_are_stolen_from(void **state)
{
    (void)state;
    struct program program;
    unsigned thieves = 0;
    unsigned sleepers = 0;
    for (uint64_t number = 0; number < 1000; number++) {
        generate_program(PROGRAM_RUDE, SEED, number, &program);
        bool has_thief = false;
        for (unsigned i = 0; i < program.stimulus_count; i++)
            has_thief |= program.stimuli[i].kind == STIMULUS_STEAL;
        thieves += has_thief;
        const struct task_text *last = &program.tasks[program.task_count - 1];
        sleepers += program.steps[last->first_step].kind == STEP_SLEEP;
    }
    assert_true(thieves > 900);
    assert_true(sleepers > 900);
}

static void test_generate_spawns_nearly_every_task_once(void **state)
{
    (void)state;
    struct program program;
    struct sums sums;
    unsigned tasks = 0;
    unsigned spawned = 0;
    for (uint64_t number = 0; number < 1000; number++) {
        generate_program(PROGRAM_RANDOM, SEED, number, &program);
        add_all(&program, &sums);
        for (unsigned i = 1; i < program.task_count; i++) {
            tasks++;
            spawned += sums.spawns[i] > 0;
        }
    }
    assert_true(10 * spawned > 9 * tasks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generate_keeps_the_rules_of_strict_programs),
        cmocka_unit_test(test_generate_makes_the_same_program_of_the_same_words),
        cmocka_unit_test(test_generate_makes_another_program_of_each_word),
        cmocka_unit_test(test_generate_is_the_same_everywhere),
        cmocka_unit_test(test_generate_makes_programs_that_are_read_back_from_their_text),
        cmocka_unit_test(
            test_generate_makes_rude_programs_that_sleep_and_are_stolen_from),
        cmocka_unit_test(test_generate_spawns_nearly_every_task_once),
    };
    return cmocka_run_group_tests_name("generate", tests, NULL, NULL);
}
