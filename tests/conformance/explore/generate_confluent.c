// SPDX-License-Identifier: MIT
//
// A confluent program: a dataflow. Every direction of a connection is a flow with one task that
// sends and one that receives. Events are invented in one order, and each gives a step to each of
// its two tasks at most. Whatever the schedule, the earliest event that is not over can go on: its
// tasks have done all that is earlier, so both are at it. So nobody is ever stuck, and what goes
// through a flow is what was invented.

#include "tests/conformance/explore/generate_classes.h"
#include "tests/conformance/explore/generate_draft.h"

#define FLOWS_MAX (2 * PROGRAM_OBJECTS_MAX)
#define LISTENERS_MAX 2

// No event takes more steps, spawns included.
#define EVENT_STEPS 14

// What one call sends whole, or not at all.
#define WHOLE_BYTES 1000

struct flow {
    uint8_t from; // Objects,
    uint8_t to;
    uint8_t sender; // and tasks.
    uint8_t receiver;
    bool is_over;
};

struct listener {
    uint8_t object;
    uint8_t acceptor;
    uint8_t connector;
    uint8_t next_slot; // Two for each connection that is still to be made.
    uint8_t slots_end;
};

struct weave {
    struct draft draft;
    struct flow flows[FLOWS_MAX];
    unsigned flow_count;
    struct listener listeners[LISTENERS_MAX];
    unsigned listener_count;
    bool is_joined[PROGRAM_TASKS_MAX]; // What it does is over.
    uint32_t large_bytes;
};

static uint8_t draw_task(struct weave *weave)
{
    return (uint8_t)draft_below(&weave->draft, weave->draft.program->task_count);
}

static void add_flow(struct weave *weave, unsigned from, unsigned to, uint8_t sender,
                     uint8_t receiver)
{
    weave->flows[weave->flow_count++] = (struct flow){
        .from = (uint8_t)from, .to = (uint8_t)to, .sender = sender, .receiver = receiver};
}

// Each end with a task of its own for each direction, or with one for both.
static void declare_connection(struct weave *weave, enum object_kind kind)
{
    struct draft *draft = &weave->draft;
    unsigned first = draft_object(draft, kind, 0);
    uint8_t tasks[2] = {draw_task(weave), 0};
    tasks[1] = (uint8_t)draft_other_task(draft, tasks[0]);
    bool is_shared = draft_chance(draft, 60);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t sender = is_shared ? tasks[i] : draw_task(weave);
        uint8_t receiver = is_shared ? tasks[1 - i] : (uint8_t)draft_other_task(draft, sender);
        add_flow(weave, first + i, first + 1 - i, sender, receiver);
    }
}

static void declare_listener(struct weave *weave)
{
    struct draft *draft = &weave->draft;
    unsigned connections = 1 + draft_below(draft, 3);
    enum object_kind kind = draft_chance(draft, 50) ? OBJECT_UNIX_LISTENER : OBJECT_TCP_LISTENER;
    // Never full: to wait for a full one takes real time.
    unsigned object = draft_object(draft, kind, (uint8_t)(2 * connections));
    unsigned first = object + 1;
    for (unsigned i = 0; i < 2 * connections; i++)
        draft_object(draft, OBJECT_SLOT, 0);
    uint8_t acceptor = draw_task(weave);
    weave->listeners[weave->listener_count++] = (struct listener){
        .object = (uint8_t)object,
        .acceptor = acceptor,
        .connector = (uint8_t)draft_other_task(draft, acceptor),
        .next_slot = (uint8_t)first,
        .slots_end = (uint8_t)(first + 2 * connections),
    };
}

static void declare(struct weave *weave)
{
    static const uint8_t kinds[] = {OBJECT_PAIR, OBJECT_PAIR,       OBJECT_SMALL_PAIR,
                                    OBJECT_TCP,  OBJECT_SMALL_PAIR, OBJECT_DATAGRAMS};
    struct draft *draft = &weave->draft;
    unsigned size = draft_below(draft, 100);
    draft_tasks(draft, size < 85   ? 2 + draft_below(draft, 5)
                       : size < 97 ? 7 + draft_below(draft, 8)
                                   : 15 + draft_below(draft, 18));
    unsigned connections = 1 + draft_below(draft, size < 85 ? 4 : 9);
    for (unsigned i = 0; i < connections; i++)
        declare_connection(weave, (enum object_kind)kinds[draft_below(draft, sizeof kinds)]);
    while (weave->listener_count < LISTENERS_MAX && draft->program->object_count + 7 < 30 &&
           draft_chance(draft, 30))
        declare_listener(weave);
}

