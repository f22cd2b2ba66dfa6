// SPDX-License-Identifier: MIT
//
// What a task asks for when it suspends: a verb, a descriptor, arguments, a deadline, and room for
// the result. This is the brief's pair (reason, socket) with what it lacked. The engine carries
// operations out, a backend knows how, and neither knows who asked: `owner` is handed back unread.
//
// An operation may live on the stack of the task that it parks: the engine lets go of it before the
// task goes on (S16). Its fields are written by the prepare functions below, and by the engine.

#ifndef CEDE_ENGINE_OPERATION_H
#define CEDE_ENGINE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "engine/sys.h"
#include "engine/timers.h"

// The two words for direction, everywhere from the poller to the command line.
enum cede_direction {
    CEDE_RECV,
    CEDE_SEND,
};

#define CEDE_DIRECTION_COUNT 2

enum cede_verb {
    CEDE_VERB_NONE,

    // Receivers. A bare wait moves no byte: it ends when the descriptor would not block (S1).
    CEDE_VERB_WAIT_RECV,
    CEDE_VERB_RECV,
    CEDE_VERB_RECV_EXACT,
    CEDE_VERB_RECVMSG,
    CEDE_VERB_READ,
    CEDE_VERB_ACCEPT,

    // Senders.
    CEDE_VERB_WAIT_SEND,
    CEDE_VERB_SEND,
    CEDE_VERB_SEND_ALL,
    CEDE_VERB_SENDMSG,
    CEDE_VERB_CONNECT,

    // The end of a descriptor in this engine: with close(2), or without it.
    CEDE_VERB_CLOSE,
    CEDE_VERB_RELEASE,

    // No descriptor: until its own deadline, which is no failure, or a call ends it (sleep, join).
    CEDE_VERB_PARK,
    // No descriptor: until another thread signals the wakeup it names.
    CEDE_VERB_WAKEUP,

    CEDE_VERB_COUNT,
};

// The order in which operations are tried (T2, T3) and their tasks woken (T4), and one class more:
// what other threads woke comes last, in order of arrival.
enum cede_class {
    CEDE_CLASS_RECEIVER = CEDE_RECV,
    CEDE_CLASS_SENDER = CEDE_SEND,
    CEDE_CLASS_CLOSER,
    CEDE_CLASS_PARKED,
    CEDE_CLASS_DEADLINE,
    CEDE_CLASS_WAKEUP,
    CEDE_CLASS_COUNT,
};

// Where an operation is. Only the engine moves it on.
enum cede_operation_state {
    CEDE_PREPARED,  // Not in the engine.
    CEDE_SUBMITTED, // Waits for T2.
    CEDE_PARKED,    // With the backend.
    CEDE_EVICTED,   // Taken back from it, since its descriptor is about to be closed.
    CEDE_RESTING,   // With the engine, for a while: S2's and S19's back-off.
    CEDE_IDLE,      // With the engine: it has no descriptor to attempt.
    CEDE_ENDED,     // Has its result; on the way back to its owner.
};

struct cede_operation {
    struct cede_operation *next; // Of the one list it is on; of no meaning when it is on none.
    struct cede_timer timer;     // In the engine's heap while something will fall due.
    uint64_t ticket;             // Taken at submission; orders everything.
    void *owner;
    int64_t deadline_ns; // The operation's own, absolute; CEDE_NEVER for none.
    int64_t limit_ns;    // The deadline in force: the nearest of its own and its scopes'.
    int64_t result;

    int fd;
    uint32_t generation;    // Of the descriptor when submitted (S7).
    uint32_t backend_index; // The backend's own, while it has the operation.
    uint8_t verb;
    uint8_t state;
    uint8_t class;     // The enum cede_class of its verb,
    uint8_t end_class; // and the one under which it joins T4.
    bool is_begun;     // A connect that is under way.
    bool is_last_tried; // Cancelled before T2: the attempt there is its last try (S15).
    int16_t cut;       // 0, -ECANCELED or -ETIMEDOUT: why it is being cut off.

    union {
        struct {
            void *data;
            size_t bytes;
            size_t progress; // Bytes moved so far; reported also when the operation is cut off.
        } buffer;
        struct {
            const void *data;
            size_t bytes;
            size_t progress; // The same place as above.
        } source;
        struct {
            struct msghdr *header;
            int flags;
        } message;
        struct {
            struct sockaddr *address; // May be NULL.
            socklen_t *bytes;
        } accept;
        struct {
            const struct sockaddr *address;
            socklen_t bytes;
        } connect;
        struct cede_wakeup *wakeup;
    } as;
};

