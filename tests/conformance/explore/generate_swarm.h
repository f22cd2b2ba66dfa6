// SPDX-License-Identifier: MIT
//
// Random programs are put together from fragments: a few steps of one or more tasks that make
// something happen, such as a transfer whose two ends meet or a waiter under which a socket is
// closed. A swarm is what one program uses of all that: which fragments, steps and sizes, and how
// often. Fragments do not know of each other and get into each other's way, which is the point.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_SWARM_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_SWARM_H

#include "tests/conformance/explore/generate_draft.h"

enum fragment {
    FRAGMENT_CHAIN,    // Some operations on one object.
    FRAGMENT_EXCHANGE, // One sends, another receives.
    FRAGMENT_LARGE,    // The same with more than the kernel holds.
    FRAGMENT_RESCUE,   // One gets stuck, another gets it out.
    FRAGMENT_CONNECT,  // Accept and connect, and then a transfer.
    FRAGMENT_REUSE,    // A number is closed and given out again in one tick.
    FRAGMENT_TWO,      // Two waiters.
    FRAGMENT_SHUTDOWN, // One direction or both end, under waiters or not.
    FRAGMENT_STEAL,    // A raw call takes what another waits for.
    FRAGMENT_SCOPE,    // Operations in scopes.
    FRAGMENT_TASKS,    // Spawn, join, cancel; also wrong ones.
    FRAGMENT_TIME,     // Sleeps and pauses.
    FRAGMENT_WAKEUP,   // Wakeups, when there are any.
    FRAGMENT_OUTSIDE,  // Stimuli.
    FRAGMENT_HANG_UP,  // An end is closed, the other goes on.
    FRAGMENT_WAITS,    // Wait after wait, answered at once, later, or by a hang-up.
    FRAGMENT_BACKLOG,  // More connections than there is room for.
    FRAGMENT_COUNT,
};

struct swarm {
    struct draft draft;
    uint8_t fragments[FRAGMENT_COUNT]; // Weights.
    uint8_t steps[STEP_KIND_COUNT];    // Weights of those with a descriptor.
    uint8_t sizes[8];                  // Weights of small_bytes.
    uint8_t deadline_percent;
    uint8_t late_percent; // How often something is put off a bit.
    uint8_t home_percent; // How often a direction of an object is left to the task at home there.
    uint8_t first_object; // The objects of choice, and how often they are chosen.
    uint8_t first_percent;
    uint32_t large_bytes; // That may still be sent in one go, in all.
    bool is_cancelled[PROGRAM_TASKS_MAX]; // Whatever else it asks for is refused.
    bool is_closed[PROGRAM_OBJECTS_MAX];  // Likewise, whoever asks; also an empty slot.
};

// --- Choosing -----------------------------------------------------------------------------------

// A task, rarely one that is cancelled; and one that is `not`.
unsigned swarm_task(struct swarm *swarm);
unsigned swarm_other_task(struct swarm *swarm, unsigned not);

// A task for something with an object; often the same for the same direction, so that not all of
// them get in each other's way.
unsigned swarm_task_for(struct swarm *swarm, unsigned object, bool is_sending);

// An object, or one for which `is_wanted` says so, rarely one that is closed; PROGRAM_OBJECTS_MAX
// if there is none.
unsigned swarm_object(struct swarm *swarm);
unsigned swarm_object_like(struct swarm *swarm,
                           bool (*is_wanted)(const struct swarm *swarm, unsigned object));
bool swarm_is_end(const struct swarm *swarm, unsigned object); // One of two.
bool swarm_is_listener(const struct swarm *swarm, unsigned object);
bool swarm_is_slot(const struct swarm *swarm, unsigned object);

unsigned swarm_small_bytes(struct swarm *swarm);

// More than the kernel holds, or nearly.
unsigned swarm_large_bytes(struct swarm *swarm, unsigned object);

// Whether it is too soon for what leaves little to do after it: a close, a cancellation. Of what
// comes to that in the first half of a program only some is not.
bool swarm_is_too_soon(struct swarm *swarm);

// How one receives from such an object, or sends; mostly what works there.
struct step swarm_receive(struct swarm *swarm, unsigned object, unsigned bytes);
struct step swarm_send(struct swarm *swarm, unsigned object, unsigned bytes);

// A step with a descriptor, of any kind, for such an object.
struct step swarm_any(struct swarm *swarm, unsigned object);

// --- Inventing ----------------------------------------------------------------------------------

// Adds a step, with a deadline as often as this program likes.
void swarm_add(struct swarm *swarm, unsigned task, struct step step);

// Has a task cancel another, unless it is too soon.
void swarm_cancel(struct swarm *swarm, unsigned task, unsigned other);

// Lets a task be late, or not.
void swarm_delay(struct swarm *swarm, unsigned task);

// Gives the object something to receive: from a task that is not `not`, or from outside.
void swarm_feed(struct swarm *swarm, unsigned object, unsigned not);

// Takes what the object has sent: likewise.
void swarm_drain(struct swarm *swarm, unsigned object, unsigned not);

// The outside closes what only it has, or shuts it down.
void swarm_end_outside(struct swarm *swarm, unsigned object);

#endif
