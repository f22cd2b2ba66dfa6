// SPDX-License-Identifier: MIT
//
// The words of the text form of programs, for those who read and write it (program_parse.c,
// program_print.c): what each kind is called, and what follows its name.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_PROGRAM_WORDS_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_PROGRAM_WORDS_H

#include "tests/conformance/explore/program.h"

#define PROGRAM_HOW_COUNT 3

// `operands` has a letter for each word: S an object with a descriptor, W a wakeup, T a task, N a
// number of bytes, D a time, H a direction of shutdown. Of S, W, T and H the first stands in
// `object`, or in `other` if it is an H; the second in `other`.
struct program_words {
    const char *name;
    const char *operands;
    bool may_have_deadline; // `within TIME` may follow.
};

extern const struct program_words program_step_words[STEP_KIND_COUNT];
extern const struct program_words program_stimulus_words[STIMULUS_KIND_COUNT];

// recv, send, both.
extern const char *const program_how_words[PROGRAM_HOW_COUNT];

// Whether objects of this kind are declared in twos, and whether with a backlog.
bool program_is_double(enum object_kind kind);
bool program_is_listener(enum object_kind kind);

#endif
