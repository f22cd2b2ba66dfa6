// SPDX-License-Identifier: MIT
//
// The steps of a task, one after the other, whatever each comes to.

#include <errno.h>

#include "tests/conformance/explore/play_state.h"

// No verb of the engine.
#define UNKNOWN_VERB 200

// A task is in one transfer at a time. Only what was received of it is ever touched.
static uint8_t buffers[PROGRAM_TASKS_MAX][PROGRAM_BYTES_MAX];

// What an operation needs for as long as it lasts.
struct request {
    struct cede_operation op;
    struct msghdr message;
    struct iovec piece;
    bool is_first_close;
};

// --- Operations ---------------------------------------------------------------------------------

static void prepare_recv(struct request *request, const struct play_task *task,
                         const struct step *step, int fd)
{
    struct cede_operation *op = &request->op;
    void *buffer = buffers[task->index];
    switch ((enum step_kind)step->kind) {
    case STEP_RECV:
        cede_recv_prepare(op, fd, buffer, step->bytes);
        break;
    case STEP_RECV_EXACT:
        cede_recv_exact_prepare(op, fd, buffer, step->bytes);
        break;
    case STEP_RECVMSG:
        request->piece = (struct iovec){.iov_base = buffer, .iov_len = step->bytes};
        cede_recvmsg_prepare(op, fd, &request->message, 0);
        break;
    default:
        cede_operation_prepare(op, CEDE_VERB_READ, fd);
        op->as.buffer.data = buffer;
        op->as.buffer.bytes = step->bytes;
    }
}

static void prepare_send(struct request *request, const struct play_task *task,
                         const struct step *step, int fd)
{
    struct cede_operation *op = &request->op;
    const void *data = play_bytes_to_send(task->player, step->object);
    switch ((enum step_kind)step->kind) {
    case STEP_SEND:
        cede_send_prepare(op, fd, data, step->bytes);
        break;
    case STEP_SEND_ALL:
        cede_send_all_prepare(op, fd, data, step->bytes);
        break;
    default:
        // An iovec has no const; sendmsg(2) does not write.
        request->piece =
            (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = step->bytes};
        cede_sendmsg_prepare(op, fd, &request->message, 0);
    }
}

static void prepare(struct request *request, const struct play_task *task, const struct step *step)
{
    struct player *player = task->player;
    struct cede_operation *op = &request->op;
    int fd = play_fd(player, step->object);
    request->is_first_close = false;
    request->message = (struct msghdr){.msg_iov = &request->piece, .msg_iovlen = 1};
    switch ((enum step_kind)step->kind) {
    case STEP_WAIT_RECV:
        cede_wait_prepare(op, CEDE_RECV, fd);
        break;
    case STEP_WAIT_SEND:
        cede_wait_prepare(op, CEDE_SEND, fd);
        break;
    case STEP_ACCEPT:
        cede_accept_prepare(op, fd, NULL, NULL);
        break;
    case STEP_SEND:
    case STEP_SEND_ALL:
    case STEP_SENDMSG:
        prepare_send(request, task, step, fd);
        break;
    case STEP_CONNECT:
        cede_connect_prepare(op, fd, &player->objects[step->other].address);
        break;
    case STEP_CLOSE:
        cede_close_prepare(op, fd);
        request->is_first_close = play_begin_close(player, step->object);
        break;
    case STEP_RELEASE:
        cede_release_prepare(op, fd);
        break;
    case STEP_UNKNOWN:
        cede_operation_prepare(op, (enum cede_verb)UNKNOWN_VERB, fd);
        break;
    case STEP_WAIT_WAKEUP:
        cede_wakeup_wait_prepare(op, player->objects[step->object].wakeup);
        break;
    default:
        prepare_recv(request, task, step, fd);
    }
}

// What has ended changes the objects: a slot is filled, bytes were sent.
static void settle(struct play_task *task, const struct step *step, const struct request *request)
{
    struct player *player = task->player;
    const struct cede_operation *op = &request->op;
    switch ((enum step_kind)step->kind) {
    case STEP_ACCEPT:
        if (op->result < 0)
            break;
        if (play_fd(player, step->other) < 0)
            play_fill(player, step->other, (int)op->result);
        else
            cede_sys_close((int)op->result);
        play_let_arrive(player, step->object);
        break;
    case STEP_CLOSE:
        if (op->result < 0 && request->is_first_close)
            player->orphans[player->orphan_count++] = op->fd;
        break;
    case STEP_SEND_ALL:
        player->objects[step->object].sent_bytes += op->as.source.progress;
        break;
    case STEP_SEND:
    case STEP_SENDMSG:
        if (op->result > 0)
            player->objects[step->object].sent_bytes += (uint64_t)op->result;
        break;
    default:
        break;
    }
}

