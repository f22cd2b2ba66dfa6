// SPDX-License-Identifier: MIT
//
// As much of cmocka's interface as the tests need that aarch64_test.py compiles for another
// processor, for which the system has no cmocka. A failed assertion ends the program.

#ifndef CEDE_TESTS_AARCH64_CMOCKA_H
#define CEDE_TESTS_AARCH64_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state);
    int (*teardown)(void **state);
};

#define cmocka_unit_test(test_) {.name = #test_, .test = (test_)}
#define cmocka_unit_test_setup_teardown(test_, setup_, teardown_)                                  \
    {.name = #test_, .test = (test_), .setup = (setup_), .teardown = (teardown_)}

#define print_message printf

static inline void cmocka_require(int holds, const char *file, int line, const char *claim)
{
    if (!holds) {
        printf("[  ERROR   ] %s:%d: %s\n", file, line, claim);
        exit(1);
    }
}

#define CMOCKA_REQUIRE(claim, text) cmocka_require((claim), __FILE__, __LINE__, text)

#define assert_true(a) CMOCKA_REQUIRE(!!(a), #a)
#define assert_false(a) CMOCKA_REQUIRE(!(a), "not " #a)
#define assert_null(a) CMOCKA_REQUIRE((a) == NULL, #a " is NULL")
#define assert_non_null(a) CMOCKA_REQUIRE((a) != NULL, #a " is not NULL")
#define assert_int_equal(a, b) CMOCKA_REQUIRE((uint64_t)(a) == (uint64_t)(b), #a " is " #b)
#define assert_int_not_equal(a, b) CMOCKA_REQUIRE((uint64_t)(a) != (uint64_t)(b), #a " is not " #b)
#define assert_ptr_equal(a, b) CMOCKA_REQUIRE((a) == (b), #a " is " #b)
#define assert_ptr_not_equal(a, b) CMOCKA_REQUIRE((a) != (b), #a " is not " #b)
#define assert_string_equal(a, b) CMOCKA_REQUIRE(strcmp((a), (b)) == 0, #a " is " #b)
#define assert_memory_equal(a, b, size) CMOCKA_REQUIRE(memcmp((a), (b), (size)) == 0, #a " is " #b)
#define assert_in_range(a, low, high)                                                              \
    CMOCKA_REQUIRE((uint64_t)(a) - (uint64_t)(low) <= (uint64_t)(high) - (uint64_t)(low),          \
                   #a " is in " #low " to " #high)

static inline int cmocka_run_tests(const struct CMUnitTest *tests, size_t count, const char *group,
                                   int (*setup)(void **state), int (*teardown)(void **state))
{
    void *group_state = NULL;
    printf("[==========] %s: %zu tests\n", group, count);
    if (setup != NULL && setup(&group_state) != 0)
        return 1;
    for (size_t i = 0; i < count; i++) {
        void *state = group_state;
        printf("[ RUN      ] %s\n", tests[i].name);
        if (tests[i].setup != NULL && tests[i].setup(&state) != 0)
            return 1;
        tests[i].test(&state);
        if (tests[i].teardown != NULL && tests[i].teardown(&state) != 0)
            return 1;
        printf("[       OK ] %s\n", tests[i].name);
    }
    return teardown != NULL ? teardown(&group_state) : 0;
}

#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
    cmocka_run_tests((tests), sizeof(tests) / sizeof((tests)[0]), (name), (setup), (teardown))

#endif
