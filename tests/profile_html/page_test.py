#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The page that the profiler writes, as a file: it is one, it is small, it asks nobody."""

import math
import re
import subprocess
import sys
import unittest

import pages
import sample

PAGE_BYTES = 400 * 1000
_ADDRESS = re.compile(r"\b(?:https?|wss?|ftp):|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|"
                      r"\bimport\(|@import|url\(", re.IGNORECASE)
# Addresses that nobody asks: the namespace of SVG, and a name in uPlot's first comment.
_NAMES_ONLY = ("http://www.w3.org/2000/svg", "/*! https://github.com/leeoniya/uPlot (v1.6.32) */")
_TEXT_COLOURS = ("ink", "soft", "better", "worse")


def luminance(colour):
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
              for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colour_schemes(page):
    """The colours by name, in light and in dark."""
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", page)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]


class PageTest(unittest.TestCase):
    def test_a_page_asks_nobody(self):
        for kind in sample.KINDS:
            page = pages.of(kind)
            for name in _NAMES_ONLY:
                page = page.replace(name, "")
            self.assertEqual(_ADDRESS.findall(page), [], kind)
            loads = [found for found in pages.Parser(page).attributes
                     if found[1] in ("src", "href", "action", "data")]
            self.assertEqual(loads, [], kind)

    def test_a_page_is_small(self):
        for kind in sample.KINDS:
            size = len(pages.of(kind).encode())
            print(f"{kind}: {size} bytes", file=sys.stderr)
            self.assertLess(size, PAGE_BYTES)

    def test_no_text_of_the_result_is_markup(self):
        page = pages.of("full")
        self.assertEqual(page.count("</script>"), page.count("<script"))
        names = [arm["name"] for arm in pages.Parser(page).document()["arms"]]
        self.assertIn("<script>alert(1)</script>", names)

    def test_the_document_inside_is_the_result_but_for_what_is_long(self):
        for kind in sample.KINDS:
            result = pages.result(kind)
            found = pages.Parser(pages.of(kind)).document()
            for name in ("schema", "command_line", "environment", "plan", "reference"):
                self.assertEqual(found[name], result[name])
            for before, after in zip(result["arms"], found["arms"]):
                for name in set(before) - {"latency", "service", "summary"}:
                    if isinstance(before[name], float):
                        self.assertAlmostEqual(after[name] / before[name], 1, places=8)
                    else:
                        self.assertEqual(after[name], before[name], name)
            rows = found["blocks"]["rows"]
            self.assertEqual(len(rows), sum(len(row) for row in result["blocks"]))

    def test_percentiles_are_those_of_the_valid_windows(self):
        result = pages.result("full")
        arm = pages.Parser(pages.of("full")).document()["arms"][2]
        values = []
        for row in result["blocks"]:
            for window in row:
                if window["arm"] == arm["name"] and window["valid"]:
                    pairs = zip(window["latency"][0::2], window["latency"][1::2])
                    values += [end for end, count in pairs for _ in range(count)]
        values.sort()
        self.assertEqual(arm["latency"]["operations"], len(values))
        rows = arm["latency"]["percentiles"]
        self.assertGreater(len(rows), 60)
        for one_in, value, low, high in rows:
            rank = max(math.ceil(len(values) * (1 - 1 / one_in) - 1e-6), 1)
            self.assertEqual(value, values[rank - 1], one_in)
            self.assertLessEqual(low, value)
            self.assertLessEqual(value, high)
        self.assertLessEqual(rows[-1][0] * 10, len(values))

    def test_without_histograms_of_windows_there_is_no_band(self):
        for arm in pages.Parser(pages.of("plain")).document()["arms"]:
            self.assertGreater(len(arm["latency"]["percentiles"]), 40)
            for row in arm["latency"]["percentiles"]:
                self.assertEqual(row[2:], [None, None])

    def test_what_is_not_a_result_is_refused_or_shown_as_nothing(self):
        for text in (b"", b"[]", b"{", b'"text"'):
            done = subprocess.run([pages.WRITE_PAGE], input=text, capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"Invalid argument", done.stderr)
        for document in ({}, {"arms": 1, "blocks": [[1]]}, {"arms": [{"latency": 3}, 5]}):
            self.assertIn("</html>", pages.write(document))

    def test_text_and_lines_stand_out_from_the_paper(self):
        schemes = colour_schemes(pages.of("empty"))
        self.assertEqual(len(schemes), 2)
        for colours in schemes:
            for name in _TEXT_COLOURS:
                self.assertGreaterEqual(contrast(colours[name], colours["paper"]), 4.5, name)
            for name in colours:
                if name.startswith("arm-"):
                    self.assertGreaterEqual(contrast(colours[name], colours["paper"]), 3, name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
