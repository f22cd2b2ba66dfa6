// SPDX-License-Identifier: MIT
//
// The table of workloads, and how a name with parameters is read. A new one is a file of its own
// and a line here.

#include "tools/profile/workload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/profile/clock.h"

#define PATIENCE_NS (5 * CLOCK_NS_PER_SECOND)

static const struct workload *const workloads[] = {
    &workload_echo, &workload_rr,      &workload_pipelined,  &workload_stream,  &workload_churn,
    &workload_idle, &workload_fan_out, &workload_few_active, &workload_compute, &workload_http,
};
enum { WORKLOAD_COUNT = sizeof(workloads) / sizeof(workloads[0]) };

void workload_list(char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t index = 0; index < WORKLOAD_COUNT && used < size; index++)
        used += (size_t)snprintf(text + used, size - used, "%s%s%s", index > 0 ? ", " : "",
                                 workloads[index]->name, workloads[index]->parameters);
}

static const struct workload *find(const char *name, size_t length)
{
    for (size_t index = 0; index < WORKLOAD_COUNT; index++) {
        if (strlen(workloads[index]->name) == length &&
            memcmp(workloads[index]->name, name, length) == 0)
            return workloads[index];
    }
    return NULL;
}

// Reads ":NUMBER" with the suffix k or m, and moves the text behind it. False: it is none.
static bool read_parameter(const char **text, size_t *ret_value)
{
    enum { DIGIT_LIMIT = 9 };
    size_t value = 0;
    size_t digits = 0;
    if (*(*text)++ != ':')
        return false;
    for (; **text >= '0' && **text <= '9' && digits < DIGIT_LIMIT; digits++)
        value = value * 10 + (size_t)(*(*text)++ - '0');
    if (**text == 'k' || **text == 'm')
        value *= *(*text)++ == 'k' ? 1000 : 1000000;
    if (digits == 0 || value == 0 || (**text != ':' && **text != '\0'))
        return false;
    *ret_value = value;
    return true;
}

int workload_choose(const char *text, size_t message_bytes, struct workload_choice *ret_choice,
                    char *reason, size_t reason_bytes)
{
    struct workload_choice choice = {.message_bytes = message_bytes, .patience_ns = PATIENCE_NS};
    size_t parameters[WORKLOAD_PARAMETER_LIMIT] = {0};
    const char *at = text + strcspn(text, ":");
    choice.workload = find(text, (size_t)(at - text));
    if (choice.workload == NULL || strlen(text) >= sizeof(choice.name)) {
        snprintf(reason, reason_bytes, "There is no such workload");
        return -EINVAL;
    }
    snprintf(choice.name, sizeof(choice.name), "%s", text);
    bool is_right = true;
    for (size_t index = 0; index < choice.workload->parameter_count && is_right; index++)
        is_right = read_parameter(&at, &parameters[index]);
    is_right = is_right && *at == '\0';
    if (!is_right ||
        (choice.workload->set != NULL && choice.workload->set(&choice, parameters) < 0)) {
        snprintf(reason, reason_bytes, "Must be %s%s", choice.workload->name,
                 choice.workload->parameters);
        return -EINVAL;
    }
    *ret_choice = choice;
    return 0;
}

size_t workload_open_count(const struct workload_choice *choice, size_t busy_count)
{
    size_t count = busy_count + choice->idle_count;
    return count < choice->open_count ? choice->open_count : count;
}
