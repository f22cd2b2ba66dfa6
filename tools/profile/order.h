// SPDX-License-Identifier: MIT
//
// In which order the arms take their windows, block by block. What one window leaves behind
// (caches, a throttled core, a busy neighbour) touches the next one; so each arm must come equally
// often in each place and equally often after each other arm. This is what E. J. Williams's designs
// do. It knows arms as numbers only; the experiment asks it once a block.

#ifndef CEDE_TOOLS_PROFILE_ORDER_H
#define CEDE_TOOLS_PROFILE_ORDER_H

#include <stddef.h>
#include <stdint.h>

// Blocks after which the order is balanced: `count` of them for an even number of arms, else twice
// that.
size_t order_cycle(size_t count);

// Store the arms 0 ... count-1 in *ret_arms in the order for this block. Which arm plays which part
// in the design is drawn anew for each cycle, from the seed.
void order_of_block(size_t count, size_t block, uint64_t seed, size_t *ret_arms);

#endif
