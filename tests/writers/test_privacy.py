"""What a chart says in its own words stays out of every format, unless it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from ivpush.writers.text import Look
from ivpush.writers.text import Writer as Text
from tests.writers.works import ALL, FREE_TEXT, PUSH, written

CANARY = "Jane-Doe-078-05-1120"
WORDS = (*FREE_TEXT, "performer")
RECORD = {
    **ALL,
    "administrations": [{**PUSH, "dose": 4, **dict.fromkeys(WORDS, CANARY)}, PUSH | {"id": "b"}],
}


def text(out: Any, options: Any) -> Any:
    look = Look(show_text=options.show_text)
    return Text(out, look, source=options.pack.source, explain=True)


@pytest.mark.parametrize("name", ["json", "ndjson", "csv", "sarif", "junit", "github"])
def test_no_format_repeats_the_charts_words(name: str) -> None:
    made = written(import_module(f"ivpush.writers.{name}").Writer, RECORD)
    assert b"IVP" in made
    assert CANARY.encode() not in made


def test_text_repeats_them_only_when_asked() -> None:
    assert CANARY.encode() not in written(text, RECORD)
    assert CANARY.encode() in written(text, RECORD, show_text=True)
