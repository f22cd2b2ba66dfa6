// SPDX-License-Identifier: MIT
//
// The select poller: two bit maps of who is armed, copied and handed to the kernel each time. No
// cleverness is allowed here, since this is the executable specification of "ready": every wait
// asks about every armed pair anew, and what the kernel answers is what is reported.
//
// The maps are our own, sized by the descriptor limit, because fd_set ends at 1024 and the C
// library's checks abort beyond it (S20).
//
// One thing select says only of the whole question: EBADF, when one of the descriptors was closed
// behind our back (S6). Then each is asked for by itself, and those that are gone are reported with
// the error.

#include "engine/select.h"

#include <errno.h>
#include <string.h>

#include "engine/check.h"

#define WORD_BITS (8 * sizeof(unsigned long))

struct select_state {
    unsigned long *armed[CEDE_DIRECTION_COUNT];
    unsigned long *asked[CEDE_DIRECTION_COUNT]; // The copy that the kernel overwrites.
    int descriptor_count;
    int used_count; // No armed descriptor is at or above it.
    size_t map_bytes;
};

static void set_bit(unsigned long *map, int fd)
{
    map[(size_t)fd / WORD_BITS] |= 1UL << ((size_t)fd % WORD_BITS);
}

static void clear_bit(unsigned long *map, int fd)
{
    map[(size_t)fd / WORD_BITS] &= ~(1UL << ((size_t)fd % WORD_BITS));
}

static bool has_bit(const unsigned long *map, int fd)
{
    return map[(size_t)fd / WORD_BITS] >> ((size_t)fd % WORD_BITS) & 1;
}

static void select_close(void *opaque)
{
    struct select_state *state = opaque;
    if (!state)
        return;
    // The four maps are one piece of memory.
    if (state->armed[CEDE_RECV])
        cede_sys_unmap(state->armed[CEDE_RECV], 4 * state->map_bytes);
    cede_sys_free(state);
}

static int select_open(int descriptor_count, void **ret_state)
{
    struct select_state *state = cede_sys_allocate(sizeof *state);
    if (!state)
        return -ENOMEM;
    size_t words = ((size_t)descriptor_count + WORD_BITS - 1) / WORD_BITS;
    state->descriptor_count = descriptor_count;
    state->map_bytes = words * sizeof(unsigned long);
    void *maps;
    int error = cede_sys_map(4 * state->map_bytes, 0, &maps);
    if (error < 0) {
        select_close(state);
        return error;
    }
    state->armed[CEDE_RECV] = maps;
    state->armed[CEDE_SEND] = state->armed[CEDE_RECV] + words;
    state->asked[CEDE_RECV] = state->armed[CEDE_SEND] + words;
    state->asked[CEDE_SEND] = state->asked[CEDE_RECV] + words;
    *ret_state = state;
    return 0;
}

static void select_arm(void *opaque, int fd, enum cede_direction direction)
{
    struct select_state *state = opaque;
    cede_check(fd >= 0 && fd < state->descriptor_count);
    set_bit(state->armed[direction], fd);
    if (fd >= state->used_count)
        state->used_count = fd + 1;
}

static void select_disarm(void *opaque, int fd, enum cede_direction direction)
{
    struct select_state *state = opaque;
    clear_bit(state->armed[direction], fd);
}

static void select_forget(void *opaque, int fd)
{
    select_disarm(opaque, fd, CEDE_RECV);
    select_disarm(opaque, fd, CEDE_SEND);
}

static bool is_armed(const struct select_state *state, int fd)
{
    return has_bit(state->armed[CEDE_RECV], fd) || has_bit(state->armed[CEDE_SEND], fd);
}

// Leaves in `asked` only the descriptors that are no longer open.
static void keep_closed(struct select_state *state)
{
    for (int fd = 0; fd < state->used_count; fd++) {
        for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++) {
            clear_bit(state->asked[direction], fd);
            if (has_bit(state->armed[direction], fd) && cede_sys_get_flags(fd) == -EBADF)
                set_bit(state->asked[direction], fd);
        }
    }
}

// Turns what is left in `asked` into reports, and disarms those.
static int report(struct select_state *state, struct cede_ready *ret_ready, int capacity, int error)
{
    int count = 0;
    for (int fd = 0; fd < state->used_count && count < capacity; fd++) {
        for (int direction = 0; direction < CEDE_DIRECTION_COUNT && count < capacity; direction++) {
            if (!has_bit(state->asked[direction], fd))
                continue;
            clear_bit(state->armed[direction], fd);
            ret_ready[count++] = (struct cede_ready){
                .fd = fd,
                .direction = (enum cede_direction)direction,
                .error = error,
            };
        }
    }
    return count;
}

static int select_wait(void *opaque, struct cede_ready *ret_ready, int capacity, int64_t timeout_ns)
{
    struct select_state *state = opaque;
    while (state->used_count > 0 && !is_armed(state, state->used_count - 1))
        state->used_count--;
    size_t used_words = ((size_t)state->used_count + WORD_BITS - 1) / WORD_BITS;
    for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++)
        memcpy(state->asked[direction], state->armed[direction],
               used_words * sizeof(unsigned long));

    int count = cede_sys_select(state->used_count, state->asked[CEDE_RECV],
                                state->asked[CEDE_SEND], timeout_ns);
    if (count == -EBADF) {
        keep_closed(state);
        return report(state, ret_ready, capacity, -EBADF);
    }
    if (count <= 0)
        return count;
    return report(state, ret_ready, capacity, 0);
}

const struct cede_poller cede_select_poller = {
    .open = select_open,
    .close = select_close,
    .arm = select_arm,
    .disarm = select_disarm,
    .forget = select_forget,
    .wait = select_wait,
};
