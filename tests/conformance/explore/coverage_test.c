// SPDX-License-Identifier: MIT
//
// What is counted of traces that are written here.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/operation.h"
#include "tasks/trace.h"
#include "tests/conformance/explore/coverage.h"

#define UNKNOWN_VERB 200

static struct coverage coverage;
static struct cede_trace_log trace;
static const struct program program = {.task_count = 2, .object_count = 2};

static int prepare(void **state)
{
    (void)state;
    coverage = (struct coverage){0};
    trace.bytes = 0;
    return 0;
}

static int forget(void **state)
{
    (void)state;
    cede_trace_clear(&trace);
    return 0;
}

static void put(struct cede_trace_event event)
{
    assert_int_equal(cede_trace_append(&trace, &event), 0);
}

static void put_tick(void)
{
    put((struct cede_trace_event){.kind = CEDE_TRACE_TICK});
}

static void put_submit(uint32_t task, uint32_t verb, int object)
{
    put((struct cede_trace_event){.kind = CEDE_TRACE_SUBMIT,
                                  .task = task,
                                  .verb = verb,
                                  .object = object,
                                  .deadline_ns = -1});
}

static void put_end(uint32_t task, uint32_t verb, int object, int64_t result)
{
    put((struct cede_trace_event){
        .kind = CEDE_TRACE_END, .task = task, .verb = verb, .object = object, .result = result});
}

// An operation that ends in the next tick.
static void put_operation(uint32_t verb, int object, int64_t result)
{
    put_submit(1, verb, object);
    put_tick();
    put_end(1, verb, object, result);
}

static void put_note(uint32_t task, uint32_t verb, int object)
{
    put((struct cede_trace_event){
        .kind = CEDE_TRACE_NOTE, .task = task, .verb = verb, .object = object});
}

// Counts the trace as a program, and begins the next.
static void finish(int64_t outcome)
{
    put((struct cede_trace_event){.kind = CEDE_TRACE_OUTCOME, .result = outcome});
    coverage_add(&coverage, &program, trace.data, trace.bytes);
    trace.bytes = 0;
}

static void test_coverage_counts_operations_and_those_carried_out(void **state)
{
    (void)state;
    put_operation(CEDE_VERB_RECV, 0, 5);
    put_operation(CEDE_VERB_RECV, 0, -ECANCELED);
    put_operation(UNKNOWN_VERB, 0, -EINVAL);
    finish(0);
    assert_int_equal(coverage.programs, 1);
    assert_int_equal(coverage.operations[3], 1);
    assert_int_equal(coverage.carried_out[2], 1);
    assert_int_equal(coverage.steps[STEP_RECV], 2);
    assert_int_equal(coverage.steps[STEP_UNKNOWN], 1);
}

static void test_coverage_knows_a_parked_sender(void **state)
{
    (void)state;
    put_operation(CEDE_VERB_SEND, 0, 5);
    finish(0);
    assert_int_equal(coverage.traits[COVERAGE_PARKED_SENDER], 0);
    // A receiver is none, however long it waits.
    put_submit(1, CEDE_VERB_RECV, 0);
    put_tick();
    put_tick();
    put_end(1, CEDE_VERB_RECV, 0, 5);
    finish(0);
    assert_int_equal(coverage.traits[COVERAGE_PARKED_SENDER], 0);
    put_submit(1, CEDE_VERB_SEND, 0);
    put_submit(2, CEDE_VERB_SEND_ALL, 1);
    put_tick();
    put_tick();
    put_end(1, CEDE_VERB_SEND, 0, 5);
    put_end(2, CEDE_VERB_SEND_ALL, 1, 5);
    finish(0);
    // However many there are in a program.
    assert_int_equal(coverage.traits[COVERAGE_PARKED_SENDER], 1);
}

static void test_coverage_knows_a_sender_that_got_half_way(void **state)
{
    (void)state;
    put_submit(1, CEDE_VERB_SEND_ALL, 0);
    put_tick();
    put((struct cede_trace_event){.kind = CEDE_TRACE_END,
                                  .task = 1,
                                  .verb = CEDE_VERB_SEND_ALL,
                                  .result = -ETIMEDOUT,
                                  .bytes = 5});
    finish(0);
    assert_int_equal(coverage.traits[COVERAGE_PARKED_SENDER], 1);
    assert_int_equal(coverage.traits[COVERAGE_TIMED_OUT], 1);
}

static void test_coverage_counts_what_follows_on_the_same_object(void **state)
{
    (void)state;
    put_operation(CEDE_VERB_RECV, 0, 5);
    put_operation(CEDE_VERB_SEND, 1, 5);
    put_note(1, STEP_TRY_SEND, 0);
    put((struct cede_trace_event){.kind = CEDE_TRACE_SHUTDOWN, .task = 1, .object = 0});
    put_operation(CEDE_VERB_CLOSE, 0, 0);
    // What is refused was never carried out, but the next does not follow the one before it.
    put_operation(CEDE_VERB_READ, 0, -ECANCELED);
    put_operation(CEDE_VERB_CONNECT, 0, 0);
    finish(0);
    // The next program has new objects.
    put_operation(CEDE_VERB_RECV, 0, 5);
    finish(0);
    const unsigned shutdown = STEP_UNKNOWN + 1;
    const unsigned try_send = STEP_UNKNOWN + 3;
    uint64_t sum = 0;
    for (unsigned i = 0; i < COVERAGE_KINDS; i++)
        for (unsigned k = 0; k < COVERAGE_KINDS; k++)
            sum += coverage.pairs[i][k];
    assert_int_equal(sum, 4);
    assert_int_equal(coverage.pairs[STEP_RECV][try_send], 1);
    assert_int_equal(coverage.pairs[try_send][shutdown], 1);
    assert_int_equal(coverage.pairs[shutdown][STEP_CLOSE], 1);
    assert_int_equal(coverage.pairs[STEP_READ][STEP_CONNECT], 1);
}

