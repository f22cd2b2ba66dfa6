// SPDX-License-Identifier: MIT
//
// The descriptor table: who waits for what, and which generation of a number that is. It is the
// brief's two maps, socket to waiting task, made one array. The engine writes it; a backend reads
// it to find the operation that a descriptor and a direction belong to.

#ifndef CEDE_ENGINE_DESCRIPTORS_H
#define CEDE_ENGINE_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/operation.h"

struct cede_descriptor {
    // At most one operation a direction (S5). From submission until it is handed back.
    struct cede_operation *waiting[CEDE_DIRECTION_COUNT];

    // Counts the lives of the number: goes up when it is closed or released (S7).
    uint32_t generation;

    // Woken and found nothing, that many times in a row (S2, S19).
    uint8_t vain_wakes[CEDE_DIRECTION_COUNT];

    bool is_known; // The two below hold: F_GETFL was asked in this generation (S3).
    bool may[CEDE_DIRECTION_COUNT];
    bool is_nonblocking;
    bool is_drained; // The last recv got less than it asked for (normal mode).
    bool is_receiving_over; // shutdown(2) has ended this direction.

#ifndef NDEBUG
    // What the number named when it became known, to see a close behind the engine's back (S6).
    uint64_t device;
    uint64_t inode;
#endif
};

struct cede_descriptors {
    struct cede_descriptor *slots;
    int count;
    int used_count; // No slot at or above it was ever used.
};

// Maps a table for the numbers below `count`: 0, or -errno. Untouched parts cost no memory.
int cede_descriptors_open(int count, struct cede_descriptors *ret_table);
void cede_descriptors_close(struct cede_descriptors *table);

// The slot of a number. NULL: no number the table can hold.
static inline struct cede_descriptor *cede_descriptors_at(const struct cede_descriptors *table,
                                                          int fd)
{
    return (unsigned)fd < (unsigned)table->count ? &table->slots[fd] : NULL;
}

// Notes that somebody waits on the number: who goes through the table need not go further.
static inline void cede_descriptors_use(struct cede_descriptors *table, int fd)
{
    if (fd >= table->used_count)
        table->used_count = fd + 1;
}

// Asks the kernel what the descriptor is: 0, or -EBADF (S3). Debug builds ask each time, and
// compare whether it is still the same file: -ESTALE if not (S6).
int cede_descriptors_ask(struct cede_descriptor *slot, int fd);

// The same, once a generation in release builds.
static inline int cede_descriptors_learn(struct cede_descriptor *slot, int fd)
{
#ifdef NDEBUG
    if (slot->is_known)
        return 0;
#endif
    return cede_descriptors_ask(slot, fd);
}

// The end of a generation: nobody waits, nothing is known.
void cede_descriptors_retire(struct cede_descriptor *slot);

#endif
