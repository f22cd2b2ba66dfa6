#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The page as a browser shows it: everything is drawn, in both colour schemes, wide and narrow.

The browser is Debian's Chromium without a window. A script that is put into a copy of the page
looks at it from within when it is drawn, and tells what it saw to the document around it, which the
browser prints. That document is there for its frame: a window cannot be as narrow as a telephone.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import pages
import png

CHROMIUM = shutil.which("chromium")
ABSENT = "there is no chromium here: install Debian's package chromium"

# The painted pixels of each canvas; sizes; what has no name for those who do not see; errors.
PROBE = r"""<script>
addEventListener("load", () => setTimeout(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const painted = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width,
        canvas.height).data.filter((value, at) => at % 4 === 3 && value > 0).length;
    const seen = {
        dark: matchMedia("(prefers-color-scheme: dark)").matches,
        paper: getComputedStyle(document.body).backgroundColor,
        width: innerWidth, content: document.documentElement.scrollWidth,
        title: document.title, headline: document.querySelector("h1").textContent,
        errors: all("[data-error]").map((element) => element.textContent),
        plots: Object.fromEntries(all("[data-plot]").map((element) => [element.dataset.plot,
            [...element.querySelectorAll("canvas")].map(painted)])),
        sections: all("section").map((element) => element.getAttribute("aria-labelledby")),
        headings: all("h1, h2, h3").map((element) => element.tagName),
        nameless: all("[role=img], [role=region], section, pre[tabindex]").filter((element) =>
            !element.getAttribute("aria-label") && !document.getElementById(
                element.getAttribute("aria-labelledby"))).map((element) => element.outerHTML),
        figures: all("section").filter((element) => element.querySelector("figure"))
            .map((element) => element.querySelectorAll("details table").length),
        chips: all(".chip").length, intervals: all(".interval").length,
        text: document.getElementById("page").innerText,
    };
    parent.postMessage(JSON.stringify(seen), "*");
}, 500));
</script></body>"""

FRAME = """<!DOCTYPE html><meta name="color-scheme" content="light dark">
<pre id="seen"></pre><script>addEventListener("message", (event) => {
    document.getElementById("seen").textContent = event.data;
});</script><iframe src="probed.html" width="%d" height="1500" style="border: 0"></iframe>"""


