"""Exports of hospitals as they are: each is read right, or refused for its true reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.detect import open_reader
from ivpush.readers.linking import Linker, link

DATA = Path(__file__).resolve().parents[1] / "data" / "exports"
EPIC = "epic-mar-admin-info"
CERNER = "cerner-ce-med-result"
Course = list[tuple[str | None, str | None, str | None, str | None]]


def readings(name: str, column_map: str | None = None, **options: Any) -> list[Any]:
    read = ReadOptions(map=column_map, setting="facility", **options)
    return list(open_reader(str(DATA / name), read))


def only(name: str, column_map: str | None = None, **options: Any) -> Any:
    every = readings(name, column_map, **options)
    assert not [str(x.error) for x in every if isinstance(x, SetAside)]
    (record,) = [x for x in every if isinstance(x, Record)]
    return record.encounter


def refused(name: str, column_map: str | None = None) -> str:
    every = readings(name, column_map)
    assert not any(isinstance(x, Record) for x in every)
    return "\n".join(str(x.error) for x in every if isinstance(x, SetAside))


def notes(name: str) -> list[str]:
    return [x.message for x in readings(name) if isinstance(x, Note)]


def course(encounter: Any) -> Course:
    return [
        (
            dose.drug,
            f"{dose.start:%H:%M}" if dose.start else None,
            f"{dose.stop:%H:%M}" if dose.stop else None,
            dose.method,
        )
        for dose in encounter.administrations
    ]


US_CHART: Course = [
    ("CEFTRIAXONE 1 G IVPB", "10:00", "10:45", "infusion"),
    ("ONDANSETRON HCL (PF) 4 MG/2 ML INJECTION SOLUTION", "11:00", None, None),
    ("KETOROLAC 30 MG/ML INJECTION", "11:00", None, "push"),
    ("SODIUM CHLORIDE 0.9% INFUSION", None, None, "infusion"),
]
BAG: Course = [("ceftriaxone 1 g IVPB", "10:00", "10:45", "infusion")]
CASES: list[tuple[str, str | None, Course]] = [
    (
        "cerner-auth-verified.csv",
        CERNER,
        [("ceftriaxone", "10:00", None, "infusion"), ("ondansetron", "11:00", "11:02", "push")],
    ),
    ("epic-mar-unhold-missed.csv", EPIC, []),
    (
        "epic-unknown-action.csv",
        EPIC,
        [
            ("CEFTRIAXONE 1 G IVPB", "10:00", "10:45", "infusion"),
            ("ONDANSETRON 4 MG/2 ML", "11:00", None, "push"),
        ],
    ),
    ("epic-us-times.csv", EPIC, US_CHART),
    ("epic-lower-case-headers.csv", EPIC, US_CHART),
    ("epic.xlsx", EPIC, US_CHART),
    (
        "epic-ras-given.hl7",
        None,
        [("ondansetron 4 mg/2 mL injection", "10:10", None, None)],
    ),
    ("epic-ras-new-bag-stopped.hl7", None, BAG),
    ("ras-stop-as-second-dose.hl7", None, BAG),
    ("hl7-lf-inside-note.hl7", None, [("ondansetron", "10:10", "10:13", "push")]),
    ("fhir-utf16.json", None, [("ondansetron", "10:00", None, None)]),
]


@pytest.mark.parametrize(("name", "column_map", "expected"), CASES)
def test_what_was_given_is_what_the_export_says(
    name: str, column_map: str | None, expected: Course
) -> None:
    assert course(only(name, column_map)) == expected


def test_an_amount_that_is_unknown_is_none() -> None:
    (dose,) = only("rxa6-999.hl7").administrations
    assert (dose.dose, dose.start is not None) == (None, True)


def test_a_rate_in_words_is_a_rate() -> None:
    (dose,) = only("fhir-rate-in-words.json").administrations
    assert dose.rate_ml_per_hour == 250


@pytest.mark.parametrize(
    "name",
    ["own-columns.tsv", "own-columns-semicolon.csv", "excel-unicode-text-utf16.csv"],
)
def test_tables_of_ours_are_read_however_they_are_cut(name: str) -> None:
    (line,) = only(name).lines
    assert (line.number, line.code, line.units) == (1, "96374", 1)


@pytest.mark.parametrize(
    "name", ["trailing-control-z.837", "utf16-without-mark.837", "zipped-837.zip"]
)
def test_claims_are_read_in_whatever_they_are_wrapped(name: str) -> None:
    first, second = only(name).lines
    assert (first.code, second.code, str(first.date)) == ("96374", "J2405", "2026-03-02")


def test_every_diagnosis_of_a_composite_is_read() -> None:
    claim = only("hi-codes-in-one-composite.837")
    assert claim.diagnoses == ("R112", "E119", "I10", "N179")
    assert claim.lines[0].diagnosis_pointers == (2, 3)


def test_a_second_date_is_said() -> None:
    assert str(only("second-dtp-472.837").lines[0].date) == "2026-03-02"
    assert any("two dates of service (DTP*472)" in note for note in notes("second-dtp-472.837"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fhir-searchset-first-page.json", "2 of 37 matches came"),
        ("fhir-status-unknown.json", "status: is 'unknown', so that nobody can tell"),
        ("bulk-ndjson-bad-line.ndjson", "may lack a resource that could not be read"),
    ],
)
def test_half_a_chart_is_not_judged(name: str, said: str) -> None:
    assert said in refused(name)


@pytest.mark.parametrize(
    ("name", "column_map", "said"),
    [
        ("csv-unknown-column.csv", None, "holds no column of ours"),
        (
            "epic-ehi-export.tsv",
            EPIC,
            "it stands in ORDER_MED: give the file of that table as join",
        ),
    ],
)
def test_a_header_that_does_not_fit_is_refused_for_its_true_reason(
    name: str, column_map: str | None, said: str
) -> None:
    with pytest.raises(Exception, match=said):
        readings(name, column_map)


def test_an_ehi_export_is_read_with_its_orders(tmp_path: Path) -> None:
    orders = tmp_path / "ORDER_MED.tsv"
    orders.write_text("ORDER_MED_ID\tPAT_ENC_CSN_ID\tDESCRIPTION\n771001\t9\ta\n771002\t9\tb\n")
    chart = only("epic-ehi-export.tsv", EPIC, join=(orders,))
    assert course(chart) == [("a", "10:00", "10:45", "infusion"), ("b", "11:00", None, None)]


def test_a_claim_meets_its_chart() -> None:
    claims = readings("cerner-claim.837")
    charts = readings("cerner-auth-verified.csv", CERNER)
    linker = Linker()
    records = [x for x in link(claims, charts, linker) if isinstance(x, Record)]
    assert (len(records), linker.pairs, linker.claims_alone) == (1, 1, 0)
