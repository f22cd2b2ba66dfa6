// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/load.h about time, open loops above all, and of
// tools/profile/headroom.h. Where time is in a claim, it is compared with the plan or with other
// recorded times, never with what a fast machine would do.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/profile/clock.h"
#include "tools/profile/headroom.h"
#include "tools/profile/load.h"
#include "tools/profile/runfiles.h"
#include "tools/profile/server.h"

#define RATE_PER_S 1000.0
#define STALL_NS (200 * CLOCK_NS_PER_MS)
#define STALL_WINDOW_NS (2 * CLOCK_NS_PER_SECOND)

enum { SEED = 7 };

static struct server server;
static char reason[320];
static struct histogram latency, service, lag;
static volatile sig_atomic_t stop;
static struct workload_choice choice;

static void start_server(const char *workload)
{
    char path[4096];
    assert_int_equal(workload_choose(workload, 64, &choice, reason, sizeof(reason)), 0);
    assert_int_equal(runfiles_find("tests/profile_faulty_server", path, sizeof(path)), 0);
    char *words[] = {path, (char *)(uintptr_t) "none", (char *)(uintptr_t) "0", NULL};
    assert_int_equal(server_start(words, 0, -1, false, reason, sizeof(reason), &server), 0);
}

static struct load_plan plan_of(enum load_loop loop, size_t connection_count, size_t depth)
{
    return (struct load_plan){
        .workload = &choice,
        .address = {.port = server.port},
        .connection_count = connection_count,
        .depth = depth,
        .loop = loop,
        .rate_per_s = RATE_PER_S,
        .arrivals = LOAD_UNIFORM,
        .seed = SEED,
        .stop = &stop,
    };
}

static struct load_window run(struct load_plan plan, int64_t duration_ns)
{
    const struct load_histograms histograms = {&latency, &service, &lag};
    struct load_window window;
    struct load *load;
    histogram_clear(&latency);
    histogram_clear(&service);
    histogram_clear(&lag);
    assert_int_equal(choice.workload->open(&choice, 1, &plan.state), 0);
    assert_int_equal(load_open(&plan, &load), 0);
    int result = load_run(load, duration_ns, &histograms, &window);
    if (result != 0)
        fail_msg("%s", load_failure(load));
    load_close(load);
    choice.workload->close(plan.state);
    return window;
}

// How many recorded values lie surely above this one.
static uint64_t count_above(const struct histogram *histogram, uint64_t value)
{
    uint64_t count = 0;
    for (size_t index = 1; index < HISTOGRAM_BUCKET_COUNT; index++) {
        if (histogram_bucket_end(index - 1) >= value)
            count += histogram->counts[index];
    }
    return count;
}

static struct arrivals arrivals_of(enum load_arrivals kind, double rate_per_s, int64_t duration_ns,
                                   uint64_t seed)
{
    struct statistics_random random;
    struct arrivals arrivals;
    statistics_seed(&random, seed);
    assert_int_equal(arrivals_plan(kind, rate_per_s, duration_ns, &random, &arrivals), 0);
    return arrivals;
}

static void test_load_in_an_open_loop_keeps_its_plan(void **state)
{
    (void)state;
    static const double shares[] = {0.1, 0.5, 0.9, 0.99, 1};
    const int64_t duration_ns = CLOCK_NS_PER_SECOND / 4;
    start_server("echo");
    struct arrivals arrivals = arrivals_of(LOAD_UNIFORM, RATE_PER_S, duration_ns, SEED);
    for (int polls = 0; polls <= 1; polls++) {
        struct load_plan plan = plan_of(LOAD_OPEN, 4, 2);
        plan.polls = polls;
        struct load_window window = run(plan, duration_ns);
        assert_int_equal(window.planned_count, arrivals.count);
        assert_int_equal(window.operation_count + window.unsent_count, arrivals.count);
        assert_int_equal(latency.total, window.operation_count);
        assert_true(window.elapsed_ns >= arrivals.times_ns[window.operation_count - 1]);
        // No operation leaves before it is due, so none is served longer than it was waited for.
        for (size_t index = 0; index < sizeof(shares) / sizeof(shares[0]); index++)
            assert_true(histogram_percentile(&latency, shares[index]) >=
                        histogram_percentile(&service, shares[index]));
        assert_true(window.work_ns <= window.cpu_ns);
    }
    arrivals_clear(&arrivals);
    server_stop(&server);
}

