// SPDX-License-Identifier: MIT
//
// One thread, one turn after another: sleep (or poll) until something happened or the plan has an
// operation, serve what happened, begin what is due, send it.
//
// Before the first window, connections that are to be silent have one exchange, and those of a
// broadcast have one each: a connection that the server did not accept yet costs it nothing, and
// gets no broadcast.

#include "tools/profile/load_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/clock.h"

enum { EVENT_COUNT = 256 };

static int allocate(struct load *load, size_t connection_count)
{
    size_t lane_count = load->workload->is_broadcast ? 1 : connection_count;
    load->connections = calloc(connection_count, sizeof(*load->connections));
    load->lanes = calloc(lane_count, sizeof(*load->lanes));
    load->operations = calloc(lane_count * (load->ring_mask + 1), sizeof(*load->operations));
    load->free_lanes = calloc(lane_count, sizeof(struct load_lane *));
    load->sending_lanes = calloc(lane_count, sizeof(struct load_lane *));
    if (load->connections == NULL || load->lanes == NULL || load->operations == NULL ||
        load->free_lanes == NULL || load->sending_lanes == NULL)
        return -ENOMEM;
    for (size_t index = 0; index < connection_count; index++) {
        load->connections[index].fd = -1;
        load->connections[index].lane = &load->lanes[lane_count == 1 ? 0 : index];
    }
    for (size_t index = 0; index < lane_count; index++) {
        load->lanes[index].sender = &load->connections[index];
        load->lanes[index].operations = &load->operations[index * (load->ring_mask + 1)];
    }
    load->lane_count = lane_count;
    load->connection_count = connection_count;
    load->receiver_count = load->workload->is_broadcast ? connection_count : 1;
    return 0;
}

int load_open(const struct load_plan *plan, struct load **ret_load)
{
    const struct workload_choice *choice = plan->workload;
    struct load *load = calloc(1, sizeof(*load));
    if (load == NULL)
        return -ENOMEM;
    load->plan = *plan;
    load->workload = choice->workload;
    load->depth = choice->depth > 0 ? choice->depth : plan->depth > 0 ? plan->depth : 1;
    while (load->ring_mask + 1 < load->depth)
        load->ring_mask = load->ring_mask * 2 + 1;
    load->busy_limit = plan->connection_count * load->depth;
    statistics_seed(&load->random, plan->seed);
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int result = load->epoll_fd < 0 ? -errno : 0;
    if (result == 0)
        result = allocate(load, workload_open_count(choice, plan->connection_count));
    // The others are connected when they first send.
    bool connects_now = !load->workload->reconnects && !load->workload->is_broadcast;
    for (size_t index = 0; index < load->connection_count && connects_now && result == 0; index++)
        result = load_wire_open(load, &load->connections[index]);
    if (result < 0) {
        load_close(load);
        return result;
    }
    *ret_load = load;
    return 0;
}

void load_close(struct load *load)
{
    if (load == NULL)
        return;
    for (size_t index = 0; index < load->connection_count; index++) {
        if (load->connections[index].fd >= 0)
            close(load->connections[index].fd);
    }
    if (load->epoll_fd >= 0)
        close(load->epoll_fd);
    arrivals_clear(&load->arrivals);
    free(load->connections);
    free(load->lanes);
    free(load->operations);
    free(load->free_lanes);
    free(load->sending_lanes);
    free(load);
}

// Hand over what began, the oldest first, each with the moment at which it is its turn: what the
// ones before it cost is lateness of the generator, and must not pass for time of the server.
static int send_begun(struct load *load)
{
    for (size_t index = 0; index < load->sending_count; index++) {
        struct load_lane *lane = load->sending_lanes[index];
        lane->has_more = false;
        load_pace_stamp(load, lane, clock_now_ns());
        int result = load_wire_send(load, lane);
        if (result < 0)
            return result;
    }
    load->sending_count = 0;
    return 0;
}

// An empty look costs two readings of the clock; it is what a poller does while it has nothing to
// do, and is kept out of its work.
static int poll_events(struct load *load, struct epoll_event *events, int64_t until_ns)
{
    for (;;) {
        int64_t before_ns = clock_now_ns();
        int count = epoll_wait(load->epoll_fd, events, EVENT_COUNT, 0);
        if (count != 0)
            return count;
        int64_t now_ns = clock_now_ns();
        load->in_vain_ns += now_ns - before_ns;
        if (now_ns >= until_ns || *load->plan.stop)
            return 0;
    }
}

