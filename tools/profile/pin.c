// SPDX-License-Identifier: MIT
//
// One processor for both is the default. Two would be quicker, but on a virtual machine the time to
// wake an idle processor dwarfs everything else and changes with the neighbours. On one processor
// nothing idles: the rate is the sum of what server and client compute. SCHED_BATCH keeps the one
// that is woken from interrupting the other, so that both work through many messages at a time.

#include "tools/profile/pin.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

int pin_parse(const char *text, struct pin *ret_pin)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        return -errno;
    if (strcmp(text, "none") == 0) {
        *ret_pin = (struct pin){.server_cpu = -1, .client_cpu = -1};
        return 0;
    }
    if (strcmp(text, "one") == 0) {
        size_t cpu = CPU_SETSIZE - 1;
        while (cpu > 0 && !CPU_ISSET(cpu, &allowed))
            cpu--;
        *ret_pin = (struct pin){.server_cpu = (int)cpu, .client_cpu = (int)cpu};
        return 0;
    }
    unsigned server_cpu, client_cpu;
    int length = 0;
    if (sscanf(text, "server=%4u,client=%4u%n", &server_cpu, &client_cpu, &length) != 2 ||
        text[length] != '\0' || server_cpu >= CPU_SETSIZE || client_cpu >= CPU_SETSIZE ||
        !CPU_ISSET(server_cpu, &allowed) || !CPU_ISSET(client_cpu, &allowed))
        return -EINVAL;
    *ret_pin = (struct pin){.server_cpu = (int)server_cpu, .client_cpu = (int)client_cpu};
    return 0;
}

bool pin_is_shared(const struct pin *pin)
{
    return pin->server_cpu >= 0 && pin->server_cpu == pin->client_cpu;
}

int pin_apply(int cpu, bool shared)
{
    const struct sched_param parameters = {.sched_priority = 0};
    cpu_set_t wanted;
    if (cpu < 0)
        return 0;
    CPU_ZERO(&wanted);
    CPU_SET((unsigned)cpu, &wanted);
    if (sched_setaffinity(0, sizeof(wanted), &wanted) < 0 ||
        (shared && sched_setscheduler(0, SCHED_BATCH, &parameters) < 0))
        return -errno;
    return 0;
}

void pin_describe(const struct pin *pin, char *text, size_t size)
{
    if (pin->server_cpu < 0)
        snprintf(text, size, "server and client run anywhere");
    else if (pin_is_shared(pin))
        snprintf(text, size, "server and client share cpu %d", pin->server_cpu);
    else
        snprintf(text, size, "server on cpu %d, client on cpu %d", pin->server_cpu,
                 pin->client_cpu);
}
