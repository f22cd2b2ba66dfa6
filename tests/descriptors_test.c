// SPDX-License-Identifier: MIT
//
// The claims of engine/descriptors.h.

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/descriptors.h"
#include "tests/child.h"

#define SLOT_COUNT 100

static int open_table(void **state)
{
    static struct cede_descriptors table;
    *state = &table;
    return cede_descriptors_open(SLOT_COUNT, &table);
}

static int close_table(void **state)
{
    cede_descriptors_close(*state);
    return 0;
}

static void test_descriptors_table_ends_at_its_count(void **state)
{
    const struct cede_descriptors *table = *state;
    assert_null(cede_descriptors_at(table, -1));
    assert_null(cede_descriptors_at(table, SLOT_COUNT));
    assert_ptr_equal(cede_descriptors_at(table, 0), &table->slots[0]);
    assert_ptr_equal(cede_descriptors_at(table, SLOT_COUNT - 1), &table->slots[SLOT_COUNT - 1]);
}

static void test_descriptors_of_a_million_cost_nothing_until_used(void **state)
{
    struct cede_descriptors table;
    (void)state;
    assert_int_equal(cede_descriptors_open(1 << 20, &table), 0);
    struct cede_descriptor *last = cede_descriptors_at(&table, (1 << 20) - 1);
    assert_int_equal(last->generation, 0);
    assert_false(last->is_known);
    cede_descriptors_close(&table);
    assert_null(cede_descriptors_at(&table, 0));
}

// What a table learns of a descriptor, which is then closed.
static struct cede_descriptor learn_and_close(const struct cede_descriptors *table, int fd)
{
    assert_in_range(fd, 0, SLOT_COUNT - 1);
    struct cede_descriptor *slot = cede_descriptors_at(table, fd);
    assert_int_equal(cede_descriptors_learn(slot, fd), 0);
    struct cede_descriptor learnt = *slot;
    cede_descriptors_retire(slot);
    assert_int_equal(close(fd), 0);
    return learnt;
}

// S3, S24.
static void test_descriptors_learn_the_directions_and_the_mode(void **state)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    struct cede_descriptor recv_end = learn_and_close(*state, fds[0]);
    struct cede_descriptor send_end = learn_and_close(*state, fds[1]);
    struct cede_descriptor both = learn_and_close(*state, socket(AF_UNIX, SOCK_STREAM, 0));
    struct cede_descriptor name = learn_and_close(*state, open("/", O_PATH));
    assert_true(recv_end.may[CEDE_RECV] && !recv_end.may[CEDE_SEND] && recv_end.is_nonblocking);
    assert_true(!send_end.may[CEDE_RECV] && send_end.may[CEDE_SEND] && send_end.is_nonblocking);
    assert_true(both.may[CEDE_RECV] && both.may[CEDE_SEND] && !both.is_nonblocking);
    assert_true(!name.may[CEDE_RECV] && !name.may[CEDE_SEND]);
}

// S3.
static void test_descriptors_learn_nothing_of_the_closed(void **state)
{
    int fd = dup(STDERR_FILENO);
    assert_int_equal(close(fd), 0);
    struct cede_descriptor *slot = cede_descriptors_at(*state, fd);
    assert_int_equal(cede_descriptors_learn(slot, fd), -EBADF);
    assert_false(slot->is_known);
}

// S3.
static void test_descriptors_learn_once_in_a_generation(void **state)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct cede_descriptor *slot = cede_descriptors_at(*state, fd);
    assert_int_equal(cede_descriptors_learn(slot, fd), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(cede_descriptors_learn(slot, fd), 0);
    assert_false(slot->is_nonblocking);
    cede_descriptors_retire(slot);
    assert_int_equal(cede_descriptors_learn(slot, fd), 0);
    assert_true(slot->is_nonblocking);
    assert_int_equal(close(fd), 0);
}

// S7.
static void test_descriptors_forget_everything_with_a_generation(void **state)
{
    struct cede_descriptor *slot = cede_descriptors_at(*state, 7);
    slot->vain_wakes[CEDE_SEND] = 5;
    slot->is_drained = true;
    slot->is_known = true;
    uint32_t generation = slot->generation;
    cede_descriptors_retire(slot);
    assert_int_equal(slot->generation, generation + 1);
    assert_int_equal(slot->vain_wakes[CEDE_SEND], 0);
    assert_false(slot->is_drained);
    assert_false(slot->is_known);
}

// S6.
static void test_descriptors_see_in_debug_builds_that_a_number_names_another_file(void **state)
{
#ifdef NDEBUG
    (void)state;
    printf("skipped: this build does not compare files\n");
    skip();
#else
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct cede_descriptor *slot = cede_descriptors_at(*state, fd);
    assert_int_equal(cede_descriptors_learn(slot, fd), 0);
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(dup2(other, fd), fd);
    assert_int_equal(cede_descriptors_learn(slot, fd), -ESTALE);
    assert_int_equal(close(fd), 0);
    assert_int_equal(cede_descriptors_learn(slot, fd), -ESTALE);
    assert_int_equal(close(other), 0);
#endif
}

static void retire_under_a_waiter(void *argument)
{
    struct cede_operation op;
    cede_operation_prepare(&op, CEDE_VERB_RECV, 3);
    struct cede_descriptor *slot = cede_descriptors_at(argument, 3);
    slot->waiting[CEDE_RECV] = &op;
    cede_descriptors_retire(slot);
}

static void test_descriptors_are_not_retired_under_a_waiter(void **state)
{
    struct child_end end;
    child_run(retire_under_a_waiter, *state, 0, &end);
    assert_int_equal(end.signal, SIGABRT);
    assert_non_null(strstr(end.text, "check failed"));
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, open_table, close_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_descriptors_table_ends_at_its_count),
        cmocka_unit_test(test_descriptors_of_a_million_cost_nothing_until_used),
        TABLE_TEST(test_descriptors_learn_the_directions_and_the_mode),
        TABLE_TEST(test_descriptors_learn_nothing_of_the_closed),
        TABLE_TEST(test_descriptors_learn_once_in_a_generation),
        TABLE_TEST(test_descriptors_forget_everything_with_a_generation),
        TABLE_TEST(test_descriptors_see_in_debug_builds_that_a_number_names_another_file),
        TABLE_TEST(test_descriptors_are_not_retired_under_a_waiter),
    };
    return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
