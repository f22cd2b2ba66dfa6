// SPDX-License-Identifier: MIT
//
// One array indexed by number, mapped but not touched, so that a limit of a million descriptors
// costs address space and nothing else.
//
// Invariants, for each slot and direction:
// 1. waiting[d] is NULL, or an operation of that direction whose fd is the slot's number.
// 2. waiting[d] implies is_known, and waiting[d]->generation == generation.

#include "engine/descriptors.h"

#include <errno.h>
#include <fcntl.h>

#include "engine/check.h"

int cede_descriptors_open(int count, struct cede_descriptors *ret_table)
{
    cede_check(count > 0);
    void *slots;
    int error = cede_sys_map((size_t)count * sizeof(struct cede_descriptor), 0, &slots);
    if (error < 0)
        return error;
    *ret_table = (struct cede_descriptors){.slots = slots, .count = count};
    return 0;
}

void cede_descriptors_close(struct cede_descriptors *table)
{
    if (table->slots)
        cede_sys_unmap(table->slots, (size_t)table->count * sizeof *table->slots);
    *table = (struct cede_descriptors){0};
}

#ifndef NDEBUG

// Notes which file the number names, the first time; compares later. 0, or -ESTALE.
static int identify(struct cede_descriptor *slot, int fd)
{
    uint64_t device = 0;
    uint64_t inode = 0;
    int error = cede_sys_identity(fd, &device, &inode);
    if (slot->is_known && (error < 0 || device != slot->device || inode != slot->inode))
        return -ESTALE;
    slot->device = device;
    slot->inode = inode;
    return 0;
}

#else

static int identify(const struct cede_descriptor *slot, int fd)
{
    (void)slot;
    (void)fd;
    return 0;
}

#endif

int cede_descriptors_ask(struct cede_descriptor *slot, int fd)
{
    int error = identify(slot, fd);
    if (error < 0 || slot->is_known)
        return error;
    int flags = cede_sys_get_flags(fd);
    if (flags < 0)
        return flags;
    // O_PATH descriptors name a file without opening it: neither direction.
    int access = flags & O_ACCMODE;
    bool is_open = !(flags & O_PATH);
    slot->may[CEDE_RECV] = is_open && access != O_WRONLY;
    slot->may[CEDE_SEND] = is_open && access != O_RDONLY;
    slot->is_nonblocking = (flags & O_NONBLOCK) != 0;
    slot->is_known = true;
    return 0;
}

void cede_descriptors_retire(struct cede_descriptor *slot)
{
    cede_check(!slot->waiting[CEDE_RECV] && !slot->waiting[CEDE_SEND]);
    *slot = (struct cede_descriptor){.generation = slot->generation + 1};
}