// A list of operations, linked through `next`. All zero is the empty list.
struct cede_operation_list {
    struct cede_operation *first;
    struct cede_operation *last;
    bool is_unsorted; // Some ticket is behind a later one.
};

static inline void cede_operation_append(struct cede_operation_list *list,
                                         struct cede_operation *op)
{
    op->next = NULL;
    if (list->last) {
        list->is_unsorted |= list->last->ticket > op->ticket;
        list->last->next = op;
    } else {
        list->first = op;
    }
    list->last = op;
}

// Goes through a list that is being used up: `op` may be put on another list, or be gone, after
// `next` was read. The list itself must be emptied before or after. What was on it keeps a `next`
// that means nothing any more.
#define CEDE_OPERATIONS_EACH(op, next, start)                                                      \
    for (struct cede_operation *op = (start), *next; op && (next = op->next, true); op = next)

// A list of one that is on no other list.
static inline struct cede_operation_list cede_operation_list_of(struct cede_operation *op)
{
    op->next = NULL;
    return (struct cede_operation_list){.first = op, .last = op};
}

// NULL when the list is empty.
static inline struct cede_operation *cede_operation_take_first(struct cede_operation_list *list)
{
    struct cede_operation *op = list->first;
    if (!op)
        return NULL;
    list->first = op->next;
    if (!list->first)
        *list = (struct cede_operation_list){.first = NULL};
    op->next = NULL;
    return op;
}

// Moves all of `from` behind the end of `list`.
static inline void cede_operation_append_all(struct cede_operation_list *list,
                                             struct cede_operation_list *from)
{
    if (!from->first)
        return;
    list->is_unsorted |= from->is_unsorted;
    if (list->last) {
        list->is_unsorted |= list->last->ticket > from->first->ticket;
        list->last->next = from->first;
    } else {
        list->first = from->first;
    }
    list->last = from->last;
    *from = (struct cede_operation_list){.first = NULL};
}

// Harmless when it is not on the list. O(length).
void cede_operation_remove(struct cede_operation_list *list, struct cede_operation *op);

// Stable merge sorts: by ticket, the order in which operations were submitted, and free when the
// list is in that order; and by any other order, where is_after(a, b) says that a must come after
// b.
void cede_operation_sort_by_ticket(struct cede_operation_list *list);
void cede_operation_sort(struct cede_operation_list *list,
                         bool (*is_after)(const struct cede_operation *,
                                          const struct cede_operation *));

// The class of each verb, and CEDE_CLASS_COUNT for what is none.
extern const uint8_t cede_verb_classes[CEDE_VERB_COUNT];

// The class of a verb; CEDE_CLASS_COUNT for a verb that is not known (S11).
static inline enum cede_class cede_verb_class(enum cede_verb verb)
{
    return (unsigned)verb < CEDE_VERB_COUNT ? (enum cede_class)cede_verb_classes[verb]
                                            : CEDE_CLASS_COUNT;
}

// The verb as users know it: "wait-recv", "send-all"; "unknown" for others. For logs and traces.
const char *cede_verb_name(enum cede_verb verb);

// Whether a descriptor belongs to it, and its direction then.
static inline bool cede_verb_has_direction(enum cede_verb verb, enum cede_direction *ret_direction)
{
    enum cede_class class = cede_verb_class(verb);
    if (class != CEDE_CLASS_RECEIVER && class != CEDE_CLASS_SENDER)
        return false;
    *ret_direction = class == CEDE_CLASS_RECEIVER ? CEDE_RECV : CEDE_SEND;
    return true;
}

// The same for an operation that a backend has: it has a direction.
static inline enum cede_direction cede_operation_direction(const struct cede_operation *op)
{
    return (enum cede_direction)op->class;
}

// Whether it only waits for readiness (S1).
static inline bool cede_operation_is_bare_wait(const struct cede_operation *op)
{
    return op->verb == CEDE_VERB_WAIT_RECV || op->verb == CEDE_VERB_WAIT_SEND;
}

// Whether it takes bytes or descriptors from the kernel or gives it some: what S15 tries once more.
bool cede_verb_moves_data(enum cede_verb verb);

// A fresh operation: everything else zero, no deadline. Never suspends. The prepare functions of
// net/ and tasks/ add the arguments.
static inline void cede_operation_prepare(struct cede_operation *ret_op, enum cede_verb verb,
                                          int fd)
{
    *ret_op = (struct cede_operation){
        .verb = (uint8_t)((unsigned)verb < UINT8_MAX ? verb : UINT8_MAX),
        .fd = fd,
        .deadline_ns = CEDE_NEVER,
        .limit_ns = CEDE_NEVER,
        .timer = {.index = CEDE_TIMER_NOT_SET},
    };
}

#endif
