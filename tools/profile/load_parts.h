// SPDX-License-Identifier: MIT
//
// What the files of the load generator share. load.c opens and closes, and runs a window;
// load_pace.c decides when an operation begins and writes down how long it took; load_wire.c
// carries bytes. Nobody else includes this.
//
// Operations stand in lanes. A lane is a row of operations whose requests go out on one connection,
// the sender, one behind the other. Usually each connection is a lane of its own; in a broadcast
// there is one lane, and its replies come on every connection, each of which has its own place in
// the row.
//
//     lane:     ended_count <= sent_count <= begun_count <= ended_count + depth
//     receiver: ended_count <= received_count <= begun_count

#ifndef CEDE_TOOLS_PROFILE_LOAD_PARTS_H
#define CEDE_TOOLS_PROFILE_LOAD_PARTS_H

#include "tools/profile/load.h"

enum { LOAD_RECV_BYTES = 65536 };

struct load_operation {
    struct exchange exchange;
    int64_t planned_ns; // closed loop: as sent_ns
    int64_t ready_ns;   // when it could have been sent: the plan said so, and there was room
    int64_t sent_ns;    // when the first byte was handed to the kernel
    size_t due_count;   // connections on which the reply is not complete
};

struct load_connection {
    int fd;              // or -1
    uint32_t open_count; // how often it was connected
    bool watches_output;
    bool is_ending; // the reply is complete and our direction closed; the server's is not yet
    struct load_lane *lane;
    uint64_t received_count; // complete replies
    size_t received_bytes;   // of the one behind them
};

struct load_lane {
    struct load_connection *sender;
    struct load_operation *operations; // a ring
    uint64_t begun_count;
    uint64_t stamped_count; // have their sent_ns
    uint64_t sent_count;    // requests that were handed over whole
    size_t sent_bytes;      // of the one behind them
    uint64_t ended_count;
    bool has_more; // to send, and stands in the list of such lanes
};

struct load {
    struct load_plan plan;
    const struct workload *workload;
    size_t depth;
    size_t ring_mask;  // the rings have a power of two of places
    size_t busy_limit; // closed loop: so many operations are under way
    int epoll_fd;
    struct load_connection *connections;
    size_t connection_count;
    size_t receiver_count; // of each lane
    struct load_lane *lanes;
    size_t lane_count;
    struct load_operation *operations; // of all lanes
    struct load_lane **free_lanes; // a ring: those that have room for an operation, and may get one
    size_t free_first;
    size_t free_count;
    struct load_lane **sending_lanes;
    size_t sending_count;
    bool is_greeted;
    struct statistics_random random;

    // Of the window that is running.
    struct load_histograms histograms;
    struct load_window window;
    struct arrivals arrivals;
    size_t next_arrival;
    int64_t start_ns;
    int64_t end_ns;
    int64_t give_up_ns; // open loop: nothing is begun after this
    bool takes_no_more; // operations: time is up
    size_t under_way;   // operations that began and did not end
    size_t stamped;     // of these: have their sent_ns
    int64_t changed_ns; // when `stamped` did
    int64_t heard_ns;   // when the server last gave a sign of life, or was last idle
    int64_t room_ns;    // when a lane last became free while there was none
    int64_t in_vain_ns; // time of polls that found nothing
    char failure[200];
    unsigned char received[LOAD_RECV_BYTES];
};

// Begin what is due at this moment, without handing it over.
void load_pace_begin(struct load *load, int64_t now_ns);

// Begin one operation on this lane, out of turn.
void load_pace_begin_on(struct load *load, struct load_lane *lane, int64_t now_ns);

// The request of every operation of the lane that is not stamped leaves now.
void load_pace_stamp(struct load *load, struct load_lane *lane, int64_t now_ns);

// So many operations of this lane ended.
void load_pace_end(struct load *load, struct load_lane *lane, size_t count, int64_t now_ns);

// Let this lane have operations.
void load_pace_add_free(struct load *load, struct load_lane *lane);

// Connect, and watch for input. 0 or -errno.
int load_wire_open(struct load *load, struct load_connection *connection);

// Hand over as much as fits of what began on this lane. 0, or an error with the failure written.
int load_wire_send(struct load *load, struct load_lane *lane);

// Take what came, once, and look at every byte. How many operations of the lane that ended, or an
// error with the failure written.
int load_wire_recv(struct load *load, struct load_connection *connection);

// Write the failure and return the error.
int load_wire_fail(struct load *load, const struct load_connection *connection, int error,
                   const char *what);

static inline struct load_operation *
load_operation_at(const struct load *load, const struct load_lane *lane, uint64_t number)
{
    return &lane->operations[number & load->ring_mask];
}

#endif
