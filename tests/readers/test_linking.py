"""Charts find their claims, contradictions stay apart, and no record is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, InputError, UsageError
from ivpush.errors import Fault
from ivpush.readers import Note, Reading, Record, SetAside
from ivpush.readers.linking import Linker, link

DAY = "2026-03-02"
PUSH = {"id": "a", "drug": "ondansetron", "route": "IV", "method": "push", "start": f"{DAY}T10:00"}
LINE = {"number": 1, "code": "96374", "units": 1}


def chart(id_: str = "E", place: str = "", **more: Any) -> Record:
    fields = {"id": id_, "setting": "facility", "date": DAY, "administrations": [PUSH], **more}
    return Record(place or f"charts:{id_}", Encounter.model_validate(fields))


def claim(id_: str = "E", place: str = "", **more: Any) -> Record:
    fields = {"id": id_, "setting": "facility", "date": DAY, "lines": [LINE], **more}
    return Record(place or f"claims:{id_}", Encounter.model_validate(fields))


def run(claims: list[Reading], charts: list[Reading]) -> tuple[list[Record], list[Note], Linker]:
    linker = Linker()
    readings = list(link(iter(claims), iter(charts), linker))
    records = [one for one in readings if isinstance(one, Record)]
    return records, [one for one in readings if isinstance(one, Note)], linker


def test_one_id_makes_one_encounter() -> None:
    records, notes, linker = run([claim(type_of_bill="131", diagnoses=["C50.911"])], [chart()])
    (record,) = records
    assert record.place == "claims:E"
    assert record.encounter.lines and record.encounter.administrations
    assert record.encounter.type_of_bill == "131"
    assert record.encounter.diagnoses == ("C50.911",)
    assert notes == []
    assert (linker.pairs, linker.linked, linker.claims_alone, linker.charts_alone) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("billed", "charted", "linked"),
    [
        ([], None, ()),
        ([], ["C50.911"], ("C50.911",)),
        (None, ["C50.911"], ("C50.911",)),
        (None, [], None),
        (None, None, None),
    ],
)
def test_a_claim_without_a_word_on_diagnoses_takes_those_of_the_chart(
    billed: list[str] | None, charted: list[str] | None, linked: tuple[str, ...] | None
) -> None:
    records, notes, _ = run([claim(diagnoses=billed)], [chart(diagnoses=charted)])
    assert (records[0].encounter.diagnoses, notes) == (linked, [])


def test_the_claims_fields_win_and_the_difference_is_said() -> None:
    records, notes, _ = run(
        [claim(type_of_bill="131", payer="p")],
        [chart(type_of_bill="851", lines=[], supervision={"level": "direct"}, payer="q")],
    )
    linked = records[0].encounter
    assert (linked.type_of_bill, linked.payer) == ("131", "p")
    assert linked.lines and linked.lines[0].code == "96374"
    assert linked.supervision is not None and linked.supervision.level == "direct"
    said = " ".join(note.message for note in notes)
    assert "type_of_bill; the claim's holds" in said
    assert "payer; the claim's holds" in said
    assert "lines; the claim's hold" in said


def test_the_charts_other_fields_win_and_the_difference_is_said() -> None:
    records, notes, _ = run([claim(timezone="America/Chicago")], [chart(timezone="America/Denver")])
    assert records[0].encounter.timezone == "America/Denver"
    assert "timezone; the chart's holds" in notes[0].message


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"setting": "professional"}, "another setting"),
        ({"date": "2026-04-01"}, "no date in common"),
    ],
)
def test_a_contradiction_keeps_both_apart(more: Any, why: str) -> None:
    records, notes, linker = run([claim(**more)], [chart()])
    assert [one.place for one in records] == ["claims:E", "charts:E"]
    assert records[0].encounter.administrations is None
    assert records[1].encounter.lines is None
    assert why in notes[0].message
    assert (linker.claims_alone, linker.charts_alone) == (1, 1)


def test_a_line_within_a_stay_is_no_contradiction() -> None:
    stay = chart(start=f"{DAY}T08:00", end="2026-03-05T09:00")
    later = claim(date="2026-03-04", lines=[{**LINE, "date": "2026-03-04"}])
    records, notes, _ = run([later], [stay])
    assert len(records) == 1
    assert [one.message for one in notes if "the chart does not hold" in one.message] == []


def test_a_line_outside_the_chart_is_said() -> None:
    lines = [LINE, {**LINE, "number": 2, "date": "2026-03-20"}]
    records, notes, _ = run([claim(lines=lines)], [chart()])
    assert len(records) == 1
    assert any("a date that the chart does not hold" in one.message for one in notes)


def test_unmatched_sides_are_said_and_checked_alone() -> None:
    records, notes, linker = run([claim("A"), claim("B")], [chart("C"), chart("D")])
    assert sorted(one.place for one in records) == ["charts:C", "charts:D", "claims:A", "claims:B"]
    assert sorted(one.place for one in notes) == ["charts:C", "charts:D", "claims:A", "claims:B"]
    assert (linker.claims_alone, linker.charts_alone) == (2, 2)


def test_a_date_links_where_only_one_of_each_carries_it() -> None:
    records, notes, _ = run([claim("A")], [chart("B"), chart("C", date="2026-03-09")])
    linked = next(one for one in records if one.place == "claims:A")
    assert linked.encounter.id == "A"
    assert linked.encounter.administrations
    assert "by date alone" in notes[0].message
    assert len(records) == 2


NEAR = [
    ("0009001", "9001", "leading zeros", "zeros"),
    ("9005.0", "9005", "a decimal .0", "decimals"),
    ("ab1", "AB1", "capital letters", "case"),
    ("V 12", "V12", "spaces", "spaces"),
]


@pytest.mark.parametrize(("billed", "charted", "words", "rules"), NEAR)
def test_ids_that_nearly_meet_are_hinted_at_once_and_joined_where_that_is_asked_for(
    billed: str, charted: str, words: str, rules: str
) -> None:
    others = [chart("X"), claim("Y")]
    records, notes, linker = run([claim(billed), others[1]], [chart(charted), others[0]])
    assert (linker.pairs, linker.claims_alone, linker.charts_alone, len(records)) == (0, 2, 2, 4)
    assert [note.place for note in notes] == [f"claims:{billed}", "claims:Y", "charts:X"]
    assert f"charts:{charted} differs only by {words}: link by {rules} to" in notes[0].message
    linker = Linker(link_by=(rules,))
    readings = list(link([claim(billed)], [chart(charted)], linker))
    assert [type(one) for one in readings] == [Note, Record]
    assert (linker.pairs, linker.linked) == (1, 1)


def test_two_charts_that_are_alike_are_joined_to_none() -> None:
    linker = Linker(link_by=("zeros",))
    readings = list(link([claim("9", date=DAY)], [chart("09"), chart("009")], linker))
    assert (linker.pairs, linker.claims_alone, linker.charts_alone) == (0, 1, 2)
    said = [one.message for one in readings if isinstance(one, Note)]
    assert any("2 charts have ids that are nearly its own" in message for message in said)


def test_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'zeros'"):
        Linker(link_by=("zero",))


@pytest.mark.parametrize("claims", [[claim("A"), claim("B")], [claim("A"), claim("X")]])
def test_a_date_that_others_carry_links_nothing(claims: list[Reading]) -> None:
    records, _, linker = run(claims, [chart("X"), chart("Y", date="2026-03-09")])
    assert all(one.encounter.id != "A" or not one.encounter.administrations for one in records)
    assert linker.claims_alone >= 1


@pytest.mark.parametrize("side", ["claims", "charts"])
def test_a_date_links_nothing_where_a_record_of_it_may_be_among_the_unread(side: str) -> None:
    unread = SetAside("f:9", InputError(Fault("f:9", "is not JSON")))
    sides: dict[str, list[Reading]] = {"claims": [claim("A")], "charts": [chart("B")]}
    sides[side].append(unread)
    records, _, linker = run(sides["claims"], sides["charts"])
    assert not any(one.encounter.lines and one.encounter.administrations for one in records)
    assert (linker.claims_alone, linker.charts_alone) == (1, 1)


def test_two_claims_for_one_chart_are_linked_and_said() -> None:
    records, notes, linker = run([claim(place="c:1"), claim(place="c:2")], [chart()])
    assert [one.place for one in records] == ["c:1", "c:2"]
    assert all(one.encounter.administrations for one in records)
    assert [one.place for one in notes] == ["c:2"]
    assert (linker.pairs, linker.linked) == (2, 1)


def test_two_charts_of_one_id_are_not_mixed() -> None:
    records, notes, _ = run([claim()], [chart(place="h:1"), chart(place="h:2")])
    assert [one.place for one in records] == ["claims:E", "h:2"]
    assert "an earlier chart has the same id" in notes[0].message


def test_what_does_not_fit_together_is_set_aside_and_the_chart_stays() -> None:
    own = {**PUSH, "id": "other"}
    bad = claim(administrations=[own], lines=[{**LINE, "administrations": ["other"]}])
    linker = Linker()
    readings = list(link([bad], [chart()], linker))
    aside = [one for one in readings if isinstance(one, SetAside)]
    assert len(aside) == 1 and "do not fit together" in str(aside[0].error)
    assert [one.place for one in readings if isinstance(one, Record)] == ["charts:E"]
    assert (linker.refused, linker.charts_alone) == (1, 1)


def test_notes_and_set_asides_pass_through() -> None:
    aside = SetAside("x", InputError(Fault("", "bad")))
    note = Note("y", "said")
    readings = list(link([aside, note], [note, aside]))
    assert readings == [note, aside, aside, note]


def test_now_links_or_gives_the_claim_alone() -> None:
    linker = Linker()
    assert list(linker.take([chart("A")])) == []
    linked, notes = linker.now(claim("A"))
    assert isinstance(linked, Record) and linked.encounter.administrations and notes == []
    alone, notes = linker.now(claim("B"))
    assert isinstance(alone, Record) and alone.encounter.administrations is None
    assert [one.place for one in notes] == ["claims:B"]
    assert list(linker.rest()) == []


IDS = st.sampled_from("ABCD")
DAYS = st.sampled_from(("2026-03-02", "2026-03-03", "2026-03-04"))
SETTINGS = st.sampled_from(("facility", "professional"))
SIDES = st.lists(st.tuples(IDS, DAYS, SETTINGS), max_size=6)


@given(SIDES, SIDES)
def test_no_record_is_lost_or_doubled(claims: Any, charts: Any) -> None:
    left: list[Reading] = [
        claim(id_, f"c{n}", date=day, setting=kind) for n, (id_, day, kind) in enumerate(claims)
    ]
    right: list[Reading] = [
        chart(
            id_,
            f"h{n}",
            date=day,
            setting=kind,
            administrations=[{**PUSH, "start": f"{day}T10:00"}],
        )
        for n, (id_, day, kind) in enumerate(charts)
    ]
    records, _, linker = run(left, right)
    places = [one.place for one in records]
    assert sorted(p for p in places if p[0] == "c") == sorted(one.place for one in left)
    assert len(set(places)) == len(places)
    assert linker.pairs + linker.claims_alone == len(left)
    assert linker.linked + linker.charts_alone == len(right)
    for record in records:
        assert record.place[0] == "h" or record.encounter.lines is not None
        Encounter.model_validate(json.loads(record.encounter.model_dump_json()))


@given(SIDES)
def test_notes_never_repeat_an_id_or_a_date(claims: Any) -> None:
    left: list[Reading] = [
        claim(f"canary-{id_}", f"c{n}", date=day, setting=kind)
        for n, (id_, day, kind) in enumerate(claims)
    ]
    right: list[Reading] = [chart("canary-A", "h0"), chart("canary-Z", "h1")]
    _, notes, _ = run(left, right)
    assert all("canary" not in one.message and "2026" not in one.message for one in notes)