// Little's law, by two accounts: the integral of how many were under way, and what the histogram
// says of how long they took.
static void assert_accounts_agree(const struct load_window *window)
{
    double least = 0, most = 0;
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) {
        double count = (double)service.counts[index];
        most += count * (double)histogram_bucket_end(index);
        least += index > 0 ? count * (double)histogram_bucket_end(index - 1) : 0;
    }
    assert_true((double)window->busy_ns >= least && (double)window->busy_ns <= most);
}

static void test_load_counts_the_time_under_way_twice_and_alike(void **state)
{
    (void)state;
    static const char *const workloads[] = {"echo", "pipelined:16", "churn", "few-active:20"};
    for (size_t index = 0; index < sizeof(workloads) / sizeof(workloads[0]); index++) {
        start_server(workloads[index]);
        for (int is_open = 0; is_open <= 1; is_open++) {
            enum load_loop loop = is_open ? LOAD_OPEN : LOAD_CLOSED;
            struct load_window window = run(plan_of(loop, 4, 0), CLOCK_NS_PER_SECOND / 20);
            assert_true(window.operation_count > 0);
            assert_accounts_agree(&window);
        }
        server_stop(&server);
    }
}

static void test_load_that_nobody_can_serve_gives_up_what_is_too_late(void **state)
{
    (void)state;
    start_server("compute:1");
    struct load_plan plan = plan_of(LOAD_OPEN, 1, 1);
    // Ten million operations a second are more than any server of one thread does one by one.
    plan.rate_per_s = 1e7;
    struct load_window window = run(plan, 100 * CLOCK_NS_PER_MS);
    assert_true(window.unsent_count > 0);
    assert_true(window.waited_count + 1 >= window.operation_count);
    assert_int_equal(window.operation_count + window.unsent_count, window.planned_count);
    server_stop(&server);
}

// Stops the server once and lets it go on; both moments are exact.
struct stall {
    pthread_t thread;
    int64_t from_ns;
    int64_t until_ns;
};

static void pause_for(int64_t time_ns)
{
    const struct timespec time = {.tv_nsec = time_ns};
    nanosleep(&time, NULL);
}

static void *stall_server(void *argument)
{
    struct stall *stall = argument;
    pause_for(STALL_NS);
    kill(server.pid, SIGSTOP);
    waitpid(server.pid, NULL, WUNTRACED);
    stall->from_ns = clock_now_ns();
    pause_for(STALL_NS);
    stall->until_ns = clock_now_ns();
    kill(server.pid, SIGCONT);
    return NULL;
}

static struct load_window run_with_stall(struct load_plan plan, struct stall *ret_stall)
{
    assert_int_equal(pthread_create(&ret_stall->thread, NULL, stall_server, ret_stall), 0);
    struct load_window window = run(plan, STALL_WINDOW_NS);
    assert_int_equal(pthread_join(ret_stall->thread, NULL), 0);
    return window;
}

// An operation that was planned while the server stood still is not answered before it goes on. So
// the plan says how many operations took longer than any given time, at least.
static uint64_t count_stalled(const struct arrivals *arrivals, const struct stall *stall,
                              const struct load_window *window, int64_t longer_than_ns)
{
    uint64_t count = 0;
    for (size_t index = 0; index < arrivals->count; index++) {
        int64_t planned_ns = window->start_ns + arrivals->times_ns[index];
        count += planned_ns >= stall->from_ns && planned_ns + longer_than_ns <= stall->until_ns;
    }
    return count;
}

// The least that p99 can be: with so many longer ones, more than a hundredth is.
static int64_t least_p99_ns(const struct arrivals *arrivals, const struct stall *stall,
                            const struct load_window *window)
{
    int64_t longer_than_ns = stall->until_ns - stall->from_ns;
    while (longer_than_ns > 0 &&
           count_stalled(arrivals, stall, window, longer_than_ns) * 100 <= arrivals->count + 100)
        longer_than_ns -= CLOCK_NS_PER_MS;
    return longer_than_ns;
}

