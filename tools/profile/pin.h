// SPDX-License-Identifier: MIT
//
// On which processor a server runs and on which its client. Free to move, two processes that wake
// each other are placed by the kernel anew every few milliseconds, and the placement costs more
// than what is to be compared. It knows neither servers nor load; both are placed by a call in
// their own process.

#ifndef CEDE_TOOLS_PROFILE_PIN_H
#define CEDE_TOOLS_PROFILE_PIN_H

#include <stdbool.h>
#include <stddef.h>

// Processor numbers, or -1 for "anywhere".
struct pin {
    int server_cpu;
    int client_cpu;
};

// Read "one" (server and client share the last processor that this process may use), "none", or
// "server=N,client=M". 0, or -EINVAL: it is none of these, or a processor this process may not use.
int pin_parse(const char *text, struct pin *ret_pin);

// True if server and client share a processor.
bool pin_is_shared(const struct pin *pin);

// Place the calling process, and what it starts, on this processor; on a shared one also ask for
// SCHED_BATCH, see sched(7). 0 or -errno. Makes system calls only: may be called after fork(2).
int pin_apply(int cpu, bool shared);

// Say it in words, such as "server and client share cpu 1".
void pin_describe(const struct pin *pin, char *text, size_t size);

#endif
