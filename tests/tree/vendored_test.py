#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What third parties wrote is here unmodified: each file has the hash that its README.md names."""

import hashlib
import re
import unittest

import tree

_ROW = re.compile(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def vendored_folders():
    return sorted({path.parent for path in tree.files("third_party") if len(path.parts) > 2})


class VendoredTest(unittest.TestCase):
    def test_every_vendored_file_has_the_hash_of_its_readme(self):
        folders = vendored_folders()
        self.assertTrue(folders)
        for folder in folders:
            listed = dict(_ROW.findall(tree.read(folder / "README.md")))
            there = {path.name for path in tree.files(folder)} - {"README.md"}
            self.assertEqual(set(listed), there, folder)
            for name, expected in listed.items():
                content = (tree.ROOT / folder / name).read_bytes()
                self.assertEqual(hashlib.sha256(content).hexdigest(), expected, folder / name)
            print(f"{folder}: {len(listed)} files")


if __name__ == "__main__":
    unittest.main()