static void perform(struct cede_task *self, struct play_task *task, const struct step *step)
{
    struct request request;
    struct cede_operation *op = &request.op;
    prepare(&request, task, step);
    if (step->within_ns != PROGRAM_NO_TIME)
        op->deadline_ns = cede_now_ns(self) + step->within_ns;
    task->object = step->kind == STEP_WAIT_WAKEUP ? -1 : step->object;
    task->slot = step->kind == STEP_ACCEPT ? step->other : -1;
    enum cede_direction direction;
    if (cede_verb_has_direction((enum cede_verb)op->verb, &direction))
        task->ready =
            (struct pollfd){.fd = op->fd, .events = direction == CEDE_RECV ? POLLIN : POLLOUT};
    cede_await(self, op);
    settle(task, step, &request);
    task->object = -1;
    task->slot = -1;
    task->ready.fd = -1;
}

static void note(const struct play_task *task, const struct step *step, int object, int64_t result)
{
    play_note(task->player, task, step->kind, object, result, 0);
}

static void perform_connect(struct cede_task *self, struct play_task *task, const struct step *step)
{
    int error = play_open_socket(task->player, step->object, step->other);
    if (error < 0)
        note(task, step, step->object, error);
    else
        perform(self, task, step);
}

// --- Tasks and scopes ---------------------------------------------------------------------------

static void spawn(struct cede_task *self, const struct play_task *task, const struct step *step)
{
    struct play_task *other = &task->player->tasks[step->object];
    if (other->is_spawned) {
        note(task, step, step->object, -EEXIST);
        return;
    }
    play_begin_task(task->player, other);
    const char *name = task->player->program->tasks[step->object].name;
    cede_spawn(self, name, play_body, other, &other->handle);
}

static void join_or_cancel(struct cede_task *self, const struct play_task *task,
                           const struct step *step)
{
    const struct play_task *other = &task->player->tasks[step->object];
    if (!other->is_spawned)
        note(task, step, step->object, -ESRCH);
    else if (step->kind == STEP_JOIN)
        cede_join(self, other->handle, NULL);
    else
        cede_cancel(self, other->handle);
}

static void enter_scope(struct cede_task *self, struct play_task *task, const struct step *step)
{
    if (task->scope_count == PLAY_SCOPES_MAX) {
        note(task, step, -1, -EOVERFLOW);
        return;
    }
    int64_t deadline_ns =
        step->within_ns == PROGRAM_NO_TIME ? CEDE_NEVER : cede_now_ns(self) + step->within_ns;
    cede_scope_enter(self, deadline_ns, &task->scopes[task->scope_count++]);
}

static void leave_scope(struct cede_task *self, struct play_task *task, const struct step *step)
{
    if (task->scope_count == 0)
        note(task, step, -1, -EINVAL);
    else
        cede_scope_leave(self, &task->scopes[--task->scope_count]);
}

static void cancel_scope(struct play_task *task, const struct step *step)
{
    if (task->scope_count == 0)
        note(task, step, -1, -EINVAL);
    else
        cede_scope_cancel(&task->scopes[task->scope_count - 1]);
}

// --- Past the engine ----------------------------------------------------------------------------

static void try_now(struct play_task *task, const struct step *step)
{
    struct player *player = task->player;
    uint32_t digest = 0;
    int64_t result = -EBADF;
    bool is_empty = play_fd(player, step->object) < 0;
    if (!is_empty && step->kind == STEP_TRY_RECV)
        result = play_recv_now(player, step->object, buffers[task->index], step->bytes, &digest);
    else if (!is_empty)
        result = play_send_now(player, step->object, step->bytes, &digest);
    play_let_arrive(player, step->object);
    play_note(player, task, step->kind, step->object, result, digest);
}

static void shut_down(struct cede_task *self, struct play_task *task, const struct step *step)
{
    task->object = step->object;
    cede_shutdown(self, play_fd(task->player, step->object), step->other);
    task->object = -1;
    play_let_arrive(task->player, step->object);
}

// --- All of them --------------------------------------------------------------------------------

static void take_step(struct cede_task *self, struct play_task *task, const struct step *step)
{
    switch ((enum step_kind)step->kind) {
    case STEP_CONNECT:
        perform_connect(self, task, step);
        break;
    case STEP_SLEEP:
        cede_sleep(self, step->within_ns);
        break;
    case STEP_PAUSE:
        cede_pause(self);
        break;
    case STEP_SPAWN:
        spawn(self, task, step);
        break;
    case STEP_JOIN:
    case STEP_CANCEL:
        join_or_cancel(self, task, step);
        break;
    case STEP_SHUTDOWN:
        shut_down(self, task, step);
        break;
    case STEP_SCOPE:
        enter_scope(self, task, step);
        break;
    case STEP_LEAVE:
        leave_scope(self, task, step);
        break;
    case STEP_CANCEL_SCOPE:
        cancel_scope(task, step);
        break;
    case STEP_TRY_RECV:
    case STEP_TRY_SEND:
        try_now(task, step);
        break;
    case STEP_SIGNAL:
        cede_wakeup_signal(task->player->objects[step->object].wakeup);
        note(task, step, step->object, 0);
        break;
    default:
        perform(self, task, step);
    }
}

void play_steps(struct cede_task *self, struct play_task *task)
{
    const struct program *program = task->player->program;
    const struct task_text *text = &program->tasks[task->index];
    for (int i = 0; i < text->step_count; i++)
        take_step(self, task, &program->steps[text->first_step + i]);
    while (task->scope_count > 0)
        cede_scope_leave(self, &task->scopes[--task->scope_count]);
}
