// SPDX-License-Identifier: MIT
//
// The claims of engine/poller.h, for each poller; and what epoll promises beyond them.

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/epoll.h"
#include "engine/poller.h"
#include "engine/select.h"

#define DESCRIPTOR_COUNT 2000
#define PAIR_COUNT 300

struct fixture {
    const struct cede_poller *poller;
    void *poller_state;
    int pair[2];
    struct cede_ready ready[CEDE_POLLER_CAPACITY(DESCRIPTOR_COUNT)];
};

static struct fixture fixture;

// --- Counting epoll_ctl: the linker's --wrap ----------------------------------------------------

int __real_cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event);
int __wrap_cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event);

static int control_count;

int __wrap_cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event)
{
    control_count++;
    return __real_cede_sys_epoll_control(epoll_fd, change, fd, event);
}

// --- Fixture ------------------------------------------------------------------------------------

static int open_with(const struct cede_poller *poller, void **state)
{
    fixture.poller = poller;
    *state = &fixture;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fixture.pair) < 0)
        return -1;
    return poller->open(DESCRIPTOR_COUNT, &fixture.poller_state);
}

static int open_select(void **state)
{
    return open_with(&cede_select_poller, state);
}

static int open_epoll(void **state)
{
    return open_with(&cede_epoll_poller, state);
}

static int close_poller(void **state)
{
    struct fixture *this = *state;
    this->poller->close(this->poller_state);
    close(this->pair[0]);
    close(this->pair[1]);
    return 0;
}

static void arm(struct fixture *this, int fd, enum cede_direction direction)
{
    this->poller->arm(this->poller_state, fd, direction);
}

// Asks without sleeping.
static int ask(struct fixture *this, int capacity)
{
    return this->poller->wait(this->poller_state, this->ready, capacity, 0);
}

static int ask_for_all(struct fixture *this)
{
    return ask(this, CEDE_POLLER_CAPACITY(DESCRIPTOR_COUNT));
}

static void put(struct fixture *this)
{
    assert_int_equal(write(this->pair[1], "x", 1), 1);
}

static void assert_reports(const struct cede_ready *ready, int fd, enum cede_direction direction,
                           int error)
{
    assert_int_equal(ready->fd, fd);
    assert_int_equal(ready->direction, direction);
    assert_int_equal(ready->error, error);
}

// --- Claims -------------------------------------------------------------------------------------

// S2.
static void test_poller_reports_what_is_armed_and_ready(void **state)
{
    struct fixture *this = *state;
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 0);
    put(this);
    assert_int_equal(ask_for_all(this), 1);
    assert_reports(&this->ready[0], this->pair[0], CEDE_RECV, 0);
}

static void test_poller_reports_nothing_that_was_not_armed(void **state)
{
    struct fixture *this = *state;
    put(this);
    assert_int_equal(ask_for_all(this), 0);
    arm(this, this->pair[0], CEDE_SEND);
    assert_int_equal(ask_for_all(this), 1);
    assert_reports(&this->ready[0], this->pair[0], CEDE_SEND, 0);
}

static void test_poller_report_disarms(void **state)
{
    struct fixture *this = *state;
    put(this);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 1);
    assert_int_equal(ask_for_all(this), 0);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 1);
}

static void test_poller_reports_once_what_was_armed_twice(void **state)
{
    struct fixture *this = *state;
    put(this);
    arm(this, this->pair[0], CEDE_RECV);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 1);
    assert_int_equal(ask_for_all(this), 0);
}

// S5.
static void test_poller_reports_both_directions_of_a_descriptor(void **state)
{
    struct fixture *this = *state;
    put(this);
    arm(this, this->pair[0], CEDE_RECV);
    arm(this, this->pair[0], CEDE_SEND);
    assert_int_equal(ask_for_all(this), 2);
    assert_int_equal(this->ready[0].fd, this->pair[0]);
    assert_int_equal(this->ready[1].fd, this->pair[0]);
    assert_int_not_equal(this->ready[0].direction, this->ready[1].direction);
}

static void test_poller_does_not_report_what_was_disarmed(void **state)
{
    struct fixture *this = *state;
    put(this);
    arm(this, this->pair[0], CEDE_RECV);
    arm(this, this->pair[0], CEDE_SEND);
    this->poller->disarm(this->poller_state, this->pair[0], CEDE_RECV);
    this->poller->disarm(this->poller_state, this->pair[1], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 1);
    assert_reports(&this->ready[0], this->pair[0], CEDE_SEND, 0);
}

static void test_poller_disarms_what_the_kernel_knows_already(void **state)
{
    struct fixture *this = *state;
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 0);
    this->poller->disarm(this->poller_state, this->pair[0], CEDE_RECV);
    put(this);
    assert_int_equal(ask_for_all(this), 0);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 1);
}

// S6.
static void test_poller_forgets_a_descriptor_whose_file_lives_on(void **state)
{
    struct fixture *this = *state;
    int duplicate = dup(this->pair[0]);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 0);
    this->poller->forget(this->poller_state, this->pair[0]);
    put(this);
    assert_int_equal(ask_for_all(this), 0);
    // Neither does the next file of that number inherit anything.
    assert_int_equal(dup2(this->pair[1], this->pair[0]), this->pair[0]);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 0);
    assert_int_equal(close(duplicate), 0);
}

