// SPDX-License-Identifier: MIT
//
// What /proc says of a process and of each of its threads; see proc(5). The tracepoints are in
// costs_calls.c, valgrind in costs_instructions.c.

#include "tools/profile/costs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The number behind a name such as "VmRSS:" at the beginning of a line, or 0.
static uint64_t number_behind(const char *text, const char *name)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, strlen(name)) == 0)
            return strtoull(line + strlen(name), NULL, 10);
    }
    return 0;
}

static int read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    size_t count = fread(text, 1, size - 1, file);
    fclose(file);
    text[count] = '\0';
    return count > 0 ? 0 : -ESRCH;
}

// A thread that ended since the directory was read is none of ours any more.
static void add_thread(pid_t pid, const char *thread, struct costs_process *process)
{
    char path[300], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid, thread);
    if (read_text(path, text, sizeof(text)) < 0)
        return;
    // The first line is the thread's name: iou-wrk-PID works for the ring, iou-sqp-PID polls it.
    if (strncmp(text, "Name:\tiou-wrk", 13) == 0 || strncmp(text, "Name:\tiou-sqp", 13) == 0)
        process->kernel_worker_count++;
    else
        process->thread_count++;
    process->voluntary_switches += number_behind(text, "voluntary_ctxt_switches:");
    process->involuntary_switches += number_behind(text, "nonvoluntary_ctxt_switches:");
}

int costs_process(pid_t pid, struct costs_process *ret_process)
{
    struct costs_process process = {.thread_count = 0};
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    int result = read_text(path, text, sizeof(text));
    if (result < 0)
        return result;
    process.rss_bytes = number_behind(text, "VmRSS:") * 1024;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return -errno;
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] != '.')
            add_thread(pid, entry->d_name, &process);
    }
    closedir(threads);
    *ret_process = process;
    return 0;
}
