// SPDX-License-Identifier: MIT
//
// The epoll poller: level-triggered, lazily registered.
//
// Why level-triggered: one-shot registration costs an epoll_ctl for each event, and edge-triggered
// registration forces a read to EAGAIN after each. A level-triggered registration costs nothing as
// long as the task that was woken waits again before the next wait, which is what servers do. So a
// registration stays when its pair is reported. Three sets exist for each descriptor: what is armed
// (wanted by the engine), what is registered (known by the kernel), and the event at hand. arm only
// notes that the first two differ; wait makes them equal for those descriptors, and sleeps.
//
// Traps, each met below:
// - An event for a pair that is not armed repeats at each wait. As long as nobody wants to sleep
//   that costs little, and its task is most likely about to wait again: it is left alone. Only a
//   wait that may sleep takes the registration back.
// - HUP and ERR are reported whether or not one asks. A descriptor with nothing armed must be
//   deleted, not masked, or a hung-up peer makes every wait return at once.
// - HUP alone is not "ready to send" (S2), yet it cannot be masked while somebody waits to send.
//   Such a descriptor is registered edge-triggered until its wishes change: the kernel then reports
//   changes only.
// - Files without poll (regular files, directories) are refused with EPERM: they are always ready
//   (S4).
// - close(2) removes a registration silently, but only with the last reference. If a duplicate
//   lives on, events keep coming under a number that no longer names the file, and epoll_ctl cannot
//   reach it: an event that nobody armed and that cannot be deleted. Then the whole set is made
//   anew (S6).
// - A number closed behind our back and opened again is still registered in our books, not in the
//   kernel's: MOD says ENOENT, and ADD says EEXIST in the opposite case. Each falls back on the
//   other.

#include "engine/epoll.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "engine/check.h"

// Events fetched at once.
#define EVENT_COUNT 256

// A set of directions, as bits.
#define BIT(direction) ((uint8_t)(1U << (direction)))

struct epoll_interest {
    uint8_t armed;
    uint8_t registered;
    bool is_listed;        // In `changed`.
    bool is_edge_triggered;
};

struct epoll_state {
    int epoll_fd;
    int descriptor_count;
    int used_count;                   // No descriptor at or above it was ever armed.
    struct epoll_interest *interests; // Indexed by descriptor.
    int *changed;                     // Descriptors that may have something armed and unregistered.
    int changed_count;
    struct epoll_event events[EVENT_COUNT];
};

static size_t interests_bytes(int descriptor_count)
{
    return (size_t)descriptor_count * sizeof(struct epoll_interest);
}

static size_t changed_bytes(int descriptor_count)
{
    return (size_t)descriptor_count * sizeof(int);
}

static void epoll_close(void *opaque)
{
    struct epoll_state *state = opaque;
    if (!state)
        return;
    if (state->changed)
        cede_sys_unmap(state->changed, changed_bytes(state->descriptor_count));
    if (state->interests)
        cede_sys_unmap(state->interests, interests_bytes(state->descriptor_count));
    if (state->epoll_fd >= 0)
        cede_sys_close(state->epoll_fd);
    cede_sys_free(state);
}

static int epoll_open(int descriptor_count, void **ret_state)
{
    struct epoll_state *state = cede_sys_allocate(sizeof *state);
    if (!state)
        return -ENOMEM;
    state->descriptor_count = descriptor_count;
    state->epoll_fd = cede_sys_epoll_create();
    int error = state->epoll_fd < 0 ? state->epoll_fd : 0;

    void *memory;
    if (error == 0 && (error = cede_sys_map(interests_bytes(descriptor_count), 0, &memory)) == 0)
        state->interests = memory;
    if (error == 0 && (error = cede_sys_map(changed_bytes(descriptor_count), 0, &memory)) == 0)
        state->changed = memory;
    if (error < 0) {
        epoll_close(state);
        return error;
    }
    *ret_state = state;
    return 0;
}

static void note_change(struct epoll_state *state, int fd)
{
    struct epoll_interest *interest = &state->interests[fd];
    if (interest->is_listed)
        return;
    interest->is_listed = true;
    state->changed[state->changed_count++] = fd;
}

static void epoll_arm(void *opaque, int fd, enum cede_direction direction)
{
    struct epoll_state *state = opaque;
    cede_check(fd >= 0 && fd < state->descriptor_count);
    if (fd >= state->used_count)
        state->used_count = fd + 1;
    struct epoll_interest *interest = &state->interests[fd];
    interest->armed |= BIT(direction);
    // An edge-triggered registration has told its level once: a new wish needs to hear it again.
    if (!(interest->registered & BIT(direction)) || interest->is_edge_triggered)
        note_change(state, fd);
}

static void epoll_disarm(void *opaque, int fd, enum cede_direction direction)
{
    struct epoll_state *state = opaque;
    state->interests[fd].armed &= (uint8_t)~BIT(direction);
}

static uint32_t to_events(uint8_t directions)
{
    return (directions & BIT(CEDE_RECV) ? (uint32_t)EPOLLIN : 0) |
           (directions & BIT(CEDE_SEND) ? (uint32_t)EPOLLOUT : 0);
}

