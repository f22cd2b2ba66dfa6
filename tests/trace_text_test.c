// SPDX-License-Identifier: MIT
//
// The claims of tasks/trace_text.h: what events are called, and where two traces part.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/operation.h"
#include "engine/sys.h"
#include "tasks/trace_text.h"

// Whether memory may grow.
static bool may_grow = true;

void *__real_cede_sys_reallocate(void *memory, size_t bytes);
void *__wrap_cede_sys_reallocate(void *memory, size_t bytes);

void *__wrap_cede_sys_reallocate(void *memory, size_t bytes)
{
    return may_grow ? __real_cede_sys_reallocate(memory, bytes) : NULL;
}

// Lines, one behind the other.
struct page {
    char text[4096];
};

static void write_line(void *page, const char *line)
{
    struct page *to = page;
    size_t length = strlen(to->text);
    snprintf(to->text + length, sizeof to->text - length, "%s\n", line);
}

// The text of a list of events.
static void write_events(const struct cede_trace_event *events, size_t count,
                         const struct cede_trace_names *names, struct page *ret_page)
{
    struct cede_trace_text text = {.names = names};
    ret_page->text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char line[CEDE_TRACE_LINE_BYTES];
        assert_int_equal(cede_trace_text_next(&text, &events[i], line), 0);
        write_line(ret_page, line);
    }
    cede_trace_text_close(&text);
    assert_null(text.task_names);
}

#define EVENTS(...) ((const struct cede_trace_event[]){__VA_ARGS__})
#define COUNT(array) (sizeof(array) / sizeof *(array))

// --- Words --------------------------------------------------------------------------------------

static const struct cede_trace_event story[] = {
    {.kind = CEDE_TRACE_SPAWN, .other = 1, .name = "main"},
    {.kind = CEDE_TRACE_SPAWN, .task = 1, .other = 2, .name = "child"},
    {.kind = CEDE_TRACE_SPAWN, .task = 1, .result = -EAGAIN, .name = "late"},
    {.kind = CEDE_TRACE_SUBMIT,
     .task = 1,
     .verb = CEDE_VERB_RECV,
     .object = 4,
     .bytes = 16,
     .deadline_ns = 5000},
    {.kind = CEDE_TRACE_SUBMIT,
     .task = 2,
     .verb = CEDE_VERB_PARK,
     .object = -1,
     .deadline_ns = -1},
    {.kind = CEDE_TRACE_TICK, .now_ns = 5000},
    {.kind = CEDE_TRACE_END,
     .task = 1,
     .verb = CEDE_VERB_RECV_EXACT,
     .object = 4,
     .result = -ETIMEDOUT,
     .bytes = 3,
     .digest = 0xabc},
    {.kind = CEDE_TRACE_END, .task = 2, .verb = 200, .object = 0, .result = -EINVAL},
    {.kind = CEDE_TRACE_PAUSE, .task = 2},
    {.kind = CEDE_TRACE_JOIN, .task = 1, .other = 2, .value = -7},
    {.kind = CEDE_TRACE_JOIN, .task = 1, .other = 2},
    {.kind = CEDE_TRACE_JOIN, .task = 1, .other = 2, .result = -EINVAL},
    {.kind = CEDE_TRACE_CANCEL, .task = 1, .other = 2},
    {.kind = CEDE_TRACE_SHUTDOWN, .task = 1, .object = 4, .verb = 1, .result = -ENOTCONN},
    {.kind = CEDE_TRACE_SHUTDOWN, .task = 1, .object = 4, .verb = 3, .result = -4096},
    {.kind = CEDE_TRACE_SCOPE, .task = 1, .verb = CEDE_TRACE_SCOPE_ENTER, .value = 2000000000},
    {.kind = CEDE_TRACE_SCOPE, .task = 1, .verb = CEDE_TRACE_SCOPE_MOVE, .value = -1},
    {.kind = CEDE_TRACE_SCOPE, .task = 1, .verb = CEDE_TRACE_SCOPE_CANCEL},
    {.kind = CEDE_TRACE_SCOPE, .task = 1, .verb = CEDE_TRACE_SCOPE_LEAVE, .value = -ECANCELED},
    {.kind = CEDE_TRACE_TICK, .now_ns = 0},
    {.kind = CEDE_TRACE_NOTE, .verb = 64, .object = 3, .result = 12, .digest = 0xdeadbeef},
    {.kind = CEDE_TRACE_NOTE, .task = 2, .verb = 18, .object = -1, .result = -EEXIST},
    {.kind = CEDE_TRACE_DONE, .task = 9, .result = 1},
    {.kind = CEDE_TRACE_OUTCOME, .result = -EDEADLK},
};

