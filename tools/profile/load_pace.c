// SPDX-License-Identifier: MIT
//
// Lanes with room for an operation stand in a queue, and what is due takes the first of them. In a
// closed loop the lane whose operation ended is usually the only one there and gets the next one.
// In an open loop an operation so goes to whichever connection is free, and if none is, it waits
// for the first that will be: the plan itself is the queue, common to all connections. A queue of
// each connection would hold an operation back behind a slow one while others stand idle, and the
// latency would tell of this choice instead of the server. Users with a pool of connections do the
// same. The wait counts in the latency, which begins at the planned time; it does not count as the
// generator's lateness, since it is the server that has no more room.
//
// `busy_ns` is summed up from how many operations were under way and for how long, on its own
// account and not from the durations: the two must agree (Little's law), or one of them is wrong.

#include "tools/profile/load_parts.h"

static struct load_lane *take_free(struct load *load)
{
    struct load_lane *lane = load->free_lanes[load->free_first];
    load->free_first = load->free_first + 1 == load->lane_count ? 0 : load->free_first + 1;
    load->free_count--;
    return lane;
}

void load_pace_add_free(struct load *load, struct load_lane *lane)
{
    size_t place = load->free_first + load->free_count;
    load->free_lanes[place < load->lane_count ? place : place - load->lane_count] = lane;
    load->free_count++;
}

static struct load_operation *begin(struct load *load, struct load_lane *lane, int64_t planned_ns,
                                    int64_t ready_ns)
{
    struct load_operation *operation = load_operation_at(load, lane, lane->begun_count);
    load->workload->prepare(load->plan.state, (size_t)(lane->sender - load->connections),
                            lane->begun_count, &operation->exchange);
    operation->planned_ns = planned_ns;
    operation->ready_ns = ready_ns;
    operation->due_count = load->receiver_count;
    lane->begun_count++;
    if (load->under_way++ == 0)
        load->heard_ns = ready_ns;
    if (!lane->has_more) {
        lane->has_more = true;
        load->sending_lanes[load->sending_count++] = lane;
    }
    return operation;
}

void load_pace_begin_on(struct load *load, struct load_lane *lane, int64_t now_ns)
{
    begin(load, lane, now_ns, now_ns);
}

static void begin_next(struct load *load, int64_t planned_ns, int64_t ready_ns)
{
    struct load_lane *lane = take_free(load);
    begin(load, lane, planned_ns, ready_ns);
    if (lane->begun_count - lane->ended_count < load->depth)
        load_pace_add_free(load, lane);
}

static void begin_planned(struct load *load, int64_t now_ns)
{
    const struct arrivals *arrivals = &load->arrivals;
    while (load->next_arrival < arrivals->count && load->free_count > 0) {
        int64_t planned_ns = load->start_ns + arrivals->times_ns[load->next_arrival];
        if (planned_ns > now_ns)
            return;
        bool has_waited = planned_ns < load->room_ns;
        load->window.waited_count += has_waited;
        load->next_arrival++;
        begin_next(load, planned_ns, has_waited ? load->room_ns : planned_ns);
    }
}

void load_pace_begin(struct load *load, int64_t now_ns)
{
    if (load->takes_no_more)
        return;
    if (load->plan.loop == LOAD_OPEN) {
        begin_planned(load, now_ns);
        return;
    }
    while (load->under_way < load->busy_limit && load->free_count > 0)
        begin_next(load, now_ns, now_ns);
}

static void account(struct load *load, int64_t now_ns)
{
    load->window.busy_ns += (int64_t)load->stamped * (now_ns - load->changed_ns);
    load->changed_ns = now_ns;
}

void load_pace_stamp(struct load *load, struct load_lane *lane, int64_t now_ns)
{
    account(load, now_ns);
    for (; lane->stamped_count < lane->begun_count; lane->stamped_count++) {
        load_operation_at(load, lane, lane->stamped_count)->sent_ns = now_ns;
        load->stamped++;
    }
}

static void record(struct histogram *histogram, int64_t duration_ns)
{
    if (histogram != NULL)
        histogram_record(histogram, duration_ns > 0 ? (uint64_t)duration_ns : 0);
}

void load_pace_end(struct load *load, struct load_lane *lane, size_t count, int64_t now_ns)
{
    const struct load_histograms *histograms = &load->histograms;
    bool is_open = load->plan.loop == LOAD_OPEN;
    account(load, now_ns);
    bool was_full = lane->begun_count - lane->ended_count == load->depth;
    for (size_t index = 0; index < count; index++, lane->ended_count++) {
        const struct load_operation *operation = load_operation_at(load, lane, lane->ended_count);
        int64_t service_ns = now_ns - operation->sent_ns;
        record(histograms->service, service_ns);
        record(histograms->latency, is_open ? now_ns - operation->planned_ns : service_ns);
        record(histograms->lag, is_open ? operation->sent_ns - operation->ready_ns : 0);
    }
    load->window.operation_count += count;
    load->under_way -= count;
    load->stamped -= count;
    if (!was_full || load->takes_no_more)
        return;
    if (load->free_count == 0)
        load->room_ns = now_ns;
    load_pace_add_free(load, lane);
}
