// SPDX-License-Identifier: MIT
//
// Plain system calls, of which none waits. What they come to is in the trace.

#include "tests/conformance/explore/outside.h"

#include <errno.h>
#include <fcntl.h>

#include "tests/conformance/explore/play_state.h"
#include "tests/conformance/explore/quiet.h"

#define FILL_BYTES 4096

// Longer than any deadline of a generated program, and more often than the longest transfers need.
#define PATIENCE_NS (400 * CEDE_NANOSECONDS_PER_MILLISECOND)
#define PATIENCE_RESTS 5
#define PATIENCE_ASKS 1000

static uint8_t drained[PLAY_DRAIN_BYTES];

// What came of a stimulus.
struct outcome {
    int64_t result;
    uint32_t digest;
};

static struct outcome take(struct player *player, int object, size_t bytes)
{
    static uint8_t taken[PROGRAM_BYTES_MAX];
    struct outcome outcome = {0};
    outcome.result = play_recv_now(player, object, taken, bytes, &outcome.digest);
    return outcome;
}

static struct outcome put(struct player *player, int object, size_t bytes)
{
    struct outcome outcome = {0};
    outcome.result = play_send_now(player, object, bytes, &outcome.digest);
    return outcome;
}

// Repeats until an error, or the end of the stream: the total, or the error if nothing moved.
static struct outcome drain(struct player *player, int object)
{
    int64_t total = 0;
    int64_t count;
    uint32_t digest = 0;
    while ((count = play_recv_now(player, object, drained, sizeof drained, &digest)) > 0)
        total += count;
    return (struct outcome){.result = total > 0 ? total : count, .digest = digest};
}

static struct outcome fill(struct player *player, int object)
{
    int64_t total = 0;
    int64_t count;
    uint32_t digest = 0;
    while ((count = play_send_now(player, object, FILL_BYTES, &digest)) > 0)
        total += count;
    return (struct outcome){.result = total > 0 ? total : count, .digest = digest};
}

static int64_t close_object(struct player *player, int object)
{
    int fd = player->objects[object].fd;
    player->objects[object].fd = -1;
    return cede_sys_close(fd);
}

// Behind the engine's back (S6). Whatever the kernel remembers of the number goes on with the file.
static int64_t steal(struct player *player, int object)
{
    int fd = player->objects[object].fd;
    int kept = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
    if (kept < 0)
        return -errno;
    player->orphans[player->orphan_count++] = kept;
    return close_object(player, object);
}

static int64_t connect_slot(struct player *player, int slot, int listener)
{
    int error = play_open_socket(player, slot, listener);
    if (error < 0)
        return error;
    const struct cede_address *address = &player->objects[listener].address;
    return cede_sys_connect(player->objects[slot].fd, &address->as.any, address->bytes);
}

static int64_t accept_into(struct player *player, int listener, int slot)
{
    if (play_fd(player, slot) >= 0)
        return -EEXIST;
    int fd = cede_sys_accept(player->objects[listener].fd, NULL, NULL);
    if (fd < 0)
        return fd;
    play_fill(player, slot, fd);
    return slot;
}

static struct outcome act(struct player *player, const struct stimulus *stimulus)
{
    int object = stimulus->object;
    switch ((enum stimulus_kind)stimulus->kind) {
    case STIMULUS_PUT:
        return put(player, object, stimulus->bytes);
    case STIMULUS_TAKE:
        return take(player, object, stimulus->bytes);
    case STIMULUS_DRAIN:
        return drain(player, object);
    case STIMULUS_FILL:
        return fill(player, object);
    case STIMULUS_CLOSE:
        return (struct outcome){.result = close_object(player, object)};
    case STIMULUS_SHUTDOWN:
        return (struct outcome){.result =
                                    cede_sys_shutdown(player->objects[object].fd, stimulus->other)};
    case STIMULUS_CONNECT:
        return (struct outcome){.result = connect_slot(player, object, stimulus->other)};
    case STIMULUS_ACCEPT:
        return (struct outcome){.result = accept_into(player, object, stimulus->other)};
    case STIMULUS_STEAL:
        return (struct outcome){.result = steal(player, object)};
    default:
        cede_wakeup_signal(player->objects[object].wakeup);
        return (struct outcome){0};
    }
}

static void make_stimulus(struct player *player, const struct stimulus *stimulus)
{
    bool needs_descriptor = stimulus->kind != STIMULUS_CONNECT && stimulus->kind != STIMULUS_SIGNAL;
    struct outcome outcome = {.result = -EBADF};
    if (!needs_descriptor || play_fd(player, stimulus->object) >= 0)
        outcome = act(player, stimulus);
    play_let_arrive(player, stimulus->object);
    play_note(player, NULL, PLAY_NOTE_STIMULUS + stimulus->kind, stimulus->object, outcome.result,
              outcome.digest);
}

// Whether some task's operation could go on: ready as S2 has it.
static bool could_go_on(const struct player *player)
{
    struct pollfd asked[PROGRAM_TASKS_MAX];
    for (int i = 0; i < player->program->task_count; i++)
        asked[i] = player->tasks[i].ready;
    int count = cede_sys_poll(asked, player->program->task_count);
    for (int i = 0; count > 0 && i < player->program->task_count; i++) {
        short wanted = asked[i].events == POLLIN ? POLLIN | POLLHUP | POLLERR : POLLOUT | POLLERR;
        if (asked[i].revents & wanted)
            return true;
    }
    return false;
}

// Whether the program has got nowhere for so long that it never will: what rests over and over, or
// is ready in vain, goes on for ever in normal mode. Time alone says nothing: a busy machine may
// have run others meanwhile.
static bool is_stuck(const struct player *player)
{
    bool is_late = cede_sys_now_ns() - player->idle_ns > PATIENCE_NS;
    return !player->is_strict && (player->idle_count > PATIENCE_ASKS ||
                                  (is_late && player->idle_count > PATIENCE_RESTS));
}

// In normal mode one answer will do, and the engine may be about to sleep in a call that would not:
// it is sent to ask once more, until nothing moves. What is ready and rests has a time set.
static bool asks_again(struct player *player, int64_t next_due_ns)
{
    if (player->is_strict)
        return false;
    quiet_wait();
    if (player->idle_tick != player->tick) {
        player->idle_tick = player->tick;
        player->idle_ns = cede_sys_now_ns();
        player->idle_count = 0;
        return true;
    }
    player->idle_count++;
    // With something due the engine sleeps in between; with nothing it is we who send it.
    player->is_spinning |= next_due_ns != CEDE_NEVER && player->idle_count > PATIENCE_ASKS;
    return next_due_ns == CEDE_NEVER && !is_stuck(player) && could_go_on(player);
}

bool outside_idle(void *argument, int64_t next_due_ns)
{
    struct player *player = argument;
    bool is_left = player->next_stimulus < player->program->stimulus_count;
    const struct stimulus *stimulus = &player->program->stimuli[player->next_stimulus];
    bool is_due = next_due_ns != CEDE_NEVER;
    bool comes_later = is_due && stimulus->at_ns >= next_due_ns - player->start_ns;
    if (asks_again(player, next_due_ns))
        return true;
    if (is_left && !comes_later) {
        make_stimulus(player, stimulus);
        player->next_stimulus++;
        return true;
    }
    if (is_left || !player->reaper || (is_due && !is_stuck(player)))
        return false;
    cede_wakeup_signal(player->reaper);
    play_note(player, NULL, PLAY_NOTE_REAP, -1, 0, 0);
    return true;
}
