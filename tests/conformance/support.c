// SPDX-License-Identifier: MIT
//
// Requests become tasks that prepare, await and note what came of it; stimuli are a queue that the
// engine's idle function takes from.

#include "tests/conformance/support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/conformance/watch.h"

#define STIMULUS_LIMIT 64

struct stimulus {
    void (*function)(void *argument);
    void *argument;
};

static struct stimulus stimuli[STIMULUS_LIMIT];
static int stimulus_count;
static int stimuli_made;

static struct stimulus at_log;

static char log_text[8192];
static char record_text[1024];

// --- Requirements -------------------------------------------------------------------------------

void claim_failed(const char *file, int line, const char *format, ...)
{
    fprintf(stderr, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (*log_text)
        fprintf(stderr, "the engine's log:\n%s", log_text);
    _exit(1);
}

void claim_same_number(const char *file, int line, const char *what, int64_t found,
                       int64_t expected)
{
    if (found == NOT_ENDED && expected != NOT_ENDED)
        claim_failed(file, line, "%s has not ended; expected %" PRId64, what, expected);
    if (found != expected)
        claim_failed(file, line, "%s is %" PRId64 ", expected %" PRId64, what, found, expected);
}

void claim_same_text(const char *file, int line, const char *what, const char *found,
                     const char *expected)
{
    if (strcmp(found, expected) != 0)
        claim_failed(file, line, "%s is \"%s\", expected \"%s\"", what, found, expected);
}

// --- Texts --------------------------------------------------------------------------------------

static void append(char *text, size_t room, const char *more, const char *end)
{
    size_t length = strlen(text);
    require(length + strlen(more) + strlen(end) < room);
    snprintf(text + length, room - length, "%s%s", more, end);
}

void record(const char *word)
{
    if (*record_text)
        append(record_text, sizeof record_text, " ", "");
    append(record_text, sizeof record_text, word, "");
}

const char *recorded(void)
{
    return record_text;
}

static void take_log(void *argument, const char *message)
{
    (void)argument;
    append(log_text, sizeof log_text, message, "\n");
    if (at_log.function)
        at_log.function(at_log.argument);
}

const char *logged(void)
{
    return log_text;
}

void when_logged(void (*function)(void *argument), void *argument)
{
    at_log = (struct stimulus){function, argument};
}

// --- Running ------------------------------------------------------------------------------------

static bool make_next_stimulus(void *argument, int64_t next_due_ns)
{
    (void)argument;
    (void)next_due_ns;
    if (stimuli_made == stimulus_count)
        return false;
    const struct stimulus *next = &stimuli[stimuli_made++];
    next->function(next->argument);
    return true;
}

void when_idle(void (*stimulus)(void *argument), void *argument)
{
    require(stimulus_count < STIMULUS_LIMIT);
    stimuli[stimulus_count++] = (struct stimulus){stimulus, argument};
}

int run_with(const struct fixture *fixture, struct cede_options *options, cede_body *body,
             void *argument)
{
    options->backend = fixture->backend;
    options->idle = make_next_stimulus;
    options->log = take_log;
    return cede_run(options, body, argument);
}

int run_strictly(const struct fixture *fixture, cede_body *body, void *argument)
{
    struct cede_options options = {.strict = true};
    return run_with(fixture, &options, body, argument);
}

int run_normally(const struct fixture *fixture, cede_body *body, void *argument)
{
    struct cede_options options = {.strict = false};
    return run_with(fixture, &options, body, argument);
}

const struct cede_engine_counters *counters(void)
{
    struct cede_engine *engine = watch_engine();
    require(engine);
    return cede_engine_counters(engine);
}

void next_tick(struct cede_task *self)
{
    require_number(cede_sleep(self, 0), 0);
}

// --- Asking -------------------------------------------------------------------------------------

static void prepare_sending(struct request *request)
{
    static const char zeros[1 << 16];
    const void *source = request->source ? request->source : zeros;
    require(request->source || request->bytes <= sizeof zeros);
    if (request->verb == CEDE_VERB_SEND)
        cede_send_prepare(&request->op, request->fd, source, request->bytes);
    else
        cede_send_all_prepare(&request->op, request->fd, source, request->bytes);
}

static void prepare_receiving(struct request *request)
{
    void *destination = request->destination ? request->destination : request->buffer;
    require(request->destination || request->bytes <= sizeof request->buffer);
    cede_recv_prepare(&request->op, request->fd, destination, request->bytes);
    // Its arguments are those of recv.
    request->op.verb = (uint8_t)request->verb;
}

void prepare(struct request *request)
{
    if (request->bytes == 0 && !request->has_no_bytes)
        request->bytes = 1;
    switch (request->verb) {
    case CEDE_VERB_RECV:
    case CEDE_VERB_RECV_EXACT:
    case CEDE_VERB_READ:
        prepare_receiving(request);
        break;
    case CEDE_VERB_SEND:
    case CEDE_VERB_SEND_ALL:
        prepare_sending(request);
        break;
    case CEDE_VERB_CONNECT:
        cede_connect_prepare(&request->op, request->fd, request->address);
        break;
    case CEDE_VERB_WAKEUP:
        cede_wakeup_wait_prepare(&request->op, request->wakeup);
        break;
    default:
        cede_operation_prepare(&request->op, request->verb, request->fd);
    }
    if (request->deadline_ns)
        request->op.deadline_ns = request->deadline_ns;
}

static int await_request(struct cede_task *self, void *argument)
{
    struct request *request = argument;
    prepare(request);
    request->result = cede_await(self, &request->op);
    request->ended_ns = cede_now_ns(self);
    if (request->name)
        record(request->name);
    return 0;
}

void ask(struct cede_task *self, struct request *request)
{
    request->result = NOT_ENDED;
    request->op.state = CEDE_PREPARED;
    const char *name = request->name ? request->name : "unnamed";
    require_number(cede_spawn(self, name, await_request, request, &request->task), 0);
}

void ask_and_park(struct cede_task *self, struct request *request)
{
    ask(self, request);
    // In normal mode a slow machine may need more than one tick before it is the task's turn.
    do
        next_tick(self);
    while (request->op.state == CEDE_PREPARED || request->op.state == CEDE_SUBMITTED);
}

int64_t answer(struct cede_task *self, struct request *request)
{
    require_number(cede_join(self, request->task, NULL), 0);
    return request->result;
}

int64_t perform(struct cede_task *self, enum cede_verb verb, int fd)
{
    struct request request = {.verb = verb, .fd = fd};
    prepare(&request);
    return cede_await(self, &request.op);
}

void accept_in_vain(struct cede_task *self, int listener)
{
    struct request request = {.verb = CEDE_VERB_ACCEPT, .fd = listener};
    request.deadline_ns = cede_now_ns(self) + MILLISECOND;
    prepare(&request);
    require_number(cede_await(self, &request.op), -ETIMEDOUT);
}

void cancel(struct cede_task *self, struct request *request)
{
    cede_cancel(self, request->task);
}
