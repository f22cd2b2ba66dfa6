# SPDX-License-Identifier: MIT
"""Pages of invented results, as the program under test writes them, and what is in them."""

import functools
import html.parser
import json
import subprocess
import sys

import sample

WRITE_PAGE = sys.argv[1]


def write(document):
    """The page for a document, as text."""
    return subprocess.run([WRITE_PAGE], input=json.dumps(document).encode(), check=True,
                          stdout=subprocess.PIPE).stdout.decode()


@functools.lru_cache(maxsize=None)
def result(kind):
    """The document of this kind; not to be changed."""
    return sample.KINDS[kind]()


@functools.lru_cache(maxsize=None)
def of(kind):
    """Its page."""
    return write(result(kind))


class Parser(html.parser.HTMLParser):
    """Collects the scripts by their type, the style sheets, and all attributes."""

    def __init__(self, text):
        super().__init__()
        self.texts = []  # (tag, attributes, text) of scripts and styles
        self.attributes = []  # (tag, name, value)
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag in ("script", "style"):
            self.texts.append((tag, dict(attributes), ""))

    def handle_data(self, data):
        if self.lasttag in ("script", "style") and self.texts and data.strip():
            tag, attributes, text = self.texts[-1]
            self.texts[-1] = tag, attributes, text + data

    def document(self):
        found = [text for tag, attributes, text in self.texts if attributes.get("id") == "result"]
        assert len(found) == 1
        return json.loads(found[0])
