// SPDX-License-Identifier: MIT
//
// The handlers are the process's, so what they replaced is kept once for the process, under a lock:
// the state that S22 cannot forbid, as the kernel keeps it so. If each thread kept its own, the
// second would find our handler as the old one, and the first to leave would take it from the
// second.
//
// Everything that the handler calls is safe in a signal handler (signal-safety(7)): it formats into
// an array of its own, and calls sigaction(2), write(2) and raise(3).

#include "tasks/overflow.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "engine/check.h"
#include "engine/sys.h"
#include "tasks/stack.h"

// The frame that the kernel builds for a signal grows with the processor's registers: 11 KiB and
// more with tile registers. What the old handler needs (a sanitizer's report, say) comes on top.
#define ALTERNATE_STACK_BYTES ((size_t)64 << 10)

// Longer names are cut: the line is written at once, from an array on the alternate stack.
#define NAME_BYTES_MAX 64
#define LINE_BYTES_MAX 256

_Thread_local const struct cede_overflow_watch *cede_overflow_watched;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned installed_count;
static struct sigaction old_segv;
static struct sigaction old_bus;

struct line {
    char text[LINE_BYTES_MAX];
    size_t bytes;
};

static void append(struct line *line, const char *text, size_t bytes)
{
    size_t room = sizeof(line->text) - line->bytes;
    if (bytes > room)
        bytes = room;
    memcpy(line->text + line->bytes, text, bytes);
    line->bytes += bytes;
}

static void append_number(struct line *line, size_t number)
{
    char digits[20];
    size_t first = sizeof(digits);
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    append(line, digits + first, sizeof(digits) - first);
}

static void report(const struct cede_overflow_watch *watch)
{
    static const char before_name[] = "cede: task \"";
    static const char before_number[] = "\" overflowed its stack of ";
    static const char after_number[] = " bytes (options.limits.stack_bytes)\n";

    struct line line = {.bytes = 0};
    append(&line, before_name, sizeof(before_name) - 1);
    append(&line, watch->task_name, strnlen(watch->task_name, NAME_BYTES_MAX));
    append(&line, before_number, sizeof(before_number) - 1);
    append_number(&line, watch->stack->nominal_bytes);
    append(&line, after_number, sizeof(after_number) - 1);

    // The process is about to die: there is nobody to tell that the line was lost.
    (void)cede_sys_write(STDERR_FILENO, line.text, line.bytes);
}

void cede_overflow_check_canary(const struct cede_overflow_watch *watch)
{
    bool is_whole = cede_stack_is_whole(watch->stack);
    if (!is_whole)
        report(watch);
    cede_check(is_whole);
}

static int lies_in_guard(const void *address, const struct cede_stack *stack)
{
    uintptr_t low = (uintptr_t)stack->low;
    return (uintptr_t)address < low && (uintptr_t)address >= low - stack->guard_bytes;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    const struct cede_overflow_watch *watch = cede_overflow_watched;
    // Signals that the kernel raised for a fault have a positive code, those that were sent have
    // not.
    int is_sent = info->si_code <= 0;
    if (!is_sent && watch != NULL && lies_in_guard(info->si_addr, watch->stack))
        report(watch);

    // The fault happens again when this handler returns, and meets the old one. A signal that was
    // sent would not, so it is sent on: it stays pending until the return.
    (void)cede_sys_signal_action(signal, signal == SIGSEGV ? &old_segv : &old_bus, NULL);
    if (is_sent)
        (void)cede_sys_raise(signal);
}

static int install_handlers(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    int error = cede_sys_signal_action(SIGSEGV, &action, &old_segv);
    if (error < 0)
        return error;
    error = cede_sys_signal_action(SIGBUS, &action, &old_bus);
    if (error < 0)
        cede_check(cede_sys_signal_action(SIGSEGV, &old_segv, NULL) == 0);
    return error;
}

static void remove_handlers(void)
{
    cede_check(cede_sys_signal_action(SIGBUS, &old_bus, NULL) == 0);
    cede_check(cede_sys_signal_action(SIGSEGV, &old_segv, NULL) == 0);
}

int cede_overflow_install(struct cede_overflow *ret_overflow)
{
    struct cede_overflow overflow;
    int error = cede_sys_map(ALTERNATE_STACK_BYTES, 1, &overflow.memory);
    if (error < 0)
        return error;
    stack_t stack = {.ss_sp = overflow.memory, .ss_size = ALTERNATE_STACK_BYTES};
    error = cede_sys_signal_stack(&stack, &overflow.old_stack);
    if (error < 0)
        goto unmap;

    pthread_mutex_lock(&lock);
    if (installed_count == 0)
        error = install_handlers();
    if (error >= 0)
        installed_count++;
    pthread_mutex_unlock(&lock);
    if (error < 0)
        goto restore_stack;

    *ret_overflow = overflow;
    return 0;

restore_stack:
    cede_check(cede_sys_signal_stack(&overflow.old_stack, NULL) == 0);
unmap:
    cede_sys_unmap(overflow.memory, ALTERNATE_STACK_BYTES);
    return error;
}

void cede_overflow_remove(struct cede_overflow *overflow)
{
    pthread_mutex_lock(&lock);
    cede_check(installed_count > 0);
    installed_count--;
    if (installed_count == 0)
        remove_handlers();
    pthread_mutex_unlock(&lock);

    cede_check(cede_sys_signal_stack(&overflow->old_stack, NULL) == 0);
    cede_sys_unmap(overflow->memory, ALTERNATE_STACK_BYTES);
}
