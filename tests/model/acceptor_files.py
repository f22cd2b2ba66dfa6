# SPDX-License-Identifier: MIT
"""A regular file: bytes, and a place in them that all calls share. It is always ready (S4)."""

import program as p
from acceptor_base import Rejected, bytes_of, digest_of
from zlib import crc32


class File:
    """Calls on it that overlap are not put in order: then nothing is said about the bytes."""

    def __init__(self, obj):
        self.data = bytearray(bytes_of(obj, 0, p.FILE_BYTES))
        self.place = 0

    def write(self, obj, first, count):
        self.data[self.place:self.place + count] = bytes_of(obj, first, count)
        self.place += count

    def read(self, asked, count, digest, place, what):
        data = self.data[self.place:self.place + asked]
        self.place += len(data)
        if (count, digest) != (len(data), crc32(data)):
            raise Rejected(place, f"{what} got other bytes than are in the file")
