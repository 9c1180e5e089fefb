"""FT1 and DG1 as lines and diagnoses, and credits that take them back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.readers.hl7.samples import (
    administrations,
    dft,
    ft1,
    orc,
    ras,
    read_visit,
    refused,
    rxa,
    seg,
)


def test_a_charge_keeps_what_ft1_says() -> None:
    charge = ft1(
        f10="2", f11="100&USD", f26="59~XS", f29="0182-1061-05^x^NDC", f19="R11.2^x^I10~I10^y^I10"
    )
    encounter, _ = read_visit(dft(charge))
    (line,) = encounter.lines or ()
    assert (line.number, line.code, line.units, line.charge) == (1, "96374", 2, Decimal(100))
    assert (line.modifiers, line.ndc, line.date) == (("59", "XS"), "0182-1061-05", date(2026, 3, 2))
    assert (encounter.diagnoses, line.diagnosis_pointers) == (("R11.2", "I10"), (1, 2))
    assert encounter.administrations is None


def test_charges_that_were_all_taken_back_bill_nothing() -> None:
    assert read_visit(dft(ft1(), ft1(f6="CD")))[0].lines == ()


def test_a_charge_of_no_units_stays_a_line() -> None:
    assert [x.units for x in read_visit(dft(ft1(f10="0")))[0].lines or ()] == [0]


def test_payments_alone_are_no_claim() -> None:
    assert read_visit(ras(orc(), rxa()), dft(ft1(f6="PY")))[0].lines is None


def test_a_unit_price_is_multiplied() -> None:
    assert (read_visit(dft(ft1(f10="3", f12="50")))[0].lines or ())[0].charge == 150


@pytest.mark.parametrize("credit", [ft1(f6="CD"), ft1(f10="-1")])
def test_a_credit_takes_the_charge_back(credit: str) -> None:
    encounter, notes = read_visit(dft(ft1(), ft1("96375")), dft(credit))
    assert [line.code for line in encounter.lines or ()] == ["96375"]
    assert any("took an earlier charge back" in note for note in notes)


def test_a_credit_of_some_units_leaves_the_rest() -> None:
    (line,) = read_visit(dft(ft1(f10="3", f11="90"), ft1(f6="CD", f10="1")))[0].lines or ()
    assert (line.units, line.charge) == (2, Decimal(60))


@pytest.mark.parametrize(
    "credit",
    [
        ft1("96375", f6="CD"),
        ft1(f6="CD", f26="59"),
        ft1(f6="CD", f4="20260303"),
        ft1(f6="CD", f10="2"),
    ],
)
def test_a_credit_beyond_the_charges_is_noted(credit: str) -> None:
    _, notes = read_visit(dft(ft1(), credit))
    assert any("more than the input charges" in note for note in notes)


def test_payments_charge_nothing_and_other_types_are_refused() -> None:
    encounter, notes = read_visit(dft(ft1(), ft1(f6="PY")))
    assert len(encounter.lines or ()) == 1 and len(notes) == 1
    assert "FT1-6" in refused(dft(ft1(f6="Zebra")))


def test_charges_without_a_procedure_code_are_left_out_and_alone_set_aside() -> None:
    encounter, notes = read_visit(dft(ft1(), ft1(f25="", f7="CDM7^x^L")))
    assert len(encounter.lines or ()) == 1 and any("left out" in note for note in notes)
    assert "FT1-25" in refused(dft(ft1(f25="")))
    assert [x.code for x in read_visit(dft(ft1(f25="", f7="96374^x^C4")))[0].lines or ()] == [
        "96374"
    ]


def test_chart_and_charges_of_one_visit_meet() -> None:
    encounter, _ = read_visit(ras(orc(), rxa()), dft(seg("DG1", f3="I10^x^I10"), ft1()))
    assert len(administrations(encounter)) == len(encounter.lines or ()) == 1
    assert encounter.diagnoses == ("I10",)
