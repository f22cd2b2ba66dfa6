// SPDX-License-Identifier: MIT
//
// The linker's --wrap=NAME sends every call of NAME to __wrap_NAME, and __real_NAME to the
// original.

#include "tests/conformance/watch.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "tests/conformance/support.h"

#define DESCRIPTOR_LIMIT 8192

static atomic_long allocations; // Made and not given back,
static atomic_long mappings;    // likewise.

static _Thread_local struct cede_engine *engine;

static bool was_open[DESCRIPTOR_LIMIT];

// --- Between the library and the system ---------------------------------------------------------

void *__real_cede_sys_allocate(size_t bytes);
void *__wrap_cede_sys_allocate(size_t bytes);
void *__real_cede_sys_reallocate(void *memory, size_t bytes);
void *__wrap_cede_sys_reallocate(void *memory, size_t bytes);
void __real_cede_sys_free(void *memory);
void __wrap_cede_sys_free(void *memory);
int __real_cede_sys_map(size_t bytes, int stack, void **ret_memory);
int __wrap_cede_sys_map(size_t bytes, int stack, void **ret_memory);
int __real_cede_sys_unmap(void *memory, size_t bytes);
int __wrap_cede_sys_unmap(void *memory, size_t bytes);
int __real_cede_engine_open(const struct cede_backend *backend, const struct cede_options *options,
                            struct cede_engine **ret_engine);
int __wrap_cede_engine_open(const struct cede_backend *backend, const struct cede_options *options,
                            struct cede_engine **ret_engine);
void __real_cede_engine_close(struct cede_engine *closed);
void __wrap_cede_engine_close(struct cede_engine *closed);

void *__wrap_cede_sys_allocate(size_t bytes)
{
    void *memory = __real_cede_sys_allocate(bytes);
    allocations += memory != NULL;
    return memory;
}

void *__wrap_cede_sys_reallocate(void *memory, size_t bytes)
{
    void *grown = __real_cede_sys_reallocate(memory, bytes);
    allocations += grown && !memory;
    return grown;
}

void __wrap_cede_sys_free(void *memory)
{
    allocations -= memory != NULL;
    __real_cede_sys_free(memory);
}

int __wrap_cede_sys_map(size_t bytes, int stack, void **ret_memory)
{
    int error = __real_cede_sys_map(bytes, stack, ret_memory);
    mappings += error == 0;
    return error;
}

int __wrap_cede_sys_unmap(void *memory, size_t bytes)
{
    int error = __real_cede_sys_unmap(memory, bytes);
    mappings -= error == 0;
    return error;
}

// --- Between the scheduler and its engine -------------------------------------------------------

int __wrap_cede_engine_open(const struct cede_backend *backend, const struct cede_options *options,
                            struct cede_engine **ret_engine)
{
    int error = __real_cede_engine_open(backend, options, ret_engine);
    if (error == 0)
        engine = *ret_engine;
    return error;
}

void __wrap_cede_engine_close(struct cede_engine *closed)
{
    engine = NULL;
    __real_cede_engine_close(closed);
}

struct cede_engine *watch_engine(void)
{
    return engine;
}

// --- What is left behind ------------------------------------------------------------------------

// Calls see(fd) for each open descriptor.
static void visit_descriptors(void (*see)(int fd))
{
    DIR *folder = opendir("/proc/self/fd");
    require(folder);
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(folder))
            see(fd);
    }
    closedir(folder);
}

static void note_open(int fd)
{
    if (fd < DESCRIPTOR_LIMIT)
        was_open[fd] = true;
}

static void require_was_open(int fd)
{
    if (fd >= DESCRIPTOR_LIMIT || !was_open[fd])
        claim_failed(__FILE__, __LINE__, "descriptor %d is left open", fd);
}

void watch_begin(void)
{
    visit_descriptors(note_open);
}

void watch_end(void)
{
    visit_descriptors(require_was_open);
    require_number(allocations, 0);
    require_number(mappings, 0);
}