// --- Events -------------------------------------------------------------------------------------

static bool can_go_on(const struct weave *weave, const struct flow *flow)
{
    return !flow->is_over && !weave->is_joined[flow->sender] && !weave->is_joined[flow->receiver];
}

// The spawns come before either of an event's steps, which may wait for the other.
static void spawn_both(struct weave *weave, uint8_t one, uint8_t other)
{
    draft_spawn(&weave->draft, one);
    draft_spawn(&weave->draft, other);
}

static unsigned draw_bytes(struct weave *weave, const struct flow *flow)
{
    static const uint32_t sizes[] = {1, 2, 5, 16, 100, 100, 500, 1000, 4000, 4000};
    static const uint32_t large[] = {9000, 70000, 240000, 400000};
    struct draft *draft = &weave->draft;
    uint32_t bytes = sizes[draft_below(draft, sizeof sizes / sizeof sizes[0])];
    if (draft_is_for_large(draft, flow->from) && draft_chance(draft, 12))
        bytes = large[draft_below(draft, 4)];
    if (bytes > weave->large_bytes)
        bytes = 1;
    weave->large_bytes -= bytes;
    return bytes < draft->budgets[flow->from] ? bytes : draft->budgets[flow->from];
}

static void send_datagram(struct weave *weave, const struct flow *flow, unsigned bytes)
{
    struct draft *draft = &weave->draft;
    static const uint8_t sends[] = {STEP_SEND, STEP_SENDMSG, STEP_SEND_ALL};
    static const uint8_t receives[] = {STEP_RECV, STEP_RECVMSG, STEP_READ};
    enum step_kind send = (enum step_kind)sends[draft_below(draft, sizeof sends)];
    enum step_kind receive = (enum step_kind)receives[draft_below(draft, sizeof receives)];
    draft_add(draft, flow->sender, draft_transfer(send, flow->from, bytes));
    draft_add(draft, flow->receiver,
              draft_transfer(receive, flow->to, bytes + draft_below(draft, 20)));
}

// Up to three pieces, of which each side has its own.
static void transfer(struct weave *weave, const struct flow *flow)
{
    struct draft *draft = &weave->draft;
    unsigned bytes = draw_bytes(weave, flow);
    if (bytes == 0)
        return;
    spawn_both(weave, flow->sender, flow->receiver);
    if (draft_kind(draft, flow->from) == OBJECT_DATAGRAMS) {
        send_datagram(weave, flow, bytes);
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        unsigned pieces = 1 + draft_below(draft, 3);
        unsigned left = bytes;
        for (unsigned i = 1; i <= pieces && (left > 0 || draft_chance(draft, 20)); i++) {
            unsigned piece = i == pieces ? left : draft_below(draft, left + 1);
            left -= piece;
            enum step_kind kind = side == 1 ? STEP_RECV_EXACT : STEP_SEND_ALL;
            if (side == 0 && piece <= WHOLE_BYTES && draft_chance(draft, 30))
                kind = draft_chance(draft, 50) ? STEP_SEND : STEP_SENDMSG;
            draft_add(draft, side == 1 ? flow->receiver : flow->sender,
                      draft_transfer(kind, side == 1 ? flow->to : flow->from, piece));
        }
    }
}

// The last event of a flow; what ends may be closed when that was its last flow.
static void end_flow(struct weave *weave, struct flow *flow)
{
    static const uint8_t receives[] = {STEP_RECV, STEP_RECV_EXACT, STEP_RECVMSG, STEP_READ};
    struct draft *draft = &weave->draft;
    if (draft_kind(draft, flow->from) == OBJECT_DATAGRAMS)
        return;
    flow->is_over = true;
    spawn_both(weave, flow->sender, flow->receiver);
    draft_add(draft, flow->sender, draft_of_two(STEP_SHUTDOWN, flow->from, 1));
    enum step_kind receive = (enum step_kind)receives[draft_below(draft, sizeof receives)];
    draft_add(draft, flow->receiver,
              draft_transfer(receive, flow->to, 1 + draft_below(draft, 100)));
    for (unsigned i = 0; i < weave->flow_count; i++) {
        const struct flow *back = &weave->flows[i];
        if (back->from != flow->to || back->to != flow->from || !back->is_over)
            continue;
        // Both tasks have done all they will with the end that they share, if they do.
        if (flow->receiver == back->sender && draft_chance(draft, 70))
            draft_add(draft, flow->receiver, draft_step(STEP_CLOSE, flow->to));
        if (flow->sender == back->receiver && draft_chance(draft, 70))
            draft_add(draft, flow->sender, draft_step(STEP_CLOSE, flow->from));
    }
}