static void test_trace_text_is_a_line_an_event(void **state)
{
    (void)state;
    struct page page;
    write_events(story, COUNT(story), NULL, &page);
    assert_string_equal(
        page.text,
        "    1  -                 spawn main(1) = 0\n"
        "    2  main(1)           spawn child(2) = 0\n"
        "    3  main(1)           spawn late = -EAGAIN\n"
        "    4  main(1)           submit recv #4 16 until 5us\n"
        "    5  child(2)          submit park\n"
        "    6  -                 tick 1 at 5us\n"
        "    7  main(1)           end recv-exact #4 = -ETIMEDOUT, 3 bytes 00000abc\n"
        "    8  child(2)          end verb-200 #0 = -EINVAL\n"
        "    9  child(2)          pause = 0\n"
        "   10  main(1)           join child(2) = 0, value -7\n"
        "   11  main(1)           join child(2) = 0, value 0\n"
        "   12  main(1)           join child(2) = -EINVAL\n"
        "   13  main(1)           cancel child(2)\n"
        "   14  main(1)           shutdown #4 send = -ENOTCONN\n"
        "   15  main(1)           shutdown #4 3 = -4096\n"
        "   16  main(1)           scope enter until 2000ms\n"
        "   17  main(1)           scope move\n"
        "   18  main(1)           scope cancel\n"
        "   19  main(1)           scope leave = -ECANCELED\n"
        "   20  -                 tick 2 at 0ns\n"
        "   21  -                 note 64 #3 = 12 deadbeef\n"
        "   22  child(2)          note 18 = -EEXIST\n"
        "   23  (9)               done = 1\n"
        "   24  -                 outcome = -EDEADLK\n");
}

// A word that stands for all of them would make different events look the same.
static void test_trace_text_has_a_number_for_what_has_no_word(void **state)
{
    (void)state;
    const struct cede_trace_event *events = EVENTS(
        {.kind = CEDE_TRACE_END, .task = 1, .verb = CEDE_VERB_NONE, .object = -1},
        {.kind = CEDE_TRACE_END, .task = 1, .verb = CEDE_VERB_COUNT, .object = -1},
        {.kind = CEDE_TRACE_SCOPE, .task = 1, .verb = CEDE_TRACE_SCOPE_COUNT, .value = 5},
        {.kind = CEDE_TRACE_SCOPE, .task = 1, .verb = CEDE_TRACE_SCOPE_CANCEL, .value = 5},
        {.kind = CEDE_TRACE_SCOPE, .task = 1, .verb = CEDE_TRACE_SCOPE_LEAVE});
    struct page page;
    write_events(events, 5, NULL, &page);
    assert_string_equal(page.text, "    1  (1)               end verb-0 = 0\n"
                                   "    2  (1)               end verb-16 = 0\n"
                                   "    3  (1)               scope 4 = 5\n"
                                   "    4  (1)               scope cancel = 5\n"
                                   "    5  (1)               scope leave = 0\n");
}

static const char *name_object(void *argument, const struct cede_trace_event *event)
{
    const char *const *names = argument;
    return event->object == 4 ? names[0] : NULL;
}

static const char *name_note(void *argument, uint32_t verb)
{
    const char *const *names = argument;
    return verb == 64 ? names[1] : NULL;
}

static void test_trace_text_takes_names_from_the_caller(void **state)
{
    (void)state;
    const char *words[] = {"a", "put"};
    const struct cede_trace_names names = {
        .object = name_object, .note = name_note, .argument = words};
    const struct cede_trace_event *events = EVENTS(
        {.kind = CEDE_TRACE_SUBMIT, .task = 1, .verb = CEDE_VERB_CLOSE, .object = 4,
         .deadline_ns = -1},
        {.kind = CEDE_TRACE_SUBMIT, .task = 1, .verb = CEDE_VERB_CLOSE, .object = 5,
         .deadline_ns = -1},
        {.kind = CEDE_TRACE_NOTE, .verb = 64, .object = 4},
        {.kind = CEDE_TRACE_NOTE, .verb = 65, .object = 5});
    struct page page;
    write_events(events, 4, &names, &page);
    assert_string_equal(page.text, "    1  (1)               submit close a\n"
                                   "    2  (1)               submit close #5\n"
                                   "    3  -                 note put a = 0\n"
                                   "    4  -                 note 65 #5 = 0\n");
}

