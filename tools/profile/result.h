// SPDX-License-Identifier: MIT
//
// What a run of the profiler has found, and nothing that is derived from it: the in-memory form of
// a result file (schema "profile-result/1", see docs/profiling.md and profile-result.schema.json).
// An experiment fills one, or result_read does; summary.h, report.h, compare.h and the page work on
// it alone and cannot tell the two apart. It knows no servers, no sockets and no clock.
//
// What is not known is RESULT_UNKNOWN (integers), NAN (fractions), "" (text) or NULL (histograms);
// in the file it is null. Times are nanoseconds.

#ifndef CEDE_TOOLS_PROFILE_RESULT_H
#define CEDE_TOOLS_PROFILE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/profile/histogram.h"

#define RESULT_SCHEMA "profile-result/1"

// No arm.
#define RESULT_NONE SIZE_MAX

enum {
    RESULT_UNKNOWN = -1,
    RESULT_ARM_LIMIT = 16,
    RESULT_NAME_BYTES = 40,
    RESULT_TEXT_BYTES = 256,
    RESULT_COMMAND_BYTES = 1024,
    RESULT_REASON_LIMIT = 8,
};

// The machine, and the moment.
struct result_environment {
    char system[RESULT_TEXT_BYTES];
    char kernel[RESULT_TEXT_BYTES];
    char machine[RESULT_TEXT_BYTES];
    int64_t processors;
    char compiler[RESULT_TEXT_BYTES]; // of the profiler
    char date[RESULT_NAME_BYTES];     // ISO 8601, UTC, when the run began
    char cpu_model[RESULT_TEXT_BYTES];
    char virtualisation[RESULT_NAME_BYTES]; // "hypervisor" or "none"
    double load_average;                    // of the last minute, when the run began
    int64_t descriptor_limit;
    int64_t somaxconn;
    char clock_source[RESULT_NAME_BYTES];
    char git[RESULT_NAME_BYTES]; // the commit of the tree from which it was started
};

// What was asked for.
struct result_plan {
    char verb[RESULT_NAME_BYTES]; // run, sweep or capacity
    char workload[RESULT_NAME_BYTES];
    bool is_open_loop;
    double rate;                      // operations a second, open loop
    char arrivals[RESULT_NAME_BYTES]; // poisson or uniform, open loop
    int64_t connections;
    int64_t message_bytes;
    int64_t depth;   // operations under way on a connection
    bool is_unix;    // unix sockets, not TCP
    bool is_polling; // the client never sleeps
    int64_t window_ns;
    int64_t warmup_ns;
    int64_t blocks_planned;
    char pin[RESULT_TEXT_BYTES]; // as a sentence's part
    int64_t server_cpu;          // -1: any
    int64_t client_cpu;
    double precision; // wanted half width of the intervals, 0.02 for 2 %
    int64_t budget_ns;
    int64_t slo_ns; // capacity: the p99 to keep
    double
        generator_per_s; // operations a second that the client would do for a server without cost
};

// So many values that are not above `end_ns`, and above the end of the bucket before.
struct result_bucket {
    uint64_t end_ns;
    uint64_t count;
};

// One window of one arm: what the client counted and what the server used meanwhile.
struct result_window {
    bool is_complete; // false: the arm has no window in this block, nothing else is set
    bool is_valid;    // false: a gate failed; it is kept, and left out of every statement
    char invalid[RESULT_TEXT_BYTES]; // which gate, and what was seen
    int64_t place;                   // in the order of its block
    int64_t start_ns;                // since the experiment began
    int64_t elapsed_ns;
    int64_t operation_count;
    int64_t reply_bytes;
    int64_t cpu_ns;  // of the server, all its threads; exact
    int64_t user_ns; // in ticks: good for shares over many windows
    int64_t kernel_ns;
    int64_t client_cpu_ns;  // of the load generator
    int64_t client_work_ns; // of this, without polls that found nothing
    int64_t busy_ns;        // integral over time of the operations under way
    int64_t service_ns;     // sum over the operations of the time from send to reply
    int64_t steal_ns;       // taken from this machine's processors by others, all together
    int64_t lag_p50_ns;     // how late the client sent, open loop
    int64_t lag_p99_ns;
    int64_t unsent_count;       // planned operations that were given up, open loop
    int64_t voluntary_switches; // of the server
    int64_t involuntary_switches;
    int64_t p50_ns;
    int64_t p99_ns;
    int64_t maximum_ns;
    struct result_bucket *latency; // ascending, owned
    size_t latency_count;
};

