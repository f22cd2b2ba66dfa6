#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The schema of result files, held against results that the profiler has just written: every member
is in the schema, is there whenever the schema says so, and is of its type."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PROFILE, SCHEMA = "tools/profile/profile", "tools/profile/profile-result.schema.json"

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
}

# What of JSON Schema is used here. Another word in the schema would be passed over unseen.
KNOWN = {"$schema", "title", "description", "definitions", "$ref", "type", "const", "enum", "oneOf",
         "properties", "required", "items", "minItems", "maxItems", "minimum"}


class Validator:
    def __init__(self, schema):
        self.root = schema

    def object_objections(self, schema, value, where):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{where}.{name}: missing"
        for name, member in value.items():
            if name in schema.get("properties", {}):
                yield from self.objections(schema["properties"][name], member, f"{where}.{name}")
            else:
                yield f"{where}.{name}: not in the schema"

    def array_objections(self, schema, value, where):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{where}: {len(value)} elements"
        items = schema.get("items", {})
        for index, element in enumerate(value):
            part = items[index] if isinstance(items, list) else items
            yield from self.objections(part, element, f"{where}[{index}]")

    def objections(self, schema, value, where="$"):
        unknown = set(schema) - KNOWN
        if unknown:
            yield f"{where}: the schema says {unknown}, which this test does not know"
        if "$ref" in schema:
            schema = self.root["definitions"][schema["$ref"].rpartition("/")[2]]
        if "oneOf" in schema:
            found = [list(self.objections(one, value, where)) for one in schema["oneOf"]]
            if sum(not one for one in found) != 1:
                yield from min(found, key=len) or [f"{where}: more than one form fits"]
            return
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(TYPES[kind](value) for kind in kinds):
            yield f"{where}: {value!r} is no {' or '.join(kinds)}"
            return
        if "const" in schema and value != schema["const"]:
            yield f"{where}: {value!r} is not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is not one of {schema['enum']}"
        if "minimum" in schema and value is not None and value < schema["minimum"]:
            yield f"{where}: {value} is below {schema['minimum']}"
        if isinstance(value, dict):
            yield from self.object_objections(schema, value, where)
        if isinstance(value, list):
            yield from self.array_objections(schema, value, where)


def result_of(*arguments):
    """What `profile` writes when it is called like this. Its gates may fail, on a busy machine."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "result.json")
        done = subprocess.run([PROFILE, *arguments, "--json", path, "-d", "20ms", "-w", "0",
                               "-c", "4"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        if done.returncode not in (0, 1) or not os.path.exists(path):
            raise AssertionError(done.stdout.decode())
        with open(path, encoding="utf-8") as file:
            return json.load(file)


class SchemaTest(unittest.TestCase):
    def setUp(self):
        with open(SCHEMA, encoding="utf-8") as file:
            self.validator = Validator(json.load(file))

    def objections(self, result):
        return self.validator.objections(self.validator.root, result)

    def assert_fits(self, result):
        found = list(self.objections(result))
        self.assertEqual(found[:5], [])

    def test_a_run_fits(self):
        result = result_of("--arms", "raw-epoll,raw-epoll,exec:false", "--blocks", "6")
        self.assertEqual(len(result["blocks"]), 6)
        self.assert_fits(result)

    def test_a_run_by_the_clock_fits(self):
        result = result_of("--arms", "raw-epoll", "--blocks", "2", "-R", "2k")
        self.assertIsNotNone(result["arms"][0]["service"])
        self.assert_fits(result)

    def test_a_sweep_fits(self):
        result = result_of("sweep", "--arms", "raw-epoll", "--over", "connections", "--points",
                           "1,2", "--blocks", "1")
        self.assertEqual([point["connections"] for point in result["curve"]], [1, 2])
        self.assert_fits(result)

    def test_a_search_for_a_capacity_fits(self):
        result = result_of("capacity", "--arms", "raw-epoll", "--blocks", "1")
        self.assertGreater(len(result["curve"]), 4)
        self.assert_fits(result)

    def test_what_does_not_fit_is_found(self):
        good = result_of("--arms", "raw-epoll", "--blocks", "1")
        changes = [
            (("seed",), "1"), (("seed",), -1), (("schema",), "profile-result/2"),
            (("news",), 1), (("plan", "loop"), "ajar"), (("plan", "unix"), 0),
            (("arms", 0, "name"), None), (("arms", 0, "latency"), {"maximum_ns": 1}),
            (("blocks", 0, 0, "cpu_ns"), 1.5), (("blocks", 0, 0, "latency"), [1, "2"]),
        ]
        for path, value in changes:
            bad = json.loads(json.dumps(good))
            place = bad
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            self.assertNotEqual(list(self.objections(bad)), [], path)
        del good["arms"][0]["headroom"]
        self.assertEqual(list(self.objections(good)), ["$.arms[0].headroom: missing"])


if __name__ == "__main__":
    sys.exit(unittest.main())
