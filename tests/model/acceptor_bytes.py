# SPDX-License-Identifier: MIT
"""What was sent into one direction of a stream, and in which order.

An operation moves its bytes at moments that the trace does not show, and one that sends all does it
bit by bit; how many in the end, the trace does show. While nobody else sends, that is enough: the
bytes come one after the other. A call past the engine in the middle of it stands somewhere among
them, within bounds, until somebody has received these bytes (acceptor_blur.py). Nothing is assumed
about how much fits. A part of acceptor_stream.py, which knows who receives.
"""

from bisect import bisect_right

import trace as t
from acceptor_base import bytes_of, digest_of
from acceptor_blur import Blur, Stretch

PLACE_PRICE = 40  # What it costs to try one place of a call, in bytes that are compared.


class Bytes:
    """Bytes have numbers from 0. An operation that sends has its place as soon as it is submitted,
    for as many bytes as it came to in the end."""

    def __init__(self, choices):
        self.choices = choices
        self.starts = []  # Of segments: the number of the first byte,
        self.segments = []  # and (object, its first byte), of which the pattern is made, or a Blur.
        self.sent = 0  # Bytes that have a place,
        self.settled = (-1, 0)  # and how many had one when this epoch began.
        self.giver = None  # An operation that sends,
        self.least = 0  # how many it has sent for sure,
        self.most = (-1, 0)  # and (at this event) not more than these.
        self.give_epoch = self.call_epoch = -1  # When it began, and when calls sent among it last.

    # --- Sending --------------------------------------------------------------------------------

    def begin_give(self, op):
        self.giver, self.least, self.call_epoch = op, 0, -1
        self.give_epoch = self.choices.epoch
        self.append((op.object, op.first_byte), op.moved)

    def end_give(self, op, place):
        if self.giver is op:
            self.giver = None

    def append(self, segment, count):
        self.settle()
        self.starts.append(self.sent)
        self.segments.append(segment)
        self.sent += count

    def settle(self):
        """More is about to be sent. Returns how many bytes there were when the epoch began."""
        if self.settled[0] != self.choices.epoch:
            self.settled = self.choices.epoch, self.sent
        return self.settled[1]

    def put(self, obj, first, count, place):
        """A call sends bytes, at this moment."""
        if not count:
            return
        if not self.giver:
            self.append((obj, first), count)
            return
        self.settle()
        blur = self.segments[-1]
        # Before the next tick the operation was not tried, unless T1 was cut short.
        if (self.give_epoch == self.choices.epoch and blur.__class__ is not Blur
                and self.choices.choose(2) == 0):
            self.segments[-1:] = (obj, first), blur
            self.starts.append(self.starts[-1] + count)
        else:
            self.put_among(blur, (obj, first, count), place)
        self.sent += count

    def put_among(self, blur, part, place):
        """Somewhere among the bytes of the giver that come last."""
        if blur.__class__ is not Blur:
            is_whole = self.giver.verb != t.VERB_SEND_ALL
            self.segments[-1] = blur = Blur(*blur, self.sent - self.starts[-1], [], is_whole)
        behind = self.giver.moved - blur.count  # Bytes of the operation that are not in the blur.
        least = max(0, self.least - behind)
        most = (self.most[1] if self.most[0] == place else self.giver.moved) - behind
        if blur.groups and self.call_epoch == self.choices.epoch:
            blur.groups[-1][2].append(part)
        else:
            blur.groups.append([least, max(least, most), [part]])
        self.call_epoch = self.choices.epoch

    # --- What the bytes are ---------------------------------------------------------------------

    def parts(self, first, behind):
        """(object, its first byte, how many) of bytes number first .. behind - 1; of a blur, as if
        no call were in it."""
        for start, end, at in self.stretches(first, behind):
            segment = self.segments[at]
            if segment.__class__ is Blur:
                segment = segment.object, segment.first
            yield segment[0], segment[1] + start - self.starts[at], end - start

    def stretches(self, first, behind):
        """(the first byte, behind the last, which segment) of what is between these."""
        at = bisect_right(self.starts, first) - 1
        while first < behind:
            end = self.starts[at + 1] if at + 1 < len(self.starts) else self.sent
            if end > first:
                yield first, min(end, behind), at
                first = end
            at += 1

    def digest(self, first, behind, digest=0):
        for obj, number, count in self.parts(first, behind):
            digest = digest_of(obj, number, count, digest)
        return digest

    def data(self, first, behind):
        return b"".join(bytes_of(*part) for part in self.parts(first, behind))

    def blur_at(self, first, behind):
        """The place of the first blur that may have a call among these bytes, None if there is
        none."""
        at = max(0, bisect_right(self.starts, first) - 1)
        while at < len(self.starts) and self.starts[at] < behind:
            blur = self.segments[at]
            if blur.__class__ is Blur and self.starts[at] + blur.groups[0][0] < behind:
                return at
            at += 1
        return None

    def doubt(self, first, behind):
        """These bytes are compared without looking for calls among them: then it was not all that
        could be done."""
        if self.blur_at(first, behind) is not None:
            self.choices.is_cut = True

    # --- Where calls stand ----------------------------------------------------------------------

    def clear_up(self, first, behind, digest, wanted):
        """Looks for where calls stand among bytes number first .. behind - 1, which have the
        digest `wanted` behind what has `digest`."""
        at = self.blur_at(first, behind)
        if at is None:
            return
        start = max(first, self.starts[at])
        digest = self.digest(first, start, digest)
        blur, skipped = self.segments[at], start - self.starts[at]
        end = min(behind, self.starts[at + 1] if at + 1 < len(self.starts) else self.sent)
        self.doubt(end, behind)
        stretch = Stretch(blur, skipped, end - start, digest, self.data(end, behind), wanted)
        if stretch.is_before_group() and self.choices.choose(2) == 0:
            blur.groups[0][0] = max(blur.groups[0][0], skipped + stretch.count)
            return
        for count in range(1, len(blur.groups) + 1):
            places = self.places(stretch, blur.groups[:count])
            if places:
                which = self.choices.choose(len(places)) if len(places) > 1 else 0
                self.split(at, places[which], count)
                break
        self.choices.is_cut |= len(blur.groups) > 1 or len(blur.groups[0][2]) > 1

    def places(self, stretch, groups):
        """Where these can stand, all in one place."""
        least = max(group[0] for group in groups)
        most = min(group[1] for group in groups)
        if most < least:
            return []
        tries = self.choices.spend(min(most - least + 1, stretch.count + 1), PLACE_PRICE)
        parts = [part for group in groups for part in group[2]]
        return stretch.places(least, min(most, least + tries), parts)

    def split(self, at, place, group_count):
        """The first groups of a blur stand behind `place` of its bytes."""
        blur, start = self.segments[at], self.starts[at]
        segments, starts = [(blur.object, blur.first)], [start]
        start += place
        for group in blur.groups[:group_count]:
            for obj, first, count in group[2]:
                segments.append((obj, first))
                starts.append(start)
                start += count
        rest = [[max(0, least - place), max(0, most - place), parts]
                for least, most, parts in blur.groups[group_count:]]
        last = blur.object, blur.first + place
        segments.append(Blur(*last, blur.count - place, rest, blur.is_whole) if rest else last)
        starts.append(start)
        self.segments[at:at + 1] = segments
        self.starts[at:at + 1] = starts
