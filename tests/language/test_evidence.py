"""Which fields decided a finding: the true part of an ``or``, the row of an ``any``, what is stated."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ivpush import Encounter
from ivpush.language.compiler import Compiled, compile_rule
from ivpush.language.parser import parse
from tests.shipped import ENGINE, PACK
from tests.visits import drip, line, push

NAMES = PACK.book(None, None).vocabulary
ENCOUNTER = Encounter.model_validate(
    {
        "id": "E1",
        "setting": "facility",
        "date": "2026-03-02",
        "type_of_bill": "131",
        "administrations": [
            push("a1", "10:00", ordered=True),
            drip("a2", "11:00", "12:00", ordered=False, dose=4),
            push("a3", "13:00", dose=5),
        ],
        "lines": [line(1, "96374", units=2), line(2, "96365", modifiers=["59"])],
    }
)


def judged(require: str, about: int, when: str | None, verdict: int) -> tuple[Compiled, Any]:
    """A rule about an administration, of which the encounter has such a verdict, and its records."""
    work = ENGINE.work(ENCOUNTER)
    parts = [
        None if text is None else parse(text, NAMES, "administration") for text in (when, require)
    ]
    assert parts[1] is not None
    rule = compile_rule(parts[0], parts[1], NAMES, "test")
    facts: Any = work.facts
    records = (facts, facts.administrations[about], work.book.policy, work.book.limits)
    assert rule.judge(*records) == verdict
    return rule, records


def evidence(require: str, about: int = 0, when: str | None = None) -> tuple[str, ...]:
    """The evidence of a rule about an administration that the encounter breaks."""
    rule, records = judged(require, about, when, verdict=1)
    return rule.evidence(*records)


@pytest.mark.parametrize(
    ("require", "about", "paths"),
    [
        ("administration.dose == 1", 1, ("administrations[1].dose",)),
        (
            "not (administration.ordered or administration.dose > 1)",
            1,
            ("administrations[1].dose",),
        ),
        (
            "not (administration.ordered or administration.dose > 1)",
            0,
            ("administrations[0].ordered",),
        ),
        ("known(administration.dose)", 0, ("administrations[0].dose",)),  # nothing else to name
        # That it is stated decided, beside what else is.
        (
            "not (known(administration.dose) and administration.method == 'infusion')",
            1,
            ("administrations[1].dose", "administrations[1].method"),
        ),
        (
            "not any(a.dose == 5 for a in encounter.administrations)",
            0,
            ("administrations[2].dose",),
        ),
        ("all(x.units == 2 for x in claim.lines)", 0, ("lines[1].units",)),
        (
            "not any(x.separate for x in claim.lines if x.units == 1)",
            0,
            ("lines[1].units", "lines[1].modifiers"),
        ),
        ("encounter.type_of_bill == '851'", 0, ("type_of_bill",)),
        # Of a count only the rows that were counted.
        ("count(x.units > 1 for x in claim.lines) > 9", 0, ("lines", "lines[0].units")),
        ("sum(x.units for x in claim.lines) > 9", 0, ("lines", "lines[0].units", "lines[1].units")),
        # Of what is surely so, the facts that made it so.
        ("not surely(administration.dose > 4)", 2, ("administrations[2].dose",)),
        # Of what holds for several reasons, the first.
        (
            "not surely(administration.dose == 4 or administration.method == 'infusion')",
            1,
            ("administrations[1].dose",),
        ),
        (
            "not any(x.units > 0 for x in claim.lines if x.units == 2 or x.code == '96374')",
            0,
            ("lines[0].units",),
        ),
        # That no row does and that all rows do is said by all of them.
        (
            "any(x.units == 7 for x in claim.lines)",
            0,
            ("lines", "lines[0].units", "lines[1].units"),
        ),
        (
            "not all(x.units > 0 for x in claim.lines)",
            0,
            ("lines", "lines[0].units", "lines[1].units"),
        ),
        # Lines of a claim rest on each other; the chart was not coded otherwise for their sake.
        ("not administration.billable", 0, ("administrations",)),
        (
            "all(x.supported_units == 99 for x in claim.lines)",
            0,
            ("lines[0].code", "lines[0].units", "lines", "administrations"),
        ),
        # Of a bare count of rows the list decides, and no field of any row.
        ("count(True for x in claim.lines) > 9", 0, ("lines",)),
    ],
)
def test_it_names_what_decided(require: str, about: int, paths: tuple[str, ...]) -> None:
    assert evidence(require, about) == paths


def test_of_a_service_that_a_line_may_lack_the_line_and_the_chart_are_named() -> None:
    """Not ``service.minutes``, which is no field that a person could look up."""
    paths = evidence("all(x.service.minutes > 999 for x in claim.lines)")
    assert paths[0] == "lines[1].code" and paths[-1] == "administrations"
    assert not [path for path in paths if path.startswith("service")]


def test_of_when_the_first_part_that_holds_is_evidence() -> None:
    when = "administration.dose == 4 or administration.method == 'infusion'"
    assert evidence("administration.ordered", 1, when) == (
        "administrations[1].dose",
        "administrations[1].ordered",
    )


def test_what_is_not_surely_so_is_decided_by_nothing_that_is_stated() -> None:
    """With less of it stated, still nobody would know."""
    bill = "encounter.type_of_bill == '131'"
    assert evidence("surely(administration.dose > 9)", 1, bill) == ("type_of_bill",)
    assert evidence("surely(administration.dose > 9)", 1) == ("administrations[1].dose",)


def test_when_is_evidence_too() -> None:
    assert evidence("administration.dose == 1", 1, when="encounter.type_of_bill == '131'") == (
        "type_of_bill",
        "administrations[1].dose",
    )


def test_a_field_read_from_the_name_of_a_drug_is_told_as_the_drug() -> None:
    record = {
        "id": "E1",
        "setting": "facility",
        "date": "2026-03-02",
        "administrations": [
            {"id": "a1", "drug": "NS @ 150/hr", "route": "IV", "start": "2026-03-02T10:00"}
        ],
    }
    work = ENGINE.work(Encounter.model_validate(record))
    node = parse("administration.rate_ml_per_hour == 1", NAMES, "administration")
    rule = compile_rule(None, node, NAMES, "test")
    facts: Any = work.facts
    about = facts.administrations[0]
    assert about.given.rate_ml_per_hour == 150
    nothing: Any = SimpleNamespace()
    assert rule.evidence(facts, about, nothing, nothing) == ("administrations[0].drug",)


def missing(require: str, about: int = 0, when: str | None = None) -> tuple[str, ...]:
    """The fields for want of which a rule about an administration could not be judged."""
    rule, records = judged(require, about, when, verdict=2)
    return tuple(rule.missing(*records))


@pytest.mark.parametrize(
    ("require", "paths"),
    [
        ("administration.dose > 1", ("administrations[0].dose",)),
        # Rows of which none counts are nothing that anybody left out.
        (
            "any(x.separate for x in claim.lines if x.units == 7) or administration.dose > 1",
            ("administrations[0].dose",),
        ),
        ("any(a.dose > 9 for a in encounter.administrations)", ("administrations[0].dose",)),
        # Of no rows there is no least: then the rows themselves are what is missing.
        ("min(x.units for x in claim.lines if x.units > 7) > 1", ("lines",)),
    ],
)
def test_what_is_missing_is_what_somebody_could_fill_in(
    require: str, paths: tuple[str, ...]
) -> None:
    assert missing(require) == paths


def test_what_when_lacks_is_told_alone() -> None:
    paths = missing("administration.wasted > 1", when="administration.dose > 1")
    assert paths == ("administrations[0].dose",)
