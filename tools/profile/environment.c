// SPDX-License-Identifier: MIT
//
// Each line of this is a file of the kernel or a system call; none of them is needed, so none of
// them fails.

#include "tools/profile/environment.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

// Up to the first line break, without blanks before it.
static void keep_line(const char *text, char *kept, size_t size)
{
    text += strspn(text, " \t:");
    snprintf(kept, size, "%.*s", (int)strcspn(text, "\n"), text);
}

static void read_line(const char *path, char *line, size_t size)
{
    char text[RESULT_TEXT_BYTES] = "";
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return;
    if (fgets(text, sizeof(text), stream) != NULL)
        keep_line(text, line, size);
    fclose(stream);
}

// x86 names the model and shows a flag in a virtual machine; other machines do neither.
static void read_processor(struct result_environment *environment)
{
    FILE *stream = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t size = 0;
    if (stream == NULL)
        return;
    while (getline(&line, &size, stream) >= 0) {
        size_t name = strcspn(line, "\t:");
        if (strncmp(line, "model name", name) == 0)
            keep_line(line + name, environment->cpu_model, sizeof(environment->cpu_model));
        if (strncmp(line, "flags", name) == 0) {
            strcpy(environment->virtualisation,
                   strstr(line, " hypervisor") != NULL ? "hypervisor" : "none");
            break;
        }
    }
    free(line);
    fclose(stream);
}

// The commit of the tree in which `bazel run` was called, or else of the working directory.
static void read_git(char *commit, size_t size)
{
    char output[RESULT_NAME_BYTES] = "";
    FILE *stream = popen("git -C \"${BUILD_WORKING_DIRECTORY:-.}\" rev-parse --short=12 HEAD "
                         "2>/dev/null",
                         "re");
    if (stream == NULL)
        return;
    if (fgets(output, sizeof(output), stream) != NULL)
        keep_line(output, commit, size);
    pclose(stream);
}

void environment_read(struct result_environment *ret_environment)
{
    struct utsname system;
    struct rlimit limit;
    char line[RESULT_TEXT_BYTES] = "";
    time_t now = time(NULL);
    struct tm utc;

    if (uname(&system) == 0) {
        snprintf(ret_environment->system, sizeof(ret_environment->system), "%s", system.sysname);
        snprintf(ret_environment->kernel, sizeof(ret_environment->kernel), "%s", system.release);
        snprintf(ret_environment->machine, sizeof(ret_environment->machine), "%s", system.machine);
    }
    ret_environment->processors = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(ret_environment->compiler, sizeof(ret_environment->compiler), "%s", __VERSION__);
    if (gmtime_r(&now, &utc) != NULL)
        strftime(ret_environment->date, sizeof(ret_environment->date), "%Y-%m-%dT%H:%M:%SZ", &utc);
    read_processor(ret_environment);
    if (getloadavg(&ret_environment->load_average, 1) != 1)
        ret_environment->load_average = NAN;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        ret_environment->descriptor_limit = (int64_t)limit.rlim_cur;
    read_line("/proc/sys/net/core/somaxconn", line, sizeof(line));
    if (line[0] != '\0')
        ret_environment->somaxconn = strtoll(line, NULL, 10);
    read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource",
              ret_environment->clock_source, sizeof(ret_environment->clock_source));
    read_git(ret_environment->git, sizeof(ret_environment->git));
}
