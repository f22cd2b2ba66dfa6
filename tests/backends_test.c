// SPDX-License-Identifier: MIT
//
// The claims of engine/backends.h.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/backends.h"

static void test_backends_have_names_of_their_own(void **state)
{
    const struct cede_backend *backend;
    int count = 0;
    (void)state;
    for (; (backend = cede_backends_at(count)); count++)
        assert_ptr_equal(cede_backends_find(backend->name), backend);
    assert_in_range(count, 2, CEDE_BACKEND_LIMIT - 1);
    assert_null(cede_backends_at(-1));
}

static void test_backends_find_nothing_under_another_name(void **state)
{
    (void)state;
    assert_null(cede_backends_find("kqueue"));
    assert_null(cede_backends_find(""));
    assert_null(cede_backends_find("auto"));
}

// The lowest descriptor that is free.
static int lowest_free(void)
{
    int fd = dup(STDERR_FILENO);
    assert_return_code(fd, errno);
    close(fd);
    return fd;
}

static void test_backends_that_pass_their_test_leave_nothing_open(void **state)
{
    const struct cede_backend *backend;
    struct cede_trial trial;
    (void)state;
    for (int i = 0; (backend = cede_backends_at(i)); i++) {
        int before = lowest_free();
        int error = cede_backends_test(backend, &trial);
        if (error < 0)
            printf("backend %s is refused here: %s\n", backend->name, trial.text);
        assert_int_equal(lowest_free(), before);
    }
    // These two are everywhere.
    assert_int_equal(cede_backends_test(cede_backends_find("select"), &trial), 0);
    assert_int_equal(cede_backends_test(cede_backends_find("epoll"), &trial), 0);
}

// Chooses while no descriptor is to be had.
static int choose_without_descriptors(const char *name, struct cede_backends_choice *ret_choice)
{
    struct rlimit former;
    assert_return_code(getrlimit(RLIMIT_NOFILE, &former), errno);
    struct rlimit limit = {.rlim_cur = (rlim_t)lowest_free(), .rlim_max = former.rlim_max};
    assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
    int error = cede_backends_choose(name, ret_choice);
    assert_return_code(setrlimit(RLIMIT_NOFILE, &former), errno);
    return error;
}

static void test_backends_refused_are_listed_with_the_reason(void **state)
{
    struct cede_backends_choice choice;
    (void)state;
    assert_int_equal(choose_without_descriptors("auto", &choice), -EMFILE);
    assert_null(choice.backend);
    for (int i = 0; i < choice.refusal_count; i++) {
        assert_ptr_equal(choice.refusals[i].name, cede_backends_at(i)->name);
        assert_int_equal(choice.refusals[i].error, -EMFILE);
        assert_non_null(strstr(choice.refusals[i].text, strerror(EMFILE)));
    }
    assert_null(cede_backends_at(choice.refusal_count));
}

static void test_backends_that_were_named_are_never_replaced(void **state)
{
    struct cede_backends_choice choice;
    (void)state;
    assert_int_equal(cede_backends_choose("select", &choice), 0);
    assert_string_equal(choice.backend->name, "select");
    assert_int_equal(choice.refusal_count, 0);
    assert_int_equal(choose_without_descriptors("select", &choice), -EMFILE);
    assert_null(choice.backend);
    assert_int_equal(choice.refusal_count, 1);
}

static void test_backends_of_an_unknown_name_are_an_invalid_argument(void **state)
{
    struct cede_backends_choice choice;
    (void)state;
    assert_int_equal(cede_backends_choose("kqueue", &choice), -EINVAL);
    assert_null(choice.backend);
    assert_int_equal(choice.refusal_count, 1);
    assert_string_equal(choice.refusals[0].name, "kqueue");
}

static void test_backends_are_chosen_by_the_environment_if_nobody_names_one(void **state)
{
    struct cede_backends_choice choice;
    (void)state;
    assert_int_equal(setenv("CEDE_BACKEND", "select", 1), 0);
    assert_int_equal(cede_backends_choose(NULL, &choice), 0);
    assert_string_equal(choice.backend->name, "select");
    assert_int_equal(cede_backends_choose("epoll", &choice), 0);
    assert_string_equal(choice.backend->name, "epoll");
    assert_int_equal(setenv("CEDE_BACKEND", "", 1), 0);
    assert_int_equal(cede_backends_choose(NULL, &choice), 0);
    assert_int_equal(unsetenv("CEDE_BACKEND"), 0);
}

static void test_backends_are_tried_in_order_until_one_passes(void **state)
{
    struct cede_backends_choice choice;
    (void)state;
    assert_int_equal(cede_backends_choose("auto", &choice), 0);
    assert_ptr_equal(choice.backend, cede_backends_at(choice.refusal_count));
}

// Put before those of engine/sys by the linker: what the administrator says.
static int io_uring_disabled = -1;

int __wrap_cede_sys_io_uring_disabled(void);

int __wrap_cede_sys_io_uring_disabled(void)
{
    return io_uring_disabled;
}

static void test_backends_tell_the_administrator_from_a_filter(void **state)
{
    static const char *const reasons[] = {
        "Operation not permitted: a seccomp filter denies it",
        "Operation not permitted: a seccomp filter denies it",
        "Operation not permitted: kernel.io_uring_disabled is 1",
        "Operation not permitted: kernel.io_uring_disabled is 2",
    };
    (void)state;
    for (io_uring_disabled = -1; io_uring_disabled <= 2; io_uring_disabled++) {
        char text[96];
        cede_backends_find("io_uring")->explain(-EPERM, text, sizeof text);
        assert_string_equal(text, reasons[io_uring_disabled + 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backends_have_names_of_their_own),
        cmocka_unit_test(test_backends_find_nothing_under_another_name),
        cmocka_unit_test(test_backends_that_pass_their_test_leave_nothing_open),
        cmocka_unit_test(test_backends_refused_are_listed_with_the_reason),
        cmocka_unit_test(test_backends_that_were_named_are_never_replaced),
        cmocka_unit_test(test_backends_of_an_unknown_name_are_an_invalid_argument),
        cmocka_unit_test(test_backends_are_chosen_by_the_environment_if_nobody_names_one),
        cmocka_unit_test(test_backends_are_tried_in_order_until_one_passes),
        cmocka_unit_test(test_backends_tell_the_administrator_from_a_filter),
    };
    return cmocka_run_group_tests_name("backends", tests, NULL, NULL);
}
