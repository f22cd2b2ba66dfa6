#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What the player is made of: programs are read, traces are written and read, and wrong ones are
told from right ones."""

import unittest

import play as play_program
import player_outside
import program
import trace
from player_expect import ExpectTest, sent

WORDS = """
    # All there is.
    pair a b
    small-pair c d
    tcp e f
    pipe r w
    datagrams g h
    unix-listener l 1
    tcp-listener m 4
    slot s
    wakeup k
    task main
        spawn t1   # A comment may follow.
        recv a 16 within 5us
        recv-exact a 100
        recvmsg g 7
        read r 3
        send a 0
        send-all a 524288
        sendmsg h 9
        connect s l within 1ms
        scope within 2ms
        scope
        sleep 10us
        leave
        cancel-scope
        shutdown a send
        wait-wakeup k within 0ns
        signal k
        pause
        unknown e
        release e
        join t1
        cancel t1
    task t1
        accept l s
        wait-recv a within 0ns
        wait-send a
        try-recv a 1
        try-send a 1
        close a
    outside
        put b 12
        take b 1
        drain b
        fill d
        at 3ms close d
        shutdown f both
        connect s m
        accept m s
        signal k
        steal a
"""

BAD_PROGRAMS = (
    ("", "no task"),
    ("pair a a\ntask main", "a second object a"),
    ("pair a\ntask main", "pair has 1 names"),
    ("pair a b\ntask main\n recv a", "recv takes 2 words"),
    ("pair a b\ntask main\n recv c 1", "no object c"),
    ("pair a b\ntask main\n recv a x", "not a number"),
    ("pair a b\ntask main\n recv a 1 within 5s", "not a time"),
    ("pair a b\ntask main\n pause within 5ms", "pause takes 0 words"),
    ("pair a b\ntask main\n shutdown a now", "not a direction"),
    ("wakeup k\ntask main\n recv k 1", "recv is not for k"),
    ("pair a b\ntask main\n signal a", "signal is not for a"),
    ("task main\n join other", "no task other"),
    ("task main\ntask main", "a second task main"),
    ("task main\n jump", "not a step"),
    ("task main\noutside\n pause", "not a stimulus"),
    ("task main\noutside\ntask other", "not a stimulus"),
    ("triple a b c\ntask main", "not an object"),
    ("unix-listener l\ntask main", "needs a backlog"),
    ("pair a sixteen-letters-x\ntask main", "not a name"),
)


def play(text):
    return player_outside.play(program.read(text))


class ProgramTest(unittest.TestCase):
    def test_a_program_is_read_and_written(self):
        made = program.read(WORDS)
        self.assertEqual(len(made.objects), 14)
        self.assertEqual([task.name for task in made.tasks], ["main", "t1"])
        self.assertEqual({step.kind for task in made.tasks for step in task.steps},
                         set(range(len(program.STEP_KINDS))))
        self.assertEqual({stimulus.kind for stimulus in made.stimuli},
                         set(range(len(program.STIMULUS_KINDS))))
        self.assertEqual(program.read(program.write(made)), made)
        self.assertIn("    recv a 16 within 5us\n", program.write(made))

    def test_what_is_no_program_is_refused(self):
        for text, reason in BAD_PROGRAMS:
            with self.subTest(text), self.assertRaisesRegex(program.ProgramError, reason):
                program.read(text)

    def test_the_line_of_a_mistake_is_named(self):
        with self.assertRaisesRegex(program.ProgramError, "^line 3: "):
            program.read("pair a b\ntask main\n jump\n pause\n")


class TraceTest(unittest.TestCase):
    EVENTS = [
        (trace.TICK, 0), (trace.TICK, -1), (trace.TICK, 63), (trace.TICK, (1 << 63) - 1),
        (trace.TICK, -(1 << 63)),
        (trace.SPAWN, 0, 1, 0, "main"), (trace.SPAWN, 1, 0, -11, ""),
        (trace.SUBMIT, 1, trace.VERB_RECV, 3, 1 << 40, -1),
        (trace.END, 1, trace.VERB_UNKNOWN, -1, -22, 0, 0xffffffff),
        (trace.PAUSE, 1, -125), (trace.JOIN, 1, 2, 0, -5), (trace.CANCEL, 1, 300),
        (trace.SHUTDOWN, 1, 2, 4, -107), (trace.SCOPE, 1, trace.SCOPE_LEAVE, -110),
        (trace.DONE, 1, 0), (trace.NOTE, 0, trace.NOTE_REAP, -1, 0, 0), (trace.OUTCOME, -35),
    ]

    def test_events_are_written_as_the_header_says(self):
        self.assertEqual(trace.encode([(trace.TICK, 64), (trace.DONE, 200, -1)]),
                         bytes((1, 0x80, 0x01, 10, 0xc8, 0x01, 1)))
        self.assertEqual(trace.encode([(trace.SPAWN, 1, 2, 0, "ab")]), b"\x02\x01\x02\x00\x02ab")

    def test_events_are_written_and_read(self):
        self.assertEqual(trace.decode(trace.encode(self.EVENTS)), self.EVENTS)

    def test_what_is_no_trace_is_refused(self):
        data = trace.encode(self.EVENTS)
        for size in range(1, len(trace.encode(self.EVENTS[4:5]))):
            with self.assertRaises(trace.TraceError):
                trace.decode(trace.encode(self.EVENTS[4:5])[:size])
        with self.assertRaisesRegex(trace.TraceError, "no kind of event: 13"):
            trace.decode(data + b"\x0d")

    def test_each_event_has_words(self):
        lines = trace.text(self.EVENTS, ("a", "b")).splitlines()
        self.assertEqual(len(lines), len(self.EVENTS))
        self.assertEqual(lines[5], "    6  -                 spawn main(1) = 0")
        self.assertEqual(lines[7], "    8  main(1)           submit recv #3 1099511627776")


class StepTest(ExpectTest):
    """What takes more than one clause."""

    def test_scopes_nest_and_the_nearest_deadline_counts(self):
        self.check("""
            pair a b
            task main
                leave
                scope within 2us
                scope within 5us
                recv a 1 within 3us
                sleep 1us
                leave
                leave
                scope
                cancel-scope
                sleep 1us
                leave
                sleep 1us
            """, """
            main(1) note leave = -EINVAL
            main(1) scope enter until 2us
            main(1) scope enter until 5us
            main(1) submit recv a 1 until 2us
            - tick 1 at 2us
            main(1) end recv a = -ETIMEDOUT
            main(1) submit park until 2us
            - tick 2 at 2us
            main(1) end park = -ETIMEDOUT
            main(1) scope leave = 0
            main(1) scope leave = -ETIMEDOUT
            main(1) scope enter
            main(1) scope cancel
            main(1) submit park until 3us
            - tick 3 at 2us
            main(1) end park = -ECANCELED
            main(1) scope leave = -ECANCELED
            main(1) submit park until 3us
            - tick 4 at 3us
            main(1) end park = 0
            main(1) done = 0
            - outcome = 0
            """)

    def test_wakeups_wake_last_and_in_order_of_arrival(self):
        self.check_among("""
            wakeup k
            wakeup n
            task main
                spawn one
                spawn two
                pause
                signal n
                signal k
                sleep 0ns
            task one
                wait-wakeup k
            task two
                wait-wakeup n
            """, """
            main(1) note signal n = 0
            main(1) note signal k = 0
            main(1) end park = 0
            two(4) end wakeup = 0
            one(3) end wakeup = 0
            - note reap = 0
            reaper(2) end wakeup = 0
            reaper(2) done = 0
            - outcome = 0
            """)

    def test_an_accept_fills_its_slot(self):
        self.check_among("""
            tcp-listener m 4
            slot s
            slot u
            task main
                spawn one
                connect s m
                connect s m
                send s 3
            task one
                accept m u
                recv u 10
            """, f"""
            one(2) end accept m = 2
            main(1) end connect s = 0
            main(1) note connect s = -EEXIST
            one(2) end recv u = 3, 3 bytes {sent(1, 3)}
            main(1) end send s = 3, 3 bytes {sent(1, 3)}
            """)


class RejectionTest(unittest.TestCase):
    """Traces in which one thing is wrong are told from the model's."""

    PROGRAM = """
        pair a b
        pair c d
        task main
            spawn one
            spawn two
            recv a 8 within 1ms
            sleep 1ms
            join one
            send-all c 100
        task one
            wait-recv c
            try-recv c 7
        task two
            recv-exact d 100
        outside
            put b 8
            put d 5
        """

    def setUp(self):
        self.events = play(self.PROGRAM)

    def place(self, kind, *fields):
        """Where the only event of a kind, and with these first fields, is."""
        found = [number for number, event in enumerate(self.events)
                 if event[0] == kind and event[1:1 + len(fields)] == fields]
        self.assertEqual(len(found), 1)
        return found[0]

    def change(self, place, field, value):
        event = list(self.events[place])
        event[1 + trace.FIELDS[event[0]].index(field)] = value
        self.events[place] = tuple(event)

    def check_rejected(self, place):
        found = play_program.difference(self.PROGRAM, trace.encode(self.events))
        signs = [line for line in found.splitlines() if line.startswith(("- ", "+ "))]
        self.assertEqual(signs[0].split()[1], str(place + 1))

    def test_the_right_trace_is_accepted(self):
        self.assertEqual(play_program.difference(self.PROGRAM, trace.encode(self.events)), "")

    def test_swapped_wakes_are_rejected(self):
        one, two = self.place(trace.SUBMIT, 2), self.place(trace.SUBMIT, 3)
        self.events[one], self.events[two] = self.events[two], self.events[one]
        self.check_rejected(one)

    def test_another_result_is_rejected(self):
        place = self.place(trace.END, 2)
        self.change(place, "result", -110)
        self.check_rejected(place)

    def test_a_missing_event_is_rejected(self):
        place = self.place(trace.JOIN)
        del self.events[place]
        self.check_rejected(place)

    def test_a_missing_end_is_rejected(self):
        self.events.pop()
        self.check_rejected(len(self.events))

    def test_one_more_event_is_rejected(self):
        self.events.append((trace.OUTCOME, 0))
        self.check_rejected(len(self.events) - 1)

    def test_another_time_is_rejected(self):
        place = self.events.index((trace.TICK, 1_000_000))
        self.change(place, "now_ns", 999_999)
        self.check_rejected(place)

    def test_another_digest_is_rejected(self):
        place = self.place(trace.END, 1, trace.VERB_RECV)
        self.change(place, "digest", 1)
        self.check_rejected(place)

    def test_fewer_bytes_are_rejected(self):
        place = self.place(trace.END, 3, trace.VERB_RECV_EXACT)
        self.change(place, "bytes", 99)
        self.check_rejected(place)

    def test_another_deadline_is_rejected(self):
        place = self.place(trace.SUBMIT, 1, trace.VERB_RECV)
        self.change(place, "deadline_ns", -1)
        self.check_rejected(place)


if __name__ == "__main__":
    unittest.main()
