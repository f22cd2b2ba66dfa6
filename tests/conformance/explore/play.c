// SPDX-License-Identifier: MIT
//
// A run from beginning to end, its tasks, and the reaper: a hidden task that cancels all others
// when nothing can happen any more, where the engine itself cannot know that (an open wakeup, or
// normal mode, which waits for the world).

#include "tests/conformance/explore/play.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>

#include "engine/backends.h"
#include "engine/check.h"
#include "tests/conformance/explore/balance.h"
#include "tests/conformance/explore/outside.h"
#include "tests/conformance/explore/play_state.h"
#include "tests/conformance/explore/quiet.h"

#define DESCRIPTOR_COUNT 256
#define TRACE_BYTES_MAX ((size_t)16 << 20)

// Enough for a task of a program, which has its buffers elsewhere, also under a sanitizer.
#define STACK_BYTES ((size_t)32 << 10)

const char *const play_backends[PLAY_BACKEND_COUNT] = {"select", "epoll", "io_uring"};

static struct player player;
static struct pollfd descriptors[DESCRIPTOR_COUNT];
static bool was_open[DESCRIPTOR_COUNT];
static struct cede_engine_counters counters; // Of the engine that was closed last.

// --- The trace ----------------------------------------------------------------------------------

static int64_t relative(int64_t time_ns)
{
    return time_ns < 0 ? time_ns : time_ns - player.start_ns;
}

// Puts the program's words in place of the machine's. An object keeps its number when it is empty,
// so it is the step that tells, not the descriptor.
static void translate(struct cede_trace_event *event)
{
    const struct play_task *task =
        event->task < PLAY_NUMBERS ? player.by_number[event->task] : NULL;
    event->object = task ? task->object : -1;
    switch (event->kind) {
    case CEDE_TRACE_TICK:
        player.tick++;
        event->now_ns = relative(event->now_ns);
        break;
    case CEDE_TRACE_SPAWN:
        if (event->task == 0)
            strcpy(event->name, player.program->tasks[0].name);
        break;
    case CEDE_TRACE_SUBMIT:
        event->deadline_ns = relative(event->deadline_ns);
        break;
    case CEDE_TRACE_END:
        if (task && task->slot >= 0 && event->result >= 0)
            event->result = task->slot;
        break;
    case CEDE_TRACE_SCOPE:
        if (event->verb == CEDE_TRACE_SCOPE_ENTER)
            event->value = relative(event->value);
        break;
    default:
        break;
    }
}

static void record(void *argument, const struct cede_trace_event *event)
{
    (void)argument;
    struct cede_trace_event translated = *event;
    translate(&translated);
    cede_trace_append(player.trace, &translated);
}

void play_note(struct player *noted, const struct play_task *task, unsigned verb, int object,
               int64_t result, uint32_t digest)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_NOTE,
        .task = task ? task->number : 0,
        .verb = verb,
        .object = object,
        .result = result,
        .digest = digest,
    };
    cede_trace_append(noted->trace, &event);
}

// --- Tasks --------------------------------------------------------------------------------------

void play_begin_task(struct player *begun, struct play_task *task)
{
    task->is_spawned = true;
    task->number = ++begun->spawned_count;
    begun->by_number[task->number] = task;
    begun->living_count++;
}

// The last task of all closes the wakeups.
static void end_task(struct cede_task *self)
{
    if (--player.living_count > 0)
        return;
    for (int i = 0; i < player.program->object_count; i++)
        cede_wakeup_close(self, player.objects[i].wakeup);
    cede_wakeup_close(self, player.reaper);
}

int play_body(struct cede_task *self, void *argument)
{
    struct play_task *task = argument;
    play_steps(self, task);
    task->is_done = true;
    end_task(self);
    return 0;
}

// Whether there was a task to cancel.
static bool cancel_unfinished(struct cede_task *self)
{
    bool found = false;
    for (uint32_t number = 1; number <= player.spawned_count; number++) {
        const struct play_task *task = player.by_number[number];
        if (!task || task->is_done)
            continue;
        cede_cancel(self, task->handle);
        found = true;
    }
    return found;
}

static int reap(struct cede_task *self, void *argument)
{
    (void)argument;
    while (cede_wakeup_wait(self, player.reaper) == 0 && cancel_unfinished(self))
        continue;
    end_task(self);
    return 0;
}

static bool declares(const struct program *program, enum object_kind kind)
{
    for (int i = 0; i < program->object_count; i++)
        if (program->objects[i].kind == kind)
            return true;
    return false;
}

// The declared wakeups, the reaper's, and the reaper.
static void open_wakeups(struct cede_task *self)
{
    for (int i = 0; i < player.program->object_count; i++)
        if (player.program->objects[i].kind == OBJECT_WAKEUP)
            cede_check(cede_wakeup_open(self, &player.objects[i].wakeup) == 0);
    cede_check(cede_wakeup_open(self, &player.reaper) == 0);
    player.spawned_count++;
    player.living_count++;
    cede_check(cede_spawn(self, "reaper", reap, NULL, NULL) == 0);
}

static int first_body(struct cede_task *self, void *argument)
{
    struct play_task *task = argument;
    task->handle = cede_self(self);
    if (!player.is_strict || declares(player.program, OBJECT_WAKEUP))
        open_wakeups(self);
    return play_body(self, task);
}

// --- Between the run and its engine -------------------------------------------------------------

void __real_cede_engine_close(struct cede_engine *engine);
void __wrap_cede_engine_close(struct cede_engine *engine);

