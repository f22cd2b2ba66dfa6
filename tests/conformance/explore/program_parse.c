// SPDX-License-Identifier: MIT
//
// Text into programs. A line is a list of words; what the first one may be depends on what has come
// before: declarations, then tasks, then the outside. Tasks may be named before they are written,
// so their names are collected first.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/explore/program_words.h"

#define LINE_BYTES 128
#define WORDS_MAX 8

// Longer than any program runs, and far from where sums of times overflow.
#define TIME_MAX_NS (INT64_C(1) << 50)

enum section {
    SECTION_OBJECTS,
    SECTION_TASK,
    SECTION_OUTSIDE,
};

struct reader {
    struct program *program;
    enum section section;
    char names[PROGRAM_TASKS_MAX][PROGRAM_NAME_BYTES]; // Of all tasks, also of those to come.
    int name_count;
    char line[LINE_BYTES]; // Its words are cut out in place.
    char *words[WORDS_MAX];
    int word_count;
    int line_number;
    char *error;
    size_t error_bytes;
};

// -EINVAL, and a sentence about the line.
static int refuse(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct reader *reader, const char *format, ...)
{
    char reason[LINE_BYTES + 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    snprintf(reader->error, reader->error_bytes, "line %d: %s", reader->line_number, reason);
    return -EINVAL;
}

// --- Words --------------------------------------------------------------------------------------

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t' || letter == '\r';
}

static bool is_in_name(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-';
}

// A name as it is declared: 0, or -EINVAL.
static int read_name(struct reader *reader, const char *word, char ret_name[PROGRAM_NAME_BYTES])
{
    size_t bytes = strlen(word);
    bool is_good = bytes < PROGRAM_NAME_BYTES;
    for (size_t i = 0; i < bytes; i++)
        is_good &= is_in_name(word[i]);
    if (!is_good)
        return refuse(reader, "not a name: %s", word);
    memset(ret_name, 0, PROGRAM_NAME_BYTES);
    memcpy(ret_name, word, bytes);
    return 0;
}

// The number at the beginning of a word, or -1; and what follows it.
static int64_t leading_number(const char *word, const char **ret_rest)
{
    int64_t number = 0;
    const char *here = word;
    for (; *here >= '0' && *here <= '9'; here++) {
        number = number * 10 + (*here - '0');
        if (number > TIME_MAX_NS)
            return -1;
    }
    *ret_rest = here;
    return here == word ? -1 : number;
}

static int read_number(struct reader *reader, const char *word, int64_t most, int64_t *ret_number)
{
    const char *rest = "";
    int64_t number = leading_number(word, &rest);
    if (number < 0 || *rest)
        return refuse(reader, "not a number: %s", word);
    if (number > most)
        return refuse(reader, "more than %lld: %s", (long long)most, word);
    *ret_number = number;
    return 0;
}

static int read_time(struct reader *reader, const char *word, int64_t *ret_time_ns)
{
    const char *unit = "";
    int64_t number = leading_number(word, &unit);
    int64_t unit_ns = strcmp(unit, "ns") == 0   ? 1
                      : strcmp(unit, "us") == 0 ? 1000
                      : strcmp(unit, "ms") == 0 ? 1000000
                                                : 0;
    if (number < 0 || unit_ns == 0 || number > TIME_MAX_NS / unit_ns)
        return refuse(reader, "not a time: %s", word);
    *ret_time_ns = number * unit_ns;
    return 0;
}

static int object_of(const struct program *program, const char *name)
{
    for (int i = 0; i < program->object_count; i++)
        if (strcmp(program->objects[i].name, name) == 0)
            return i;
    return -1;
}

static int task_of(const struct reader *reader, const char *name)
{
    for (int i = 0; i < reader->name_count; i++)
        if (strcmp(reader->names[i], name) == 0)
            return i;
    return -1;
}

// Cuts the next line of the text into words: where the one after it begins.
static int cut_line(struct reader *reader, const char *line, const char *end, const char **ret_next)
{
    const char *line_end = memchr(line, '\n', (size_t)(end - line));
    line_end = line_end ? line_end : end;
    *ret_next = line_end < end ? line_end + 1 : end;
    reader->line_number++;
    reader->word_count = 0;
    const char *comment = memchr(line, '#', (size_t)(line_end - line));
    size_t bytes = (size_t)((comment ? comment : line_end) - line);
    if (bytes >= LINE_BYTES || memchr(line, '\0', bytes))
        return refuse(reader, "not a line of a program");
    memcpy(reader->line, line, bytes);
    reader->line[bytes] = '\0';
    for (char *here = reader->line; *here;) {
        if (is_blank(*here)) {
            *here++ = '\0';
            continue;
        }
        if (reader->word_count == WORDS_MAX)
            return refuse(reader, "too many words");
        reader->words[reader->word_count++] = here;
        while (*here && !is_blank(*here))
            here++;
    }
    return 0;
}

