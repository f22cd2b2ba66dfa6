// SPDX-License-Identifier: MIT
//
// Programs into text: one line for each declaration, step and stimulus, in their order.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/explore/program_words.h"

// Counts on when the room is used up.
struct page {
    char *text;
    size_t capacity;
    size_t length;
};

static void append(struct page *page, const char *word)
{
    size_t bytes = strlen(word);
    if (page->length < page->capacity) {
        size_t room = page->capacity - page->length;
        memcpy(page->text + page->length, word, bytes < room ? bytes : room);
    }
    page->length += bytes;
}

static void append_word(struct page *page, const char *word)
{
    append(page, " ");
    append(page, word);
}

static void append_number(struct page *page, uint64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, " %" PRIu64, number);
    append(page, digits);
}

// In the largest unit that is exact.
static void append_time(struct page *page, int64_t time_ns)
{
    static const struct {
        int64_t unit_ns;
        const char *name;
    } units[] = {{1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    size_t i = 0;
    while (units[i].unit_ns > 1 && (time_ns == 0 || time_ns % units[i].unit_ns != 0))
        i++;
    append_number(page, (uint64_t)(time_ns / units[i].unit_ns));
    append(page, units[i].name);
}

static void print_objects(struct page *page, const struct program *program)
{
    for (int i = 0; i < program->object_count; i++) {
        const struct object *object = &program->objects[i];
        if (!object->is_second)
            append(page, object_kind_name((enum object_kind)object->kind));
        append_word(page, object->name);
        if (program_is_listener((enum object_kind)object->kind))
            append_number(page, object->backlog);
        if (object->is_second || !program_is_double((enum object_kind)object->kind))
            append(page, "\n");
    }
}

// What follows the name of a step.
static void print_operands(struct page *page, const struct program *program, const char *operands,
                           const struct step *step)
{
    const uint8_t places[] = {step->object, step->other};
    size_t place = 0;
    for (; *operands; operands++) {
        switch (*operands) {
        case 'N':
            append_number(page, step->bytes);
            break;
        case 'D':
            append_time(page, step->within_ns);
            break;
        case 'T':
            append_word(page, program->tasks[places[place++]].name);
            break;
        case 'H':
            append_word(page, program_how_words[step->other]);
            break;
        default:
            append_word(page, program->objects[places[place++]].name);
        }
    }
}

static void print_step(struct page *page, const struct program *program, const struct step *step)
{
    const struct program_words *words = &program_step_words[step->kind];
    append(page, "    ");
    append(page, words->name);
    print_operands(page, program, words->operands, step);
    if (words->may_have_deadline && step->within_ns != PROGRAM_NO_TIME) {
        append(page, " within");
        append_time(page, step->within_ns);
    }
    append(page, "\n");
}

static void print_stimulus(struct page *page, const struct program *program,
                           const struct stimulus *stimulus)
{
    const struct program_words *words = &program_stimulus_words[stimulus->kind];
    append(page, "    ");
    if (stimulus->at_ns != PROGRAM_NO_TIME) {
        append(page, "at");
        append_time(page, stimulus->at_ns);
        append(page, " ");
    }
    append(page, words->name);
    // A stimulus has what a step has, but for its time.
    const struct step alike = {
        .object = stimulus->object, .other = stimulus->other, .bytes = stimulus->bytes};
    print_operands(page, program, words->operands, &alike);
    append(page, "\n");
}

size_t program_print(const struct program *program, char *ret_text, size_t capacity)
{
    struct page page = {.text = ret_text, .capacity = capacity > 0 ? capacity - 1 : 0};
    print_objects(&page, program);
    for (int i = 0; i < program->task_count; i++) {
        const struct task_text *task = &program->tasks[i];
        append(&page, "task");
        append_word(&page, task->name);
        append(&page, "\n");
        for (int k = 0; k < task->step_count; k++)
            print_step(&page, program, &program->steps[task->first_step + k]);
    }
    if (program->stimulus_count > 0)
        append(&page, "outside\n");
    for (int i = 0; i < program->stimulus_count; i++)
        print_stimulus(&page, program, &program->stimuli[i]);
    if (capacity > 0)
        ret_text[page.length < capacity ? page.length : capacity - 1] = '\0';
    return page.length;
}