static void test_coverage_knows_the_other_traits(void **state)
{
    (void)state;
    put((struct cede_trace_event){.kind = CEDE_TRACE_CANCEL, .task = 1, .other = 2});
    put((struct cede_trace_event){
        .kind = CEDE_TRACE_SUBMIT, .task = 1, .verb = CEDE_VERB_READ, .deadline_ns = 5});
    put_tick();
    put_end(1, CEDE_VERB_READ, 0, 0);
    put_operation(CEDE_VERB_CLOSE, 0, 0);
    put_operation(CEDE_VERB_RECV, 0, -EBUSY);
    put_note(0, 64 + STIMULUS_PUT, 1);
    finish(-EDEADLK);
    static const enum coverage_trait found[] = {
        COVERAGE_CANCEL, COVERAGE_DEADLINE, COVERAGE_END_OF_STREAM, COVERAGE_CLOSE,
        COVERAGE_BUSY,   COVERAGE_STIMULUS, COVERAGE_STUCK};
    uint64_t sum = 0;
    for (unsigned i = 0; i < COVERAGE_TRAIT_COUNT; i++)
        sum += coverage.traits[i];
    assert_int_equal(sum, sizeof found / sizeof found[0]);
    for (unsigned i = 0; i < sizeof found / sizeof found[0]; i++)
        assert_int_equal(coverage.traits[found[i]], 1);
}

static void test_coverage_knows_crowds_and_long_turns(void **state)
{
    (void)state;
    for (int i = 0; i < 24; i++)
        put_end(1, CEDE_VERB_RECV, 0, 5);
    put_tick();
    put_end(1, CEDE_VERB_RECV, 0, 5);
    finish(0);
    assert_int_equal(coverage.traits[COVERAGE_CROWD], 0);
    // Two tasks that begin, 25 operations that end, and the rest pauses.
    for (int pauses = 228; pauses <= 229; pauses++) {
        for (int i = 0; i < 25; i++)
            put_end(2, CEDE_VERB_RECV, 0, 5);
        for (int i = 0; i < pauses; i++)
            put((struct cede_trace_event){.kind = CEDE_TRACE_PAUSE, .task = 1});
        finish(0);
    }
    assert_int_equal(coverage.traits[COVERAGE_CROWD], 2);
    assert_int_equal(coverage.traits[COVERAGE_LONG_TURN], 1);
}

static void test_coverage_leaves_the_reaper_out(void **state)
{
    (void)state;
    put((struct cede_trace_event){
        .kind = CEDE_TRACE_SPAWN, .task = 1, .other = 2, .name = "reaper"});
    put((struct cede_trace_event){.kind = CEDE_TRACE_SPAWN, .task = 1, .other = 3, .name = "t1"});
    put_submit(2, CEDE_VERB_WAKEUP, -1);
    finish(0);
    assert_int_equal(coverage.operations[0], 1);
    assert_int_equal(coverage.spawned_tasks, 1);
    assert_int_equal(coverage.declared_tasks, 2);
}

static void test_coverage_prints_numbers_by_name(void **state)
{
    (void)state;
    put_operation(CEDE_VERB_RECV, 0, 5);
    put_operation(CEDE_VERB_SEND, 0, 5);
    finish(0);
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    assert_non_null(file);
    coverage_print(file, &coverage);
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(text, "{\"programs\":1,\"declared_tasks\":2,"));
    assert_non_null(strstr(text, "\"parked_sender\":0,"));
    assert_non_null(strstr(text, "\"operations\":[0,0,1,0,"));
    assert_non_null(strstr(text, "\"carried_out\":[0,0,1,0,"));
    assert_non_null(strstr(text, "\"recv send\":1,"));
    assert_non_null(strstr(text, "\"try-send try-send\":0}}"));
    // What cannot be is not there, so that everything that is there can be asked to be enough.
    assert_null(strstr(text, "\"connect connect\""));
    free(text);
}

static void test_coverage_appends_hashes_lowest_byte_first(void **state)
{
    (void)state;
    uint8_t bytes[16];
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(coverage_append_hash(file, &program), 0);
    assert_int_equal(coverage_append_hash(file, &program), 0);
    rewind(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    assert_int_equal(fclose(file), 0);
    uint64_t hash = 0;
    for (unsigned i = 8; i-- > 0;)
        hash = hash << 8 | bytes[i];
    assert_int_equal(hash, program_hash(&program));
    assert_memory_equal(bytes, bytes + 8, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_coverage_counts_operations_and_those_carried_out, prepare),
        cmocka_unit_test_setup(test_coverage_knows_a_parked_sender, prepare),
        cmocka_unit_test_setup(test_coverage_knows_a_sender_that_got_half_way, prepare),
        cmocka_unit_test_setup(test_coverage_counts_what_follows_on_the_same_object, prepare),
        cmocka_unit_test_setup(test_coverage_knows_the_other_traits, prepare),
        cmocka_unit_test_setup(test_coverage_knows_crowds_and_long_turns, prepare),
        cmocka_unit_test_setup(test_coverage_leaves_the_reaper_out, prepare),
        cmocka_unit_test_setup(test_coverage_prints_numbers_by_name, prepare),
        cmocka_unit_test_setup(test_coverage_appends_hashes_lowest_byte_first, prepare),
    };
    return cmocka_run_group_tests_name("coverage", tests, NULL, forget);
}
