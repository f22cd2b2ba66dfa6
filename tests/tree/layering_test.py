#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Who may include whom. Bazel's visibility says the same of targets; this reads the very lines."""

import re
import unittest

import tree

# Lowest first. A unit may include every layer that stands before its own. Within a layer:
#   apart     none knows another,
#   in order  each may include those to its left,
#   together  each may include each.
# A unit is one folder and one name: engine/epoll is epoll.c and epoll.h, and also every epoll_*.c
# and epoll_*.h, which are its parts. A star takes the units of that folder that no layer names.
LAYERS = [
    ("in order", "engine/check", "engine/sys", "engine/sys_ring", "engine/timers",
     "engine/operation", "engine/options", "engine/poison", "engine/descriptors",
     "engine/buffers", "engine/attempt", "engine/vain"),
    ("in order", "engine/poller", "engine/backend"),
    ("apart", "engine/select", "engine/epoll", "engine/readiness", "engine/uring", "engine/*"),
    ("apart", "engine/backends"),
    ("together", "engine/engine", "engine/rest", "engine/tick", "engine/wakeup"),
    ("in order", "tasks/sanitizer", "tasks/context", "tasks/stack", "tasks/overflow",
     "tasks/generator", "tasks/trace"),
    ("together", "tasks/scheduler", "tasks/task", "tasks/report", "tasks/run"),
    ("together", "tasks/sync", "tasks/channel", "tasks/scope", "tasks/*"),
    ("together", "net/*"),
    ("apart", "cede"),
    ("together", "tools/*"),
]

# What a unit may know of a folder below it, where that is less than the layers allow.
NARROWER = [
    ("engine/engine engine/rest engine/tick engine/wakeup", "engine", "all but engine/backends",
     "the engine cannot know which backends exist"),
    ("tasks/sanitizer tasks/context tasks/stack tasks/overflow tasks/generator", "engine",
     "engine/check engine/sys", "stacks and generators know no operation"),
    ("tasks/trace", "engine", "engine/check engine/sys engine/operation",
     "a trace is read without an engine"),
    ("tasks/trace", "tasks", "tasks/trace", "a trace is read without a scheduler"),
    ("tasks/sync tasks/channel tasks/scope tasks/*", "engine", "all but engine/engine",
     "only the scheduler knows the engine"),
    ("net/*", "engine", "engine/check engine/sys engine/operation engine/options engine/buffers",
     "net asks the scheduler and knows no backend"),
]

_INCLUDE = re.compile(
    r'^\s*#\s*include\s+(?:"|<(?=(?:engine|tasks|net|tools|tests)/))([^">]+)', re.MULTILINE)
_NAMED = {unit for layer in LAYERS for unit in layer[1:]}


def unit_of(path):
    """The name under which LAYERS knows the file `path`, and the name of its own unit."""
    stem = re.sub(r"\.[^./]+$", "", path)
    family = stem
    while family not in _NAMED and "_" in family.rpartition("/")[2]:
        family = family.rpartition("_")[0]
    if family in _NAMED:
        return family, family
    star = stem.partition("/")[0] + "/*"
    return (star if star in _NAMED else None), stem


def layer_of(unit):
    return next(number for number, layer in enumerate(LAYERS) if unit in layer)


def allowed_by_layers(unit, own, other, other_own):
    if own == other_own:
        return True
    layer = LAYERS[layer_of(unit)]
    if layer_of(other) != layer_of(unit):
        return layer_of(other) < layer_of(unit)
    return layer[0] == "together" or (
        layer[0] == "in order" and layer.index(other) < layer.index(unit))


def objection(path, included):
    """Why the file `path` must not include `included`, or None."""
    unit, own = unit_of(path)
    other, other_own = unit_of(included)
    if unit is None:
        return "stands in no layer"
    if other is None:
        return f"includes {included}, which stands in no layer"
    if not allowed_by_layers(unit, own, other, other_own):
        return f"includes {included}, which is not below it"
    for units, folder, known, reason in NARROWER:
        applies = unit in units.split() and own != other_own and other.startswith(folder + "/")
        if applies and (other in known.split()) == known.startswith("all but"):
            return f"includes {included}: {reason}"
    return None


def objections(path, text):
    found = (objection(path, included) for included in _INCLUDE.findall(text))
    return [f"{path}: {reason}" for reason in found if reason]


class LayeringTest(unittest.TestCase):
    maxDiff = 0

    def test_every_file_includes_only_what_is_below_it(self):
        found, count = [], 0
        for path in tree.files(*tree.LIBRARY_FOLDERS, "tools"):
            if path.suffix in (".c", ".h", ".S"):
                found += objections(path.as_posix(), tree.read(path))
                count += 1
        print(f"{count} files read")
        self.assertGreater(count, 0)
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_every_included_file_exists(self):
        missing = []
        for path in tree.files(*tree.LIBRARY_FOLDERS, "tools", "tests"):
            if path.suffix in (".c", ".h", ".S"):
                missing += [f"{path}: {included}" for included in _INCLUDE.findall(tree.read(path))
                            if not (tree.ROOT / included).exists()]
        self.assertEqual(missing, [], "\n" + "\n".join(missing))

    def test_what_is_forbidden_is_found(self):
        for path, included in [
            ("engine/sys.c", "engine/engine.h"),
            ("engine/timers.h", "engine/operation.h"),
            ("engine/epoll.c", "engine/select.h"),
            ("engine/kqueue.c", "engine/epoll.h"),
            ("engine/engine.c", "engine/backends.h"),
            ("engine/engine.c", "tasks/scheduler.h"),
            ("tasks/generator.c", "engine/operation.h"),
            ("tasks/scheduler.c", "tasks/scope.h"),
            ("tasks/channel.c", "engine/engine.h"),
            ("tasks/local.c", "engine/engine.h"),
            ("net/socket.c", "engine/backend.h"),
            ("net/socket.c", "cede.h"),
            ("net/socket.c", "tools/options.h"),
            ("net/socket.c", "elsewhere/unit.h"),
            ("net/socket.c", "socket.h"),
        ]:
            self.assertEqual(len(objections(path, f'#include "{included}"\n')), 1, (path, included))
        self.assertEqual(len(objections("engine/sys.c", "#  include <engine/engine.h>\n")), 1)

    def test_what_is_allowed_is_let_through(self):
        for path, included in [
            ("engine/epoll.c", "engine/poller.h"),
            ("engine/uring.c", "engine/uring_abi.h"),
            ("engine/kqueue.c", "engine/backend.h"),
            ("engine/engine.c", "engine/backend.h"),
            ("tasks/generator.c", "engine/sys.h"),
            ("tasks/scheduler.c", "engine/backends.h"),
            ("tasks/channel.c", "engine/operation.h"),
            ("net/stream.c", "net/socket.h"),
            ("tools/doctor.c", "engine/backends.h"),
            ("tools/profile/load.c", "net/socket.h"),
        ]:
            self.assertEqual(objections(path, f'#include "{included}"\n'), [], (path, included))


if __name__ == "__main__":
    unittest.main()
