# SPDX-License-Identifier: MIT
"""Importing this lets the scripts beside it import the reference model's modules.

They come first: one of them has the name of a module of the standard library, `trace`.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "model"

sys.path.insert(0, str(FOLDER))
