// SPDX-License-Identifier: MIT
//
// The table of claims: the specification as sentences that can be checked, each with its clause. A
// claim is a function of that name; it opens an engine on the fixture's backend and holds it to the
// sentence. Every claim is narrow, so that the fault matrix can tell them apart.

#ifndef CEDE_TESTS_CONFORMANCE_CLAIMS_H
#define CEDE_TESTS_CONFORMANCE_CLAIMS_H

// What a claim is checked on.
struct fixture {
    const char *backend;
};

struct claim {
    const char *clause;
    const char *name;
    void (*check)(const struct fixture *fixture);
};

// X(clause, name)
#define CLAIMS(X)                                                                                  \
    /* claims_order.c */                                                                           \
    X("T1", a_task_that_pauses_goes_to_the_tail_of_the_queue)                                      \
    X("T1", a_spawned_task_runs_after_those_that_are_runnable)                                     \
    X("T1", a_joiner_is_woken_behind_those_that_are_runnable)                                      \
    X("S10", a_tick_resumes_no_more_tasks_than_its_bound)                                          \
    X("T1", in_normal_mode_a_tick_ends_after_a_hundred_microseconds)                               \
    X("T3", no_poll_is_left_out_for_longer_than_the_bound)                                         \
    X("T2", an_operation_parks_even_if_it_could_be_satisfied_at_once)                              \
    X("T2", an_operation_parks_even_if_it_is_refused)                                              \
    X("T2", receivers_are_tried_before_senders)                                                    \
    X("T2", closes_come_after_everything_else_that_was_asked_for)                                  \
    X("T2", what_is_asked_for_in_a_tick_is_tried_in_the_order_of_tickets)                          \
    X("T3", what_becomes_ready_is_tried_in_the_order_of_tickets)                                   \
    X("T3", in_strict_mode_a_tick_polls_until_nothing_more_happens)                                \
    X("T3", the_strict_clock_stands_still_and_jumps_to_the_next_deadline)                          \
    /* claims_wake.c */                                                                            \
    X("T4", receivers_wake_before_senders_and_senders_before_closes)                               \
    X("T4", what_has_no_descriptor_wakes_between_closes_and_deadlines)                             \
    X("T4", what_is_due_wakes_by_deadline_and_then_by_ticket)                                      \
    X("T4", wakeups_come_last_in_the_order_of_their_signals)                                       \
    X("S9", the_order_of_waking_does_not_depend_on_descriptor_numbers)                             \
    X("T4", what_was_parked_and_what_ends_at_once_wake_by_ticket)                                  \
    X("T3", last_tries_are_made_in_the_order_of_tickets)                                           \
    /* claims_wait.c */                                                                            \
    X("S1", a_wait_moves_no_byte)                                                                  \
    X("S2", every_wait_is_woken_in_the_tick_its_socket_is_ready)                                   \
    X("S2", a_peer_that_stops_sending_does_not_wake_a_sender)                                      \
    X("S2", a_peer_that_hangs_up_neither_wakes_a_sender_nor_makes_a_spin)                          \
    X("S2", an_error_that_no_recv_takes_away_makes_no_spin)                                        \
    X("S2", a_connect_to_a_full_backlog_makes_no_spin)                                             \
    X("S2", a_connect_to_a_full_backlog_goes_on_soon_after_there_is_room)                          \
    X("S2", waits_that_only_ever_find_a_hang_up_are_spread_by_a_back_off)                          \
    X("S18", the_end_of_a_stream_is_ready_and_receives_nothing)                                    \
    X("S1", a_send_of_no_bytes_waits_until_there_is_room)                                          \
    X("S3", a_descriptor_that_is_not_open_is_refused)                                              \
    X("S3", a_descriptor_opened_for_the_other_direction_is_refused)                                \
    X("S3", a_descriptor_that_only_names_a_file_is_refused)                                        \
    X("S4", files_directories_and_plain_devices_are_always_ready)                                  \
    X("S20", a_descriptor_far_above_1024_is_like_any_other)                                        \
    X("S6", a_number_beyond_the_limit_can_only_be_closed)                                          \
    X("S5", a_second_waiter_is_refused_and_the_first_not_disturbed)                                \
    X("S5", both_directions_of_a_socket_can_be_waited_for_at_once)                                 \
    /* claims_close.c */                                                                           \
    X("S6", close_ends_those_who_wait_on_the_descriptor)                                           \
    X("S6", when_close_returns_the_peer_sees_the_end)                                              \
    X("S6", of_two_closes_in_a_tick_the_second_finds_nothing)                                      \
    X("S6", a_close_in_a_cancelled_task_runs_to_its_end)                                           \
    X("S6", no_deadline_cuts_a_close_off)                                                          \
    X("S6", a_socket_closed_behind_the_engines_back_makes_no_spin)                                 \
    X("S6", a_waiter_whose_socket_is_closed_behind_its_back_makes_no_spin)                         \
    X("S6", release_ends_the_waiters_and_leaves_the_descriptor_open)                               \
    X("S7", a_number_that_is_opened_again_is_asked_about_again)                                    \
    X("S7", a_waiter_is_not_woken_by_a_former_life_of_the_number)                                  \
    X("S8", shutdown_wakes_a_wait_of_its_direction)                                                \
    X("S8", shutdown_ends_a_send_on_a_full_socket_with_epipe)                                      \
    X("S8", shutdown_ends_a_recv_after_a_short_one)                                                \
    X("S8", shutdown_of_one_direction_leaves_the_other_waiting)                                    \
    X("S8", shutdown_leaves_those_on_other_descriptors_waiting)                                    \
    /* claims_time.c */                                                                            \
    X("S13", a_deadline_cuts_off_when_it_is_due_and_not_before)                                    \
    X("S13", no_sleep_is_shorter_than_it_was_asked_for)                                            \
    X("S13", what_is_ready_in_the_tick_it_is_due_counts_as_ready)                                  \
    X("S13", the_nearest_deadline_around_an_operation_counts)                                      \
    X("S14", a_cancelled_wait_ends_in_the_same_tick)                                               \
    X("S14", cancellation_lasts_until_the_task_is_done)                                            \
    X("S14", what_is_asked_for_under_cancellation_is_not_attempted)                                \
    X("S14", what_is_asked_for_in_an_expired_scope_is_not_attempted)                               \
    X("S14", a_task_cancelled_before_its_start_still_starts)                                       \
    X("S14", an_operation_that_has_ended_keeps_its_result)                                         \
    X("S15", a_byte_that_arrives_before_the_cut_is_not_lost)                                       \
    X("S15", a_connection_that_is_there_before_the_cut_is_not_lost)                                \
    X("S15", what_was_sent_before_the_cut_is_reported)                                             \
    X("S15", a_connect_that_was_cut_off_is_not_tried_again)                                        \
    X("S15", what_is_cancelled_in_the_tick_it_was_asked_for_is_attempted)                          \
    /* claims_calls.c */                                                                           \
    X("S17", a_reset_is_told_once_and_then_the_stream_has_ended)                                   \
    X("S17", sending_to_a_peer_that_is_gone_raises_no_signal)                                      \
    X("S17", signals_do_not_interrupt_a_wait)                                                      \
    X("S19", an_accept_without_descriptors_goes_on_when_one_is_closed)                             \
    X("S19", an_accept_without_descriptors_is_tried_after_a_doubling_time)                         \
    X("S19", a_shortage_of_descriptors_is_logged_at_most_once_a_second)                            \
    X("S19", an_accept_that_was_just_roused_can_be_closed)                                         \
    X("S19", an_accept_that_just_met_a_shortage_can_be_closed)                                     \
    X("S19", an_accept_that_is_roused_when_it_is_due_is_tried_last)                                \
    X("S21", a_descriptor_that_is_received_closes_on_exec)                                         \
    X("S24", accept_and_connect_refuse_descriptors_that_block)                                     \
    X("S24", recv_and_send_do_not_block_on_descriptors_that_do)                                    \
    X("S24", the_flags_of_a_descriptor_are_never_changed)                                          \
    /* claims_connect.c */                                                                         \
    X("S17", a_connect_ends_with_the_outcome_of_the_handshake)                                     \
    X("S17", a_connect_of_a_connected_socket_is_an_error)                                          \
    /* claims_transfer.c */                                                                        \
    X("S10", a_transfer_of_any_length_makes_way_for_others)                                        \
    /* claims_tasks.c */                                                                           \
    X("S11", an_unknown_verb_is_refused_and_logged_with_its_task)                                  \
    X("S12", a_task_can_be_joined_before_and_after_its_end)                                        \
    X("S12", a_task_cannot_be_joined_twice)                                                        \
    X("S12", a_task_cannot_join_itself)                                                            \
    X("S12", a_run_goes_on_until_no_task_is_left)                                                  \
    X("S12", tasks_that_nothing_can_wake_unwind_and_are_named)                                     \
    X("S12", while_a_wakeup_is_open_a_thread_may_wake_the_last_task)                               \
    X("S12", a_wakeup_that_was_closed_keeps_no_run_from_ending)                                    \
    X("S21", a_forked_child_can_open_an_engine_of_its_own)                                         \
    X("S21", every_descriptor_that_is_opened_closes_on_exec)                                       \
    X("S22", engines_in_two_threads_do_not_know_of_each_other)                                     \
    X("S22", a_run_inside_a_task_is_refused)

#define DECLARE_CLAIM(clause, name) void name(const struct fixture *fixture);
CLAIMS(DECLARE_CLAIM)
#undef DECLARE_CLAIM

#endif
