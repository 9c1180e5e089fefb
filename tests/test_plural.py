"""Counts agree with their words, and no message leaves the choice to its reader."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ivpush.plural import counted

ROOT = Path(__file__).resolve().parents[1]
EITHER = re.compile(r"[a-z]\((?:s|es|ies)\)")
PAGES = ("*.md", "docs/**/*.md", "examples/*.md")


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")]
)
def test_a_count_agrees_with_its_word(count: int, said: str) -> None:
    assert counted(count, "row") == said


def texts(file: Path) -> list[str]:
    tree = ast.walk(ast.parse(file.read_text("utf-8")))
    return [
        node.value
        for node in tree
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_no_message_writes_singular_and_plural_in_one() -> None:
    said = [text for file in (ROOT / "src").rglob("*.py") for text in texts(file)]
    said += [file.read_text("utf-8") for pattern in PAGES for file in ROOT.glob(pattern)]
    said += [file.read_text("utf-8") for file in (ROOT / "rules" / "checks").rglob("*.yaml")]
    assert len(said) > 1_000
    assert [found for text in said for found in EITHER.findall(text)] == []