static int sleep_for_events(struct load *load, struct epoll_event *events, int64_t until_ns)
{
    int64_t left_ns = until_ns - clock_now_ns();
    left_ns = left_ns > 0 ? left_ns : 0;
    const struct timespec timeout = {.tv_sec = left_ns / CLOCK_NS_PER_SECOND,
                                     .tv_nsec = left_ns % CLOCK_NS_PER_SECOND};
    return epoll_pwait2(load->epoll_fd, events, EVENT_COUNT, &timeout, NULL);
}

// Wait for events, up to a moment and as long as the server may be silent. Their count, 0 at that
// moment or after a signal, or an error.
static int await_events(struct load *load, struct epoll_event *events, int64_t until_ns,
                        const char *what, size_t due_count)
{
    const int64_t patience_ns = load->plan.workload->patience_ns;
    int64_t limit_ns = due_count > 0 ? load->heard_ns + patience_ns : INT64_MAX;
    int64_t wake_ns = until_ns < limit_ns ? until_ns : limit_ns;
    int count = load->plan.polls ? poll_events(load, events, wake_ns)
                                 : sleep_for_events(load, events, wake_ns);
    if (count < 0 && errno != EINTR) {
        int error = errno;
        snprintf(load->failure, sizeof(load->failure), "epoll: %s", strerror(error));
        return -error;
    }
    if (count > 0) {
        load->heard_ns = clock_now_ns();
        return count;
    }
    if (clock_now_ns() < limit_ns)
        return 0;
    snprintf(load->failure, sizeof(load->failure), "no %s for %.3g seconds, %zu are due", what,
             (double)patience_ns / (double)CLOCK_NS_PER_SECOND, due_count);
    return -ETIMEDOUT;
}

