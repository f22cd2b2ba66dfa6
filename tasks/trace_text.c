// SPDX-License-Identifier: MIT
//
// Words for events. What is read may come from anywhere: no number in it is believed to be small,
// and no name to be printable.

#include "tasks/trace_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/operation.h"
#include "engine/sys.h"

// --- Words --------------------------------------------------------------------------------------

// A line that is being written.
struct line {
    char *text;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    size_t room = CEDE_TRACE_LINE_BYTES - line->length;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(line->text + line->length, room, format, arguments);
    va_end(arguments);
    if (wanted > 0)
        line->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static void add_time(struct line *line, int64_t time_ns)
{
    static const char *const units[] = {"ns", "us", "ms"};
    unsigned unit = 0;
    for (; unit < 2 && time_ns != 0 && time_ns % 1000 == 0; unit++)
        time_ns /= 1000;
    add(line, "%" PRId64 "%s", time_ns, units[unit]);
}

static void add_deadline(struct line *line, int64_t deadline_ns)
{
    if (deadline_ns == -1)
        return;
    add(line, " until ");
    add_time(line, deadline_ns);
}

// A number, or the error that it is.
static void add_result(struct line *line, int64_t result)
{
    const char *name = result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;
    if (name)
        add(line, " = -%s", name);
    else
        add(line, " = %" PRId64, result);
}

// Without what would break the line, or the terminal.
static void copy_name(const char *name, char ret_name[CEDE_TRACE_NAME_BYTES])
{
    size_t length = strnlen(name, CEDE_TRACE_NAME_BYTES - 1);
    for (size_t i = 0; i < length; i++)
        ret_name[i] = name[i] < ' ' || name[i] == 0x7f ? '?' : name[i];
    ret_name[length] = '\0';
}

static const char *name_of(const struct cede_trace_text *text, uint32_t task)
{
    return task < text->task_capacity ? text->task_names[task] : "";
}

static void add_object(struct line *line, const struct cede_trace_text *text,
                       const struct cede_trace_event *event)
{
    const struct cede_trace_names *names = text->names;
    const char *name = names && names->object ? names->object(names->argument, event) : NULL;
    if (name)
        add(line, " %s", name);
    else if (event->object >= 0)
        add(line, " #%" PRId64, event->object);
}

static void add_verb(struct line *line, uint32_t verb)
{
    // The name alone would be the same for all that are unknown.
    if (verb > CEDE_VERB_NONE && verb < CEDE_VERB_COUNT)
        add(line, " %s", cede_verb_name((enum cede_verb)verb));
    else
        add(line, " verb-%" PRIu32, verb);
}

// One of a few words, or the number for which there is none.
static void add_choice(struct line *line, const char *const *words, size_t count, uint32_t choice)
{
    if (choice < count)
        add(line, " %s", words[choice]);
    else
        add(line, " %" PRIu32, choice);
}

static void add_digest(struct line *line, uint64_t digest)
{
    if (digest != 0)
        add(line, " %08" PRIx64, digest);
}

// --- Kinds of events ----------------------------------------------------------------------------

static void add_submit(struct line *line, const struct cede_trace_text *text,
                       const struct cede_trace_event *event)
{
    add_verb(line, event->verb);
    add_object(line, text, event);
    if (event->bytes > 0)
        add(line, " %" PRIu64, event->bytes);
    add_deadline(line, event->deadline_ns);
}

static void add_end(struct line *line, const struct cede_trace_text *text,
                    const struct cede_trace_event *event)
{
    add_verb(line, event->verb);
    add_object(line, text, event);
    add_result(line, event->result);
    if (event->bytes > 0)
        add(line, ", %" PRIu64 " bytes", event->bytes);
    add_digest(line, event->digest);
}

static void add_spawn(struct line *line, const struct cede_trace_event *event)
{
    char name[CEDE_TRACE_NAME_BYTES];
    copy_name(event->name, name);
    add(line, " %s", name);
    if (event->other > 0)
        add(line, "(%" PRIu32 ")", event->other);
    add_result(line, event->result);
}

static void add_join(struct line *line, const struct cede_trace_text *text,
                     const struct cede_trace_event *event)
{
    add(line, " %s(%" PRIu32 ")", name_of(text, event->other), event->other);
    add_result(line, event->result);
    if (event->result >= 0 || event->value != 0)
        add(line, ", value %" PRId64, event->value);
}

static void add_shutdown(struct line *line, const struct cede_trace_text *text,
                         const struct cede_trace_event *event)
{
    static const char *const hows[] = {"recv", "send", "both"};
    add_object(line, text, event);
    add_choice(line, hows, sizeof hows / sizeof *hows, event->verb);
    add_result(line, event->result);
}

static void add_scope(struct line *line, const struct cede_trace_event *event)
{
    static const char *const words[CEDE_TRACE_SCOPE_COUNT] = {"enter", "leave", "cancel", "move"};
    add_choice(line, words, CEDE_TRACE_SCOPE_COUNT, event->verb);
    if (event->verb == CEDE_TRACE_SCOPE_ENTER || event->verb == CEDE_TRACE_SCOPE_MOVE)
        add_deadline(line, event->value);
    else if (event->verb != CEDE_TRACE_SCOPE_CANCEL || event->value != 0)
        add_result(line, event->value);
}

static void add_note(struct line *line, const struct cede_trace_text *text,
                     const struct cede_trace_event *event)
{
    const struct cede_trace_names *names = text->names;
    const char *name = names && names->note ? names->note(names->argument, event->verb) : NULL;
    if (name)
        add(line, " %s", name);
    else
        add(line, " %" PRIu32, event->verb);
    add_object(line, text, event);
    add_result(line, event->result);
    add_digest(line, event->digest);
}

static void add_event(struct line *line, const struct cede_trace_text *text,
                      const struct cede_trace_event *event)
{
    static const char *const words[CEDE_TRACE_KIND_COUNT] = {
        "", "tick", "spawn", "submit", "end", "pause", "join", "cancel", "shutdown",
        "scope", "done", "outcome", "note"};
    add(line, "%s", words[event->kind]);
    switch (event->kind) {
    case CEDE_TRACE_TICK:
        add(line, " %" PRIu64 " at ", text->tick_count);
        add_time(line, event->now_ns);
        break;
    case CEDE_TRACE_SPAWN:
        add_spawn(line, event);
        break;
    case CEDE_TRACE_SUBMIT:
        add_submit(line, text, event);
        break;
    case CEDE_TRACE_END:
        add_end(line, text, event);
        break;
    case CEDE_TRACE_JOIN:
        add_join(line, text, event);
        break;
    case CEDE_TRACE_CANCEL:
        add(line, " %s(%" PRIu32 ")", name_of(text, event->other), event->other);
        break;
    case CEDE_TRACE_SHUTDOWN:
        add_shutdown(line, text, event);
        break;
    case CEDE_TRACE_SCOPE:
        add_scope(line, event);
        break;
    case CEDE_TRACE_NOTE:
        add_note(line, text, event);
        break;
    default:
        add_result(line, event->result);
    }
}

// --- A whole trace ------------------------------------------------------------------------------

// Room for the name of the task with this number: 0, or -ENOMEM.
static int make_room(struct cede_trace_text *text, uint32_t number)
{
    if (number < text->task_capacity)
        return 0;
    uint32_t capacity = number < UINT32_MAX / 2 ? 2 * number + 16 : UINT32_MAX;
    size_t bytes = capacity * sizeof *text->task_names;
    void *names = text->task_names ? cede_sys_reallocate(text->task_names, bytes)
                                   : cede_sys_allocate(bytes);
    if (!names)
        return -ENOMEM;
    text->task_names = names;
    memset(text->task_names + text->task_capacity, 0,
           (capacity - text->task_capacity) * sizeof *text->task_names);
    text->task_capacity = capacity;
    return 0;
}

// Counts an event and learns what it says of names. 0, or -ENOMEM.
static int see(struct cede_trace_text *text, const struct cede_trace_event *event)
{
    text->event_count++;
    text->tick_count += event->kind == CEDE_TRACE_TICK;
    if (event->kind != CEDE_TRACE_SPAWN)
        return 0;
    // Numbers are given in order. One that is ahead of that is no number of a scheduler's, and must
    // not decide how much memory we take.
    text->spawn_count++;
    if (event->other == 0 || event->other > text->spawn_count)
        return 0;
    int error = make_room(text, event->other);
    if (error == 0)
        copy_name(event->name, text->task_names[event->other]);
    return error;
}

static void write_line(const struct cede_trace_text *text, const struct cede_trace_event *event,
                       char ret_line[CEDE_TRACE_LINE_BYTES])
{
    struct line line = {.text = ret_line};
    char task[CEDE_TRACE_NAME_BYTES + 16] = "-";
    if (event->task > 0)
        snprintf(task, sizeof task, "%s(%" PRIu32 ")", name_of(text, event->task), event->task);
    add(&line, "%5" PRIu64 "  %-16s  ", text->event_count, task);
    add_event(&line, text, event);
}

int cede_trace_text_next(struct cede_trace_text *text, const struct cede_trace_event *event,
                         char ret_line[CEDE_TRACE_LINE_BYTES])
{
    int error = see(text, event);
    if (error == 0)
        write_line(text, event, ret_line);
    return error;
}

void cede_trace_text_close(struct cede_trace_text *text)
{
    cede_sys_free(text->task_names);
    *text = (struct cede_trace_text){.names = text->names};
}

// --- Two traces ---------------------------------------------------------------------------------

// Reads the event there: its length, or 0 when there is none.
static size_t read_event(const struct cede_trace_log *log, size_t offset,
                         struct cede_trace_event *ret_event)
{
    if (offset == log->bytes)
        return 0;
    return cede_trace_decode(log->data + offset, log->bytes - offset, ret_event);
}

// The number of the first event that is not in both, from 1. There must be one.
static uint64_t find_difference(const struct cede_trace_log *one,
                                const struct cede_trace_log *other)
{
    uint64_t number = 1;
    size_t offset = 0, bytes;
    struct cede_trace_event event;
    // Equal events have equal bytes.
    while ((bytes = read_event(one, offset, &event)) > 0 && bytes <= other->bytes - offset &&
           memcmp(one->data + offset, other->data + offset, bytes) == 0) {
        offset += bytes;
        number++;
    }
    return number;
}

// Writes the events from number `first` to `last`, the last one behind a sign. 0, or -ENOMEM.
static int write_events(const struct cede_trace_log *log, const struct cede_trace_names *names,
                        uint64_t first, uint64_t last, char sign, cede_trace_line_function *write,
                        void *argument)
{
    struct cede_trace_text text = {.names = names};
    struct cede_trace_event event;
    char line[2 + CEDE_TRACE_LINE_BYTES] = "  ";
    size_t offset = 0, bytes;
    int error = 0;
    while (error == 0 && text.event_count < last &&
           (bytes = read_event(log, offset, &event)) > 0) {
        offset += bytes;
        error = see(&text, &event);
        if (error < 0 || text.event_count < first)
            continue;
        line[0] = text.event_count == last ? sign : ' ';
        write_line(&text, &event, line + 2);
        write(argument, line);
    }
    if (error == 0 && text.event_count < last) {
        bool is_over = offset == log->bytes;
        snprintf(line, sizeof line, "%c %5" PRIu64 "  %s", sign, text.event_count + 1,
                 is_over ? "(the trace is over)" : "(cut off, or no event)");
        write(argument, line);
    }
    cede_trace_text_close(&text);
    return error;
}

int64_t cede_trace_diff(const struct cede_trace_log *one, const struct cede_trace_log *other,
                        const struct cede_trace_names *names, uint64_t context,
                        cede_trace_line_function *write, void *argument)
{
    if (one->bytes == other->bytes &&
        (one->bytes == 0 || memcmp(one->data, other->data, one->bytes) == 0))
        return 0;
    uint64_t number = find_difference(one, other);
    uint64_t first = number > context ? number - context : 1;
    int error = write_events(one, names, first, number, '-', write, argument);
    if (error == 0)
        error = write_events(other, names, number, number, '+', write, argument);
    return error < 0 ? error : (int64_t)number;
}