static void assert_stall_shows(size_t connection_count, enum load_arrivals kind)
{
    struct stall stall;
    struct load_plan plan = plan_of(LOAD_OPEN, connection_count, 1);
    plan.arrivals = kind;
    struct arrivals arrivals = arrivals_of(kind, RATE_PER_S, STALL_WINDOW_NS, SEED);
    struct load_window window = run_with_stall(plan, &stall);
    int64_t expected_ns = least_p99_ns(&arrivals, &stall, &window);
    print_message("p99 %.1f ms, by the plan at least %.1f ms\n",
                  (double)histogram_percentile(&latency, 0.99) / 1e6, (double)expected_ns / 1e6);
    assert_true(expected_ns > STALL_NS / 2);
    assert_int_equal(window.operation_count, arrivals.count);
    assert_true((int64_t)histogram_percentile(&latency, 0.99) >= expected_ns);
    for (int64_t longer_ns = CLOCK_NS_PER_MS; longer_ns < STALL_NS; longer_ns += CLOCK_NS_PER_MS)
        assert_true(count_above(&latency, (uint64_t)longer_ns) >=
                    count_stalled(&arrivals, &stall, &window, longer_ns + longer_ns / 1000));
    // The wait for room on a connection is the server's doing: none of it is called lateness.
    assert_true(window.waited_count + connection_count >=
                count_stalled(&arrivals, &stall, &window, 0));
    assert_true(count_above(&lag, (uint64_t)STALL_NS / 2) <
                count_above(&latency, (uint64_t)STALL_NS / 2));
    arrivals_clear(&arrivals);
}

static void test_stall_shows_in_full_in_an_open_loop(void **state)
{
    (void)state;
    start_server("echo");
    assert_stall_shows(1, LOAD_UNIFORM);
    assert_stall_shows(16, LOAD_POISSON);
    server_stop(&server);
}

static void test_stall_is_one_operation_in_a_closed_loop(void **state)
{
    (void)state;
    struct stall stall;
    start_server("echo");
    struct load_window window = run_with_stall(plan_of(LOAD_CLOSED, 1, 1), &stall);
    // One connection has no time for more operations that long, whatever else the machine does.
    uint64_t limit = (uint64_t)(window.elapsed_ns / (STALL_NS / 2));
    uint64_t count = count_above(&latency, (uint64_t)STALL_NS / 2);
    print_message("%llu of %llu operations saw the stall\n", (unsigned long long)count,
                  (unsigned long long)window.operation_count);
    assert_true(count >= 1 && count <= limit);
    server_stop(&server);
}

static void test_headroom_is_known_for_every_workload(void **state)
{
    (void)state;
    static const char *const workloads[] = {"echo",  "rr:64:1000",   "pipelined:16", "stream",
                                            "churn", "idle:20",      "fan-out",      "compute:10",
                                            "http",  "few-active:20"};
    for (size_t index = 0; index < sizeof(workloads) / sizeof(workloads[0]); index++) {
        double per_s = 0;
        assert_int_equal(workload_choose(workloads[index], 64, &choice, reason, sizeof(reason)), 0);
        const struct load_plan plan = {
            .workload = &choice, .connection_count = 4, .seed = SEED, .stop = &stop};
        assert_int_equal(headroom_measure(&plan, -1, 10 * CLOCK_NS_PER_MS, &per_s), 0);
        print_message("%s: %.0f a second\n", workloads[index], per_s);
        assert_true(per_s > 0);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_headroom_is_known_on_a_unix_socket_and_beside_a_poller(void **state)
{
    (void)state;
    char directory[] = "/tmp/profile-XXXXXX", path[64];
    double per_s = 0;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
    assert_int_equal(workload_choose("echo", 64, &choice, reason, sizeof(reason)), 0);
    struct load_plan plan = {
        .workload = &choice, .address = {.unix_path = path}, .connection_count = 4, .stop = &stop};
    assert_int_equal(headroom_measure(&plan, 0, 10 * CLOCK_NS_PER_MS, &per_s), 0);
    assert_true(per_s > 0);
    plan.polls = true;
    assert_int_equal(headroom_measure(&plan, -1, 10 * CLOCK_NS_PER_MS, &per_s), 0);
    assert_true(per_s > 0);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_in_an_open_loop_keeps_its_plan),
        cmocka_unit_test(test_load_counts_the_time_under_way_twice_and_alike),
        cmocka_unit_test(test_load_that_nobody_can_serve_gives_up_what_is_too_late),
        cmocka_unit_test(test_stall_shows_in_full_in_an_open_loop),
        cmocka_unit_test(test_stall_is_one_operation_in_a_closed_loop),
        cmocka_unit_test(test_headroom_is_known_for_every_workload),
        cmocka_unit_test(test_headroom_is_known_on_a_unix_socket_and_beside_a_poller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
