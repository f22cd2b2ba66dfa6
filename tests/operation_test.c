// SPDX-License-Identifier: MIT
//
// The claims of engine/operation.h: the table of verbs, and lists of operations.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/operation.h"
#include "tests/seed.h"

#define OPERATION_COUNT 300

static uint64_t random_state;

static struct cede_operation operations[OPERATION_COUNT];

static int open_operations(void **state)
{
    static struct cede_operation_list list;
    list = (struct cede_operation_list){.first = NULL};
    *state = &list;
    for (int i = 0; i < OPERATION_COUNT; i++) {
        cede_operation_prepare(&operations[i], CEDE_VERB_RECV, i);
        operations[i].ticket = (uint64_t)i;
    }
    return 0;
}

// Requires that the list holds these operations, and that one more can be appended and is its last.
static void assert_holds(struct cede_operation_list *list, const int *indices, int count)
{
    struct cede_operation *op = list->first;
    for (int i = 0; i < count; i++, op = op->next)
        assert_ptr_equal(op, &operations[indices[i]]);
    assert_null(op);
    assert_ptr_equal(list->last, count > 0 ? &operations[indices[count - 1]] : NULL);
}

// --- Verbs --------------------------------------------------------------------------------------

static void test_operation_every_verb_has_a_class_and_a_name(void **state)
{
    (void)state;
    for (int verb = CEDE_VERB_NONE + 1; verb < CEDE_VERB_COUNT; verb++) {
        assert_int_not_equal(cede_verb_class((enum cede_verb)verb), CEDE_CLASS_COUNT);
        assert_string_not_equal(cede_verb_name((enum cede_verb)verb), "unknown");
        for (int other = CEDE_VERB_NONE; other < verb; other++)
            assert_string_not_equal(cede_verb_name((enum cede_verb)verb),
                                    cede_verb_name((enum cede_verb)other));
    }
}

static void test_operation_what_is_no_verb_is_unknown(void **state)
{
    static const int none[] = {CEDE_VERB_NONE, CEDE_VERB_COUNT, 255, -1};
    enum cede_direction direction;
    (void)state;
    for (int i = 0; i < 4; i++) {
        enum cede_verb verb = (enum cede_verb)none[i];
        assert_int_equal(cede_verb_class(verb), CEDE_CLASS_COUNT);
        assert_string_equal(cede_verb_name(verb), "unknown");
        assert_false(cede_verb_has_direction(verb, &direction));
        assert_false(cede_verb_moves_data(verb));
    }
}

static void test_operation_receivers_and_senders_have_a_direction(void **state)
{
    (void)state;
    for (int verb = 0; verb < CEDE_VERB_COUNT; verb++) {
        enum cede_class class = cede_verb_class((enum cede_verb)verb);
        enum cede_direction direction;
        bool has_direction = cede_verb_has_direction((enum cede_verb)verb, &direction);
        assert_int_equal(has_direction,
                         class == CEDE_CLASS_RECEIVER || class == CEDE_CLASS_SENDER);
        if (has_direction)
            assert_int_equal(direction, class == CEDE_CLASS_RECEIVER ? CEDE_RECV : CEDE_SEND);
    }
}

static void test_operation_waits_and_connects_move_no_data(void **state)
{
    static const enum cede_verb movers[] = {
        CEDE_VERB_RECV, CEDE_VERB_RECV_EXACT, CEDE_VERB_RECVMSG,  CEDE_VERB_READ,
        CEDE_VERB_ACCEPT, CEDE_VERB_SEND,     CEDE_VERB_SEND_ALL, CEDE_VERB_SENDMSG,
    };
    int count = 0;
    (void)state;
    for (size_t i = 0; i < sizeof movers / sizeof *movers; i++)
        assert_true(cede_verb_moves_data(movers[i]));
    for (int verb = 0; verb < CEDE_VERB_COUNT; verb++)
        count += cede_verb_moves_data((enum cede_verb)verb);
    assert_int_equal(count, sizeof movers / sizeof *movers);
}

static void test_operation_is_prepared_without_a_deadline(void **state)
{
    struct cede_operation op;
    (void)state;
    memset(&op, 0xff, sizeof op);
    cede_operation_prepare(&op, CEDE_VERB_SEND, 5);
    assert_int_equal(op.verb, CEDE_VERB_SEND);
    assert_int_equal(op.fd, 5);
    assert_int_equal(op.state, CEDE_PREPARED);
    assert_int_equal(op.deadline_ns, CEDE_NEVER);
    assert_int_equal(op.timer.index, CEDE_TIMER_NOT_SET);
    assert_null(op.owner);
}

// --- Lists --------------------------------------------------------------------------------------

static void test_operation_list_gives_first_what_came_first(void **state)
{
    struct cede_operation_list *list = *state;
    assert_null(cede_operation_take_first(list));
    for (int i = 0; i < 3; i++)
        cede_operation_append(list, &operations[i]);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(cede_operation_take_first(list), &operations[i]);
    assert_null(cede_operation_take_first(list));
    cede_operation_append(list, &operations[1]);
    assert_holds(list, (int[]){1}, 1);
}