static int serve_event(struct load *load, const struct epoll_event *event)
{
    struct load_connection *connection = event->data.ptr;
    struct load_lane *lane = connection->lane;
    if ((event->events & EPOLLOUT) != 0) {
        int result = load_wire_send(load, lane);
        if (result < 0)
            return result;
    }
    if ((event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
        return 0;
    int ended_count = load_wire_recv(load, connection);
    if (ended_count <= 0)
        return ended_count;
    int64_t now_ns = clock_now_ns();
    load_pace_end(load, lane, (size_t)ended_count, now_ns);
    if (now_ns >= load->end_ns && load->plan.loop == LOAD_CLOSED)
        load->takes_no_more = true;
    load_pace_begin(load, now_ns);
    return send_begun(load);
}

// Until when nothing has to be done unless the server says something. With all connections full the
// plan cannot go on before a reply comes, and a reply wakes in any case.
static int64_t next_moment(const struct load *load)
{
    if (load->takes_no_more || load->free_count == 0 || load->next_arrival == load->arrivals.count)
        return INT64_MAX;
    return load->start_ns + load->arrivals.times_ns[load->next_arrival];
}

static int take_turn(struct load *load)
{
    struct epoll_event events[EVENT_COUNT];
    int count = await_events(load, events, next_moment(load), "reply", load->under_way);
    if (count < 0)
        return count;
    if (*load->plan.stop || clock_now_ns() > load->give_up_ns)
        load->takes_no_more = true;
    for (int index = 0; index < count; index++) {
        int result = serve_event(load, &events[index]);
        if (result < 0)
            return result;
    }
    load_pace_begin(load, clock_now_ns());
    return send_begun(load);
}

static bool is_over(const struct load *load)
{
    return load->under_way == 0 &&
           (load->takes_no_more ||
            (load->plan.loop == LOAD_OPEN && load->next_arrival == load->arrivals.count));
}

static int await_replies(struct load *load)
{
    int result = send_begun(load);
    while (result == 0 && load->under_way > 0)
        result = take_turn(load);
    return result;
}

// One after the other, each connection is made and sends a broadcast that comes back to it and to
// those before it. Without this nobody could say which broadcasts a connection will get.
static int greet_everybody(struct load *load)
{
    struct load_lane *lane = &load->lanes[0];
    int result = 0;
    for (size_t index = 0; index < load->connection_count && result == 0; index++) {
        lane->sender = &load->connections[index];
        lane->sender->received_count = lane->begun_count;
        load->receiver_count = index + 1;
        load_pace_begin_on(load, lane, clock_now_ns());
        result = await_replies(load);
    }
    lane->sender = &load->connections[0];
    return result;
}

static int greet(struct load *load)
{
    load->is_greeted = true;
    load->takes_no_more = true;
    if (load->workload->is_broadcast)
        return greet_everybody(load);
    bool has_silent_ones = load->connection_count > load->plan.connection_count;
    for (size_t index = 0; index < load->lane_count && has_silent_ones; index++)
        load_pace_begin_on(load, &load->lanes[index], clock_now_ns());
    return await_replies(load);
}

// Everything is idle: all lanes that take part are free.
static int prepare_window(struct load *load, int64_t duration_ns)
{
    size_t taking_part =
        load->workload->changes_places ? load->lane_count : load->plan.connection_count;
    load->free_first = 0;
    load->free_count = 0;
    for (size_t index = 0; index < taking_part && index < load->lane_count; index++)
        load_pace_add_free(load, &load->lanes[index]);
    load->window = (struct load_window){0};
    load->next_arrival = 0;
    load->in_vain_ns = 0;
    load->takes_no_more = false;
    arrivals_clear(&load->arrivals);
    if (load->plan.loop == LOAD_CLOSED)
        return 0;
    int result = arrivals_plan(load->plan.arrivals, load->plan.rate_per_s, duration_ns,
                               &load->random, &load->arrivals);
    load->window.planned_count = load->arrivals.count;
    return result;
}

static int64_t thread_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * CLOCK_NS_PER_SECOND + used.tv_nsec;
}

static int run_window(struct load *load, int64_t duration_ns)
{
    int64_t cpu_ns = thread_cpu_ns();
    load->start_ns = clock_now_ns();
    load->end_ns = load->start_ns + duration_ns;
    // A plan that is late by its own length, or by a second if it is short, is beyond the server.
    load->give_up_ns =
        load->end_ns + (duration_ns > CLOCK_NS_PER_SECOND ? duration_ns : CLOCK_NS_PER_SECOND);
    load->changed_ns = load->start_ns;
    load->room_ns = load->start_ns;
    load_pace_begin(load, load->start_ns);
    int result = send_begun(load);
    while (result == 0 && !is_over(load))
        result = take_turn(load);
    struct load_window *window = &load->window;
    window->start_ns = load->start_ns;
    window->elapsed_ns = clock_now_ns() - load->start_ns;
    window->cpu_ns = thread_cpu_ns() - cpu_ns;
    // Time in vain is measured on the wall, where a poller that the kernel interrupts loses time
    // which it did not use: its share of the wall is taken for its share of the processor time.
    window->work_ns =
        (int64_t)((double)window->cpu_ns * (double)(window->elapsed_ns - load->in_vain_ns) /
                  (double)window->elapsed_ns);
    window->unsent_count = load->arrivals.count - load->next_arrival;
    return result;
}

int load_run(struct load *load, int64_t duration_ns, const struct load_histograms *histograms,
             struct load_window *ret_window)
{
    load->histograms = (struct load_histograms){0};
    int result = load->is_greeted ? 0 : greet(load);
    if (result == 0)
        result = prepare_window(load, duration_ns);
    if (result < 0)
        return result;
    // Unasked, the kernel may let a sleeper wait 50 us longer than it wants; 0 is back to that.
    bool needs_punctuality = load->plan.loop == LOAD_OPEN && !load->plan.polls;
    if (needs_punctuality)
        prctl(PR_SET_TIMERSLACK, 1);
    load->histograms = *histograms;
    result = run_window(load, duration_ns);
    if (needs_punctuality)
        prctl(PR_SET_TIMERSLACK, 0);
    if (result == 0)
        *ret_window = load->window;
    return result;
}

// 1: the server closed its direction too, and the connection is gone; 0: not yet.
static int end_connection(struct load *load, struct load_connection *connection)
{
    ssize_t result = recv(connection->fd, load->received, sizeof(load->received), 0);
    if (result > 0)
        return load_wire_fail(load, connection, -EBADMSG, "bytes after the last reply");
    if (result < 0)
        return errno == EAGAIN || errno == EINTR
                   ? 0
                   : load_wire_fail(load, connection, -errno, strerror(errno));
    close(connection->fd);
    connection->fd = -1;
    return 1;
}

int load_finish(struct load *load)
{
    struct epoll_event events[EVENT_COUNT];
    size_t open_count = 0;
    for (size_t index = 0; index < load->connection_count; index++) {
        struct load_connection *connection = &load->connections[index];
        if (connection->fd < 0)
            continue;
        if (shutdown(connection->fd, SHUT_WR) < 0)
            return load_wire_fail(load, connection, -errno, strerror(errno));
        open_count++;
    }
    load->heard_ns = clock_now_ns();
    while (open_count > 0) {
        int count = await_events(load, events, INT64_MAX, "end of stream", open_count);
        if (count < 0)
            return count;
        for (int index = 0; index < count; index++) {
            int result = end_connection(load, events[index].data.ptr);
            if (result < 0)
                return result;
            open_count -= (size_t)result;
        }
    }
    return 0;
}

double load_window_headroom(const struct load_window *window)
{
    return (double)window->operation_count * (double)CLOCK_NS_PER_SECOND / (double)window->work_ns;
}

const char *load_failure(const struct load *load)
{
    return load->failure;
}
