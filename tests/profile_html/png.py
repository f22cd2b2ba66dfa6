# SPDX-License-Identifier: MIT
"""Reads the PNG files that a browser writes: 8 bits, RGB or RGBA, not interlaced."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}  # by the colour type


def _chunks(content):
    at = len(_SIGNATURE)
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + 8:at + 8 + length]
        at += 12 + length


def _paeth(left, above, corner):
    guess = left + above - corner
    distances = abs(guess - left), abs(guess - above), abs(guess - corner)
    return (left, above, corner)[distances.index(min(distances))]


def _undo(kind, line, above, step):
    """One line without its filter: what the filter took off each byte is added again."""
    if kind == 2:
        return bytearray((byte + up) & 255 for byte, up in zip(line, above))
    for at in range(len(line) if kind else 0):
        left = line[at - step] if at >= step else 0
        if kind == 1:
            predicted = left
        elif kind == 3:
            predicted = (left + above[at]) // 2
        else:
            predicted = _paeth(left, above[at], above[at - step] if at >= step else 0)
        line[at] = (line[at] + predicted) & 255
    return line


def read(path):
    """(width, height, lines): each line is a list of (red, green, blue)."""
    with open(path, "rb") as file:
        content = file.read()
    if not content.startswith(_SIGNATURE):
        raise ValueError(f"{path} is not a PNG file")
    chunks = list(_chunks(content))
    width, height, depth, colours, _, _, interlace = struct.unpack(
        ">IIBBBBB", dict(chunks)[b"IHDR"])
    if depth != 8 or colours not in _CHANNELS or interlace:
        raise ValueError(f"{path} is a PNG file of another kind")
    step = _CHANNELS[colours]
    data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    above, lines = bytearray(width * step), []
    for row in range(height):
        begin = row * (width * step + 1)
        line = bytearray(data[begin + 1:begin + 1 + width * step])
        above = _undo(data[begin], line, above, step)
        lines.append(list(zip(above[0::step], above[1::step], above[2::step])))
    return width, height, lines
