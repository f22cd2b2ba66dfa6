#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The place of a call in the middle of an operation.
"""

import random
import unittest
import zlib

from acceptor_base import bytes_of, digest_of
from acceptor_blur import Blur, Stretch


class BlurTest(unittest.TestCase):
    """The place of a call in the middle of an operation is found as by trying all of them."""

    def places(self, count, call, skipped, length):
        """All places at which a stretch may have its call, tried one by one and looked for."""
        chance = random.Random(count * 1000 + call)
        middle = chance.randrange(skipped, count + 1)
        parts = [(5, chance.randrange(251), call)]
        said = bytes_of(2, 17, middle) + bytes_of(*parts[0]) + bytes_of(2, 17 + middle,
                                                                        count - middle)
        before = digest_of(7, 0, 3)
        wanted = zlib.crc32(said[skipped:skipped + length], before)
        tried = []
        for place in range(skipped, min(count, skipped + length - 1) + 1):
            other = (bytes_of(2, 17, place) + bytes_of(*parts[0])
                     + bytes_of(2, 17 + place, count - place))
            if zlib.crc32(other[skipped:skipped + length], before) == wanted:
                tried.append(place)
        blur = Blur(2, 17, count, [[0, count, parts]], False)
        stretch = Stretch(blur, skipped, length, before, b"", wanted)
        return tried, sorted(stretch.places(0, count, parts))

    def test_every_place_is_found(self):
        for count, call, skipped, length in ((40, 7, 0, 47), (40, 7, 5, 30), (300, 600, 20, 400),
                                             (700, 30, 0, 100), (9, 1, 0, 10), (60, 60, 10, 60)):
            tried, found = self.places(count, call, skipped, length)
            self.assertEqual(found, tried, (count, call, skipped, length))


if __name__ == "__main__":
    unittest.main()
