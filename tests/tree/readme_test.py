#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The echo server of README.md, compiled as it stands there, echoes: `readme_test.py PROGRAM`."""

import re
import socket
import subprocess
import sys
import unittest

import tree
from readme_example import first_c_block

MESSAGE = b"what is sent comes back\n" * 100


class ReadmeTest(unittest.TestCase):
    program = None

    def connect(self, server, port):
        """A connection to the server, once it listens. It fails if the server ends before."""
        while server.poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=30)
            except ConnectionRefusedError:
                continue
        self.fail(f"the server ended with {server.returncode}")

    def test_the_check_runs_the_commands_of_the_text(self):
        for command in ("tools/setup", "bazel test //..."):
            self.assertIn(command, tree.read("README.md"))
            self.assertIn(command, tree.read(".ci/run"))

    def test_the_example_echoes(self):
        port = int(re.search(r", (\d+)\)", first_c_block(tree.read("README.md"))).group(1))
        with subprocess.Popen([self.program]) as server:
            try:
                with self.connect(server, port) as first, self.connect(server, port) as second:
                    for connection in (second, first):
                        connection.sendall(MESSAGE)
                        received = b""
                        while len(received) < len(MESSAGE):
                            piece = connection.recv(len(MESSAGE))
                            self.assertNotEqual(piece, b"", "closed too early")
                            received += piece
                        self.assertEqual(received, MESSAGE)
            finally:
                server.kill()


if __name__ == "__main__":
    ReadmeTest.program = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
