#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""engine/sys is the one door: no other object of the library reaches kernel, clock or memory.

Called with the archives of the library. What their objects import must stand in the lists below;
what is a system call, an allocation, a clock or a random number is not in them, and neither is what
somebody forgot to judge.
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import tree

# The units that may import anything.
DOOR = re.compile(r"^engine/sys(_.*)?$")

# Our own symbols, what compilers and linkers add, and what sanitizers and coverage add.
HARMLESS_PREFIXES = (
    "cede_",
    "__asan_", "__ubsan_", "__tsan_", "__sanitizer_", "__gcov_", "__aarch64_",
)
HARMLESS = set("""
    _GLOBAL_OFFSET_TABLE_ __tls_get_addr __stack_chk_fail
    bcmp memchr memcmp memcpy memmove memset
    strchr strcmp strlen strncmp strncpy strnlen strrchr
    snprintf vsnprintf strtol strtoul strtoull
    strerror strerrordesc_np strerrorname_np
    htonl htons inet_ntop inet_pton ntohl ntohs
    sigaddset sigemptyset sigfillset sigismember
""".split())

# The checking variants that _FORTIFY_SOURCE puts in place of the harmless ones.
_CHECKED = re.compile(r"^__(\w+)_chk$")

# What one unit alone may import, and why that is no hole.
EXCEPTIONS = {
    # The portable switch is the C library's own; its system call only keeps the signal mask.
    "tasks/context_ucontext": {"getcontext", "makecontext", "swapcontext"},
    # One handler serves the engines of all threads, hence the one lock of the library.
    "tasks/overflow": {"pthread_mutex_lock", "pthread_mutex_unlock"},
}

# What objdump says of an archive: `timers.pic.o:     file format ...`, then of the object's symbols
# `0000000000000000         *UND*  0000000000000000 cede_sys_allocate`, then its code.
_OBJECT = re.compile(r"^(?=\S+:\s+file format )", re.MULTILINE)
_IMPORT = re.compile(r"\s\*UND\*\s.*\s(\S+)$", re.MULTILINE)

# The instruction itself, on the processors that we build for.
_SYSTEM_CALL = re.compile(r"^\s+[0-9a-f]+:\s+(syscall|sysenter|int\s+\$0x80|svc\s)", re.MULTILINE)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def is_harmless(unit, symbol):
    checked = _CHECKED.match(symbol)
    plain = checked.group(1) if checked and symbol != "__stack_chk_fail" else symbol
    return (plain in HARMLESS or symbol.startswith(HARMLESS_PREFIXES)
            or symbol in EXCEPTIONS.get(unit, ()))


def objections(archive):
    """(what is wrong with the archive, how many of its imports were judged)."""
    # Not nm: of objects made for optimisation at link time it leaves out malloc and its like.
    said = run("objdump", "--syms", "--disassemble", "--no-show-raw-insn", archive)
    found, count = [], 0
    for part in _OBJECT.split(said)[1:]:
        unit = f"{Path(archive).parent.name}/{part.partition('.')[0]}"
        symbols = _IMPORT.findall(part)
        count += len(symbols)
        if not DOOR.match(unit):
            found += [f"{unit} imports {symbol}" for symbol in symbols
                      if not is_harmless(unit, symbol)]
            found += [f"{unit} contains a system call"] * bool(_SYSTEM_CALL.search(part))
    return found, count


class DoorTest(unittest.TestCase):
    maxDiff = 0
    archives = ()

    def plant(self, name, text, *flags):
        """The objections to an archive, engine/libNAME.a, made of the C text."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "engine"
            folder.mkdir()
            (folder / f"{name}.c").write_text(text)
            run("gcc", "-O1", *flags, "-c", str(folder / f"{name}.c"),
                "-o", str(folder / f"{name}.o"))
            run("ar", "rc", str(folder / f"lib{name}.a"), str(folder / f"{name}.o"))
            return objections(str(folder / f"lib{name}.a"))[0]

    def test_only_the_door_reaches_outside(self):
        found, count, folders = [], 0, set()
        for archive in self.archives:
            folder = Path(archive).parts[0]
            if folder in tree.LIBRARY_FOLDERS:
                wrong, judged = objections(archive)
                found += wrong
                count += judged
                folders.add(folder)
        print(f"{count} imports judged in {len(self.archives)} archives")
        self.assertEqual(folders, set(tree.LIBRARY_FOLDERS), "a part of the library was not given")
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_what_reaches_outside_is_found(self):
        recv = ("long recv(int, void *, unsigned long, int);\n"
                "long planted(int fd, char *byte) { return recv(fd, byte, 1, 0); }\n")
        self.assertEqual(self.plant("planted", recv), ["engine/planted imports recv"])
        self.assertEqual(self.plant("sys", recv), [])
        clock = "long time(long *);\nlong planted(void) { return time(0); }\n"
        self.assertEqual(self.plant("planted", clock), ["engine/planted imports time"])

    def test_what_link_time_optimisation_hides_is_found(self):
        memory = "#include <stdlib.h>\nvoid *planted(void) { return malloc(5); }\n"
        self.assertEqual(self.plant("planted", memory, "-flto", "-ffat-lto-objects"),
                         ["engine/planted imports malloc"])

    def test_a_system_call_instruction_is_found(self):
        instruction = {"x86_64": "syscall", "aarch64": "svc #0"}[run("uname", "-m").strip()]
        text = f'void planted(void) {{ __asm__ volatile("{instruction}"); }}\n'
        self.assertEqual(self.plant("planted", text),
                         ["engine/planted contains a system call"])


if __name__ == "__main__":
    DoorTest.archives = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
