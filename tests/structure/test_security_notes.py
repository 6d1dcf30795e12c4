"""What `docs/security.md` says of tests is so: each is there, and every chapter is spoken of."""

from __future__ import annotations

import ast
import re

from ecom.settings import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)
CHAPTERS = range(1, 18)


def test_every_test_that_is_named_is_there() -> None:
    assert len(NAMED) > 100
    gone = []
    for path, name in sorted(set(NAMED)):
        file = ROOT / path
        tree = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
        if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            gone.append(f"{path}::{name}")
    assert not gone


def test_every_row_is_shown_by_a_test_or_is_open() -> None:
    met = TEXT.partition("## What does not apply")[0]
    rows = [line for line in met.splitlines() if re.match(r"\| \d", line)]
    bare = [row for row in rows if "::test_" not in row and "CONTRIBUTING" not in row]
    assert not bare


def test_every_chapter_is_spoken_of() -> None:
    spoken = {int(number) for number in re.findall(r"(?<![\d.])(\d{1,2})\.\d{1,2}\.\d", TEXT)} | {
        17
    }
    assert spoken == set(CHAPTERS)
