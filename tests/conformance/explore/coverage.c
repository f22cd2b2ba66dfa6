// SPDX-License-Identifier: MIT
//
// One pass over a trace, with what is known of each task and of each object on the way.

#include "tests/conformance/explore/coverage.h"

#include <errno.h>
#include <string.h>

#include "engine/operation.h"
#include "tasks/trace.h"

#define UNKNOWN_VERB 200

// Task numbers start at 1, and a run may have a reaper.
#define NUMBERS (PROGRAM_TASKS_MAX + 2)

#define CROWD 25
#define LONG_TURN 256
#define NOTHING_BEFORE (-1)

struct pass {
    struct coverage *coverage;
    bool has[COVERAGE_TRAIT_COUNT];
    uint32_t reaper; // Its number, or 0: what it does is not the program's.
    unsigned tick;
    unsigned ended_in_tick;
    unsigned resumed_in_tick;
    unsigned operations;
    unsigned carried_out;
    unsigned submitted_tick[NUMBERS]; // By task: when, and
    int before[NUMBERS];              // which kind of operation the object had seen before.
    bool has_begun[NUMBERS];
    int last[PROGRAM_OBJECTS_MAX]; // By object.
};

// The index of a step kind in the matrix; COVERAGE_KINDS if it has none.
static unsigned index_of(enum step_kind kind)
{
    if (kind <= STEP_UNKNOWN)
        return kind;
    return kind == STEP_SHUTDOWN   ? STEP_UNKNOWN + 1
           : kind == STEP_TRY_RECV ? STEP_UNKNOWN + 2
           : kind == STEP_TRY_SEND ? STEP_UNKNOWN + 3
                                   : COVERAGE_KINDS;
}

static enum step_kind kind_of(unsigned index)
{
    static const enum step_kind others[] = {STEP_SHUTDOWN, STEP_TRY_RECV, STEP_TRY_SEND};
    return index <= STEP_UNKNOWN ? (enum step_kind)index : others[index - STEP_UNKNOWN - 1];
}

// The step behind a verb; STEP_KIND_COUNT if it is none.
static enum step_kind step_of(uint32_t verb)
{
    static const uint8_t steps[CEDE_VERB_COUNT] = {
        [CEDE_VERB_NONE] = STEP_KIND_COUNT,
        [CEDE_VERB_WAIT_RECV] = STEP_WAIT_RECV,
        [CEDE_VERB_RECV] = STEP_RECV,
        [CEDE_VERB_RECV_EXACT] = STEP_RECV_EXACT,
        [CEDE_VERB_RECVMSG] = STEP_RECVMSG,
        [CEDE_VERB_READ] = STEP_READ,
        [CEDE_VERB_ACCEPT] = STEP_ACCEPT,
        [CEDE_VERB_WAIT_SEND] = STEP_WAIT_SEND,
        [CEDE_VERB_SEND] = STEP_SEND,
        [CEDE_VERB_SEND_ALL] = STEP_SEND_ALL,
        [CEDE_VERB_SENDMSG] = STEP_SENDMSG,
        [CEDE_VERB_CONNECT] = STEP_CONNECT,
        [CEDE_VERB_CLOSE] = STEP_CLOSE,
        [CEDE_VERB_RELEASE] = STEP_RELEASE,
        [CEDE_VERB_PARK] = STEP_SLEEP,
        [CEDE_VERB_WAKEUP] = STEP_WAIT_WAKEUP,
    };
    if (verb == UNKNOWN_VERB)
        return STEP_UNKNOWN;
    return verb < CEDE_VERB_COUNT ? (enum step_kind)steps[verb] : STEP_KIND_COUNT;
}

static bool is_sender(enum step_kind kind)
{
    return kind == STEP_WAIT_SEND || kind == STEP_SEND || kind == STEP_SEND_ALL ||
           kind == STEP_SENDMSG || kind == STEP_CONNECT;
}

static bool is_receiver(enum step_kind kind)
{
    return kind == STEP_RECV || kind == STEP_RECV_EXACT || kind == STEP_RECVMSG ||
           kind == STEP_READ;
}

static bool has_place(int64_t object)
{
    return object >= 0 && object < PROGRAM_OBJECTS_MAX;
}

// What the object had seen before this operation, which is its last from now on.
static int follow(struct pass *pass, int64_t object, unsigned index)
{
    if (!has_place(object) || index == COVERAGE_KINDS)
        return NOTHING_BEFORE;
    int before = pass->last[object];
    pass->last[object] = (int)index;
    return before;
}

static void count_pair(struct pass *pass, int before, unsigned index)
{
    if (before != NOTHING_BEFORE && index < COVERAGE_KINDS)
        pass->coverage->pairs[before][index]++;
}

static void count_step(struct pass *pass, enum step_kind kind)
{
    if (kind < STEP_KIND_COUNT)
        pass->coverage->steps[kind]++;
}

// --- Events -------------------------------------------------------------------------------------

// A task goes on, or begins.
static void see_resumption(struct pass *pass)
{
    if (++pass->resumed_in_tick >= LONG_TURN)
        pass->has[COVERAGE_LONG_TURN] = true;
}