// Makes the kernel's registration of one descriptor equal to `wanted`: 0, or -errno.
static int change_registration(struct epoll_state *state, int fd, uint8_t wanted, bool edge)
{
    struct epoll_interest *interest = &state->interests[fd];
    struct epoll_event event = {
        .events = to_events(wanted) | (edge ? (uint32_t)EPOLLET : 0),
        .data.fd = fd,
    };
    int change = EPOLL_CTL_MOD;
    if (!interest->registered)
        change = EPOLL_CTL_ADD;
    else if (!wanted)
        change = EPOLL_CTL_DEL;
    interest->registered = wanted;
    interest->is_edge_triggered = edge;
    int error = cede_sys_epoll_control(state->epoll_fd, change, fd, &event);
    if (error == -EEXIST)
        error = cede_sys_epoll_control(state->epoll_fd, EPOLL_CTL_MOD, fd, &event);
    else if (error == -ENOENT && wanted)
        error = cede_sys_epoll_control(state->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    if (error < 0)
        interest->registered = 0;
    return error;
}

static void epoll_forget(void *opaque, int fd)
{
    struct epoll_state *state = opaque;
    struct epoll_interest *interest = &state->interests[fd];
    interest->armed = 0;
    // What close(2) behind our back has removed already is just as gone.
    if (interest->registered)
        change_registration(state, fd, 0, false);
}

// Reports the armed pairs among `directions`, and disarms them.
static int report(struct epoll_state *state, int fd, uint8_t directions, int error,
                  struct cede_ready *ret_ready)
{
    struct epoll_interest *interest = &state->interests[fd];
    uint8_t reported = interest->armed & directions;
    interest->armed &= (uint8_t)~reported;
    int count = 0;
    for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++) {
        if (reported & BIT(direction))
            ret_ready[count++] = (struct cede_ready){
                .fd = fd,
                .direction = (enum cede_direction)direction,
                .error = error,
            };
    }
    return count;
}

// Registers what was armed since the last wait. What the kernel refuses is reported at once.
static int apply_changes(struct epoll_state *state, struct cede_ready *ret_ready, int capacity)
{
    int count = 0;
    while (state->changed_count > 0 && count + CEDE_DIRECTION_COUNT <= capacity) {
        int fd = state->changed[--state->changed_count];
        struct epoll_interest *interest = &state->interests[fd];
        interest->is_listed = false;
        uint8_t wanted = interest->armed | interest->registered;
        bool is_known = wanted == interest->registered && !interest->is_edge_triggered;
        if (!interest->armed || is_known)
            continue;
        int error = change_registration(state, fd, wanted, false);
        if (error < 0)
            count += report(state, fd, interest->armed, error == -EPERM ? 0 : error,
                            ret_ready + count);
    }
    return count;
}

// Makes the set anew and registers all that is armed, since something in the old one cannot be
// reached any more. The old one goes first: its descriptor may be the last there is. 0, or -errno.
static int rebuild(struct epoll_state *state)
{
    cede_sys_close(state->epoll_fd);
    state->epoll_fd = cede_sys_epoll_create();
    if (state->epoll_fd < 0)
        return state->epoll_fd;
    for (int fd = 0; fd < state->used_count; fd++) {
        struct epoll_interest *interest = &state->interests[fd];
        if (interest->registered)
            interest->registered = 0;
        if (interest->armed)
            note_change(state, fd);
    }
    return 0;
}

// An event brought nothing that is armed. Stops the kernel from repeating it: 0, or -errno when the
// set had to be rebuilt and could not.
static int quieten(struct epoll_state *state, int fd)
{
    struct epoll_interest *interest = &state->interests[fd];
    if (!interest->registered)
        return rebuild(state);
    bool is_hang_up = interest->armed && interest->armed == interest->registered;
    // To make it edge-triggered tells the level once more. To do so again would repeat that for
    // ever.
    if (is_hang_up && interest->is_edge_triggered)
        return 0;
    int error = change_registration(state, fd, interest->armed, is_hang_up);
    return error == -EBADF || error == -ENOENT ? rebuild(state) : 0;
}

static uint8_t to_directions(uint32_t events)
{
    uint8_t recv = events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? BIT(CEDE_RECV) : 0;
    uint8_t send = events & (EPOLLOUT | EPOLLERR) ? BIT(CEDE_SEND) : 0;
    return recv | send;
}

static int epoll_poller_wait(void *opaque, struct cede_ready *ret_ready, int capacity,
                             int64_t timeout_ns)
{
    struct epoll_state *state = opaque;
    int count = apply_changes(state, ret_ready, capacity);
    int room = (capacity - count) / CEDE_DIRECTION_COUNT;
    if (room == 0)
        return count;
    int event_count = cede_sys_epoll_wait(state->epoll_fd, state->events,
                                          room < EVENT_COUNT ? room : EVENT_COUNT,
                                          count > 0 ? 0 : timeout_ns);
    if (event_count < 0)
        return event_count;
    for (int i = 0; i < event_count; i++) {
        int fd = state->events[i].data.fd;
        int reported =
            report(state, fd, to_directions(state->events[i].events), 0, ret_ready + count);
        count += reported;
        int error = reported == 0 && timeout_ns != 0 ? quieten(state, fd) : 0;
        if (error < 0)
            return error;
    }
    return count;
}

const struct cede_poller cede_epoll_poller = {
    .open = epoll_open,
    .close = epoll_close,
    .arm = epoll_arm,
    .disarm = epoll_disarm,
    .forget = epoll_forget,
    .wait = epoll_poller_wait,
};
