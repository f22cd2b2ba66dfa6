// SPDX-License-Identifier: MIT
//
// The fragments, one function each (generate_swarm.h says what they are about). Called by
// generate_random.c alone.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_FRAGMENTS_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_FRAGMENTS_H

#include "tests/conformance/explore/generate_swarm.h"

// Of one object and its other end.
void fragment_chain(struct swarm *swarm);
void fragment_exchange(struct swarm *swarm);
void fragment_large(struct swarm *swarm);
void fragment_rescue(struct swarm *swarm);
void fragment_two(struct swarm *swarm);
void fragment_shutdown(struct swarm *swarm);
void fragment_steal(struct swarm *swarm);
void fragment_hang_up(struct swarm *swarm);
void fragment_waits(struct swarm *swarm);

// Of listeners, of tasks and of time.
void fragment_connect(struct swarm *swarm);
void fragment_reuse(struct swarm *swarm);
void fragment_backlog(struct swarm *swarm);
void fragment_scope(struct swarm *swarm);
void fragment_tasks(struct swarm *swarm);
void fragment_time(struct swarm *swarm);
void fragment_wakeup(struct swarm *swarm);
void fragment_outside(struct swarm *swarm);

// What a whole program is made for: very many operations that end in one tick, and very many
// resumptions in one.
void fragment_crowd(struct swarm *swarm);
void fragment_long_turn(struct swarm *swarm);

#endif
