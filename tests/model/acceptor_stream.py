# SPDX-License-Identifier: MIT
"""One direction of a stream of bytes: what was sent into it (acceptor_bytes.py), and who took what
out of it.

An operation that receives takes its bytes at moments that the trace does not show. While nobody
else receives, the next bytes are its. What a call past the engine took in the middle of it leaves a
hole, of which one knows the digest of what was in it, and that of all around it.
"""

import zlib

import trace as t
from acceptor_base import PERIOD, Rejected
from acceptor_blur import digests_before
from acceptor_bytes import Bytes

FIT_PRICE = 8000
HOLE_PRICE = 300  # What it costs to try one place of a hole, in bytes that are compared.


class Hole:
    """What calls took without the engine doing anything between them."""

    def __init__(self, epoch, most, likely):
        self.epoch = epoch
        self.most = most  # The taker has not got more than these bytes before.
        self.likely = likely
        self.takes = []  # (how many bytes, digest)
        self.count = 0


class Stream(Bytes):
    """Of an operation under way `moved` is what it came to in the end."""

    def __init__(self, choices):
        super().__init__(choices)
        self.taken = 0  # Bytes that were taken for sure.
        self.taker = None  # An operation that receives,
        self.holes = []  # what calls took meanwhile,
        self.later = []  # and operations that come behind it.
        self.is_full = False  # Not ready for sending, and nothing was taken since.
        self.touched = -2  # The place of the last call past the engine,
        self.takes, self.gives = [], []  # and of all that moved something.
        self.quiet_place = -1  # Where the taker, if it takes once, had nothing yet.

    # --- Bounds ---------------------------------------------------------------------------------

    def least_sent(self):
        return self.sent - self.giver.moved + self.least if self.giver else self.sent

    def has_bytes(self):
        """Bytes are there for sure."""
        return self.least_sent() > self.taken + (self.taker.moved if self.taker else 0)

    def may_have_bytes(self):
        return self.sent > self.taken

    # A sender may have to wait.
    may_hold = may_have_bytes

    # --- Receiving ------------------------------------------------------------------------------

    def begin_take(self, op):
        if self.taker:
            self.later.append(op)
        else:
            self.taker, self.holes = op, []
            self.is_full = False

    def advance(self, count, place, what):
        """Bytes are taken."""
        if self.taken + count > self.sent:
            raise Rejected(place, f"{what} got {count} bytes, but {self.sent - self.taken} can "
                                  "have been there")
        self.taken += count
        if self.giver:
            self.least = max(self.least, self.taken - self.sent + self.giver.moved)
        if count:
            self.is_full = False

    def take(self, asked, count, digest, place, what):
        """A call gets bytes."""
        if count > asked:
            raise Rejected(place, f"{what} got {count} bytes, but wanted {asked}")
        first = self.taken
        self.advance(count, place, what)
        if self.taker and count:
            self.tear(count, digest, place)
            return
        self.clear_up(first, self.taken, 0, digest)
        if self.digest(first, self.taken) != digest:
            raise Rejected(place, f"{what} got other bytes than were sent")

    def tear(self, count, digest, place):
        """A call took bytes from under the taker."""
        if not self.holes or self.holes[-1].epoch != self.choices.epoch:
            rest = self.taker.moved if self.quiet_place != place else 0
            most = min(rest, self.sent - self.taken)
            likely = max(0, self.settle() - self.taken + count)
            self.holes.append(Hole(self.choices.epoch, most, likely))
        hole = self.holes[-1]
        hole.takes.append((count, digest))
        hole.count += count

    def end_take(self, op, place):
        if self.taker is not op:
            self.later.remove(op)
            self.taker, self.holes = op, []
        first = self.taken - sum(hole.count for hole in self.holes)
        self.advance(op.moved, place, op)
        self.taker = None
        if self.holes:
            is_good = self.mend(op, first)
        else:
            self.clear_up(first, self.taken, 0, op.digest)
            is_good = self.digest(first, self.taken) == op.digest
        if self.later:
            self.begin_take(self.later.pop(0))
        if not is_good:
            raise Rejected(place, f"{op} got other bytes than were sent")

    # --- Holes ----------------------------------------------------------------------------------

    def mend(self, op, first):
        """Finds a place for each hole, so that what is in them and around them was sent. Nothing
        depends on which places these are, if there are several."""
        self.doubt(first, self.taken)
        if self.mend_from(op, self.holes, (first, op.moved), 0, self.likely):
            return True
        if len(self.holes) == 1:
            return False
        # Side by side, or anywhere.
        one = Hole(0, self.holes[0].most, self.holes[0].likely)
        for hole in self.holes:
            one.takes += hole.takes
            one.count += hole.count
        return (self.mend_from(op, [one], (first, op.moved), 0, self.likely)
                or self.mend_from(op, self.holes, (first, op.moved), 0, self.places_of))

    def mend_from(self, op, holes, where, digest, look):
        """The rest of the holes, when `rest` bytes of the operation are left."""
        first, rest = where
        hole = holes[0]
        most = max(0, min(rest, hole.most - op.moved + rest))
        if len(holes) == 1:
            return self.mend_last(op, hole, (first, rest, most), digest)
        for place in look(hole, first, most):
            if self.is_place(op, place, rest):
                before = self.digest(first, first + place, digest)
                behind = first + place + hole.count, rest - place
                if self.mend_from(op, holes[1:], behind, before, look):
                    return True
        return False

    def likely(self, hole, first, most):
        """An operation that is tried gets all that is there."""
        for place in {min(hole.likely, most), most, 0}:
            if self.fits(hole, first + place):
                yield place

    def places_of(self, hole, first, most):
        """Where these bytes are, up to `most` bytes behind the first. Within a segment the pattern
        repeats itself."""
        known = {}
        for start, end, at in self.stretches(first, first + most + hole.count):
            for place in range(start, min(end, first + most + 1)):
                key = (at, (place - start) % PERIOD) if place + hole.count <= end else place
                if key not in known:
                    if not self.choices.spend(1, FIT_PRICE + hole.count):
                        return
                    known[key] = self.fits(hole, place)
                if known[key]:
                    yield place - first

    def is_place(self, op, place, rest):
        return op.verb == t.VERB_RECV_EXACT or place in (0, rest)

    def fits(self, hole, first):
        """Whether these bytes are what is in a hole."""
        for count, digest in hole.takes:
            if self.digest(first, first + count) != digest:
                return False
            first += count
        return True

    def mend_last(self, op, hole, where, digest):
        first, rest, most = where
        end = first + rest + hole.count
        for place in self.likely(hole, first, most):
            behind = first + place + hole.count
            around = self.digest(behind, end, self.digest(first, first + place, digest))
            if around == op.digest and self.is_place(op, place, rest):
                return True
        tries = self.choices.spend(most + 1, HOLE_PRICE)
        data = self.data(first, end)
        before = list(digests_before(data[hole.count:], op.digest))
        for place in range(tries):
            if before[rest - place] == digest and self.is_place(op, place, rest):
                if self.fits(hole, first + place):
                    return True
            digest = zlib.crc32(data[place:place + 1], digest)
        return False

    # --- Everybody waits ------------------------------------------------------------------------

    def quiet_receiver(self, op, place):
        """A receiver is parked: there is nothing for it, or not enough."""
        is_exact = op.verb == t.VERB_RECV_EXACT
        if self.least_sent() > self.taken + (op.asked - 1 if is_exact else 0):
            raise Rejected(place, f"S2: {op} is parked, but {self.least_sent() - self.taken} bytes "
                                  "are there")
        if not is_exact:
            if self.giver:
                self.most = (place, self.taken - self.sent + self.giver.moved)
            if self.taker is op:
                self.quiet_place = place

    def quiet_sender(self, op, place):
        """A sender is parked: the direction cannot be empty."""
        is_whole = self.giver is op and op.verb != t.VERB_SEND_ALL
        if self.sent - (op.moved if is_whole else 0) <= self.taken:
            raise Rejected(place, f"S2: {op} is parked, but everything was taken")
        if is_whole:
            self.most = (place, 0)
        elif self.giver is op:
            self.least = max(self.least, self.taken + 1 - self.sent + self.giver.moved)
        self.is_full = self.taker is None