// --- Lines --------------------------------------------------------------------------------------

static int kind_of_object(const char *word)
{
    int kind = 0;
    while (kind < OBJECT_KIND_COUNT && strcmp(object_kind_name((enum object_kind)kind), word) != 0)
        kind++;
    return kind;
}

static int declare(struct reader *reader)
{
    struct program *program = reader->program;
    int kind = kind_of_object(reader->words[0]);
    if (kind == OBJECT_KIND_COUNT)
        return refuse(reader, "not an object: %s", reader->words[0]);
    bool is_listener = program_is_listener((enum object_kind)kind);
    int name_count = program_is_double((enum object_kind)kind) ? 2 : 1;
    if (reader->word_count != 1 + name_count + is_listener)
        return refuse(reader, "%s takes %d words", reader->words[0], name_count + is_listener);
    int64_t backlog = 0;
    if (is_listener && read_number(reader, reader->words[2], UINT8_MAX, &backlog) < 0)
        return -EINVAL;
    for (int i = 0; i < name_count; i++) {
        if (program->object_count == PROGRAM_OBJECTS_MAX)
            return refuse(reader, "more than %d objects", PROGRAM_OBJECTS_MAX);
        const char *name = reader->words[1 + i];
        if (object_of(program, name) >= 0)
            return refuse(reader, "a second object %s", name);
        struct object object = {
            .kind = (uint8_t)kind, .backlog = (uint8_t)backlog, .is_second = i == 1};
        if (read_name(reader, name, object.name) < 0)
            return -EINVAL;
        program->objects[program->object_count++] = object;
    }
    return 0;
}

static int begin_task(struct reader *reader)
{
    struct program *program = reader->program;
    if (task_of(reader, reader->words[1]) != program->task_count)
        return refuse(reader, "a second task %s", reader->words[1]);
    struct task_text *task = &program->tasks[program->task_count++];
    *task = (struct task_text){.first_step = program->step_count};
    reader->section = SECTION_TASK;
    return read_name(reader, reader->words[1], task->name);
}

// One word that follows the name of a step. `place` counts the names.
static int read_operand(struct reader *reader, char letter, const char *word, int *place,
                        struct step *step)
{
    const struct program *program = reader->program;
    int64_t number = 0;
    int found = 0;
    switch (letter) {
    case 'N':
        if (read_number(reader, word, PROGRAM_BYTES_MAX, &number) < 0)
            return -EINVAL;
        step->bytes = (uint32_t)number;
        return 0;
    case 'D':
        return read_time(reader, word, &step->within_ns);
    case 'H':
        while (found < PROGRAM_HOW_COUNT && strcmp(program_how_words[found], word) != 0)
            found++;
        if (found == PROGRAM_HOW_COUNT)
            return refuse(reader, "not a direction: %s", word);
        step->other = (uint8_t)found;
        return 0;
    case 'T':
        found = task_of(reader, word);
        if (found < 0)
            return refuse(reader, "no task %s", word);
        break;
    default:
        found = object_of(program, word);
        if (found < 0)
            return refuse(reader, "no object %s", word);
        if ((program->objects[found].kind == OBJECT_WAKEUP) != (letter == 'W'))
            return refuse(reader, "not for the object %s", word);
    }
    *((*place)++ == 0 ? &step->object : &step->other) = (uint8_t)found;
    return 0;
}

// The words from `first` on, which are the name of a step or stimulus and what follows it.
static int read_operands(struct reader *reader, int first, const struct program_words *words,
                         struct step *step)
{
    int count = (int)strlen(words->operands);
    int given = reader->word_count - first - 1;
    bool has_deadline = words->may_have_deadline && given == count + 2 &&
                        strcmp(reader->words[first + 1 + count], "within") == 0;
    if (given != count && !has_deadline)
        return refuse(reader, "%s takes %d words", words->name, count);
    int place = 0;
    for (int i = 0; i < count; i++)
        if (read_operand(reader, words->operands[i], reader->words[first + 1 + i], &place, step) <
            0)
            return -EINVAL;
    return has_deadline ? read_time(reader, reader->words[first + 2 + count], &step->within_ns) : 0;
}