static void test_poller_reports_later_what_did_not_fit(void **state)
{
    struct fixture *this = *state;
    int pairs[PAIR_COUNT][2];
    bool is_reported[DESCRIPTOR_COUNT] = {false};
    for (int i = 0; i < PAIR_COUNT; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        arm(this, pairs[i][0], CEDE_SEND);
    }
    for (int left = PAIR_COUNT; left > 0;) {
        int count = ask(this, 20);
        assert_in_range(count, 1, 20);
        for (int i = 0; i < count; i++) {
            assert_false(is_reported[this->ready[i].fd]);
            is_reported[this->ready[i].fd] = true;
        }
        left -= count;
    }
    assert_int_equal(ask(this, 20), 0);
    for (int i = 0; i < PAIR_COUNT; i++) {
        assert_true(is_reported[pairs[i][0]]);
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
}

// S6.
static void test_poller_reports_with_an_error_what_is_not_open(void **state)
{
    struct fixture *this = *state;
    int fd = dup(this->pair[0]);
    assert_int_equal(close(fd), 0);
    arm(this, fd, CEDE_RECV);
    arm(this, this->pair[0], CEDE_SEND);
    int count = ask_for_all(this);
    // What is open may come in the same answer or in the next.
    count += this->poller->wait(this->poller_state, this->ready + count, 2, 0);
    assert_int_equal(count, 2);
    int closed = this->ready[0].fd == fd ? 0 : 1;
    assert_reports(&this->ready[closed], fd, CEDE_RECV, -EBADF);
    assert_reports(&this->ready[1 - closed], this->pair[0], CEDE_SEND, 0);
}

// S13.
static void test_poller_waits_for_its_time_and_not_less(void **state)
{
    struct fixture *this = *state;
    arm(this, this->pair[0], CEDE_RECV);
    int64_t start_ns = cede_sys_now_ns();
    assert_int_equal(this->poller->wait(this->poller_state, this->ready, 2, 1500000), 0);
    assert_true(cede_sys_now_ns() - start_ns >= 1500000);
}

// T3.
static void test_poller_with_something_ready_does_not_sleep(void **state)
{
    struct fixture *this = *state;
    put(this);
    arm(this, this->pair[0], CEDE_RECV);
    int count = this->poller->wait(this->poller_state, this->ready, 2, CEDE_NEVER);
    assert_int_equal(count, 1);
}

static void test_poller_close_accepts_null(void **state)
{
    struct fixture *this = *state;
    this->poller->close(NULL);
}

// --- epoll --------------------------------------------------------------------------------------

static void test_poller_epoll_asks_the_kernel_nothing_to_arm_again(void **state)
{
    struct fixture *this = *state;
    put(this);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 1);
    control_count = 0;
    for (int i = 0; i < 10; i++) {
        arm(this, this->pair[0], CEDE_RECV);
        assert_int_equal(ask_for_all(this), 1);
    }
    assert_int_equal(control_count, 0);
}

static void test_poller_epoll_takes_back_what_nobody_armed_before_it_sleeps(void **state)
{
    struct fixture *this = *state;
    put(this);
    arm(this, this->pair[0], CEDE_RECV);
    assert_int_equal(ask_for_all(this), 1);
    int64_t start_ns = cede_sys_now_ns();
    control_count = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(this->poller->wait(this->poller_state, this->ready, 2, 500000), 0);
    assert_int_equal(control_count, 1);
    // One of the two was spent on seeing it, the other slept.
    assert_true(cede_sys_now_ns() - start_ns >= 500000);
}

#define ON_SELECT(test) {"select/" #test, test, open_select, close_poller, NULL}
#define ON_EPOLL(test) {"epoll/" #test, test, open_epoll, close_poller, NULL}
#define ON_EACH(test) ON_SELECT(test), ON_EPOLL(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(test_poller_reports_what_is_armed_and_ready),
        ON_EACH(test_poller_reports_nothing_that_was_not_armed),
        ON_EACH(test_poller_report_disarms),
        ON_EACH(test_poller_reports_once_what_was_armed_twice),
        ON_EACH(test_poller_reports_both_directions_of_a_descriptor),
        ON_EACH(test_poller_does_not_report_what_was_disarmed),
        ON_EACH(test_poller_disarms_what_the_kernel_knows_already),
        ON_EACH(test_poller_forgets_a_descriptor_whose_file_lives_on),
        ON_EACH(test_poller_reports_later_what_did_not_fit),
        ON_EACH(test_poller_reports_with_an_error_what_is_not_open),
        ON_EACH(test_poller_waits_for_its_time_and_not_less),
        ON_EACH(test_poller_with_something_ready_does_not_sleep),
        ON_EACH(test_poller_close_accepts_null),
        ON_EPOLL(test_poller_epoll_asks_the_kernel_nothing_to_arm_again),
        ON_EPOLL(test_poller_epoll_takes_back_what_nobody_armed_before_it_sleeps),
    };
    return cmocka_run_group_tests_name("poller", tests, NULL, NULL);
}
