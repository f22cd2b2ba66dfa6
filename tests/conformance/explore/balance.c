// SPDX-License-Identifier: MIT
//
// A strict program closes no descriptor behind the engine's back (docs/spec.md), so what epoll is
// told must always fit what it knows. To be told that something is registered already is to
// learn that it was left there; to be told that it is not, that it was lost.

#include "tests/conformance/explore/balance.h"

#include <errno.h>

#include "engine/sys.h"

// The longest transfer, in the pieces of the smallest socket, takes a few hundred answers without
// an event. A spin takes as many in less than a millisecond.
#define ANSWERS_WITHOUT_EVENT 3000

static long allocations; // Made and not given back,
static long mappings;    // likewise.
static bool is_registration_left;
static bool may_be_left;

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
int __real_cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event);
int __wrap_cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event);

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

int __wrap_cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event)
{
    int error = __real_cede_sys_epoll_control(epoll_fd, change, fd, event);
    is_registration_left |= error == -EEXIST || error == -ENOENT;
    return error;
}

void balance_begin(bool has_thief)
{
    may_be_left = has_thief;
    allocations = 0;
    mappings = 0;
    is_registration_left = false;
}

const char *balance_left(void)
{
    if (allocations != 0)
        return "leak memory";
    if (mappings != 0)
        return "leak mapping";
    return is_registration_left && !may_be_left ? "leak registration" : NULL;
}

bool balance_is_spin(uint64_t answers, size_t trace_bytes)
{
    return answers > ANSWERS_WITHOUT_EVENT + trace_bytes;
}