static int read_step(struct reader *reader)
{
    struct program *program = reader->program;
    int kind = 0;
    while (kind < STEP_KIND_COUNT && strcmp(program_step_words[kind].name, reader->words[0]) != 0)
        kind++;
    if (kind == STEP_KIND_COUNT)
        return refuse(reader, "not a step: %s", reader->words[0]);
    if (program->step_count == PROGRAM_STEPS_MAX)
        return refuse(reader, "more than %d steps", PROGRAM_STEPS_MAX);
    struct step step = {.kind = (uint8_t)kind, .within_ns = PROGRAM_NO_TIME};
    if (read_operands(reader, 0, &program_step_words[kind], &step) < 0)
        return -EINVAL;
    program->steps[program->step_count++] = step;
    program->tasks[program->task_count - 1].step_count++;
    return 0;
}

static int read_stimulus(struct reader *reader)
{
    struct program *program = reader->program;
    int64_t at_ns = PROGRAM_NO_TIME;
    int first = 0;
    if (strcmp(reader->words[0], "at") == 0 && reader->word_count > 2) {
        if (read_time(reader, reader->words[1], &at_ns) < 0)
            return -EINVAL;
        first = 2;
    }
    const char *name = reader->words[first];
    int kind = 0;
    while (kind < STIMULUS_KIND_COUNT && strcmp(program_stimulus_words[kind].name, name) != 0)
        kind++;
    if (kind == STIMULUS_KIND_COUNT)
        return refuse(reader, "not a stimulus: %s", name);
    if (program->stimulus_count == PROGRAM_STEPS_MAX)
        return refuse(reader, "more than %d stimuli", PROGRAM_STEPS_MAX);
    struct step step = {.within_ns = PROGRAM_NO_TIME};
    if (read_operands(reader, first, &program_stimulus_words[kind], &step) < 0)
        return -EINVAL;
    program->stimuli[program->stimulus_count++] = (struct stimulus){
        .kind = (uint8_t)kind,
        .object = step.object,
        .other = step.other,
        .bytes = step.bytes,
        .at_ns = at_ns,
    };
    return 0;
}

static int read_line(struct reader *reader)
{
    bool is_outside = reader->section == SECTION_OUTSIDE;
    if (reader->word_count == 2 && strcmp(reader->words[0], "task") == 0 && !is_outside)
        return begin_task(reader);
    if (reader->word_count == 1 && strcmp(reader->words[0], "outside") == 0 && !is_outside) {
        reader->section = SECTION_OUTSIDE;
        return 0;
    }
    switch (reader->section) {
    case SECTION_OBJECTS:
        return declare(reader);
    case SECTION_TASK:
        return read_step(reader);
    default:
        return read_stimulus(reader);
    }
}

// --- The whole ----------------------------------------------------------------------------------

static int collect_tasks(struct reader *reader, const char *text, const char *end)
{
    reader->line_number = 0;
    while (text < end) {
        if (cut_line(reader, text, end, &text) < 0)
            return -EINVAL;
        if (reader->word_count != 2 || strcmp(reader->words[0], "task") != 0)
            continue;
        if (reader->name_count == PROGRAM_TASKS_MAX)
            return refuse(reader, "more than %d tasks", PROGRAM_TASKS_MAX);
        if (task_of(reader, reader->words[1]) >= 0)
            return refuse(reader, "a second task %s", reader->words[1]);
        if (read_name(reader, reader->words[1], reader->names[reader->name_count++]) < 0)
            return -EINVAL;
    }
    return 0;
}

int program_parse(const char *text, size_t bytes, struct program *ret_program, char *ret_error,
                  size_t error_bytes)
{
    static struct program program;
    program = (struct program){0};
    struct reader reader = {.program = &program, .error = ret_error, .error_bytes = error_bytes};
    const char *end = text + bytes;
    if (collect_tasks(&reader, text, end) < 0)
        return -EINVAL;
    reader.line_number = 0;
    for (const char *line = text; line < end;) {
        if (cut_line(&reader, line, end, &line) < 0)
            return -EINVAL;
        if (reader.word_count > 0 && read_line(&reader) < 0)
            return -EINVAL;
    }
    if (program.task_count == 0)
        return refuse(&reader, "no task");
    *ret_program = program;
    return 0;
}
