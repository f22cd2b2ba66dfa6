// SPDX-License-Identifier: MIT
//
// The claims of engine/uring_ring.h about opening, on kernels that know less than this one.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/uring_ring.h"
#include "tests/uring/fake_ring.h"

static int reset(void **state)
{
    (void)state;
    fake_ring_reset();
    return 0;
}

// Opens on a kernel that does not know these flags: which flags are in force.
static void assert_flags_without(unsigned unknown_flags, const char *expected)
{
    struct cede_uring_ring ring;
    char text[128];
    fake_ring_reset();
    fake_ring.unknown_flags = unknown_flags;
    assert_int_equal(cede_uring_ring_open(false, &ring), 0);
    cede_uring_ring_describe(&ring, text, sizeof text);
    assert_string_equal(text, expected);
    cede_uring_ring_close(&ring);
    assert_int_equal(fake_ring.held_count, 0);
}

static void test_uring_drops_the_newest_flags_first(void **state)
{
    unsigned unknown = 0;
    (void)state;
    assert_flags_without(unknown, "single-issuer defer-taskrun taskrun-flag submit-all");
    unknown |= IORING_SETUP_DEFER_TASKRUN;
    assert_flags_without(unknown, "coop-taskrun taskrun-flag submit-all");
    unknown |= IORING_SETUP_SINGLE_ISSUER;
    assert_flags_without(unknown, "coop-taskrun taskrun-flag submit-all");
    unknown |= IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    assert_flags_without(unknown, "submit-all");
    unknown |= IORING_SETUP_SUBMIT_ALL;
    assert_flags_without(unknown, "");
}

static void test_uring_takes_no_other_error_for_flags_that_are_not_known(void **state)
{
    struct cede_uring_ring ring;
    (void)state;
    fake_ring.affordable_entries = 1;
    assert_int_equal(cede_uring_ring_open(false, &ring), -ENOMEM);
    for (unsigned i = 1; i < fake_ring.tried_count; i++)
        assert_int_equal(fake_ring.tried[i].flags, fake_ring.tried[0].flags);
}

static void test_uring_is_missing_where_strict_mode_gets_no_deferred_completions(void **state)
{
    struct cede_uring_ring ring;
    (void)state;
    fake_ring.unknown_flags = IORING_SETUP_DEFER_TASKRUN;
    assert_int_equal(cede_uring_ring_open(true, &ring), -ENOSYS);
    assert_int_equal(fake_ring.tried_count, 1);
}

static void test_uring_is_missing_where_no_flags_help(void **state)
{
    struct cede_uring_ring ring;
    (void)state;
    fake_ring.unknown_flags = IORING_SETUP_R_DISABLED;
    assert_int_equal(cede_uring_ring_open(false, &ring), -ENOSYS);
    assert_int_equal(fake_ring.open_count, 0);
}

static void test_uring_halves_its_sizes_until_there_is_memory(void **state)
{
    static const unsigned sizes[] = {512, 256, 128, 64};
    struct cede_uring_ring ring;
    (void)state;
    fake_ring.affordable_entries = 100;
    assert_int_equal(cede_uring_ring_open(false, &ring), 0);
    assert_int_equal(fake_ring.tried_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(fake_ring.tried_entries[i], sizes[i]);
        assert_int_equal(fake_ring.tried[i].cq_entries, 8 * sizes[i]);
    }
    cede_uring_ring_close(&ring);
}

static void test_uring_gives_up_below_the_least_size(void **state)
{
    struct cede_uring_ring ring;
    (void)state;
    fake_ring.affordable_entries = 63;
    assert_int_equal(cede_uring_ring_open(false, &ring), -ENOMEM);
    assert_int_equal(fake_ring.tried_count, 4);
    assert_int_equal(fake_ring.open_count, 0);
}

static void test_uring_is_missing_where_the_kernel_lacks_a_feature(void **state)
{
    static const unsigned features[] = {IORING_FEAT_NODROP, IORING_FEAT_EXT_ARG,
                                        IORING_FEAT_FAST_POLL};
    struct cede_uring_ring ring;
    (void)state;
    for (int i = 0; i < 3; i++) {
        fake_ring_reset();
        fake_ring.features &= ~features[i];
        assert_int_equal(cede_uring_ring_open(false, &ring), -ENOSYS);
        assert_int_equal(fake_ring.open_count, 1);
        assert_int_equal(fake_ring.held_count, 0);
    }
}