struct result_arm {
    char name[RESULT_NAME_BYTES];
    char program[RESULT_TEXT_BYTES];    // of this workspace, or
    char command[RESULT_COMMAND_BYTES]; // of anybody
    char failure[RESULT_TEXT_BYTES];    // why it is in no table; "" for one that was timed
    char version[RESULT_TEXT_BYTES];
    char backend[RESULT_NAME_BYTES]; // the one that it actually used
    char limited_by[RESULT_TEXT_BYTES];
    char reasons[RESULT_REASON_LIMIT][RESULT_TEXT_BYTES]; // why it is not to be ranked
    size_t reason_count;                                  // 0: it is valid
    bool uses_invalid;   // most of its windows failed a gate: its values are those of all of them
    int64_t rest_ns;     // how long it was left in peace between windows, in all
    int64_t rest_cpu_ns; // what it used meanwhile: next to nothing, or it disturbs the others
    int64_t rss_bytes;
    int64_t threads;
    int64_t kernel_workers;
    double idle_bytes_per_connection;
    double context_switches_per_operation;
    double syscalls_per_operation;
    double events_per_wait;
    double instructions_per_operation;
    char costs_note[RESULT_TEXT_BYTES]; // why some of these are not known
    double headroom;                    // what the client could do, over what it was asked to do
    int64_t warmup_ns;                  // load that was dropped until its rate had no slope
    double warmup_slope;                // of the rate then, in percent a second
    struct histogram *service;          // open loop: from the send; NULL otherwise; owned
};

// A point of a sweep or a step of the search for a capacity.
struct result_point {
    size_t arm;
    double rate; // that was asked for, or NAN
    int64_t connections;
    double achieved_per_s;
    int64_t p50_ns;
    int64_t p99_ns;
    int64_t p999_ns;
    double cpu_ns_per_operation;
    bool is_valid;
};

struct result {
    char version[RESULT_NAME_BYTES]; // of the tool
    char **words;                    // the command line; owned, as is each
    size_t word_count;
    int64_t seed;
    struct result_environment environment;
    struct result_plan plan;
    struct result_arm arms[RESULT_ARM_LIMIT];
    size_t arm_count;
    size_t reference;              // the arm with which all are compared, or RESULT_NONE
    struct result_window *windows; // see result_window_at; owned
    size_t block_count;            // complete ones
    struct result_point *curve;    // owned
    size_t curve_count;
};

// A result in which nothing is known.
void result_init(struct result *result);

// Free what it owns, and make it as result_init does.
void result_destroy(struct result *result);

// Copy the command line, `words` up to a NULL. 0 or -ENOMEM.
int result_set_words(struct result *result, char *const words[]);

// One more block, in which no arm has a window yet. arm_count must be final. 0 or -ENOMEM, and
// nothing has changed.
int result_add_block(struct result *result);

// Drop the last block.
void result_drop_block(struct result *result);

// The window of this arm in this block.
struct result_window *result_window_at(const struct result *result, size_t block, size_t arm);

// Store the counts of a histogram in a window, in place of those it has. 0 or -ENOMEM.
int result_set_latency(struct result_window *window, const struct histogram *latency);

// Add a window's counts to a histogram: afterwards percentiles can be had of any set of windows.
void result_merge_latency(const struct result_window *window, struct histogram *into);

// Add a point to the curve. 0 or -ENOMEM.
int result_add_point(struct result *result, const struct result_point *point);

// True if the point, one of a search for a capacity, kept what was promised: the rate was achieved,
// and the 99th percentile is known and not above the plan's.
bool result_keeps(const struct result *result, const struct result_point *point);

// Write the document. 0; -ENOMEM; or -EIO, and the document is incomplete.
int result_write(const struct result *result, FILE *stream);

// Read a document. What result_write makes of it has the same bytes, if result_write wrote it.
// 0; -ENOMEM; -EINVAL: it is not one of ours or is damaged; or the error of a read. `reason`, a
// sentence without a full stop, then says what is wrong and where, and *ret_result is untouched.
int result_read(FILE *stream, struct result *ret_result, char *reason, size_t reason_bytes);

#endif
