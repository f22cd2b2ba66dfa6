// SPDX-License-Identifier: MIT
//
// Rude programs: random ones, and an outside that takes descriptors away from tasks. One more task
// sleeps for a while, since who must not spin must have something to sleep for.

#include <string.h>

#include "tests/conformance/explore/generate_classes.h"
#include "tests/conformance/explore/program_words.h"
#include "tests/seed.h"

#define SLEEP_NS INT64_C(10000000)
#define STEALS_MAX 3

// Puts a stimulus in front of the one that is at `place`.
static void insert_stimulus(struct program *program, unsigned place, struct stimulus stimulus)
{
    struct stimulus *here = &program->stimuli[place];
    memmove(here + 1, here, (program->stimulus_count - place) * sizeof *here);
    *here = stimulus;
    program->stimulus_count++;
}

static void add_steals(uint64_t *random, struct program *program)
{
    for (uint64_t i = 1 + seed_next(random) % STEALS_MAX; i > 0; i--) {
        uint8_t object = (uint8_t)(seed_next(random) % program->object_count);
        uint64_t place = seed_next(random) % (program->stimulus_count + 1U);
        if (program->objects[object].kind == OBJECT_WAKEUP ||
            program->stimulus_count == PROGRAM_STEPS_MAX)
            continue;
        insert_stimulus(program, (unsigned)place,
                        (struct stimulus){.kind = STIMULUS_STEAL,
                                          .object = object,
                                          .at_ns = PROGRAM_NO_TIME});
    }
}

// The first task spawns it before anything else.
static void add_sleeper(struct program *program)
{
    uint8_t number = program->task_count;
    if (number == PROGRAM_TASKS_MAX || program->step_count + 2 > PROGRAM_STEPS_MAX)
        return;
    memmove(program->steps + 1, program->steps, program->step_count * sizeof *program->steps);
    program->steps[0] = (struct step){
        .kind = STEP_SPAWN, .object = number, .within_ns = PROGRAM_NO_TIME};
    program->step_count++;
    program->tasks[0].step_count++;
    for (unsigned i = 1; i < number; i++)
        program->tasks[i].first_step++;
    program->steps[program->step_count] =
        (struct step){.kind = STEP_SLEEP, .within_ns = SLEEP_NS};
    program->tasks[number] = (struct task_text){
        .name = "sleeper", .first_step = program->step_count, .step_count = 1};
    program->step_count++;
    program->task_count++;
}

void generate_rude(uint64_t random, struct program *ret_program)
{
    generate_random(random, ret_program);
    add_sleeper(ret_program);
    add_steals(&random, ret_program);
}