static void see_submit(struct pass *pass, const struct cede_trace_event *event)
{
    enum step_kind kind = step_of(event->verb);
    pass->operations++;
    pass->submitted_tick[event->task] = pass->tick;
    pass->before[event->task] = follow(pass, event->object, index_of(kind));
    pass->has[COVERAGE_CLOSE] |= kind == STEP_CLOSE;
    pass->has[COVERAGE_DEADLINE] |= event->deadline_ns >= 0 && kind != STEP_SLEEP;
    count_step(pass, kind);
}

static void see_end(struct pass *pass, const struct cede_trace_event *event)
{
    enum step_kind kind = step_of(event->verb);
    bool was_parked = pass->tick > pass->submitted_tick[event->task] + 1;
    bool is_in_parts = kind == STEP_SEND_ALL && event->result < 0 && event->bytes > 0;
    see_resumption(pass);
    if (++pass->ended_in_tick >= CROWD)
        pass->has[COVERAGE_CROWD] = true;
    pass->has[COVERAGE_PARKED_SENDER] |= is_sender(kind) && (was_parked || is_in_parts);
    pass->has[COVERAGE_TIMED_OUT] |= event->result == -ETIMEDOUT;
    pass->has[COVERAGE_BUSY] |= event->result == -EBUSY;
    pass->has[COVERAGE_EVICTED] |= event->result == -EBADF && was_parked;
    pass->has[COVERAGE_END_OF_STREAM] |= event->result == 0 && is_receiver(kind);
    pass->has[COVERAGE_CONNECTED] |= event->result == 0 && kind == STEP_CONNECT;
    pass->has[COVERAGE_WAKEUP] |= event->result == 0 && kind == STEP_WAIT_WAKEUP;
    // Once a run is stuck its tasks unwind, and what they ask for is refused: that is no coverage.
    if (event->result == -ECANCELED)
        return;
    pass->carried_out++;
    count_pair(pass, pass->before[event->task], index_of(kind));
}

static void see_note(struct pass *pass, const struct cede_trace_event *event)
{
    pass->has[COVERAGE_STIMULUS] |= event->task == 0;
    if (event->verb >= STEP_KIND_COUNT)
        return;
    enum step_kind kind = (enum step_kind)event->verb;
    count_step(pass, kind);
    if (kind == STEP_TRY_RECV || kind == STEP_TRY_SEND)
        count_pair(pass, follow(pass, event->object, index_of(kind)), index_of(kind));
}

static void see_tick(struct pass *pass)
{
    pass->tick++;
    pass->ended_in_tick = 0;
    pass->resumed_in_tick = 0;
}

static void see_spawn(struct pass *pass, const struct cede_trace_event *event)
{
    if (strcmp(event->name, "reaper") == 0) {
        pass->reaper = event->other;
        return;
    }
    pass->coverage->spawned_tasks += event->result == 0;
    if (event->task != 0)
        count_step(pass, STEP_SPAWN);
}

// What is no operation.
static void see_other(struct pass *pass, const struct cede_trace_event *event)
{
    unsigned shutdown = index_of(STEP_SHUTDOWN);
    switch (event->kind) {
    case CEDE_TRACE_PAUSE:
        see_resumption(pass);
        count_step(pass, STEP_PAUSE);
        break;
    case CEDE_TRACE_JOIN:
        count_step(pass, STEP_JOIN);
        break;
    case CEDE_TRACE_CANCEL:
        pass->has[COVERAGE_CANCEL] = true;
        count_step(pass, STEP_CANCEL);
        break;
    case CEDE_TRACE_SHUTDOWN:
        pass->has[COVERAGE_SHUTDOWN] = true;
        count_step(pass, STEP_SHUTDOWN);
        count_pair(pass, follow(pass, event->object, shutdown), shutdown);
        break;
    case CEDE_TRACE_SCOPE:
        pass->has[COVERAGE_CANCEL] |= event->verb == CEDE_TRACE_SCOPE_CANCEL;
        count_step(pass, event->verb == CEDE_TRACE_SCOPE_ENTER   ? STEP_SCOPE
                         : event->verb == CEDE_TRACE_SCOPE_LEAVE ? STEP_LEAVE
                                                                 : STEP_CANCEL_SCOPE);
        break;
    case CEDE_TRACE_OUTCOME:
        pass->has[COVERAGE_STUCK] |= event->result == -EDEADLK;
        break;
    default:
        break;
    }
}

static void see(struct pass *pass, const struct cede_trace_event *event)
{
    if (event->task >= NUMBERS || (event->task != 0 && event->task == pass->reaper))
        return;
    if (event->task != 0 && !pass->has_begun[event->task]) {
        pass->has_begun[event->task] = true;
        see_resumption(pass);
    }
    if (event->kind == CEDE_TRACE_TICK)
        see_tick(pass);
    else if (event->kind == CEDE_TRACE_SPAWN)
        see_spawn(pass, event);
    else if (event->kind == CEDE_TRACE_SUBMIT)
        see_submit(pass, event);
    else if (event->kind == CEDE_TRACE_END)
        see_end(pass, event);
    else if (event->kind == CEDE_TRACE_NOTE)
        see_note(pass, event);
    else
        see_other(pass, event);
}