static void test_uring_is_locked_down_before_it_can_do_anything(void **state)
{
    static const unsigned expected[] = {IORING_REGISTER_IOWQ_MAX_WORKERS,
                                        IORING_REGISTER_RESTRICTIONS, IORING_REGISTER_ENABLE_RINGS};
    struct cede_uring_ring ring;
    (void)state;
    assert_int_equal(cede_uring_ring_open(false, &ring), 0);
    assert_true(fake_ring.tried[0].flags & IORING_SETUP_R_DISABLED);
    assert_int_equal(fake_ring.registered_count, 3);
    assert_memory_equal(fake_ring.registered, expected, sizeof expected);
    cede_uring_ring_close(&ring);
}

static void test_uring_never_asks_for_a_polling_thread(void **state)
{
    struct cede_uring_ring ring;
    (void)state;
    fake_ring.unknown_flags = IORING_SETUP_R_DISABLED;
    assert_int_equal(cede_uring_ring_open(false, &ring), -ENOSYS);
    assert_true(fake_ring.tried_count > 1);
    for (unsigned i = 0; i < fake_ring.tried_count; i++)
        assert_false(fake_ring.tried[i].flags & (IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF));
}

static void test_uring_does_without_a_cap_on_workers(void **state)
{
    struct cede_uring_ring ring;
    (void)state;
    fake_ring.refused_registration = IORING_REGISTER_IOWQ_MAX_WORKERS;
    fake_ring.registration_error = -EINVAL;
    assert_int_equal(cede_uring_ring_open(false, &ring), 0);
    assert_int_equal(fake_ring.registered_count, 3);
    cede_uring_ring_close(&ring);
}

static void test_uring_does_not_do_without_restrictions(void **state)
{
    static const struct {
        int found;
        int expected;
    } errors[] = {{-EINVAL, -ENOSYS}, {-EPERM, -EPERM}};
    struct cede_uring_ring ring;
    (void)state;
    for (int i = 0; i < 2; i++) {
        fake_ring_reset();
        fake_ring.refused_registration = IORING_REGISTER_RESTRICTIONS;
        fake_ring.registration_error = errors[i].found;
        assert_int_equal(cede_uring_ring_open(false, &ring), errors[i].expected);
        assert_int_equal(fake_ring.held_count, 0);
    }
}

static void test_uring_explains_each_refusal_in_a_line(void **state)
{
    static const int errors[] = {-ENOSYS, -EPERM, -EACCES, -ENOMEM, -EIO};
    (void)state;
    for (int i = 0; i < 5; i++) {
        char text[96] = "";
        cede_uring_ring_explain(errors[i], text, sizeof text);
        assert_in_range(strlen(text), 10, sizeof text - 2);
        assert_null(strchr(text, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_uring_drops_the_newest_flags_first, reset),
        cmocka_unit_test_setup(test_uring_takes_no_other_error_for_flags_that_are_not_known, reset),
        cmocka_unit_test_setup(
            test_uring_is_missing_where_strict_mode_gets_no_deferred_completions, reset),
        cmocka_unit_test_setup(test_uring_is_missing_where_no_flags_help, reset),
        cmocka_unit_test_setup(test_uring_halves_its_sizes_until_there_is_memory, reset),
        cmocka_unit_test_setup(test_uring_gives_up_below_the_least_size, reset),
        cmocka_unit_test_setup(test_uring_is_missing_where_the_kernel_lacks_a_feature, reset),
        cmocka_unit_test_setup(test_uring_is_locked_down_before_it_can_do_anything, reset),
        cmocka_unit_test_setup(test_uring_never_asks_for_a_polling_thread, reset),
        cmocka_unit_test_setup(test_uring_does_without_a_cap_on_workers, reset),
        cmocka_unit_test_setup(test_uring_does_not_do_without_restrictions, reset),
        cmocka_unit_test_setup(test_uring_explains_each_refusal_in_a_line, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
