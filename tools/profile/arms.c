// SPDX-License-Identifier: MIT
//
// The table of arms, and the list that a user types. A new arm is a row of the table; nothing else
// here or elsewhere changes.

#include "tools/profile/arms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/profile/loopback.h"
#include "tools/profile/runfiles.h"

#define ECHO_SERVER "tools/echo_server"

static const struct arm_program programs[] = {
    {"select", ECHO_SERVER, {"--backend", "select", "--port", "0"}, false},
    {"epoll", ECHO_SERVER, {"--backend", "epoll", "--port", "0"}, false},
    {"io_uring", ECHO_SERVER, {"--backend", "io_uring", "--port", "0"}, false},
    {"raw-epoll", "tools/profile/peers/raw_epoll", {NULL}, true},
    {"raw-uring", "tools/profile/peers/raw_uring", {NULL}, false},
};
enum { PROGRAM_COUNT = sizeof(programs) / sizeof(programs[0]) };

static const char exec_prefix[] = "exec:";

void arms_list(char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t index = 0; index < PROGRAM_COUNT && used < size; index++) {
        const char *separator = index > 0 ? ", " : "";
        used += (size_t)snprintf(text + used, size - used, "%s%s", separator, programs[index].name);
    }
}

// An item of the list: where it begins, how long it is without its quotes, and what comes behind
// it.
struct item {
    const char *text;
    size_t length;
    bool is_command;
    const char *next;
};

static int read_item(const char *at, struct item *ret_item, char *reason, size_t reason_bytes)
{
    struct item item = {.text = at, .is_command = strncmp(at, exec_prefix, 5) == 0};
    if (item.is_command)
        item.text += 5;
    if (item.is_command && *item.text == '\'') {
        const char *closing = strchr(++item.text, '\'');
        if (closing == NULL || (closing[1] != ',' && closing[1] != '\0')) {
            snprintf(reason, reason_bytes, "The quote after exec: is not closed");
            return -EINVAL;
        }
        item.length = (size_t)(closing - item.text);
        item.next = closing + 1;
    } else {
        item.length = strcspn(item.text, ",");
        item.next = item.text + item.length;
    }
    *ret_item = item;
    return 0;
}

// The name of a command: its first word without the directories.
static void name_command(struct arm *arm)
{
    size_t length = strcspn(arm->command, " \t");
    const char *begin = arm->command + length;
    while (begin > arm->command && begin[-1] != '/')
        begin--;
    snprintf(arm->name, sizeof(arm->name), "%.*s", (int)(arm->command + length - begin), begin);
}

static int read_arm(const struct item *item, struct arm *arm, char *reason, size_t reason_bytes)
{
    char known[200];
    memset(arm, 0, sizeof(*arm));
    if (item->is_command) {
        if (item->length == 0 || item->length >= sizeof(arm->command)) {
            snprintf(reason, reason_bytes, "A command must have from 1 to %zu characters",
                     sizeof(arm->command) - 1);
            return -EINVAL;
        }
        memcpy(arm->command, item->text, item->length);
        name_command(arm);
        return 0;
    }
    for (size_t index = 0; index < PROGRAM_COUNT; index++) {
        const char *name = programs[index].name;
        if (strlen(name) == item->length && memcmp(name, item->text, item->length) == 0) {
            arm->program = &programs[index];
            snprintf(arm->name, sizeof(arm->name), "%s", name);
            return 0;
        }
    }
    arms_list(known, sizeof(known));
    snprintf(reason, reason_bytes, "Unknown arm \"%.*s\", known are %s and exec:'COMMAND {port}'",
             (int)item->length, item->text, known);
    return -EINVAL;
}

// Number the second and later ones of a name; the numbered names cannot clash with others of the
// list, since "#" is in no name of the table and a command's clash would only repeat a label.
static void number_name(struct arm *arms, size_t count)
{
    struct arm *last = &arms[count];
    size_t same = 1;
    size_t length = strlen(last->name);
    for (size_t index = 0; index < count; index++) {
        const char *other = arms[index].name;
        if (strncmp(other, last->name, length) == 0 &&
            (other[length] == '\0' || other[length] == '#'))
            same++;
    }
    if (same > 1)
        snprintf(last->name + length, sizeof(last->name) - length, "#%zu", same);
}

int arms_parse(const char *list, struct arm arms[ARMS_LIMIT], size_t *ret_count, char *reason,
               size_t reason_bytes)
{
    size_t count = 0;
    if (list == NULL) {
        for (; count < PROGRAM_COUNT; count++) {
            memset(&arms[count], 0, sizeof(arms[count]));
            arms[count].program = &programs[count];
            snprintf(arms[count].name, sizeof(arms[count].name), "%s", programs[count].name);
        }
        *ret_count = count;
        return 0;
    }
    for (const char *at = list;; at++) {
        struct item item;
        if (count == ARMS_LIMIT) {
            snprintf(reason, reason_bytes, "More than %d arms", ARMS_LIMIT);
            return -EINVAL;
        }
        int result = read_item(at, &item, reason, reason_bytes);
        if (result == 0)
            result = read_arm(&item, &arms[count], reason, reason_bytes);
        if (result < 0)
            return result;
        number_name(arms, count);
        count++;
        at = item.next;
        if (*at == '\0')
            break;
    }
    *ret_count = count;
    return 0;
}

// Put the port wherever the command says {port}; five digits never need more room than the six
// characters they replace. `exec` lets the server take the place of the shell, so that the process
// we started is the one whose time we read and which we end.
static void expand_command(const char *command, uint16_t port, char *text, size_t size)
{
    static const char mark[] = "{port}";
    size_t used = (size_t)snprintf(text, size, "exec ");
    for (const char *found; (found = strstr(command, mark)) != NULL;) {
        used += (size_t)snprintf(text + used, size - used, "%.*s%u", (int)(found - command),
                                 command, (unsigned)port);
        command = found + strlen(mark);
    }
    snprintf(text + used, size - used, "%s", command);
}

int arms_prepare(const struct arm *arm, struct arm_start *ret_start)
{
    // execve(2) takes words that it does not change; the cast says no more than that.
    static char shell[] = "/bin/sh", shell_option[] = "-c";
    memset(ret_start, 0, sizeof(*ret_start));
    if (arm->program != NULL) {
        int result = runfiles_find(arm->program->path, ret_start->text, sizeof(ret_start->text));
        if (result < 0)
            return result;
        ret_start->words[0] = ret_start->text;
        for (size_t index = 0; arm->program->arguments[index] != NULL; index++)
            ret_start->words[index + 1] = (char *)(uintptr_t)arm->program->arguments[index];
        return 0;
    }
    if (strstr(arm->command, "{port}") != NULL) {
        int port = loopback_free_port();
        if (port < 0)
            return port;
        ret_start->port = (uint16_t)port;
    }
    ret_start->words[0] = shell;
    ret_start->words[1] = shell_option;
    ret_start->words[2] = ret_start->text;
    expand_command(arm->command, ret_start->port, ret_start->text, sizeof(ret_start->text));
    return 0;
}
