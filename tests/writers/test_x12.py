"""An 837 given back: the corrected lines and the totals change, and no other byte does."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.errors import InputError
from ivpush.readers import Note, Record, SetAside
from ivpush.readers.x12.reader import read
from ivpush.writers.x12 import encounter_to_837, mend, unfit
from tests.properties.claims837 import claims, corrections
from tests.shipped import ENGINE

if TYPE_CHECKING:
    from ivpush.contract.encounter import ClaimLine
    from ivpush.readers import Reading

DATA = Path(__file__).parents[1] / "data" / "x12"
FILES = sorted(DATA.iterdir())
CLAIMS = [
    file
    for file in FILES
    if any(isinstance(one, Record) for one in read("f", io.BytesIO(file.read_bytes())))
]
HEADER = (
    b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260302*1145*^*00501"
    b"*000000001*0*T*:~"
)


def written(raw: bytes, correct: Any) -> tuple[bytes, list[Reading]]:
    out = io.BytesIO()
    readings = list(mend("f", io.BytesIO(raw), out, correct))
    return out.getvalue(), readings


def said(readings: list[Reading]) -> list[str]:
    """Readings to compare by: errors are equal where they say the same."""
    return [
        repr(one.encounter.model_dump()) + one.place if isinstance(one, Record) else repr(one)
        for one in readings
    ]


def records(raw: bytes) -> list[Encounter]:
    return [one.encounter for one in read("f", io.BytesIO(raw)) if isinstance(one, Record)]


def lines_of(record: Record) -> tuple[ClaimLine, ...]:
    return record.encounter.lines or ()


def claim(*lines: bytes, end: bytes = b"~\n", tail: bytes = b"") -> bytes:
    """A professional claim of segments, in a whole envelope."""
    body = [b"ST*837*0001*005010X222A1", b"HL*1**20*1", b"HL*2*1*22*0", *lines]
    rest = [b"SE*%d*0001" % (len(body) + 1), b"GE*1*1", b"IEA*1*000000001"]
    head = [b"GS*HC*A*B*20260302*1145*1*X*005010X222A1"]
    return HEADER + b"\n" + b"".join(one + end for one in [*head, *body, *rest]) + tail


BILL = (
    b"CLM*C1*350***11:B:1*Y*A*Y*Y",
    b"K3*STATE DATA",
    b"HI*ABK:R112",
    b"NTE*ADD*ZEBRA",
    b"LX*1",
    b"SV1*HC:96374:::::PUSH*200*UN*1***1",
    b"DTP*472*D8*20260302",
    b"QTY*UNKNOWN*1",
    b"LX*2",
    b"SV1*HC:96375*100*UN*1.0***1",
    b"DTP*472*D8*20260302",
    b"REF*6R*L2",
    b"LX*3",
    b"SV1*HC:J2405*50*UN*4***1",
    b"DTP*472*D8*20260302",
    b"LIN**N4*00026063512",
    b"CTP****4*UN",
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_comes_back_byte_for_byte(file: Path) -> None:
    raw = file.read_bytes()
    for correct in (lambda _record: None, lines_of):
        out, readings = written(raw, correct)
        assert out == raw
        assert said(readings) == said(list(read("f", io.BytesIO(raw))))


@given(st.data())
def test_any_bytes_come_back(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(FILES)).read_bytes()[:3_000])
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    out, readings = written(bytes(raw), lambda _record: None)
    assert out == bytes(raw)
    assert said(readings) == said(list(read("f", io.BytesIO(bytes(raw)))))


def test_one_changed_element_is_the_only_change() -> None:
    raw = claim(*BILL, end=b"~\r\n  ")

    def correct(record: Record) -> tuple[ClaimLine, ...]:
        first, *rest = lines_of(record)
        return first.model_copy(update={"units": 2}), *rest

    out, readings = written(raw, correct)
    assert out == raw.replace(b"*200*UN*1***1", b"*200*UN*2***1")
    assert not [one for one in readings if isinstance(one, Note)]


def changing(place: int, change: dict[str, Any]) -> Any:
    """A correction that changes one line."""

    def correct(record: Record) -> tuple[ClaimLine, ...]:
        lines = list(lines_of(record))
        lines[place] = lines[place].model_copy(update=change)
        return tuple(lines)

    return correct


@pytest.mark.parametrize(
    ("place", "change", "old", "new"),
    [
        (1, {"date": None}, b"DTP*472*D8*20260302~\nREF", b"REF"),
        (2, {"date": date(2026, 3, 3)}, b"20260302~\nLIN", b"20260303~\nLIN"),
        (2, {"ndc": "00026063513"}, b"N4*00026063512", b"N4*00026063513"),
        (2, {"ndc": None}, b"LIN**N4*00026063512~\nCTP****4*UN~\n", b""),
    ],
    ids=["date dropped", "date changed", "drug changed", "drug dropped"],
)
def test_a_date_and_a_drug_change_their_own_segments_only(
    place: int, change: dict[str, Any], old: bytes, new: bytes
) -> None:
    raw = claim(*BILL)
    out, _ = written(raw, changing(place, change))
    wanted = raw.replace(old, new)
    segments = 21 + wanted.count(b"~") - raw.count(b"~")
    assert out == wanted.replace(b"SE*21*", b"SE*%d*" % segments)


@pytest.mark.parametrize(
    ("bill", "place", "change", "why"),
    [
        (BILL, 1, {"number": 1}, "the claim is written as it was: two corrected lines share"),
        (BILL, 0, {"minutes": 5}, "line 1: its minutes have no place in an 837"),
        (
            (*BILL, b"LIN**N4*00026063599"),
            2,
            {"ndc": "00026063513"},
            "the claim is written as it was: line 3 names several NDCs",
        ),
    ],
    ids=["one number twice", "minutes", "several drugs"],
)
def test_what_an_837_cannot_say_is_said_in_a_note(
    bill: tuple[bytes, ...], place: int, change: dict[str, Any], why: str
) -> None:
    raw = claim(*bill)
    out, readings = written(raw, changing(place, change))
    assert out == raw
    assert any(note.message.startswith(why) for note in readings if isinstance(note, Note))


def test_a_total_that_would_fall_below_nothing_stays_and_says_so() -> None:
    raw = claim(*BILL).replace(b"CLM*C1*350*", b"CLM*C1*10*")
    out, readings = written(raw, lambda record: lines_of(record)[:2])
    assert b"CLM*C1*10*" in out and b"J2405" not in out
    (note,) = [each for each in readings if isinstance(each, Note)]
    assert note.message.startswith("the total charge (CLM02) does not follow")


def test_a_dropped_line_takes_its_segments_and_the_totals_follow() -> None:
    raw = claim(*BILL)
    out, _ = written(raw, lambda record: lines_of(record)[1:])
    wanted = raw.replace(
        b"LX*1~\nSV1*HC:96374:::::PUSH*200*UN*1***1~\nDTP*472*D8*20260302~\nQTY*UNKNOWN*1~\n", b""
    )
    wanted = wanted.replace(b"CLM*C1*350*", b"CLM*C1*150*").replace(b"LX*2", b"LX*1")
    wanted = wanted.replace(b"LX*3", b"LX*2").replace(b"SE*21*", b"SE*17*")
    assert out == wanted


def test_a_new_line_says_that_it_lacks_a_charge() -> None:
    raw = claim(*BILL)

    def correct(record: Record) -> tuple[ClaimLine, ...]:
        lines = lines_of(record)
        return *lines, lines[1].model_copy(update={"number": 4, "code": "96376", "charge": None})

    out, readings = written(raw, correct)
    wanted = raw.replace(
        b"CTP****4*UN~\n", b"CTP****4*UN~\nLX*4~\nSV1*HC:96376*0*UN*1***1~\nDTP*472*D8*20260302~\n"
    ).replace(b"SE*21*", b"SE*24*")
    assert out == wanted
    notes = [one.message for one in readings if isinstance(one, Note)]
    assert notes == [
        "line 4: has no charge; 0 is written, put its charge there before the claim is sent"
    ]


def test_a_description_goes_with_its_code() -> None:
    def recoded(record: Record) -> tuple[ClaimLine, ...]:
        first, *rest = lines_of(record)
        return first.model_copy(update={"code": "96375"}), *rest

    def marked(record: Record) -> tuple[ClaimLine, ...]:
        first, *rest = lines_of(record)
        return first.model_copy(update={"modifiers": ("59", "LT")}), *rest

    raw = claim(*BILL)
    assert written(raw, recoded)[0] == raw.replace(b"HC:96374:::::PUSH", b"HC:96375")
    assert written(raw, marked)[0] == raw.replace(b"HC:96374:::::PUSH", b"HC:96374:59:LT:::PUSH")


def test_lines_that_are_left_out_of_the_encounter_stay_in_the_file() -> None:
    bill = [*BILL, b"LX*4", b"SV1*WK:12345*10*UN*1***1", b"DTP*472*D8*20260302"]
    raw = claim(*bill)
    out, _ = written(raw, lambda record: lines_of(record)[:1])
    assert b"SV1*WK:12345*10*UN*1***1~" in out
    assert b"LX*2~\nSV1*WK" in out


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"modifiers": ("25", "59", "XS", "XE", "XP")}, "has more than 4 modifiers"),
        ({"revenue_code": "0260"}, "has a revenue code, which professional lines do not hold"),
    ],
)
def test_what_the_format_cannot_hold_leaves_the_claim_and_says_so(change: Any, why: str) -> None:
    raw = claim(*BILL)
    out, readings = written(
        raw, lambda record: tuple(one.model_copy(update=change) for one in lines_of(record))
    )
    assert out == raw
    (note,) = [one for one in readings if isinstance(one, Note)]
    assert note.message == f"the claim is written as it was: line 1 {why}"


def test_a_claim_without_a_line_left_is_not_written_empty() -> None:
    raw = claim(*BILL)
    out, readings = written(raw, lambda _record: ())
    assert out == raw
    assert any(isinstance(one, Note) and "withdraw" in one.message for one in readings)


@given(st.data())
def test_corrected_claims_read_back_as_corrected(data: st.DataObject) -> None:
    before = data.draw(st.lists(claims(), min_size=1, max_size=2))
    raw = b"".join(encounter_to_837(before))
    wanted: list[tuple[Encounter, tuple[ClaimLine, ...]]] = []

    def correct(record: Record) -> tuple[ClaimLine, ...]:
        after = data.draw(corrections(record.encounter))
        wanted.append((record.encounter, after))
        return after

    out, _ = written(raw, correct)
    again = list(read("f", io.BytesIO(out)))
    assert not [one for one in again if isinstance(one, Note) and "number of" in one.message]
    assert not [one for one in again if isinstance(one, SetAside)]
    for (encounter, after), found in zip(wanted, records(out), strict=True):
        if not after:
            assert found == encounter
            continue
        old = {one.number: one for one in encounter.lines or ()}
        assert sorted(map(likeness, found.lines or ())) == sorted(
            likeness(stated(one, old.get(one.number), encounter)) for one in after
        )


def stated(line: ClaimLine, old: ClaimLine | None, encounter: Encounter) -> ClaimLine:
    """What a file says of a corrected line: a charge of 0 and a date where none is stated."""
    update: dict[str, Any] = {}
    if line.charge is None and (old is None or old.charge is not None):
        update["charge"] = Decimal(0)
    if old is None and line.date is None:
        update["date"] = encounter.service_date
    return line.model_copy(update=update)


def likeness(line: ClaimLine) -> str:
    """Everything but the number, which follows from the place in the claim."""
    return repr(
        (
            line.code,
            line.modifiers,
            line.units,
            str(line.charge and line.charge.normalize()),
            line.date,
            line.place_of_service,
            line.revenue_code,
            line.diagnosis_pointers,
            line.ndc,
        )
    )


@given(st.lists(claims(), min_size=1, max_size=2))
def test_what_an_837_holds_reads_back_equal(encounters: list[Encounter]) -> None:
    found = list(read("f", io.BytesIO(b"".join(encounter_to_837(encounters)))))
    assert [one.encounter for one in found if isinstance(one, Record)] == encounters
    assert not [one for one in found if isinstance(one, SetAside)]
    assert all(
        "has no date of its own" in one.message or "replaces" in one.message
        for one in found
        if isinstance(one, Note)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"id": "A*B"},
        {"id": " A"},
        {"lines": ()},
        {"lines": None},
        {"type_of_bill": "138"},
        {"lines": [{"number": 1, "code": "96374", "units": 1, "diagnosis_pointers": [1]}]},
        {"diagnoses": ["R112"] * 26},
    ],
)
def test_a_claim_that_does_not_fit_is_refused_and_never_cut(change: dict[str, Any]) -> None:
    fields = {
        "id": "A",
        "setting": "facility",
        "date": "2026-03-02",
        "lines": [{"number": 1, "code": "96374", "units": 1}],
    } | change
    encounter = Encounter.model_validate(fields)
    assert unfit(encounter)
    with pytest.raises(InputError):
        list(encounter_to_837([encounter]))


def test_the_engine_corrects_a_claim_in_place() -> None:
    """A claim without a chart: what rules alone can mend is mended, and the file stays an 837."""
    engine = ENGINE
    raw = claim(*BILL)
    out, readings = written(raw, lambda record: engine.check(record.encounter).corrected)
    (record,) = [one for one in readings if isinstance(one, Record)]
    corrected = engine.check(record.encounter).corrected
    assert corrected is not None
    (found,) = records(out)
    assert [(one.code, one.units) for one in found.lines or ()] == [
        (one.code, one.units) for one in corrected
    ]


PUSHES = [
    "moov-sample.txt",
    "x12parser-Example1_2_And_3_Combined.txt",
    "hccinfhir-sample_837_0.txt",
    "imsweb-x12_valid_different_separators.txt",
    "lfh-demo.cob.example3.B.837",
]


@pytest.mark.parametrize("name", PUSHES)
def test_pushes_written_into_real_envelopes_are_judged_and_mended(name: str) -> None:
    """No public file bills a push; so pushes stand here in the files' own separators and loops.

    An add-on push without a primary is an error on each line; billed as the initial service
    instead, the file differs in those codes alone.
    """
    real = (DATA / name).read_bytes()
    raw = re.sub(rb"(SV1.HC.)[0-9A-Z]{5,6}", rb"\g<1>96375", real)
    raw = re.sub(rb"(DTP.472.)R?D8(.)[0-9-]+", rb"\g<1>D8\g<2>20260302", raw)
    engine = ENGINE
    claims_of = records(raw)
    assert claims_of
    for one in claims_of:
        lines = one.lines or ()
        assert {line.code for line in lines} == {"96375"}
        wrong = {x.line for x in engine.check(one).violations if "IVP104" in {x.rule, *x.folds}}
        assert wrong == {line.number for line in lines}

    def initial(record: Record) -> tuple[ClaimLine, ...]:
        return tuple(line.model_copy(update={"code": "96374"}) for line in lines_of(record))

    out, readings = written(raw, initial)
    assert out == raw.replace(b"96375", b"96374")
    assert all(
        not [x for x in engine.check(one).violations if x.rule == "IVP104"] for one in records(out)
    )
    assert all(
        "SVD" in one.message
        for one in readings
        if isinstance(one, Note) and "is changed" in one.message
    )