static void connect_next(struct weave *weave, struct listener *listener)
{
    struct draft *draft = &weave->draft;
    if (listener->next_slot == listener->slots_end || weave->is_joined[listener->acceptor] ||
        weave->is_joined[listener->connector])
        return;
    unsigned client = listener->next_slot;
    unsigned server = client + 1;
    listener->next_slot = (uint8_t)(client + 2);
    spawn_both(weave, listener->connector, listener->acceptor);
    draft_add(draft, listener->connector, draft_of_two(STEP_CONNECT, client, listener->object));
    draft_add(draft, listener->acceptor, draft_of_two(STEP_ACCEPT, listener->object, server));
    add_flow(weave, client, server, listener->connector, listener->acceptor);
    add_flow(weave, server, client, listener->acceptor, listener->connector);
}

// By its spawner, since whoever else joins a task may be there first. Nothing of the joined task
// may come after this.
static void join(struct weave *weave, uint8_t task)
{
    struct draft *draft = &weave->draft;
    uint8_t joiner = draft->spawners[task];
    if (task == 0 || !draft->is_spawned[task] || weave->is_joined[joiner] || weave->is_joined[task])
        return;
    draft_add(draft, joiner, draft_step(STEP_JOIN, task));
    weave->is_joined[task] = true;
}

static void pass_time(struct weave *weave, uint8_t task)
{
    struct draft *draft = &weave->draft;
    if (weave->is_joined[task])
        return;
    if (draft_chance(draft, 50))
        draft_add(draft, task, draft_step(STEP_PAUSE, 0));
    else
        draft_add(draft, task, draft_timed(STEP_SLEEP, draft_below(draft, 30) * 1000));
}

static void invent(struct weave *weave)
{
    struct draft *draft = &weave->draft;
    unsigned kind = draft_below(draft, 100);
    struct flow *flow = &weave->flows[draft_below(draft, weave->flow_count)];
    if (kind < 12 && weave->listener_count > 0)
        connect_next(weave, &weave->listeners[draft_below(draft, weave->listener_count)]);
    else if (kind < 20)
        pass_time(weave, draw_task(weave));
    else if (kind < 22)
        join(weave, draw_task(weave));
    else if (kind < 28 && can_go_on(weave, flow))
        end_flow(weave, flow);
    else if (can_go_on(weave, flow))
        transfer(weave, flow);
}

void generate_confluent(uint64_t random, struct program *ret_program)
{
    struct weave weave;
    struct draft *draft = &weave.draft;
    draft_begin(random, ret_program, draft);
    weave.flow_count = 0;
    weave.listener_count = 0;
    weave.large_bytes = 1000000;
    for (unsigned i = 0; i < PROGRAM_TASKS_MAX; i++)
        weave.is_joined[i] = false;
    declare(&weave);
    unsigned events = draft_chance(draft, 90) ? 4 + draft_below(draft, 20)
                                              : 24 + draft_below(draft, 60);
    for (unsigned i = 0; i < events && draft->step_count + EVENT_STEPS < PROGRAM_STEPS_MAX; i++)
        invent(&weave);
    if (draft_chance(draft, 70)) {
        for (unsigned i = 0; i < weave.flow_count; i++) {
            if (can_go_on(&weave, &weave.flows[i]) &&
                draft->step_count + EVENT_STEPS < PROGRAM_STEPS_MAX)
                end_flow(&weave, &weave.flows[i]);
        }
    }
    bool joins = draft_chance(draft, 60);
    for (uint8_t i = 1; joins && i < ret_program->task_count; i++)
        if (draft->step_count + EVENT_STEPS < PROGRAM_STEPS_MAX)
            join(&weave, i);
    draft_finish(draft);
}
