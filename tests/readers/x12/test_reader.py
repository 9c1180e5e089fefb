"""Claims of an 837: what is read, what is noted, what is set aside, and what never gets in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.contract.encounter import Encounter
from ivpush.errors import UsageError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.writers.x12 import encounter_to_837
from tests.properties.claims837 import claims
from tests.readers.x12.samples import (
    BILL,
    HEADER,
    INSTITUTIONAL,
    envelope,
    notes,
    only,
    readings,
    reason,
    records,
    with_segment,
)

DATA = Path(__file__).parents[2] / "data" / "x12"
EXPECTED = {
    # file: claims read, claims set aside
    "hccinfhir-sample_837_0.txt": (5, 0),
    "hccinfhir-sample_837_1.txt": (1, 0),
    "hccinfhir-sample_837_12.txt": (3, 0),
    "imsweb-x12_bad_first_line.txt": (1, 1),
    "imsweb-x12_complex.txt": (2, 4),
    "imsweb-x12_missing_elements.txt": (1, 1),
    "imsweb-x12_multiple_gs.txt": (3, 3),
    "imsweb-x12_multiple_st.txt": (2, 2),
    "imsweb-x12_no_isa_line.txt": (0, 1),
    "imsweb-x12_valid.txt": (1, 1),
    "imsweb-x12_valid_different_separators.txt": (1, 1),
    "imsweb-x223-test.txt": (1, 0),
    "lfh-coordination-of-benefits.837": (1, 0),
    "lfh-demo.cob.example3.A.837": (1, 0),
    "lfh-demo.cob.example3.B.837": (1, 0),
    "lfh-demo.drug.example10.1.837": (1, 0),
    "lfh-demo.drug.example10.2.837": (1, 0),
    "lfh-demo.example1.837": (1, 0),
    "lfh-demo.example7.837": (1, 0),
    "lfh-institutional-claim.837i": (1, 0),
    "lfh-managed-care.835": (0, 1),
    "lfh-medicare-part-a.835": (0, 1),
    "lfh-two-claims-single-provider.837i": (2, 0),
    "lfh-workers-compensation.837": (1, 0),
    "moov-sample.txt": (8, 0),
    "moov-sample2.txt": (0, 1),
    "pyx12-835_mult_loops.txt": (0, 1),
    "x12parser-Example1_2_And_3_Combined.txt": (3, 0),
    "x12parser-Spec_3.1.2.txt": (2, 0),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_file_is_read_or_refused(name: str) -> None:
    every = readings((DATA / name).read_bytes())
    counts = [sum(isinstance(one, kind) for one in every) for kind in (Record, SetAside)]
    assert tuple(counts) == EXPECTED[name]


def test_every_file_is_expected() -> None:
    assert sorted(EXPECTED) == sorted(file.name for file in DATA.iterdir())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "imsweb-x12_no_isa_line.txt",
            "the file begins with GS, and without an ISA nothing says "
            "which characters separate; send it from ISA to IEA",
        ),
        ("imsweb-x12_valid.txt", "line 2, procedure code: is not what the contract asks for"),
        ("lfh-managed-care.835", "ST01: the transaction holds no claims (837)"),
    ],
)
def test_refusals_give_the_true_reason(name: str, why: str) -> None:
    every = readings((DATA / name).read_bytes())
    (aside,) = [one for one in every if isinstance(one, SetAside)]
    assert str(aside.error).startswith(why)


def test_a_claim_without_hi_names_no_diagnosis() -> None:
    bill = [segment for segment in BILL if not segment.startswith(b"HI*")]
    assert only(envelope(*bill)).diagnoses == ()


def test_a_professional_claim_is_read_whole() -> None:
    claim = only(envelope(*BILL))
    assert claim.model_dump(exclude_defaults=True, exclude_none=True) == {
        "id": "C1",
        "setting": "professional",
        "place_of_service": "11",
        "diagnoses": ("R112", "E119"),
        "lines": (
            {
                "number": 1,
                "code": "96374",
                "modifiers": ("59",),
                "units": 1,
                "date": dt.date(2026, 3, 2),
                "diagnosis_pointers": (1, 2),
                "charge": Decimal(200),
            },
            {
                "number": 2,
                "code": "J2405",
                "units": 4,
                "date": dt.date(2026, 3, 3),
                "place_of_service": "22",
                "diagnosis_pointers": (1,),
                "charge": Decimal(100),
                "ndc": "00026063512",
            },
        ),
    }
    assert notes(envelope(*BILL)) == []


def test_a_facility_claim_is_read_whole() -> None:
    raw = envelope(*INSTITUTIONAL, version=b"005010X223A2")
    claim = only(raw)
    assert (claim.setting, claim.type_of_bill, claim.date) == (
        "facility",
        "131",
        dt.date(2026, 3, 1),
    )
    assert [(x.code, x.revenue_code, x.units, x.date) for x in claim.lines or ()] == [
        ("96374", "0260", 1, None),
        ("J2405", "0636", 4, dt.date(2026, 3, 3)),
    ]
    assert notes(raw) == ["line 1: has no date of its own; the statement's first day stands for it"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"CLM", b"CLM*C1*300***11:B:8*Y*A*Y*Y", "CLM05-3: the claim is a void"),
        (
            b"CLM",
            b"CLM*C1*300***11>B>1*Y*A*Y*Y",
            "CLM05: is not divided by the component separator",
        ),
        (b"CLM", b"CLM**300***11:B:1*Y*A*Y*Y", "CLM01: is not what"),
        (b"CLM", b"CLM*C1*300***1X:B:1*Y*A*Y*Y", "CLM05-1: is not what"),
        (b"SV1*HC:96374", b"SV1*HC>96374*200*UN*1***1", "line 1: the procedure is not divided by"),
        (b"SV1*HC:96374", b"SV1*HC:96374>25*200*UN*1***1", "line 1, procedure code: is not what"),
        (b"SV1*HC:96374", b"SV1*HC:9637*200*UN*1***1", "line 1, procedure code: is not what"),
        (b"SV1*HC:96374", b"SV1*HC:96374:5*200*UN*1***1", "line 1, modifier: is not what"),
        (
            b"SV1*HC:96374",
            b"SV1*HC:96374*200*UN*1.5***1",
            "line 1: its units of service are no whole",
        ),
        (
            b"SV1*HC:96374",
            b"SV1*HC:96374*200*UN*-1***1",
            "line 1: its units of service are no whole",
        ),
        (b"SV1*HC:96374", b"SV1*HC:96374*200*UN****1", "line 1: states no units of service"),
        (b"SV1*HC:96374", b"SV1*HC:96374*200*F2*1***1", "line 1: its quantity is not in units"),
        (b"SV1*HC:96374", b"SV1**200*UN*1***1", "line 1: has no procedure code in SV101"),
        (b"SV1*HC:96374", b"SV2*0260*HC:96374*200*UN*1", "the claim: mixes professional"),
        (b"SV1*HC:96374", b"SV3*AD:D0120*200", "SV3: the claim is dental"),
        (
            b"DTP*472*D8*20260303",
            b"DTP*472*D8*20260230",
            "line 2: its date of service (DTP*472) is no",
        ),
        (
            b"DTP*472*D8*20260303",
            b"DTP*472*RD8*20260201-",
            "line 2: its date of service (DTP*472) is no",
        ),
    ],
)
def test_what_would_make_a_false_claim_sets_it_aside(old: bytes, new: bytes, why: str) -> None:
    assert reason(with_segment(old, new)).startswith(why)


@pytest.mark.parametrize(
    ("old", "new", "note", "change"),
    [
        (
            b"CLM",
            b"CLM*C1*300***11:B:7*Y*A*Y*Y",
            "the claim replaces an earlier one (CLM05-3); do not count both",
            {},
        ),
        (
            b"CLM",
            b"CLM*C1*300***11:B:5*Y*A*Y*Y",
            "the claim holds late charges only; what it builds on is on an earlier claim",
            {},
        ),
        (
            b"CLM",
            b"CLM*C1*300****Y*A*Y*Y",
            "CLM05 states no place and no frequency; it is read as an original claim",
            {"place_of_service": None},
        ),
        (
            b"HI",
            b"HI*BK:7870*BF:4019",
            "the diagnoses are not all ICD-10-CM codes; they and the pointers to them are left out",
            {"diagnoses": None, "diagnosis_pointers": ()},
        ),
        (
            b"HI",
            b"HI*ABK*R112*ABF:E119",
            "the diagnoses are not all ICD-10-CM codes; they and the pointers to them are left out",
            {"diagnoses": None, "diagnosis_pointers": ()},
        ),
        (b"LX*2", b"LX*1", "LX does not number each line once; the lines are counted instead", {}),
        (b"LX*2", b"LX*", "LX does not number each line once; the lines are counted instead", None),
        (
            b"SV1*HC:J2405",
            b"SV1*HC:J2405*-5*UN*4*22**1",
            "line 2: its charge is no number from 0 and is left out",
            {},
        ),
        (
            b"SV1*HC:J2405",
            b"SV1*HC:J2405*100*UN*4*22**1>2",
            "line 2: its diagnosis pointers are not "
            "numbers from 1, divided by the component separator, and are left out",
            None,
        ),
        (
            b"SV1*HC:J2405",
            b"SV1*HC:J2405*100**4*22**1",
            "line 2: states no unit of measure; its quantity is read as units",
            {},
        ),
        (
            b"DTP*472*D8*20260303",
            b"DTP*472*RD8*20260303-20260305",
            "line 2: covers several days; its first day stands for all",
            {},
        ),
        (
            b"DTP*472*D8*20260303",
            b"REF*XX*1",
            "line 2: has no date of its own; the earliest date of the other lines stands for it",
            None,
        ),
        (b"LIN", b"LIN**N4*123", "line 2: its NDC has no 10 or 11 digits and is left out", None),
        (
            b"HI",
            b"HI*ABK:R112:ABF:E119",
            "HI holds several diagnoses in one composite; each is read",
            {},
        ),
        (
            b"HI",
            b"HI*ABK:R112:ABF:E119:ABF",
            "the diagnoses are not all ICD-10-CM codes; they and the pointers to them are left out",
            {"diagnoses": None, "diagnosis_pointers": ()},
        ),
        (
            b"LIN",
            b"DTP*472*D8*20260304",
            "line 2: has two dates of service (DTP*472) that differ; the first one stands",
            None,
        ),
        (
            b"LIN",
            b"LIX**N4*00026063512",
            "the claim holds a segment that no guide of claims has; nothing is read from it",
            None,
        ),
    ],
)
def test_what_is_read_in_a_particular_way_is_noted(
    old: bytes, new: bytes, note: str, change: dict[str, Any] | None
) -> None:
    raw = with_segment(old, new)
    assert notes(raw) == [note]
    claim, usual = only(raw), only(envelope(*BILL))
    assert [one.code for one in claim.lines or ()] == ["96374", "J2405"]
    for name, value in (change or {}).items():
        if name == "diagnosis_pointers":
            assert {one.diagnosis_pointers for one in claim.lines or ()} == {value}
        else:
            assert getattr(claim, name) == value != getattr(usual, name)


@pytest.mark.parametrize(
    ("segment", "note"),
    [
        (
            b"SV1*HC:J2405*100*MJ*30*22**1",
            "line 2: counts minutes (MJ), as anesthesia does, not units, and is left out",
        ),
        (
            b"SV1*ER:12345*100*UN*4*22**1",
            "line 2: names its procedure in another code set than HCPCS and is left out",
        ),
    ],
)
def test_lines_outside_the_contract_are_left_out_and_said(segment: bytes, note: str) -> None:
    raw = with_segment(b"SV1*HC:J2405", segment)
    assert notes(raw) == [note]
    assert [one.number for one in only(raw).lines or ()] == [1]


def test_a_revenue_line_without_a_code_is_left_out_and_said() -> None:
    raw = with_segment(b"SV2*0636", b"SV2*0250**100*UN*4", INSTITUTIONAL)
    assert "line 2: has no procedure code and is left out" in notes(raw)
    assert [one.number for one in only(raw).lines or ()] == [1]
    bare = tuple(one for one in INSTITUTIONAL if not one.startswith((b"SV2*0636", b"LX*2")))
    assert reason(with_segment(b"SV2*0260", b"SV2*0250**200*UN*1", bare)).startswith(
        "the claim: has no line with an HCPCS code"
    )


@pytest.mark.parametrize(
    ("written", "read_as"),
    [(b"450", "450"), (b"450.00", "450"), (b"0450", "0450"), (b"45", None), (b"4 50", None)],
)
def test_revenue_codes_in_the_forms_that_are_seen(written: bytes, read_as: str | None) -> None:
    raw = with_segment(b"SV2*0260", b"SV2*" + written + b"*HC:96374*200*UN*1", INSTITUTIONAL)
    assert (only(raw).lines or ())[0].revenue_code == read_as
    assert any("revenue code" in one for one in notes(raw)) == (read_as is None)


@pytest.mark.parametrize(
    ("written", "units"), [(b"28.00", 28), (b"28.", 28), (b"0", 0), (b"007", 7)]
)
def test_decimals_that_are_whole_are_units(written: bytes, units: int) -> None:
    raw = with_segment(b"SV1*HC:96374", b"SV1*HC:96374*200*UN*" + written + b"***1")
    assert (only(raw).lines or ())[0].units == units


def test_a_line_starts_at_its_service_where_lx_is_missing() -> None:
    raw = envelope(*(one for one in BILL if not one.startswith(b"LX")))
    assert [(one.number, one.code, one.date) for one in only(raw).lines or ()] == [
        (1, "96374", dt.date(2026, 3, 2)),
        (2, "J2405", dt.date(2026, 3, 3)),
    ]
    assert notes(raw) == ["LX does not number each line once; the lines are counted instead"]


def test_several_drugs_on_a_line_leave_none() -> None:
    raw = envelope(*BILL, b"LIN**N4*50242004001")
    assert (only(raw).lines or ())[1].ndc is None
    assert notes(raw) == ["line 2: names several NDCs; none of them is kept"]


def test_the_body_decides_where_the_guide_disagrees() -> None:
    raw = envelope(*BILL, version=b"005010X223A2")
    assert only(raw).setting == "professional"
    assert notes(raw) == [
        "GS08 names the facility guide, but the lines are professional; the lines decide"
    ]


@pytest.mark.parametrize("version", [b"005010X222", b"005010X222A1", b"005010X222A2"])
def test_errata_are_read_without_a_word(version: bytes) -> None:
    assert notes(envelope(*BILL, version=version)) == []


def test_an_old_version_is_read_with_one_note() -> None:
    raw = envelope(*BILL, version=b"004010X098A1")
    assert only(raw) == only(envelope(*BILL))
    assert notes(raw) == [
        "the version is 4010; its claims are read, for the elements that matter "
        "stand where 5010 has them"
    ]


@pytest.mark.parametrize("version", [b"008020X323", b"", b"005"])
def test_a_version_that_is_not_read_is_refused(version: bytes) -> None:
    assert reason(envelope(*BILL, version=version)) == (
        "GS08: names a version that is not read; send 005010X222 or 005010X223"
    )


def test_a_dental_guide_is_refused() -> None:
    assert reason(envelope(*BILL, version=b"005010X224A2")).startswith("GS08: the claim is dental")


def test_the_payer_is_only_what_the_caller_says() -> None:
    raw = envelope(b"NM1*PR*2*MEDICARE*****PI*12345", *BILL)
    assert only(raw).payer is None
    (claim,) = records(raw, ReadOptions(payer="medicare"))
    assert claim.encounter.payer == "medicare"


CANARY = b"ZEBRA"
PERSONAL = (
    b"NM1*IL*1*ZEBRA*ZEBRA****MI*ZEBRA",
    b"N3*ZEBRA",
    b"DMG*D8*19500101*M",
    b"NTE*ADD*ZEBRA",
    b"REF*EA*ZEBRA",
    b"K3*ZEBRA",
)


@pytest.mark.parametrize(
    "broken", [None, b"CLM", b"HI", b"SV1*HC:96374", b"DTP*472*D8*20260303", b"LIN", b"LX*2"]
)
def test_no_name_note_or_value_leaves_the_file(broken: bytes | None) -> None:
    """Canaries stand in names, notes and in whatever element is broken."""
    spoilt = {
        b"CLM": b"CLM*C1*ZEBRA***ZEBRA*ZEBRA",
        b"HI": b"HI*ABK:zebra ZEBRA*ZEBRA",
        b"SV1*HC:96374": b"SV1*HC:ZEBRA1:ZEBRA*ZEBRA*ZEBRA*ZEBRA*ZEBRA**ZEBRA",
        b"DTP*472*D8*20260303": b"DTP*472*ZEBRA*ZEBRA",
        b"LIN": b"LIN**N4*ZEBRA",
        b"LX*2": b"LX*ZEBRA",
    }
    bill = [spoilt[broken] if broken and one.startswith(broken) else one for one in BILL]
    raw = envelope(
        *PERSONAL,
        bill[0],
        *PERSONAL,
        *bill[1:],
        *PERSONAL,
        b"SVD*ZEBRA*1*HC:96374**1",
        header=HEADER.replace(b"*B     ", b"*ZEBRA "),
    )
    assert CANARY in raw
    every = readings(raw)
    assert every
    for reading in every:
        if isinstance(reading, Record):
            said = reading.encounter.model_dump_json()
        else:
            said = str(reading.error) if isinstance(reading, SetAside) else reading.message
        assert "ZEBRA" not in (reading.place + said).upper()


@given(st.lists(claims(), max_size=2), st.binary(max_size=30), st.data())
def test_as_many_claims_come_out_as_went_in(
    encounters: list[Encounter], noise: bytes, data: st.DataObject
) -> None:
    """Whatever is written over a service line, no claim is lost."""
    raw = b"".join(encounter_to_837(encounters))
    noise = noise.replace(b"~", b"")
    lines = [at for at in range(len(raw)) if raw.startswith((b"SV1*", b"SV2*"), at)]
    if lines:
        at = data.draw(st.sampled_from(lines)) + 4
        raw = raw[:at] + noise + raw[raw.index(b"~", at) :]
    every = readings(raw)
    assert sum(isinstance(one, Record | SetAside) for one in every) == len(encounters)


WHOLE = envelope(*BILL)


def judged(raw: bytes) -> tuple[list[Encounter], int]:
    """The encounters of a file, and how often something was said beside them."""
    every = readings(raw)
    encounters = [one.encounter for one in every if isinstance(one, Record)]
    return encounters, len(every) - len(encounters)


@pytest.mark.parametrize("at", range(1, WHOLE.count(b"~")))
def test_a_segment_lost_or_garbled_never_makes_another_claim_in_silence(at: int) -> None:
    segments = WHOLE.split(b"~\n")
    whole, said = judged(WHOLE)
    assert (len(whole), said) == (1, 0)
    tag = segments[at][:3]
    for changed in ([], [tag[:1] + b"Q" + segments[at][2:]], [segments[at][:4]]):
        encounters, said = judged(b"~\n".join([*segments[:at], *changed, *segments[at + 1 :]]))
        assert said or encounters == whole


def test_codes_in_one_composite_are_all_diagnoses() -> None:
    joined = [b"HI*ABK:R112:ABF:E119:ABF:I10" if one.startswith(b"HI") else one for one in BILL]
    assert only(envelope(*joined)).diagnoses == ("R112", "E119", "I10")


def test_a_file_without_an_isa_is_read_where_its_separators_are_stated() -> None:
    whole = records(WHOLE)
    for start in (b"GS*", b"ST*"):
        bare = WHOLE[WHOLE.index(start) :]
        (claim,) = records(bare, ReadOptions(separators="*:~"))
        assert claim.encounter == whole[0].encounter
        (aside,) = [one for one in readings(bare) if isinstance(one, SetAside)]
        assert "without an ISA" in str(aside.error)
    with pytest.raises(UsageError, match="not three different signs"):
        readings(WHOLE, ReadOptions(separators="**~"))


@pytest.mark.parametrize("padding", [b"\x1a", b"\n\x1a\r\n", b"\x00\x00"])
def test_what_dos_writes_behind_the_end_is_no_segment(padding: bytes) -> None:
    assert judged(WHOLE + padding) == judged(WHOLE)


@given(st.binary(max_size=400))
def test_no_bytes_make_it_crash(noise: bytes) -> None:
    for raw in (noise, HEADER + noise, envelope(*BILL, noise)):
        for reading in readings(raw):
            assert isinstance(reading, Record | SetAside | Note)
