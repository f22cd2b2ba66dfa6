# SPDX-License-Identifier: MIT
"""Where a call past the engine came in the middle of an operation that sends bit by bit.

The trace does not show it, but the bytes do, once somebody has received them: a stretch of the
stream is the operation's bytes with the call's somewhere among them, and its digest is known. All
places are tried, from both ends at once, so that each costs a step of the CRC and not a stretch.
"""

import zlib

from acceptor_base import bytes_of, digest_of

_ALL_ONES = 0xFFFFFFFF


def _table():
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        yield value


_STEP = tuple(_table())
_BACK = [0] * 256  # The index of the entry of _STEP with this highest byte.
for _index, _entry in enumerate(_STEP):
    _BACK[_entry >> 24] = _index


def digests_before(data, digest):
    """The digests of what stands before data[i:], for each i up to len(data), when that of all is
    known: from the last back."""
    raw = digest ^ _ALL_ONES
    yield digest
    for byte in reversed(data):
        index = _BACK[raw >> 24]
        raw = ((raw ^ _STEP[index]) << 8 & _ALL_ONES) | index ^ byte
        yield raw ^ _ALL_ONES


class Blur:
    """Bytes first .. first + count - 1 of an operation, among which there are calls in groups:
    [least, most, parts]. A group stands behind `least` to `most` of the operation's bytes, or if
    it is whole, behind none or all. A part is (object, its first byte, how many)."""

    __slots__ = ("object", "first", "count", "groups", "is_whole")

    def __init__(self, obj, first, count, groups, is_whole):
        self.object = obj
        self.first = first
        self.count = count
        self.groups = groups
        self.is_whole = is_whole


def _whole(digest, data, call, least, most, before):
    """Places at which the whole call is in the stretch. `before[i]`: the digest that must stand
    before data[most - i:]."""
    if len(call) <= 512:
        after = lambda state: zlib.crc32(call, state)
    else:
        after = _operator(call)
    state = zlib.crc32(data[:least], digest)
    for place in range(least, most + 1):
        if after(state) == before[most - place]:
            yield place
        state = zlib.crc32(data[place:place + 1], state)


def _operator(call):
    """crc32(call, state) as a function of the state, which is linear: four looks at tables."""
    zero = zlib.crc32(call)
    tables = []
    for shift in (0, 8, 16, 24):
        table = [0] * 256
        for bit in range(8):
            value = zlib.crc32(call, 1 << bit + shift) ^ zero
            for low in range(1 << bit):
                table[1 << bit | low] = table[low] ^ value
        tables.append(table)
    one, two, three, four = tables

    def after(state):
        return (zero ^ one[state & 255] ^ two[state >> 8 & 255] ^ three[state >> 16 & 255]
                ^ four[state >> 24])

    return after


def _shift_one(state):
    return _STEP[state & 255] ^ state >> 8


def _ending(digest, data, call, least, most, count, wanted):
    """Places so near to the end of the stretch that it has only the beginning of the call. Of the
    call each has another part, so these are compared as if zeros made all of them equally long."""
    longest = count - least
    zeros = bytes(longest)
    lengthen, nothing = _operator(zeros), zlib.crc32(zeros)
    state = zlib.crc32(data[:least], digest)
    part = zlib.crc32(call[:longest])
    basis = [zlib.crc32(b"\0"), *(zlib.crc32(bytes((1 << bit,))) ^ zlib.crc32(b"\0")
                                  for bit in range(8))]
    for place in range(least, most + 1):
        if lengthen(state) ^ nothing == wanted ^ part:
            yield place
        # One byte less of the call, one zero more.
        byte = call[count - place - 1]
        part ^= basis[0]
        for bit in range(8):
            if byte >> bit & 1:
                part ^= basis[bit + 1]
        basis = [_shift_one(vector) for vector in basis]
        wanted = _shift_one(wanted)
        state = zlib.crc32(data[place:place + 1], state)


class Stretch:
    """What was received: `count` bytes from number `skipped` of a blur on, behind something with
    the digest `digest`, and `tail` behind the blur; `wanted` is the digest of all."""

    def __init__(self, blur, skipped, count, digest, tail, wanted):
        self.blur = blur
        self.skipped = skipped
        self.count = count
        self.digest = digest
        self.tail = tail
        self.wanted = wanted

    def is_before_group(self):
        """Whether the first group can stand behind the stretch, by its bytes."""
        blur = self.blur
        if self.tail or self.skipped + self.count > blur.groups[0][1]:
            return False
        return self.wanted == digest_of(blur.object, blur.first + self.skipped, self.count,
                                        self.digest)

    def places(self, least, most, parts):
        """Where in the blur these parts can stand, of the places from least to most."""
        blur, skipped = self.blur, self.skipped
        if blur.is_whole and most > least:
            return [found for place in (0, blur.count) if least <= place <= most
                    for found in self.places(place, place, parts)]
        call = b"".join(bytes_of(*part) for part in parts)
        room = self.count - len(call)  # Bytes of the operation, if the whole call is in.
        least, most = max(least, skipped) - skipped, min(most - skipped, self.count - 1)
        data = bytes_of(blur.object, blur.first + skipped,
                        min(max(room, most + 1), blur.count - skipped))
        found = []
        last = min(most, room)
        if least <= last and room <= len(data):
            before = list(digests_before(self.tail, self.wanted))[-1:]
            before = list(digests_before(data[last:room], before[0]))[-1:]
            before = list(digests_before(data[least:last], before[0]))
            found += _whole(self.digest, data, call, least, last, before)
        first = max(least, room + 1)
        if first <= most:
            found += _ending(self.digest, data, call, first, most, self.count, self.wanted)
        return [place + skipped for place in found]