static unsigned at_most(unsigned count)
{
    return count < COVERAGE_OPERATIONS_MAX ? count : COVERAGE_OPERATIONS_MAX;
}

void coverage_add(struct coverage *coverage, const struct program *program, const uint8_t *trace,
                  size_t bytes)
{
    struct pass pass = {.coverage = coverage};
    for (unsigned i = 0; i < PROGRAM_OBJECTS_MAX; i++)
        pass.last[i] = NOTHING_BEFORE;
    struct cede_trace_event event;
    for (size_t length; (length = cede_trace_decode(trace, bytes, &event)) > 0;) {
        see(&pass, &event);
        trace += length;
        bytes -= length;
    }
    coverage->programs++;
    coverage->declared_tasks += program->task_count;
    coverage->operations[at_most(pass.operations)]++;
    coverage->carried_out[at_most(pass.carried_out)]++;
    for (unsigned i = 0; i < COVERAGE_TRAIT_COUNT; i++)
        coverage->traits[i] += pass.has[i];
}

// --- Printing -----------------------------------------------------------------------------------

bool coverage_is_possible(enum step_kind first, enum step_kind second)
{
    // A connect fills its slot before it is submitted, and only a close empties it: a second one in
    // between finds it occupied and is no operation.
    return first != STEP_CONNECT || second != STEP_CONNECT;
}

static void print_traits(FILE *file, const struct coverage *coverage)
{
    static const char *const names[COVERAGE_TRAIT_COUNT] = {
        [COVERAGE_PARKED_SENDER] = "parked_sender", [COVERAGE_CANCEL] = "cancel",
        [COVERAGE_CLOSE] = "close",                 [COVERAGE_DEADLINE] = "deadline",
        [COVERAGE_TIMED_OUT] = "timed_out",         [COVERAGE_STUCK] = "stuck",
        [COVERAGE_SHUTDOWN] = "shutdown",           [COVERAGE_END_OF_STREAM] = "end_of_stream",
        [COVERAGE_BUSY] = "busy",                   [COVERAGE_EVICTED] = "evicted",
        [COVERAGE_CONNECTED] = "connected",         [COVERAGE_WAKEUP] = "wakeup",
        [COVERAGE_STIMULUS] = "stimulus",           [COVERAGE_CROWD] = "crowd",
        [COVERAGE_LONG_TURN] = "long_turn",
    };
    for (unsigned i = 0; i < COVERAGE_TRAIT_COUNT; i++)
        fprintf(file, "%s\"%s\":%llu", i ? "," : "", names[i],
                (unsigned long long)coverage->traits[i]);
}

static void print_histogram(FILE *file, const char *name,
                            const uint64_t counts[COVERAGE_OPERATIONS_MAX + 1])
{
    fprintf(file, ",\"%s\":[", name);
    for (unsigned i = 0; i <= COVERAGE_OPERATIONS_MAX; i++)
        fprintf(file, "%s%llu", i ? "," : "", (unsigned long long)counts[i]);
    fprintf(file, "]");
}

void coverage_print(FILE *file, const struct coverage *coverage)
{
    fprintf(file, "{\"programs\":%llu,\"declared_tasks\":%llu,\"spawned_tasks\":%llu,\"traits\":{",
            (unsigned long long)coverage->programs, (unsigned long long)coverage->declared_tasks,
            (unsigned long long)coverage->spawned_tasks);
    print_traits(file, coverage);
    fprintf(file, "}");
    print_histogram(file, "operations", coverage->operations);
    print_histogram(file, "carried_out", coverage->carried_out);
    fprintf(file, ",\"steps\":{");
    for (unsigned kind = 0; kind < STEP_KIND_COUNT; kind++)
        fprintf(file, "%s\"%s\":%llu", kind ? "," : "", step_kind_name((enum step_kind)kind),
                (unsigned long long)coverage->steps[kind]);
    fprintf(file, "},\"pairs\":{");
    const char *comma = "";
    for (unsigned i = 0; i < COVERAGE_KINDS * COVERAGE_KINDS; i++) {
        enum step_kind first = kind_of(i / COVERAGE_KINDS);
        enum step_kind second = kind_of(i % COVERAGE_KINDS);
        if (!coverage_is_possible(first, second))
            continue;
        fprintf(file, "%s\"%s %s\":%llu", comma, step_kind_name(first), step_kind_name(second),
                (unsigned long long)coverage->pairs[i / COVERAGE_KINDS][i % COVERAGE_KINDS]);
        comma = ",";
    }
    fprintf(file, "}}");
}

int coverage_append_hash(FILE *file, const struct program *program)
{
    uint64_t hash = program_hash(program);
    uint8_t bytes[sizeof hash];
    for (unsigned i = 0; i < sizeof hash; i++)
        bytes[i] = (uint8_t)(hash >> (8 * i));
    return fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes ? 0 : -EIO;
}
