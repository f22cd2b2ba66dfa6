// SPDX-License-Identifier: MIT
//
// The command line of every tool: one table of long options says what is accepted, what it is
// called in
// `--help`, what it is when it is left out, and where its value goes. This unit knows how such a
// table is read; it knows no tool and no option but `--help` and `--version`, which every tool has.
// The tools' main functions call it, once, before they do anything else.

#ifndef CEDE_TOOLS_OPTIONS_H
#define CEDE_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_VERSION "0.1.0"

// Exit statuses of the tools: done, something failed while running, the command line was refused.
enum { OPTIONS_EXIT_DONE = 0, OPTIONS_EXIT_FAILED = 1, OPTIONS_EXIT_USAGE = 2 };

// One option. Exactly one of the pointers from `flag` on is set, and says what kind of value it
// takes.
struct options_entry {
    const char *long_name; // without the dashes
    char short_name;       // 0: there is none
    const char *argument;  // what `--help` calls the value, such as "N"; NULL for a flag
    const char *help;      // one sentence, lower case; a line break in it is kept
    const char *initial;   // the default, as a user would type it; NULL stores nothing
    bool *flag;            // set to true when the option is there
    const char **text;     // the value as it stands in argv
    uint64_t *count;       // "300", "64k" (1000 each), "2m"
    uint64_t *bytes;       // "300", "64k" (1024 each), "2m"
    int64_t *duration_ns;  // "500ms", "2s", "1.5m"; units ns us ms s m h; a bare number is seconds
    uint64_t
        minimum; // of a number, in the unit in which it is stored; both bounds are legal values
    uint64_t maximum;
};

// A tool: its name in messages, how it is called, what it does in one sentence, its options, and
// text that closes the help (examples), or NULL.
struct options_program {
    const char *name;
    const char *usage; // behind the name in the first line of the help; NULL: "[options]"
    const char *summary;
    const char *closing;
    const struct options_entry *entries;
    size_t entry_count;
};

// Store the defaults, then what the command line says; of an option given twice the last one
// counts. Understood are `--name value`, `--name=value`, `-c64`, `-c 64` and joined flags such as
// `-qv`. True: go on. False: the tool must end with *ret_exit_status, because the help or the
// version was printed (on stdout) or because something was refused (one line on stderr).
bool options_parse(const struct options_program *program, int argc, char *const argv[],
                   int *ret_exit_status);

// Refuse a value that this unit let pass, in the same form and on stderr: `tool: --option value:
// reason`. Returns OPTIONS_EXIT_USAGE, for the caller to end with.
int options_refuse(const struct options_program *program, const char *long_name, const char *value,
                   const char *reason);

// Print what `--help` prints.
void options_print_help(const struct options_program *program, FILE *stream);

// Read a whole text as a number, scaled by the suffix k (thousand) or m (thousand * thousand).
// -EINVAL: it is not one; -ERANGE: it does not fit. *ret is untouched then.
int options_number(const char *text, uint64_t thousand, uint64_t *ret);

// Read a whole text as a duration. Errors as for options_number.
int options_duration(const char *text, int64_t *ret_ns);

// True if escape sequences may be written to this stream: it is a terminal that understands them
// and the user did not set NO_COLOR (no-color.org: any value that is not empty).
bool options_colors_welcome(FILE *stream);

#endif
