// SPDX-License-Identifier: MIT
//
// The table of arms, and the list that a user types. A new arm is a row of the table; nothing else
// here or elsewhere changes.

#include "tools/profile/arms.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/profile/loopback.h"
#include "tools/profile/runfiles.h"

#define PEER(name) "tools/profile/peers/" name

static const struct arm_program programs[] = {
    {.name = "select", .path = PEER("cede"), .backend = "select", .has_http = true},
    {.name = "epoll", .path = PEER("cede"), .backend = "epoll", .has_http = true},
    {.name = "io_uring", .path = PEER("cede"), .backend = "io_uring", .has_http = true},
    {.name = "raw-epoll", .path = PEER("raw_epoll"), .reference = true, .has_http = true},
    {.name = "raw-uring", .path = PEER("raw_uring")},
    {.name = "libuv", .path = PEER("libuv"), .is_peer = true},
    {.name = "libevent", .path = PEER("libevent"), .is_peer = true},
    {.name = "libev", .path = PEER("libev"), .is_peer = true},
    {.name = "asio", .path = PEER("asio"), .is_peer = true},
    {.name = "go", .path = PEER("go_net"), .is_peer = true},
};
enum { PROGRAM_COUNT = sizeof(programs) / sizeof(programs[0]) };

static const char exec_prefix[] = "exec:";
static const char everything[] = "all";

static const char *const mode_names[SERVER_MODE_COUNT] = {"echo", "rr", "fan-out", "compute",
                                                          "http"};

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

// The table, as far as it is meant by no list (without the peers) or by "all".
static size_t take_table(struct arm *arms, bool with_peers)
{
    size_t count = 0;
    for (size_t index = 0; index < PROGRAM_COUNT; index++) {
        const struct arm_program *program = &programs[index];
        if (program->is_peer && !with_peers)
            continue;
        memset(&arms[count], 0, sizeof(arms[count]));
        arms[count].program = program;
        snprintf(arms[count].name, sizeof(arms[count].name), "%s", program->name);
        count++;
    }
    return count;
}

int arms_parse(const char *list, struct arm arms[ARMS_LIMIT], size_t *ret_count, char *reason,
               size_t reason_bytes)
{
    size_t count = 0;
    if (list == NULL || strcmp(list, everything) == 0) {
        *ret_count = take_table(arms, list != NULL);
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

__attribute__((format(printf, 3, 4))) static int refuse(struct arm_start *start, int error,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(start->reason, sizeof(start->reason), format, arguments);
    va_end(arguments);
    return error;
}

// Adds an option and its value to the words. The casts say that execve(2) takes words which it does
// not change.
static void add_words(struct arm_start *start, size_t *count, const char *option, const char *value)
{
    start->words[(*count)++] = (char *)(uintptr_t)option;
    start->words[(*count)++] = (char *)(uintptr_t)value;
}

static const char *write_number(struct arm_start *start, size_t place, size_t number)
{
    snprintf(start->numbers[place], sizeof(start->numbers[place]), "%zu", number);
    return start->numbers[place];
}

static int prepare_program(const struct arm *arm, struct arm_start *start)
{
    const struct arm_program *program = arm->program;
    const struct server_needs *needs = &arm->needs;
    size_t count = 1;
    if (needs->mode == SERVER_HTTP && !program->has_http)
        return refuse(start, -ENOTSUP, "cannot do %s", mode_names[needs->mode]);
    int result = runfiles_find(program->path, start->text, sizeof(start->text));
    if (result < 0)
        return refuse(start, result, "%s is nowhere", program->path);
    start->words[0] = start->text;
    if (program->backend != NULL)
        add_words(start, &count, "--backend", program->backend);
    if (needs->unix_path != NULL)
        add_words(start, &count, "--unix", needs->unix_path);
    else
        add_words(start, &count, "--port", "0");
    // Echo is what a server does unasked, which keeps the shortest command line the common one.
    if (needs->mode != SERVER_ECHO)
        add_words(start, &count, "--mode", mode_names[needs->mode]);
    if (needs->mode == SERVER_RR || needs->mode == SERVER_FAN_OUT)
        add_words(start, &count, "--request", write_number(start, 0, needs->request_bytes));
    if (needs->mode == SERVER_RR)
        add_words(start, &count, "--reply", write_number(start, 1, needs->reply_bytes));
    if (needs->mode == SERVER_COMPUTE)
        add_words(start, &count, "--compute-us", write_number(start, 2, needs->compute_us));
    return 0;
}

// A command is trusted to do what the workload needs: the gate will tell. Only the words for a unix
// path are missing.
static int prepare_command(const struct arm *arm, struct arm_start *start)
{
    static const char shell[] = "/bin/sh", shell_option[] = "-c";
    size_t count = 0;
    if (arm->needs.unix_path != NULL)
        return refuse(start, -ENOTSUP, "%s arms serve TCP only", "exec:");
    if (strstr(arm->command, "{port}") != NULL) {
        int port = loopback_free_port();
        if (port < 0)
            return refuse(start, port, "no free port: %s", strerror(-port));
        start->port = (uint16_t)port;
    }
    add_words(start, &count, shell, shell_option);
    start->words[count] = start->text;
    expand_command(arm->command, start->port, start->text, sizeof(start->text));
    return 0;
}

int arms_prepare(const struct arm *arm, struct arm_start *ret_start)
{
    memset(ret_start, 0, sizeof(*ret_start));
    return arm->program != NULL ? prepare_program(arm, ret_start) : prepare_command(arm, ret_start);
}
