# SPDX-License-Identifier: MIT
"""One direction of a pair of datagram sockets: whole messages, of which what is not taken is lost.

The same functions as acceptor_stream.py.
"""

import trace as t
from acceptor_base import Rejected, digest_of


class Messages:
    """Messages are (object, first byte, length). The giver's comes in at some time while it is
    under way."""

    def __init__(self, choices):
        self.choices = choices
        self.queue = []
        self.giver = None  # An operation whose message has no place yet.
        self.taker = None  # An operation that receives: one message, or until it has enough;
        self.later = []  # those that come behind it;
        self.got = 0  # what it has,
        self.count = 0  # how many messages these were,
        self.digest = 0  # and of which bytes.
        self.is_full = False
        self.touched = -2  # The place of the last call past the engine,
        self.takes, self.gives = [], []  # and of all that moved something.
        self.quiet_place = -1  # Where giver and taker had not moved anything yet.

    def has_bytes(self):
        """A message is there for sure, and the taker cannot have it."""
        return len(self.queue) > (0 if not self.taker else 1) and not self.takes_many()

    def takes_many(self):
        return self.taker is not None and self.taker.verb == t.VERB_RECV_EXACT

    def may_have_bytes(self):
        return bool(self.queue) or self.giver is not None

    may_hold = may_have_bytes

    # --- Sending --------------------------------------------------------------------------------

    def begin_give(self, op):
        self.place_giver()
        self.giver = op

    def end_give(self, op, place):
        if self.giver is op:
            self.place_giver()

    def place_giver(self):
        """What the giver sends is one message."""
        if self.giver:
            self.queue.append((self.giver.object, self.giver.first_byte, self.giver.moved))
            self.giver = None

    def put(self, obj, first, count, place):
        """A call sends a message, at this moment."""
        if self.giver and self.quiet_place != place and self.choices.choose(2):
            self.place_giver()
        self.queue.append((obj, first, count))

    def drop(self):
        """All messages are lost that the taker has not got."""
        while self.taker and self.queue and self.wants_more():
            self.feed(-1)
        self.queue.clear()
        self.is_full = False

    # --- Receiving ------------------------------------------------------------------------------

    def begin_take(self, op):
        if self.taker:
            self.later.append(op)
        else:
            self.taker, self.got, self.count, self.digest = op, 0, 0, 0

    def wants_more(self):
        """Whether the taker goes on to get messages."""
        if self.takes_many():
            return self.got < self.taker.moved
        return self.count == 0

    def shift(self, asked, place, what):
        """Takes a message: how many bytes of it, and where they are from."""
        if not self.queue:
            self.place_giver()
        if not self.queue:
            raise Rejected(place, f"{what} got a message, but none can have been there")
        self.is_full = False
        obj, first, count = self.queue.pop(0)
        return obj, first, min(asked, count)

    def feed(self, place):
        """The taker gets the next message."""
        obj, first, count = self.shift(self.taker.asked - self.got, place, self.taker)
        self.got += count
        self.count += 1
        self.digest = digest_of(obj, first, count, self.digest)
        return count

    def take(self, asked, count, digest, place, what):
        """A call gets a message."""
        if self.taker and self.quiet_place != place and self.queue and self.wants_more():
            for _ in range(self.choices.choose(len(self.queue) if self.takes_many() else 2)):
                if self.queue and self.wants_more():
                    self.feed(place)
        obj, first, size = self.shift(asked, place, what)
        if size != count:
            raise Rejected(place, f"{what} got {count} bytes of a message, not {size}")
        if digest_of(obj, first, size) != digest:
            raise Rejected(place, f"{what} got other bytes than were sent")

    def drain(self, count, digest, place, what):
        """A call gets one message after the other, until there is none, or one of nothing."""
        while not self.drains(count, digest):
            if self.quiet_place == place or not (self.taker and self.queue and self.wants_more()):
                raise Rejected(place, f"{what} received other messages than were sent")
            self.feed(place)
        self.is_full = False

    def drains(self, count, digest):
        """Takes all messages, if these are the bytes in them."""
        lengths = [message[2] for message in self.queue]
        end = lengths.index(0) if 0 in lengths else len(lengths)
        whole = 0
        for obj, first, size in self.queue[:end]:
            whole = digest_of(obj, first, size, whole)
        if (sum(lengths[:end]), whole) != (count, digest):
            return False
        del self.queue[:end + 1]
        return True

    def withdraw(self, op):
        """What ended this was no message."""
        self.later = [other for other in self.later if other is not op]
        if self.taker is op:
            self.taker = None
            if self.later:
                self.begin_take(self.later.pop(0))

    def end_take(self, op, place):
        if self.taker is not op:
            self.taker, self.later = op, [other for other in self.later if other is not op]
        while self.wants_more():
            if self.feed(place) == 0 and self.got < op.moved:
                raise Rejected(place, f"{op} went on behind a message of nothing")
        if self.takes_many() and 0 <= op.result < op.asked and self.queue:
            self.feed(place)  # A message of nothing ends it like a stream.
        got, digest, self.taker = self.got, self.digest, None
        if self.later:
            self.begin_take(self.later.pop(0))
        if (got, digest) != (op.moved, op.digest):
            raise Rejected(place, f"{op} got other bytes than were sent")

    # --- Everybody waits ------------------------------------------------------------------------

    def quiet_receiver(self, op, place):
        if op.verb == t.VERB_RECV_EXACT:
            return  # It may go on from message to message.
        if self.taker is op:
            self.quiet_place = place
        if self.queue:
            raise Rejected(place, f"S2: {op} is parked, but a message is there")

    def quiet_sender(self, op, place):
        if not self.queue and (self.giver in (op, None)):
            raise Rejected(place, f"S2: {op} is parked, but everything was taken")
        if self.giver is op:
            self.quiet_place = place
        self.is_full = self.taker is None
