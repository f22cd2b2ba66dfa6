#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Prints files as a C table of bytes (assets.h): embed.py FILE...

The assembler's .incbin would be shorter, but Bazel does not see what it reads, and keeps old bytes.
"""

import pathlib
import sys

BYTES_PER_LINE = 24


def lines(path):
    content = path.read_bytes()
    for at in range(0, len(content), BYTES_PER_LINE):
        yield "    " + "".join(f"{byte}," for byte in content[at:at + BYTES_PER_LINE])


def main(paths):
    print('#include "tools/profile/html/assets.h"')
    for number, path in enumerate(paths):
        print(f"static const unsigned char bytes_{number}[] = {{", *lines(path), "};", sep="\n")
    print("const struct asset assets[] = {")
    for number, path in enumerate(paths):
        print(f'    {{"{path.name}", bytes_{number}, sizeof(bytes_{number})}},')
    print("};\nconst size_t asset_count = sizeof(assets) / sizeof(assets[0]);")


main([pathlib.Path(name) for name in sys.argv[1:]])