static void test_operation_can_be_removed_from_anywhere(void **state)
{
    struct cede_operation_list *list = *state;
    for (int i = 0; i < 5; i++)
        cede_operation_append(list, &operations[i]);
    cede_operation_remove(list, &operations[2]);
    assert_holds(list, (int[]){0, 1, 3, 4}, 4);
    cede_operation_remove(list, &operations[4]);
    assert_holds(list, (int[]){0, 1, 3}, 3);
    cede_operation_remove(list, &operations[0]);
    cede_operation_remove(list, &operations[0]);
    assert_holds(list, (int[]){1, 3}, 2);
    cede_operation_remove(list, &operations[3]);
    cede_operation_remove(list, &operations[1]);
    assert_holds(list, NULL, 0);
}

static void test_operation_lists_can_be_joined(void **state)
{
    struct cede_operation_list *list = *state;
    struct cede_operation_list other = {.first = NULL};
    cede_operation_append_all(list, &other);
    assert_holds(list, NULL, 0);
    cede_operation_append(&other, &operations[5]);
    cede_operation_append_all(list, &other);
    assert_holds(list, (int[]){5}, 1);
    assert_holds(&other, NULL, 0);
    cede_operation_append(&other, &operations[3]);
    cede_operation_append(&other, &operations[7]);
    cede_operation_append_all(list, &other);
    assert_holds(list, (int[]){5, 3, 7}, 3);
    cede_operation_sort_by_ticket(list);
    assert_holds(list, (int[]){3, 5, 7}, 3);
}

static void test_operation_list_may_be_left_while_it_is_gone_through(void **state)
{
    struct cede_operation_list *list = *state;
    struct cede_operation_list other = {.first = NULL};
    for (int i = 0; i < 4; i++)
        cede_operation_append(list, &operations[i]);
    CEDE_OPERATIONS_EACH(op, next, list->first)
        cede_operation_append(&other, op);
    assert_holds(&other, (int[]){0, 1, 2, 3}, 4);
}

// A random permutation of the operations.
static void append_shuffled(struct cede_operation_list *list)
{
    int order[OPERATION_COUNT];
    for (int i = 0; i < OPERATION_COUNT; i++)
        order[i] = i;
    for (int i = OPERATION_COUNT - 1; i > 0; i--) {
        int other = (int)(seed_next(&random_state) % (uint64_t)(i + 1));
        int swapped = order[i];
        order[i] = order[other];
        order[other] = swapped;
    }
    for (int i = 0; i < OPERATION_COUNT; i++)
        cede_operation_append(list, &operations[order[i]]);
}

static void assert_all_by_ticket(struct cede_operation_list *list)
{
    int order[OPERATION_COUNT];
    for (int i = 0; i < OPERATION_COUNT; i++)
        order[i] = i;
    assert_holds(list, order, OPERATION_COUNT);
}

static void test_operation_list_is_sorted_by_ticket(void **state)
{
    struct cede_operation_list *list = *state;
    append_shuffled(list);
    cede_operation_sort_by_ticket(list);
    assert_all_by_ticket(list);
}

static bool is_after_by_parity(const struct cede_operation *a, const struct cede_operation *b)
{
    return a->ticket % 2 > b->ticket % 2;
}

static void test_operation_sort_keeps_the_order_of_equals(void **state)
{
    struct cede_operation_list *list = *state;
    int order[OPERATION_COUNT];
    for (int i = 0; i < OPERATION_COUNT; i++) {
        cede_operation_append(list, &operations[i]);
        order[i] = i < OPERATION_COUNT / 2 ? 2 * i : 2 * (i - OPERATION_COUNT / 2) + 1;
    }
    cede_operation_sort(list, is_after_by_parity);
    assert_holds(list, order, OPERATION_COUNT);
}

static bool is_after_by_descending_ticket(const struct cede_operation *a,
                                          const struct cede_operation *b)
{
    return a->ticket < b->ticket;
}

static void test_operation_list_in_another_order_is_sorted_by_ticket_again(void **state)
{
    struct cede_operation_list *list = *state;
    for (int i = 0; i < OPERATION_COUNT; i++)
        cede_operation_append(list, &operations[i]);
    cede_operation_sort(list, is_after_by_descending_ticket);
    assert_ptr_equal(list->first, &operations[OPERATION_COUNT - 1]);
    cede_operation_sort_by_ticket(list);
    assert_all_by_ticket(list);
}

static void test_operation_empty_list_is_sorted(void **state)
{
    struct cede_operation_list *list = *state;
    cede_operation_sort_by_ticket(list);
    cede_operation_sort(list, is_after_by_parity);
    assert_holds(list, NULL, 0);
}

#define LIST_TEST(test) cmocka_unit_test_setup(test, open_operations)

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operation_every_verb_has_a_class_and_a_name),
        cmocka_unit_test(test_operation_what_is_no_verb_is_unknown),
        cmocka_unit_test(test_operation_receivers_and_senders_have_a_direction),
        cmocka_unit_test(test_operation_waits_and_connects_move_no_data),
        cmocka_unit_test(test_operation_is_prepared_without_a_deadline),
        LIST_TEST(test_operation_list_gives_first_what_came_first),
        LIST_TEST(test_operation_can_be_removed_from_anywhere),
        LIST_TEST(test_operation_lists_can_be_joined),
        LIST_TEST(test_operation_list_may_be_left_while_it_is_gone_through),
        LIST_TEST(test_operation_list_is_sorted_by_ticket),
        LIST_TEST(test_operation_sort_keeps_the_order_of_equals),
        LIST_TEST(test_operation_list_in_another_order_is_sorted_by_ticket_again),
        LIST_TEST(test_operation_empty_list_is_sorted),
    };
    random_state = seed_take(count, words);
    return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