static void test_trace_text_believes_no_number_and_no_name(void **state)
{
    (void)state;
    // A task of this number cannot be the first one spawned. Memory for its name would be 96 GiB.
    const struct cede_trace_event *events =
        EVENTS({.kind = CEDE_TRACE_SPAWN, .other = UINT32_MAX, .name = "so far"},
               {.kind = CEDE_TRACE_SPAWN, .other = 2, .name = "a\nb\033[1m"},
               {.kind = CEDE_TRACE_DONE, .task = UINT32_MAX}, {.kind = CEDE_TRACE_DONE, .task = 2},
               // Right behind the room that there is for names.
               {.kind = CEDE_TRACE_DONE, .task = 2 * 2 + 16});
    struct page page;
    write_events(events, 5, NULL, &page);
    assert_string_equal(page.text, "    1  -                 spawn so far(4294967295) = 0\n"
                                   "    2  -                 spawn a?b?[1m(2) = 0\n"
                                   "    3  (4294967295)      done = 0\n"
                                   "    4  a?b?[1m(2)        done = 0\n"
                                   "    5  (20)              done = 0\n");
}

static const char *name_at_length(void *argument, const struct cede_trace_event *event)
{
    (void)event;
    return argument;
}

static void test_trace_text_cuts_a_line_that_is_too_long(void **state)
{
    (void)state;
    char name[2 * CEDE_TRACE_LINE_BYTES], line[CEDE_TRACE_LINE_BYTES];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    const struct cede_trace_names names = {.object = name_at_length, .argument = name};
    struct cede_trace_text text = {.names = &names};
    const struct cede_trace_event event = {.kind = CEDE_TRACE_SHUTDOWN, .task = 1};
    assert_int_equal(cede_trace_text_next(&text, &event, line), 0);
    assert_int_equal(strlen(line), sizeof line - 1);
    cede_trace_text_close(&text);
}

static void test_trace_text_learns_many_names(void **state)
{
    (void)state;
    struct cede_trace_text text = {.names = NULL};
    char line[CEDE_TRACE_LINE_BYTES], expected[64];
    for (uint32_t number = 1; number <= 5000; number++) {
        struct cede_trace_event event = {.kind = CEDE_TRACE_SPAWN, .other = number};
        snprintf(event.name, sizeof event.name, "t%u", (unsigned)(number % 1000));
        assert_int_equal(cede_trace_text_next(&text, &event, line), 0);
    }
    for (uint32_t number = 1; number <= 5000; number++) {
        const struct cede_trace_event event = {.kind = CEDE_TRACE_DONE, .task = number};
        assert_int_equal(cede_trace_text_next(&text, &event, line), 0);
        snprintf(expected, sizeof expected, " t%u(%u) ", (unsigned)(number % 1000),
                 (unsigned)number);
        assert_non_null(strstr(line, expected));
    }
    cede_trace_text_close(&text);
}

// --- Differences --------------------------------------------------------------------------------

static void record(const struct cede_trace_event *events, size_t count,
                   struct cede_trace_log *ret_log)
{
    *ret_log = (struct cede_trace_log){0};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(cede_trace_append(ret_log, &events[i]), 0);
}

// Compares the story with itself after something was done to it.
static int64_t compare(const struct cede_trace_log *other, uint64_t context, struct page *ret_page)
{
    struct cede_trace_log log;
    record(story, COUNT(story), &log);
    ret_page->text[0] = '\0';
    int64_t number = cede_trace_diff(&log, other, NULL, context, write_line, ret_page);
    cede_trace_clear(&log);
    return number;
}

static void test_trace_diff_of_equal_traces_says_nothing(void **state)
{
    (void)state;
    struct cede_trace_log log;
    struct page page = {.text = ""};
    record(story, COUNT(story), &log);
    assert_int_equal(compare(&log, 3, &page), 0);
    assert_string_equal(page.text, "");
    cede_trace_clear(&log);
    assert_int_equal(cede_trace_diff(&log, &log, NULL, 3, write_line, &page), 0);
}

