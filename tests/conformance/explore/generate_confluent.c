// SPDX-License-Identifier: MIT
//
// A confluent program.

#include "tests/conformance/explore/generate_classes.h"
#include "tests/conformance/explore/generate_draft.h"

void generate_confluent(uint64_t random, struct program *ret_program)
{
    struct draft draft;
    draft_begin(random, ret_program, &draft);
    unsigned first = draft_object(&draft, OBJECT_PAIR, 0);
    draft_tasks(&draft, 2);
    draft_add(&draft, 0, draft_transfer(STEP_SEND_ALL, first, 100));
    draft_add(&draft, 1, draft_transfer(STEP_RECV_EXACT, first + 1, 100));
    draft_finish(&draft);
}