class Browser:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def run(self, path, width, dark, *arguments):
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--disable-dev-shm-usage", f"--user-data-dir={self.folder}/profile",
                   f"--window-size={width},1500", "--virtual-time-budget=3000",
                   *(["--force-dark-mode"] if dark else []), *arguments, f"file://{path}"]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "HOME": str(self.folder)}, timeout=120).stdout

    def look(self, page, width=1280, dark=False):
        """What the probe saw."""
        probed = page.replace("</body>", PROBE)
        (self.folder / "probed.html").write_text(probed, encoding="utf-8")
        path = self.folder / "frame.html"
        path.write_text(FRAME % width, encoding="utf-8")
        printed = self.run(path, width + 20, dark, "--dump-dom").decode()
        found = re.search(r'<pre id="seen">(.*?)</pre>', printed, re.DOTALL)
        text = found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u00a0")
        return json.loads(text.replace("&amp;", "&"))

    def shoot(self, page, name, width, dark):
        """A picture of it; kept for whoever wants to see it where tests leave such things."""
        path = self.folder / "page.html"
        path.write_text(page, encoding="utf-8")
        picture = pathlib.Path(os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR", self.folder)) / name
        self.run(path, width, dark, f"--screenshot={picture}")
        return picture


@unittest.skipUnless(CHROMIUM, ABSENT)
class BrowserTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.browser = Browser(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self, seen):
        """What is true of every page."""
        self.assertEqual(seen["errors"], [])
        self.assertEqual(seen["nameless"], [])
        self.assertEqual(seen["headings"].count("H1"), 1)
        self.assertEqual(seen["headings"][0], "H1")
        self.assertIn(seen["headline"], seen["title"])
        self.assertLessEqual(seen["content"], seen["width"])
        for canvases in seen["plots"].values():
            self.assertEqual(len(canvases), 1)
            self.assertGreater(canvases[0], 1000)
        for tables in seen["figures"]:
            self.assertGreater(tables, 0)
        self.assertNotRegex(seen["text"], r"\bundefined\b|\bNaN\b|\bnull\b|\[object")

    def test_everything_is_drawn_wide_and_narrow_in_light_and_dark(self):
        for width in (1280, 360):
            for dark in (False, True):
                with self.subTest(width=width, dark=dark):
                    seen = self.browser.look(pages.of("full"), width, dark)
                    self.check(seen)
                    self.assertEqual((seen["width"], seen["dark"]), (width, dark))
                    self.assertEqual(seen["paper"],
                                     "rgb(21, 24, 28)" if dark else "rgb(253, 253, 251)")
                    self.assertEqual(set(seen["plots"]),
                                     {"latency", "service", "curve", "timeline"})
                    self.assertEqual(seen["intervals"], 2 * 8)
                    self.assertEqual([name for name in seen["sections"] if name], [
                        "ratios", "latency", "curve", "cpu", "costs", "blocks", "gates",
                        "environment", "reproduce", "scope"])

    def test_a_picture_has_the_colours_of_its_scheme_and_of_the_servers(self):
        for width, dark in ((1280, False), (360, True)):
            with self.subTest(width=width, dark=dark):
                name = f"{'dark' if dark else 'light'}_{width}.png"
                shown, _, lines = png.read(
                    self.browser.shoot(pages.of("plain"), name, width, dark))
                self.assertEqual(shown, width)
                count = {}
                for line in lines:
                    for colour in line:
                        count[colour] = count.get(colour, 0) + 1
                self.assertEqual(max(count, key=count.get),
                                 (21, 24, 28) if dark else (253, 253, 251))
                self.assertGreater(len(count), 100)
                # The lines of the summary and the marks of the ratios.
                for colour in ([(108, 182, 242), (240, 150, 79)] if dark else
                               [(11, 99, 165), (176, 74, 0)]):
                    self.assertGreater(count.get(colour, 0), 20)

    def test_the_headline_says_which_is_less_and_how_sure(self):
        seen = self.browser.look(pages.of("full"))
        self.assertEqual(seen["headline"],
                         "raw-uring needs 6.3\u00a0% less processor time per operation than "
                         "raw-epoll.")
        self.assertIn("95\u00a0% interval: 4.9 to 7.7\u00a0% less. It is the least of all 9 "
                      "servers.", seen["text"])
        self.assertRegex(seen["text"], r"asio is not ranked: lag: p99 of")
        self.assertIn("<script>alert(1)</script> is left out: gate: a wrong byte", seen["text"])
        self.assertIn("--html 'it'\\''s </script> here.html' --seed 7", seen["text"])

    def test_without_the_new_members_there_are_dashes_and_no_empty_plots(self):
        seen = self.browser.look(pages.of("plain"))
        self.check(seen)
        self.assertEqual(set(seen["plots"]), {"latency", "timeline"})
        self.assertIn("Not counted in this run.", seen["text"])
        self.assertRegex(seen["text"], r"date\s+\u2013")

    def test_where_a_gate_of_the_reference_failed_there_is_no_ranking(self):
        seen = self.browser.look(pages.of("refused"))
        self.check(seen)
        self.assertEqual(seen["headline"], "No ranking.")
        self.assertEqual(seen["intervals"], 0)
        self.assertNotRegex(seen["text"], r"[+\u2212]\d+\.\d\u00a0%")
        self.assertIn("raw-epoll is not ranked: lag: p99 of", seen["text"])

    def test_where_nothing_was_measured_the_page_says_so(self):
        seen = self.browser.look(pages.of("empty"))
        self.check(seen)
        self.assertIn("No server could be measured.", seen["text"])
        self.assertEqual(seen["plots"], {})

    def test_no_difference_says_what_would_have_been_seen(self):
        document = dict(pages.result("full"))
        document["arms"] = document["arms"][2:4]
        seen = self.browser.look(pages.write(document))
        self.check(seen)
        self.assertEqual(seen["headline"], "No difference seen between io_uring and raw-epoll in "
                         "processor time per operation.")
        self.assertIn("One of 2.1\u00a0% or more would have been seen.", seen["text"])

    def test_a_sweep_and_a_capacity_show_their_points_and_rank_nothing(self):
        document = dict(pages.result("sweep"))
        seen = self.browser.look(pages.write(document))
        self.check(seen)
        self.assertEqual(set(seen["plots"]), {"curve"})
        self.assertEqual(seen["headline"], "Latency and throughput of select, epoll, io_uring, "
                         "raw-epoll and raw-uring.")
        self.assertIn("10 of 60 points are invalid.", seen["text"])
        document["plan"] = {**document["plan"], "slo_ns": 1_000_000}
        seen = self.browser.look(pages.write(document))
        self.check(seen)
        self.assertEqual(seen["headline"], "Highest rates with a p99 below 1\u00a0ms.")
        # Of the load 1 is 98 % done, at a p99 of 4 * 10 us * 3.57 / 0.05 = 2.86 ms; of 0.9, all.
        self.assertIn(f"select: {0.9 * 1e6 / 6.57 + 9:,.0f}/s, epoll: ", seen["text"])

    def test_one_server_is_compared_with_nothing(self):
        document = dict(pages.result("full"))
        document["arms"] = document["arms"][3:4]
        seen = self.browser.look(pages.write(document))
        self.check(seen)
        self.assertEqual(seen["headline"], "raw-epoll needs 3.16\u00a0\u00b5s of processor time "
                         "per operation.")

    def test_an_error_of_the_scripts_is_seen(self):
        seen = self.browser.look(pages.of("plain").replace("draw(readDocument());",
                                                           "draw(readDocument()); nothing();"))
        self.assertEqual(len(seen["errors"]), 1)
        self.assertIn("nothing is not defined", seen["errors"][0])


if __name__ == "__main__":
    if not CHROMIUM:
        print("skipped:", ABSENT)
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