void __wrap_cede_engine_close(struct cede_engine *engine)
{
    if (engine)
        counters = *cede_engine_counters(engine);
    __real_cede_engine_close(engine);
}

// A backend that has passed its test is not tested again, which costs as much as a small program.
int __real_cede_backends_choose(const char *name, struct cede_backends_choice *ret_choice);
int __wrap_cede_backends_choose(const char *name, struct cede_backends_choice *ret_choice);

int __wrap_cede_backends_choose(const char *name, struct cede_backends_choice *ret_choice)
{
    static struct cede_backends_choice passed[PLAY_BACKEND_COUNT];
    for (int i = 0; i < PLAY_BACKEND_COUNT; i++) {
        if (strcmp(play_backends[i], name) != 0)
            continue;
        int error = passed[i].backend ? 0 : __real_cede_backends_choose(name, &passed[i]);
        *ret_choice = passed[i];
        return error;
    }
    return -EINVAL;
}

// --- What is left open --------------------------------------------------------------------------

// Notes which descriptors are open.
static void look_at_descriptors(void)
{
    for (int fd = 0; fd < DESCRIPTOR_COUNT; fd++)
        descriptors[fd] = (struct pollfd){.fd = fd};
    int count;
    do
        count = poll(descriptors, DESCRIPTOR_COUNT, 0);
    while (count < 0 && errno == EINTR);
    cede_check(count >= 0);
}

// Once, before the first program: what the process itself has is open by then.
static void learn_descriptors(void)
{
    static bool is_done;
    if (is_done)
        return;
    is_done = true;
    look_at_descriptors();
    for (int fd = 0; fd < DESCRIPTOR_COUNT; fd++)
        was_open[fd] = !(descriptors[fd].revents & POLLNVAL);
}

static bool is_left_open(void)
{
    look_at_descriptors();
    for (int fd = 0; fd < DESCRIPTOR_COUNT; fd++)
        if (!was_open[fd] && !(descriptors[fd].revents & POLLNVAL))
            return true;
    return false;
}

// --- The run ------------------------------------------------------------------------------------

static bool has_thief(const struct program *program)
{
    for (int i = 0; i < program->stimulus_count; i++)
        if (program->stimuli[i].kind == STIMULUS_STEAL)
            return true;
    return false;
}

static void begin(const struct program *program, bool is_strict, struct cede_trace_log *trace)
{
    learn_descriptors();
    trace->error = 0;
    trace->limit_bytes = TRACE_BYTES_MAX;
    // It has memory from now on, which is no part of the balance.
    cede_trace_append(trace, &(struct cede_trace_event){.kind = CEDE_TRACE_NOTE});
    trace->bytes = 0;
    player = (struct player){
        .program = program,
        .trace = trace,
        .is_strict = is_strict,
        .has_tcp = declares(program, OBJECT_TCP) || declares(program, OBJECT_TCP_LISTENER) ||
                   declares(program, OBJECT_UDP_ERROR),
        .start_ns = is_strict ? 0 : cede_sys_now_ns(),
        .idle_tick = UINT64_MAX,
    };
    for (int i = 0; i < program->task_count; i++)
        player.tasks[i] = (struct play_task){
            .player = &player, .index = (uint8_t)i, .object = -1, .slot = -1, .ready = {.fd = -1}};
    quiet_begin(player.has_tcp);
    balance_begin(has_thief(program));
}

int play(const struct program *program, const char *backend, bool is_strict,
         struct cede_trace_log *trace, struct play_result *ret_result)
{
    begin(program, is_strict, trace);
    int error = play_objects_open(&player);
    if (error == 0) {
        play_begin_task(&player, &player.tasks[0]);
        const struct cede_options options = {
            .backend = backend,
            .strict = is_strict,
            .limits = {.descriptor_count = DESCRIPTOR_COUNT,
                       .task_count = PLAY_NUMBERS,
                       .stack_bytes = STACK_BYTES,
                       .cached_stacks = 1},
            .idle = outside_idle,
            .idle_argument = &player,
            .trace = record,
        };
        counters = (struct cede_engine_counters){0};
        int outcome = cede_run(&options, first_body, &player.tasks[0]);
        // Whatever has begun has left a trace.
        error = trace->bytes > 0 ? 0 : outcome;
        *ret_result = (struct play_result){.outcome = outcome, .counters = counters};
    }
    play_objects_close(&player);
    quiet_end();
    if (error == 0) {
        bool is_spin = player.is_spinning || balance_is_spin(counters.answers, trace->bytes);
        ret_result->complaint = is_left_open() ? "leak descriptor" : balance_left();
        if (!ret_result->complaint && is_spin)
            ret_result->complaint = "spin";
    }
    return error;
}

// Loopback hands packets over in the order in which they were sent, on the same processor.
static void stay_on_this_processor(void)
{
    int processor = sched_getcpu();
    cpu_set_t one;
    CPU_ZERO(&one);
    if (processor >= 0)
        CPU_SET((unsigned)processor, &one);
    // Without it traces of TCP may differ once in a very long while; nothing else suffers.
    if (processor >= 0)
        (void)sched_setaffinity(0, sizeof one, &one);
}

int play_open(void)
{
    stay_on_this_processor();
    play_bytes_prepare();
    int error = quiet_open();
    if (error < 0)
        return error;
    error = play_objects_prepare();
    if (error < 0)
        quiet_close();
    return error;
}

void play_close(void)
{
    play_objects_forget();
    quiet_close();
}
