"""Tables of the contract read back what was written; claim tables of others are read by maps."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.contract.encounter import Administration, ClaimLine
from ivpush.contract.tables import columns_of
from ivpush.errors import UsageError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.tables import delimited, opening
from ivpush.readers.tables.reader import read, read_joined
from tests.tabledata import as_csv, encounters

DATA = Path(__file__).parents[2] / "data" / "claims_csv"


def streams(texts: dict[str, bytes]) -> dict[str, Any]:
    return {name: io.BytesIO(raw) for name, raw in texts.items()}


def readings(text: str | bytes, **options: Any) -> list[Any]:
    raw = text.encode() if isinstance(text, str) else text
    return list(read("f", io.BytesIO(raw), ReadOptions(**options)))


def records(every: list[Any]) -> list[Encounter]:
    return [one.encounter for one in every if isinstance(one, Record)]


def aside(every: list[Any]) -> list[str]:
    return [str(one.error) for one in every if isinstance(one, SetAside)]


def notes(every: list[Any]) -> str:
    return "\n".join(one.message for one in every if isinstance(one, Note))


def test_every_field_of_the_contract_has_a_column() -> None:
    for table, model in (("administrations", Administration), ("lines", ClaimLine)):
        assert set(model.model_fields) <= {one.name for one in columns_of(table)}
    joined = {"administrations", "lines", "supervision"}
    assert set(Encounter.model_fields) - joined <= {one.name for one in columns_of("encounters")}


@given(st.lists(encounters(), max_size=4, unique_by=lambda one: one.id))
def test_encounters_read_back_equal_from_csv(written: list[Encounter]) -> None:
    every = list(read_joined(streams(as_csv(written))))
    assert not aside(every)
    # CSV cannot tell a null from an empty cell, and a claim with an empty one names no diagnosis.
    assert records(every) == [
        each.model_copy(update={"diagnoses": each.diagnoses or ()}) for each in written
    ]


@pytest.mark.parametrize(
    ("head", "cell", "diagnoses"),
    [
        ("", "", None),
        (",diagnoses", ",", ()),
        (",diagnoses", ",[]", ()),
        (",diagnoses", ",R112;E860", ("R112", "E860")),
    ],
)
def test_only_a_table_with_diagnoses_can_lack_them(
    head: str, cell: str, diagnoses: tuple[str, ...] | None
) -> None:
    text = f"id,setting,date{head}\nE,facility,2026-03-02{cell}\n"
    (encounter,) = records(readings(text))
    assert encounter.diagnoses == diagnoses


def test_a_table_of_lines_alone_has_no_chart() -> None:
    text = (
        "encounter,encounter_setting,encounter_date,number,code,units,modifiers\n"
        "E,facility,2026-03-02,1,96374,1,59;XS\nE,facility,2026-03-02,2,96375,2,\n"
    )
    (encounter,) = records(readings(text))
    assert encounter.administrations is None
    assert [(x.code, x.units, x.modifiers) for x in encounter.lines or ()] == [
        ("96374", 1, ("59", "XS")),
        ("96375", 2, ()),
    ]


def test_codes_keep_their_leading_zeros() -> None:
    text = "encounter,number,code,units,date,revenue_code\nE,1,00123,1,2026-03-02,0260\n"
    (encounter,) = records(readings(text, setting="facility"))
    assert [(x.code, x.revenue_code) for x in encounter.lines or ()] == [("00123", "0260")]


def test_unmatched_encounters_of_either_side_are_reported() -> None:
    tables = {
        "g.csv": b"encounter,id,start\nA,a1,2026-03-02T10:00\nB,a1,2026-03-02T10:00\n",
        "l.csv": b"encounter,number,code,units,date\nB,1,96374,1,2026-03-02\n"
        b"C,1,96374,1,2026-03-02\nD,1,96374,1,2026-03-02\n",
    }
    every = list(read_joined(streams(tables), ReadOptions(setting="facility")))
    by_id = {one.id: one for one in records(every)}
    assert by_id["A"].lines is None  # no row says nothing; it does not say that nothing was billed
    assert by_id["C"].administrations is None
    assert by_id["B"].lines is not None and by_id["B"].administrations is not None
    assert "1 of 4 encounters without a row in the lines table" in notes(every)
    assert "2 of 4 encounters without a row in the administrations table" in notes(every)


def test_an_empty_claim_is_told_from_no_claim() -> None:
    tables = {
        "e.csv": b"id,setting,has_claim,has_chart\nA,facility,true,false\n",
        "l.csv": b"encounter,number,code,units\n",
    }
    (encounter,) = records(list(read_joined(streams(tables))))
    assert (encounter.lines, encounter.administrations) == ((), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "encounter,number,code,units\nE,one,96374,1\n",
            "f:2: number cannot be read; write a whole",
        ),
        ("encounter,number,code,units\nE,1,96374,1.5\n", "f:2: units cannot be read"),
        ("encounter,number,code,units\nE,1,96374,1_0\n", "f:2: units cannot be read"),
        ("encounter,id,ordered\nE,a,yes\n", "f:2: ordered cannot be read; write true or false"),
        ("encounter,id,start\nE,a,03/02/2026 10:00\n", "start"),
        ("encounter,number,code,units\n,1,96374,1\n", "f:2: names no encounter"),
        ('encounter,id,drug\nE,a,"open\n', "is not CSV"),
        ("encounter,id,drug\nE,a,\x1b[31m\n", "f:2: holds a control character"),
        ("encounter,id,encounter_payer\nE,a,x\nE,b,y\n", "payer: differs between rows"),
        ("encounter,number,code,units\nE,1,96374,1\n", "date is not stated anywhere"),
    ],
)
def test_what_cannot_be_read_is_set_aside(text: str, said: str) -> None:
    every = readings(text, setting="facility")
    assert not records(every)
    assert any(said in one for one in aside(every)), aside(every)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "encounter,number,cod,units,code",
            "column 'cod' is not one of the lines table; did you mean 'code'?",
        ),
        ("encounter,number,kod,units", "column 'kod' is not one of the lines table; rename"),
        ("encounter,number,kod,units", "lacks the column 'code'; the lines table needs them"),
        ("number,code", "lacks the columns 'encounter', 'units'"),
        ("claim_id,cpt,dos", "lacks the column 'units'; the lines table needs them"),
        ("stay_id,drg,los", "holds no column of ours, but columns 'stay_id', 'drg', 'los'"),
        ("stay_id,drg,los", "has encounter, number, code, units (lines) or encounter, id"),
        ("encounter,number,code,units,units", "names a column twice"),
        # The first row of a table without a header is no header, and may name a patient.
        ("7,JANE,zofran", "holds no column of ours, but columns 1, 2, 3;"),
        ("encounter,number,code,units,JANE DOE", "column 5 is not one of the lines table"),
        ("encounter,number,code,units,JANE", "column 5 is not one of the lines table"),
    ],
)
def test_a_header_that_does_not_fit_is_the_callers_fault(header: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        readings(f"{header}\n", setting="facility")
    assert said in str(refused.value)


def test_no_fault_repeats_a_value() -> None:
    text = "encounter,number,code,units\nE,JANEDOE,96374,JANEDOE\n"
    assert "JANE" not in "".join(aside(readings(text, setting="facility")))


def test_a_joined_table_that_cannot_be_opened_spoils_the_join_and_says_so() -> None:
    tables = {"g.csv": b"encounter,id\nA,a1\n", "l.csv": b""}
    every = list(read_joined(streams(tables), ReadOptions(setting="facility")))
    assert not records(every)
    assert "is empty" in aside(every)[0]
    assert "was not read" in notes(every)


def test_two_tables_of_one_kind_are_refused() -> None:
    tables = {"a.csv": b"encounter,id\n", "b.csv": b"encounter,id\n"}
    with pytest.raises(UsageError, match=r"b\.csv: lacks|is a second table of administrations"):
        list(read_joined(streams(tables)))


# Claim tables of others.


def test_carrier_lines_of_research_files_are_professional() -> None:
    every = readings((DATA / "rif_carrier.csv").read_bytes(), map="cms-rif-carrier")
    claims = records(every)
    assert {one.setting for one in claims} == {"professional"}
    assert sum(len(one.lines or ()) for one in claims) == 4
    assert all(one.administrations is None for one in claims)
    assert "43 rows = " in notes(every)
    assert len(aside(every)) == 1  # a claim without any procedure code


def test_outpatient_lines_carry_bill_type_revenue_and_diagnoses() -> None:
    (encounter, *_) = records(
        readings((DATA / "rif_outpatient.csv").read_bytes(), map="cms-rif-outpatient")
    )
    assert (encounter.setting, encounter.type_of_bill) == ("facility", "131")
    assert (encounter.diagnoses or ())[:2] == ("O039", "E034")  # in the order of ICD_DGNS_CD1, 2 …
    (line,) = encounter.lines or ()
    assert (line.revenue_code, line.units, str(line.date)) == ("0001", 1, "2015-11-26")


IDR = (
    "CLM_UNIQ_ID,CLM_LINE_NUM,CLM_TYPE_CD,CLM_LINE_HCPCS_CD,HCPCS_1_MDFR_CD,HCPCS_2_MDFR_CD,"
    "CLM_LINE_SRVC_UNIT_QTY,CLM_LINE_FROM_DT,CLM_POS_CD,CLM_LINE_NDC_CD\n"
)


def test_repository_lines_take_their_setting_from_the_claim_type() -> None:
    text = IDR + (
        "1,1,71,96374,59,,1.0,2026-03-02,11,264780020\n1,2,71,,,,1,2026-03-02,11,\n"
        "2,1,40,96374,,,2.0,20260302,~,\n3,1,81,96374,,,1,2026-03-02,11,\n"
    )
    every = readings(text, map="cms-idr-line")
    by_id = {one.id: one for one in records(every)}
    assert {key: one.setting for key, one in by_id.items()} == {
        "1": "professional",
        "2": "facility",
    }
    (line,) = by_id["1"].lines or ()
    assert (line.units, line.modifiers, line.place_of_service, line.ndc) == (
        1,
        ("59",),
        "11",
        "00264780020",
    )
    said = notes(every)
    assert "1 left out: bills no procedure code" in said
    assert "place_of_service is no code of that kind" in said
    assert "lost its leading zeros" in said
    assert any("setting: is stated by neither" in one for one in aside(every))


def test_units_that_are_no_whole_number_set_the_claim_aside() -> None:
    every = readings((DATA / "idr_clm_line.csv").read_bytes(), map="cms-idr-line")
    assert not records(every)
    assert any("units is no whole number" in one for one in aside(every))


def test_a_line_whose_state_is_not_known_sets_its_claim_aside() -> None:
    head, *rows = (DATA / "rif_outpatient.csv").read_text("utf-8").splitlines()
    place = head.split("|").index("FINAL_ACTION")
    odd = rows[0].split("|")
    odd[place] = "odd"
    every = readings("\n".join([head, "|".join(odd), *rows[1:]]), map="cms-rif-outpatient")
    assert any("f:2: the column 'FINAL_ACTION' holds a word" in one for one in aside(every))


def test_a_map_of_administrations_reads_administrations() -> None:
    every = readings(
        "encounter,start\nE,2026-03-02T10:00\n", map="generic-dose", setting="facility"
    )
    assert len(records(every)) == 1


@given(st.binary(max_size=300))
def test_no_bytes_make_it_crash(raw: bytes) -> None:
    for name in (None, "generic-dose", "cms-rif-carrier"):
        try:
            every = readings(raw, map=name)
        except UsageError:  # its header is none of ours
            continue
        for reading in every:
            assert isinstance(reading, Record | SetAside | Note)


def test_a_table_with_too_many_columns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_COLUMNS", 5)
    text = "encounter,number,code,units,date\nA,1,96374,1,2026-03-02\n"
    assert records(readings(text, setting="facility"))
    with pytest.raises(UsageError, match="f:1: has 6 columns"):
        readings(text.replace("\n", ",1\n"), setting="facility")


def test_a_header_longer_than_any_cell_is_told_by_its_columns() -> None:
    # Cut by another sign than its own, such a line is one cell, longer than the csv module reads.
    text = ",".join(f"column{n}" for n in range(20_000)) + "\n1\n"
    with pytest.raises(UsageError, match="f:1: has 20,000 columns"):
        readings(text, setting="facility")


@pytest.mark.parametrize("sign", ['"', "\r"])
def test_what_cannot_part_cells_is_not_taken_as_stated(sign: str) -> None:
    # Later versions of Python refuse such a delimiter with an error of their own.
    text = f"sep={sign}\nencounter,number,code,units,date\nA,1,96374,1,2026-03-02\n"
    assert records(readings(text, setting="facility"))


@pytest.mark.parametrize(
    "text", ["A,1,96374,1" + " " * 90, 'A,1,96374,"\n' + "\n" * 90, "\n" * 90], ids=str.split
)
def test_a_row_without_end_is_not_gathered(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(delimited, "MOST_ROW_CHARACTERS", 80)
    good = "encounter,number,code,units\n" + "B,1,96374,1\n" * 30
    every = readings(good + text, setting="facility")
    # What cannot be read may hold further rows of an encounter, so that none is judged.
    assert [one.encounter for one in every if isinstance(one, SetAside)] == [None, "B"]
    assert "is longer than 80 characters" in aside(every)[0]


def test_rows_that_cannot_be_read_are_told_up_to_a_bound_and_counted() -> None:
    every = readings("encounter,number,code,units\n" + "A,1\n" * 40, setting="facility")
    (error,) = [one.error for one in every if isinstance(one, SetAside)]
    assert [str(fault) for fault in error.faults[-2:]] == [
        "f:6: has 2 cells; write 4",
        "and 35 more; mend these first",
    ]
