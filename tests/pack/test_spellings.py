"""Names as nurses write them: understood, or asked about by the name of the drug; never another drug.

What each text means was decided by pharmacology before it was looked up; ``tests/data/README.md`` says
where the texts are from.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from ivpush import Encounter, Engine
from ivpush.pack.drugs import Found
from tests.shipped import PACK

NAMES = PACK.book(None).names
LEAST_SHARE = 0.95


class Spelling(NamedTuple):
    """A text, the drug that it means (none: it must be asked), and the drugs a question must name."""

    text: str
    drug: str | None
    offered: frozenset[str]


def spellings() -> list[Spelling]:
    path = Path(__file__).parents[1] / "data" / "drugs" / "spellings.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [
        Spelling(
            row["text"],
            None if row["drug"] == "ask" else row["drug"],
            frozenset(name.strip() for name in row["offered"].split(";") if name.strip()),
        )
        for row in rows
    ]


SPELLINGS = spellings()
ASKED = [spelling for spelling in SPELLINGS if NAMES.find(spelling.text) is None]


def understood(spelling: Spelling, answer: Found) -> bool:
    """Whether a text is read as what it means, or asked about with all that it may mean."""
    if answer.row is not None:
        return answer.row.name == spelling.drug
    wanted = spelling.offered if spelling.drug is None else {spelling.drug}
    return wanted <= {row.name for row in answer.offered}


def test_there_are_four_hundred_texts_and_each_means_drugs_of_the_table() -> None:
    assert len({spelling.text for spelling in SPELLINGS}) == len(SPELLINGS) >= 400
    known = {row.name for name in NAMES.known() if (row := NAMES.exact(name)) is not None}
    for spelling in SPELLINGS:
        assert spelling.offered <= known
        assert spelling.drug is None or (spelling.drug in known and not spelling.offered)


def test_no_text_is_taken_for_another_drug() -> None:
    for spelling in SPELLINGS:
        row = NAMES.find(spelling.text)
        assert row is None or row.name == spelling.drug, spelling.text


def test_nearly_all_are_understood_or_asked_about_by_name() -> None:
    missed = [
        spelling.text
        for spelling in SPELLINGS
        if not understood(spelling, NAMES.look_up(spelling.text))
    ]
    assert len(missed) <= (1 - LEAST_SHARE) * len(SPELLINGS), missed


@pytest.mark.parametrize("spelling", ASKED, ids=[spelling.text for spelling in ASKED])
def test_what_is_not_understood_is_asked_about(spelling: Spelling) -> None:
    """The class is asked for, by the names that the text may mean, and no finding is an error."""
    given = {
        "id": "a1",
        "drug": spelling.text,
        "route": "IV",
        "method": "push",
        "start": "2026-03-02T10:00",
        "ordered": True,
    }
    record = {"id": "E", "setting": "facility", "date": "2026-03-02", "administrations": [given]}
    result = Engine(pack=PACK).check(Encounter.model_validate(record))
    asked = [each for each in result.questions if each.missing == "administrations[0].category"]
    assert asked
    for row in NAMES.look_up(spelling.text).offered:
        assert row.name in asked[0].ask
    assert not [each for each in result.violations if each.severity == "error"]
