// SPDX-License-Identifier: MIT
//
// Traces side by side and in words. That two are equal is a matter of bytes (tasks/trace.h).

#include <stdio.h>
#include <string.h>

#include "tasks/trace_text.h"
#include "tests/conformance/explore/play_state.h"
#include "tests/conformance/explore/program_words.h"
#include "tests/conformance/explore/runner.h"

#define CONTEXT 10

static const char *name_object(void *argument, const struct cede_trace_event *event)
{
    const struct program *program = argument;
    // A note on spawn, join or cancel is about a task of the program.
    bool is_task =
        event->kind == CEDE_TRACE_NOTE &&
        (event->verb == STEP_SPAWN || event->verb == STEP_JOIN || event->verb == STEP_CANCEL);
    int64_t count = is_task ? program->task_count : program->object_count;
    if (event->object < 0 || event->object >= count)
        return NULL;
    return is_task ? program->tasks[event->object].name : program->objects[event->object].name;
}

static const char *name_note(void *argument, uint32_t verb)
{
    (void)argument;
    if (verb < STEP_KIND_COUNT)
        return step_kind_name((enum step_kind)verb);
    if (verb >= PLAY_NOTE_STIMULUS && verb < PLAY_NOTE_STIMULUS + STIMULUS_KIND_COUNT)
        return stimulus_kind_name((enum stimulus_kind)(verb - PLAY_NOTE_STIMULUS));
    return verb == PLAY_NOTE_REAP ? "reap" : NULL;
}

// The functions get it back as they know it.
static struct cede_trace_names names_of(const struct program *program)
{
    return (struct cede_trace_names){
        .object = name_object,
        .note = name_note,
        .argument = (void *)(uintptr_t)program,
    };
}

static void write_line(void *file, const char *line)
{
    fprintf(file, "%s\n", line);
}

int runner_differs(const struct runner_plays *plays)
{
    const struct cede_trace_log *first = &plays->traces[0];
    for (int i = 1; i < plays->count; i++) {
        const struct cede_trace_log *other = &plays->traces[i];
        if (other->bytes != first->bytes || memcmp(other->data, first->data, first->bytes) != 0)
            return i;
    }
    return -1;
}

int64_t runner_print_difference(const struct runner_plays *plays, int index, FILE *file)
{
    const struct cede_trace_names names = names_of(plays->program);
    fprintf(file, "- %s, + %s\n", plays->backends[0], plays->backends[index]);
    return cede_trace_diff(&plays->traces[0], &plays->traces[index], &names, CONTEXT, write_line,
                           file);
}

void runner_print_trace(const struct program *program, const struct cede_trace_log *trace,
                        FILE *file)
{
    const struct cede_trace_names names = names_of(program);
    struct cede_trace_text text = {.names = &names};
    char line[CEDE_TRACE_LINE_BYTES];
    struct cede_trace_event event;
    size_t place = 0;
    size_t bytes;
    while ((bytes = cede_trace_decode(trace->data + place, trace->bytes - place, &event)) > 0 &&
           cede_trace_text_next(&text, &event, line) == 0) {
        write_line(file, line);
        place += bytes;
    }
    cede_trace_text_close(&text);
}
