#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The library on aarch64, cross-compiled and run by an emulator, on whatever machine this is.

Everything compiles without a warning; the claims about contexts and generators hold, and those of
the specification; no register of the switch is kept for nothing; a debugger follows it at every
instruction; a server serves. Reads the tree itself, as the tests in tests/tree do. What is not
installed is not tried, and named.
"""

import concurrent.futures
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tree"))
import tree  # noqa: E402
from headers_test import copts  # noqa: E402

COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64"
DEBUGGER = "gdb-multiarch"
PACKAGES = {COMPILER: "gcc-aarch64-linux-gnu and libc6-dev-arm64-cross", EMULATOR: "qemu-user",
            DEBUGGER: "gdb-multiarch"}

SWITCH = "tasks/context_aarch64.S"
OTHER_SWITCHES = ("tasks/context_x86_64.S", "tasks/context_fallback.c")
SERVER = ("echo_connection.c", "echo_options.c", "echo_server.c", "echo_trace.c", "options.c")
TESTS = ("context_test", "context_registers_test", "generator_test", "generator_misuse_test")

# The emulator's own table for select(2) ends at 1023.
BEYOND_THE_EMULATOR = {"epoll": set(), "select": {"a_descriptor_far_above_1024_is_like_any_other"}}

# liburing is there for this machine only. Its headers fit any, and nobody here calls it.
_FLAGS = ["-O2", "-g", "-iquote", str(tree.ROOT), "-idirafter", "/usr/include",
          "-I", str(tree.ROOT / "tests/aarch64")]
_LINK_FLAGS = ["-static", "-pthread", "-Wl,--warn-unresolved-symbols"]

_FRAME = re.compile(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) ", re.MULTILINE)


def has(tool):
    if tool == COMPILER and not Path("/usr/aarch64-linux-gnu/lib/libc.a").exists():
        return False
    return shutil.which(tool) is not None


def sources():
    for path in tree.files(*tree.LIBRARY_FOLDERS):
        if path.suffix in (".c", ".S") and path.as_posix() not in OTHER_SWITCHES:
            yield path.as_posix()


def conformance():
    """The files of the claims of the specification, and of the program that checks them."""
    names = ("matrix_row.c", "sockets.c", "suite.c", "support.c", "watch.c")
    for path in tree.files("tests/conformance"):
        if path.name in names or path.match("claims_*.c"):
            yield path.as_posix()


def wrapped():
    """What the linker is told of the functions that the claims watch."""
    text = tree.read("tests/conformance/BUILD.bazel")
    names = re.search(r"^WRAPPED = \[(.*?)\]", text, re.MULTILINE | re.DOTALL).group(1)
    return ["-Wl,--wrap=" + name for name in re.findall(r'"(\w+)"', names)]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                          **options)


class Aarch64Test(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.scratch = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        named = [*sources(), *conformance(), "tests/child.c", "tests/annotations_parked.c",
                 *(f"tools/{name}" for name in SERVER), *(f"tests/{name}.c" for name in TESTS)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            said = list(pool.map(cls.compile, named))
        cls.objects = {name: cls.object_of(name) for name in named}
        cls.complaints = [f"{name}:\n{text}" for name, text in zip(named, said) if text]

    @classmethod
    def object_of(cls, name):
        return str(cls.scratch / (name.replace("/", "_") + ".o"))

    @classmethod
    def compile(cls, name):
        """Compiles a file of the tree; what the compiler says."""
        result = run(COMPILER, *copts(), *_FLAGS, "-c", str(tree.ROOT / name),
                     "-o", cls.object_of(name))
        return result.stderr or "" if result.returncode == 0 else f"fails\n{result.stderr}"

    def link(self, name, *own, switch=None, flags=()):
        """The path of a program made of files of its own and the library."""
        program = str(self.scratch / name)
        objects = {source: self.objects[source] for source in (*own, *sources())}
        objects[SWITCH] = switch or objects[SWITCH]
        result = run(COMPILER, *objects.values(), *_LINK_FLAGS, *flags, "-o", program)
        self.assertEqual(result.returncode, 0, result.stderr)
        missing = re.findall(r"undefined reference to `(\w+)'", result.stderr)
        self.assertEqual([symbol for symbol in missing if not symbol.startswith("io_uring_")], [])
        return program

    def need(self, tool):
        if not has(tool):
            print(f"skipped: {PACKAGES[tool]} not installed")
            self.skipTest(f"{PACKAGES[tool]} not installed")

    def test_everything_compiles_without_a_warning(self):
        print(f"{len(self.objects)} files compiled")
        self.assertIn(SWITCH, self.objects)
        self.assertEqual(self.complaints, [], "\n" + "\n".join(self.complaints))

    def test_the_claims_about_contexts_and_generators_hold(self):
        self.need(EMULATOR)
        for name in TESTS:
            result = run(EMULATOR, self.link(name, f"tests/{name}.c", "tests/child.c"))
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            print(f"{name}: {result.stdout.count('       OK')} passed")
            self.assertGreater(result.stdout.count("       OK"), 0)

    def test_no_register_of_the_switch_is_kept_for_nothing(self):
        self.need(EMULATOR)
        text = tree.read(SWITCH)
        loads = re.findall(r"^    ldp .*\n", text, re.MULTILINE)
        self.assertEqual(len(loads), 10)
        for load in loads:
            source, switch = self.scratch / "broken.S", str(self.scratch / "broken.o")
            source.write_text(text.replace(load, ""))
            self.assertEqual(run(COMPILER, "-c", str(source), "-o", switch).returncode, 0)
            broken = self.link("broken", "tests/context_registers_test.c", switch=switch)
            self.assertNotEqual(run(EMULATOR, broken).returncode, 0, f"without {load}")

    def debug(self, program, commands):
        """What the debugger says to commands on a program that the emulator has just begun."""
        path = str(self.scratch / "debugger")
        with subprocess.Popen([EMULATOR, "-g", path, program]) as emulator:
            try:
                # The flag of a socket that listens; Linux counts its types from stream, 1.
                listening = re.compile(rf"00010000 0001 .* {re.escape(path)}$", re.MULTILINE)
                while not listening.search(Path("/proc/net/unix").read_text(encoding="ascii")):
                    self.assertIsNone(emulator.poll(), "the emulator has ended")
                script = self.scratch / "commands"
                script.write_text(f"target remote {path}\n{commands}\nkill\n")
                return run(DEBUGGER, "-nx", "-batch", "-x", str(script), program,
                           stdin=subprocess.DEVNULL).stdout
            finally:
                emulator.kill()

    def test_a_debugger_follows_the_switch_at_every_instruction(self):
        self.need(EMULATOR)
        self.need(DEBUGGER)
        program = self.link("parked", "tests/annotations_parked.c")
        # Into a new context, and later back from the first yield.
        walk = ("continue\nset $step = 0\nwhile $step < 31\necho backtrace\\n\nbacktrace\nstepi\n"
                "set $step = $step + 1\nend\n")
        said = self.debug(program, f"break *cede_context_switch\n{walk}{walk}")
        walks = [_FRAME.findall(part) for part in said.split("backtrace\n")[1:]]
        self.assertEqual(len(walks), 2 * 31, said)
        self.assertEqual([(frames[0], frames[-1]) for frames in walks if "switch" in frames[0]],
                         [("cede_context_switch", "main")] * 16 +
                         [("cede_context_switch", "begin")] * (13 + 16) +
                         [("cede_context_switch", "main")] * 13)
        self.assertEqual(walks[31][2:], ["park_in_the_innermost", "call_the_innermost",
                                         "body_of_the_task", "run_body", "begin"])
        self.assertNotRegex(said, r"corrupt|previous frame| \?\? ")

    def test_the_specification_holds_on_each_poller(self):
        self.need(EMULATOR)
        program = self.link("claims", *conformance(), flags=wrapped())
        for backend, excused in BEYOND_THE_EMULATOR.items():
            result = run(EMULATOR, program, "30", backend)
            self.assertEqual(result.returncode, 0, result.stderr)
            # The emulator prints there, too; what it says has no tabs.
            broken = set(re.findall(r"^(\w+)\t", result.stdout, re.MULTILINE))
            print(f"the claims on {backend}, but for {len(broken & excused)}, hold")
            self.assertEqual(broken - excused, set(), result.stdout)

    def test_a_server_serves_on_each_poller(self):
        self.need(EMULATOR)
        program = self.link("echo_server", *(f"tools/{name}" for name in SERVER))
        message = b"what is sent comes back\n" * 4096
        for backend in ("epoll", "select"):
            with subprocess.Popen([EMULATOR, program, "--port", "0", "--backend", backend],
                                  stdout=subprocess.PIPE, text=True) as server:
                try:
                    line = server.stdout.readline()
                    port = int(re.fullmatch(rf"listening on \S+:(\d+) \({backend}\)\n",
                                            line).group(1))
                    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                        with client.makefile("rb") as stream:
                            for _ in range(3):
                                client.sendall(message)
                                self.assertEqual(stream.read(len(message)), message)
                    server.terminate()
                    self.assertEqual(server.wait(timeout=60), 0)
                finally:
                    server.kill()


if __name__ == "__main__":
    if not has(COMPILER):
        print(f"skipped: {PACKAGES[COMPILER]} not installed")
        sys.exit(0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main(argv=sys.argv[:1])
