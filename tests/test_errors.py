"""The nearest word is the one that was meant."""

from __future__ import annotations

import pytest

from ivpush.errors import did_you_mean, nearest_word


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("medicaer", ["medicare", "cigna"], "medicare"),
        ("IVP1O1", ["IVP911", "IVP111", "IVP101"], "IVP101"),
        ("zzz", ["medicare"], None),
        ("x", [], None),
        ("a" * 100_000, ["a" * 80], "a" * 80),
    ],
)
def test_of_words_equally_near_the_one_that_begins_alike_is_meant(
    word: str, known: list[str], near: str | None
) -> None:
    assert nearest_word(word, known) == near


def test_without_a_near_word_the_known_ones_are_listed() -> None:
    assert did_you_mean("zzz", ["b", "a"]) == "write one of: a, b"
    assert did_you_mean("zzz", []) == ""


def test_a_remedy_shows_the_beginning_of_a_long_word() -> None:
    long = "w" * 5_000
    assert did_you_mean("other", [long]) == f"write one of: {'w' * 80}"
