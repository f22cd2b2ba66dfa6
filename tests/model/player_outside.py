# SPDX-License-Identifier: MIT
"""The outside of a program: its stimuli, and a whole play."""

import fcntl
from errno import EBADF, EEXIST

import program
import trace
from player import Player
from player_attempts import accept, close, connect, receive, send, shut_down
from player_operation import NEVER
from player_steps import Steps
from player_things import digest, loopback

FILL_BYTES = 4096  # Of one send of a fill,
DRAIN_BYTES = 65536  # and of one receive of a drain.


class Outside:
    """Acts when everybody waits, one stimulus at a time."""

    def __init__(self, player, steps, stimuli):
        self.player = player
        self.steps = steps
        self.stimuli = list(reversed(stimuli))

    def idle(self, next_due_ns):
        """Where the player would sleep: acts, and returns True; or has nothing to do."""
        if self.stimuli:
            at_ns = self.stimuli[-1].at_ns
            if next_due_ns != NEVER and next_due_ns <= at_ns:
                return False
            self.perform(self.stimuli.pop())
            return True
        bell = self.steps.reaper_bell
        if not bell or next_due_ns != NEVER:
            return False
        self.player.signal(bell)
        self.player.events.append((trace.NOTE, 0, trace.NOTE_REAP, -1, 0, 0))
        return True

    def perform(self, stimulus):
        pieces = []
        result = _DOINGS[stimulus.kind](self, stimulus, pieces)
        self.player.arrive()
        self.player.events.append((trace.NOTE, 0, trace.NOTE_STIMULUS + stimulus.kind,
                                   stimulus.object, result, digest(pieces)))

    def thing(self, number):
        return self.steps.things[number]

    def descriptor(self, number):
        return self.thing(number).descriptor(self.player.ticks)

    def put_once(self, number, size, pieces):
        thing = self.thing(number)
        fd = self.descriptor(number)
        if fd < 0:
            return -EBADF
        data = thing.next_bytes(size)
        result = send(fd, data)
        if result > 0:
            thing.sent += result
            pieces.append(data[:result])
        return result

    def take_once(self, number, size, pieces):
        fd = self.descriptor(number)
        return receive(fd, size, pieces) if fd >= 0 else -EBADF

    def put(self, stimulus, pieces):
        return self.put_once(stimulus.object, stimulus.bytes, pieces)

    def take(self, stimulus, pieces):
        return self.take_once(stimulus.object, stimulus.bytes, pieces)

    def fill(self, stimulus, pieces):
        return _repeat(self.put_once, stimulus.object, FILL_BYTES, pieces)

    def drain(self, stimulus, pieces):
        return _repeat(self.take_once, stimulus.object, DRAIN_BYTES, pieces)

    def close(self, stimulus, _pieces):
        fd = self.descriptor(stimulus.object)
        if fd < 0:
            return -EBADF
        self.thing(stimulus.object).fd = -1
        self.steps.things.opened[fd] -= 1
        return close(fd)

    def shutdown(self, stimulus, _pieces):
        return shut_down(self.descriptor(stimulus.object), stimulus.other)

    def connect(self, stimulus, _pieces):
        slot, listener = self.thing(stimulus.object), self.thing(stimulus.other)
        refusal = self.steps.open_socket(slot, listener)
        return refusal or connect(slot.fd, listener.family, listener.address)

    def accept(self, stimulus, _pieces):
        slot = self.thing(stimulus.other)
        fd = self.descriptor(stimulus.object)
        if fd < 0:
            return -EBADF
        if self.descriptor(stimulus.other) >= 0:
            return -EEXIST
        result = accept(fd)
        if result < 0:
            return result
        slot.fill(result)
        return slot.number

    def signal(self, stimulus, _pieces):
        self.player.signal(self.steps.wakeups[stimulus.object])
        return 0

    def steal(self, stimulus, pieces):
        fd = self.descriptor(stimulus.object)
        if fd < 0:
            return -EBADF
        self.steps.things.opened[fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, fd + 1)] += 1
        return self.close(stimulus, pieces)


def _repeat(move, number, size, pieces):
    """Moves pieces until one does not move: what has moved, or why nothing has."""
    total = 0
    while True:
        result = move(number, size, pieces)
        if result <= 0:
            return total or result
        total += result


_DOINGS = {
    program.PUT: Outside.put,
    program.TAKE: Outside.take,
    program.DRAIN: Outside.drain,
    program.FILL: Outside.fill,
    program.OUTSIDE_CLOSE: Outside.close,
    program.OUTSIDE_SHUTDOWN: Outside.shutdown,
    program.OUTSIDE_CONNECT: Outside.connect,
    program.OUTSIDE_ACCEPT: Outside.accept,
    program.OUTSIDE_SIGNAL: Outside.signal,
    program.STEAL: Outside.steal,
}


def play(made):
    """Plays a program (program.Program): its events."""
    player = Player()
    steps = Steps(player, made)
    player.idle = Outside(player, steps, made.stimuli).idle
    if steps.things.has_internet:
        player.arrive = loopback().wait
    try:
        steps.start()
        player.run()
    finally:
        steps.things.close()
    return player.events
