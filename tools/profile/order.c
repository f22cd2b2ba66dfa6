// SPDX-License-Identifier: MIT
//
// The first row of the design zigzags: 0, 1, n-1, 2, n-2, ... so that the steps from one to the
// next are all different modulo n. Adding 1 to everything gives the next row. After n rows every
// number stood in every place once, and, since the steps are all different, followed every other
// once. For odd n two steps coincide in size, and the mirror image of the n rows makes up for it.

#include "tools/profile/order.h"

#include "tools/profile/statistics.h"

size_t order_cycle(size_t count)
{
    return count % 2 == 0 ? count : 2 * count;
}

static size_t zigzag(size_t place, size_t count)
{
    return place % 2 == 1 ? (place + 1) / 2 : (count - place / 2) % count;
}

void order_of_block(size_t count, size_t block, uint64_t seed, size_t *ret_arms)
{
    size_t row = block % order_cycle(count);
    for (size_t place = 0; place < count; place++) {
        size_t column = row < count ? place : count - 1 - place;
        ret_arms[place] = (zigzag(column, count) + row) % count;
    }

    // Exchange the parts: a permutation of the numbers, the same for all rows of this cycle, keeps
    // the balance. It is drawn by swaps of two numbers, wherever they stand in this row.
    struct statistics_random random;
    statistics_seed(&random,
                    seed ^ (UINT64_C(0x9e3779b97f4a7c15) * (block / order_cycle(count) + 1)));
    for (size_t last = count - 1; last > 0; last--) {
        size_t other = (size_t)statistics_below(&random, last + 1);
        for (size_t place = 0; place < count; place++) {
            if (ret_arms[place] == last)
                ret_arms[place] = other;
            else if (ret_arms[place] == other)
                ret_arms[place] = last;
        }
    }
}