static void test_trace_diff_names_the_first_event_that_differs(void **state)
{
    (void)state;
    struct cede_trace_event events[COUNT(story)];
    struct cede_trace_log log;
    struct page page;
    memcpy(events, story, sizeof events);
    events[8].result = -ECANCELED;
    events[12].other = 1;
    record(events, COUNT(events), &log);
    assert_int_equal(compare(&log, 2, &page), 9);
    assert_string_equal(
        page.text, "      7  main(1)           end recv-exact #4 = -ETIMEDOUT, 3 bytes 00000abc\n"
                   "      8  child(2)          end verb-200 #0 = -EINVAL\n"
                   "-     9  child(2)          pause = 0\n"
                   "+     9  child(2)          pause = -ECANCELED\n");
    assert_int_equal(compare(&log, 0, &page), 9);
    assert_string_equal(page.text, "-     9  child(2)          pause = 0\n"
                                   "+     9  child(2)          pause = -ECANCELED\n");
    cede_trace_clear(&log);
    // Of traces of one length, too.
    events[8].result = 0;
    record(events, COUNT(events), &log);
    assert_int_equal(compare(&log, 0, &page), 13);
    assert_string_equal(page.text, "-    13  main(1)           cancel child(2)\n"
                                   "+    13  main(1)           cancel main(1)\n");
    cede_trace_clear(&log);
}

static void test_trace_diff_says_which_trace_is_over(void **state)
{
    (void)state;
    struct cede_trace_log log;
    struct page page;
    record(story, 2, &log);
    assert_int_equal(compare(&log, 100, &page), 3);
    assert_string_equal(page.text, "      1  -                 spawn main(1) = 0\n"
                                   "      2  main(1)           spawn child(2) = 0\n"
                                   "-     3  main(1)           spawn late = -EAGAIN\n"
                                   "+     3  (the trace is over)\n");
    struct cede_trace_log shorter = log;
    shorter.bytes = 9;
    page.text[0] = '\0';
    assert_int_equal(cede_trace_diff(&shorter, &log, NULL, 0, write_line, &page), 2);
    assert_string_equal(page.text, "-     2  (the trace is over)\n"
                                   "+     2  main(1)           spawn child(2) = 0\n");
    log.bytes--;
    assert_int_equal(compare(&log, 0, &page), 2);
    assert_string_equal(page.text, "-     2  main(1)           spawn child(2) = 0\n"
                                   "+     2  (cut off, or no event)\n");
    cede_trace_clear(&log);
    assert_int_equal(compare(&log, 5, &page), 1);
    assert_string_equal(page.text, "-     1  -                 spawn main(1) = 0\n"
                                   "+     1  (the trace is over)\n");
}

static void test_trace_diff_learns_names_before_the_context(void **state)
{
    (void)state;
    struct cede_trace_log log;
    struct page page;
    record(story, COUNT(story) - 3, &log);
    assert_int_equal(compare(&log, 1, &page), 22);
    assert_string_equal(page.text, "     21  -                 note 64 #3 = 12 deadbeef\n"
                                   "-    22  child(2)          note 18 = -EEXIST\n"
                                   "+    22  (the trace is over)\n");
    cede_trace_clear(&log);
}

// More tasks than there is room for at first, and one event more than the other trace has.
static void test_trace_text_says_that_it_has_no_memory_for_names(void **state)
{
    (void)state;
    struct cede_trace_text text = {.names = NULL};
    struct cede_trace_log one = {0}, other = {0};
    struct cede_trace_event event = {.kind = CEDE_TRACE_SPAWN};
    struct page page = {.text = ""};
    char line[CEDE_TRACE_LINE_BYTES];
    int error = 0;
    may_grow = false;
    for (event.other = 1; event.other <= 100; event.other++) {
        assert_int_equal(cede_trace_append(&one, &event), 0);
        if (event.other < 100)
            assert_int_equal(cede_trace_append(&other, &event), 0);
        if (error == 0)
            error = cede_trace_text_next(&text, &event, line);
    }
    assert_int_equal(error, -ENOMEM);
    assert_int_equal(cede_trace_diff(&one, &other, NULL, 1, write_line, &page), -ENOMEM);
    may_grow = true;
    assert_int_equal(cede_trace_diff(&one, &other, NULL, 1, write_line, &page), 100);
    cede_trace_text_close(&text);
    cede_trace_clear(&one);
    cede_trace_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_text_is_a_line_an_event),
        cmocka_unit_test(test_trace_text_has_a_number_for_what_has_no_word),
        cmocka_unit_test(test_trace_text_takes_names_from_the_caller),
        cmocka_unit_test(test_trace_text_believes_no_number_and_no_name),
        cmocka_unit_test(test_trace_text_cuts_a_line_that_is_too_long),
        cmocka_unit_test(test_trace_text_learns_many_names),
        cmocka_unit_test(test_trace_diff_of_equal_traces_says_nothing),
        cmocka_unit_test(test_trace_diff_names_the_first_event_that_differs),
        cmocka_unit_test(test_trace_diff_says_which_trace_is_over),
        cmocka_unit_test(test_trace_diff_learns_names_before_the_context),
        cmocka_unit_test(test_trace_text_says_that_it_has_no_memory_for_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
