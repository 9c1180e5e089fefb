"""The tables of what stands beside an administration: ranges, owners, answers."""

from __future__ import annotations

from datetime import date

import pytest

from ivpush.pack.surroundings import (
    CodeRange,
    Surroundings,
    read_answers,
    read_owners,
    read_procedures,
    read_uses,
)

DAY = date(2026, 3, 2)
OWNER = ["64611", "64653", "IM OTHER", "use:toxin; J0585", "always", "2000-01-01", "", "a"]


def test_a_range_holds_codes_of_its_own_form_only() -> None:
    operations = CodeRange("10004", "69990")
    assert operations.holds("10004") and operations.holds("69990")
    assert not operations.holds("69991") and not operations.holds("2000T")
    assert not operations.holds("G0104")


@pytest.mark.parametrize(("first", "last"), [("", ""), ("20000", "10000"), ("10000", "0999T")])
def test_a_range_that_is_none_is_refused(first: str, last: str) -> None:
    with pytest.raises(ValueError, match=first or "^$"):
        read_procedures([[first, last, "operation", "a"]])


@pytest.mark.parametrize(("column", "text"), [(4, "sometimes"), (5, "soon"), (6, "2000-1x-01")])
def test_a_row_of_owners_that_says_nothing_is_refused(column: int, text: str) -> None:
    row = [*OWNER]
    row[column] = text
    with pytest.raises(ValueError, match=text):
        read_owners([row])


def test_the_narrowest_range_names_the_group() -> None:
    rows = [["10004", "69990", "operation", "a"], ["45300", "45398", "scope", "a"]]
    tables = Surroundings(procedures=read_procedures(rows))
    assert tables.group("45378") == "scope" and tables.group("12002") == "operation"
    assert tables.group("99284") is None


def test_of_several_uses_the_nearest_answer_counts_and_a_method_outweighs_any() -> None:
    rows = [
        ["airway", "sedative", "", "part", "a"],
        ["airway", "sedative", "infusion", "ask", "a"],
        ["airway", "", "", "treatment", "a"],
    ]
    tables = Surroundings(answers=read_answers(rows))
    assert tables.answer("airway", ["sedative"], "push") == "part"
    assert tables.answer("airway", ["sedative"], "infusion") == "ask"
    assert tables.answer("airway", ["iron"], "push") == "treatment"
    assert tables.answer("airway", ["iron", "sedative"], "push") == "part"
    assert tables.answer("unheard of", ["sedative"], "push") == "treatment"


def test_an_owner_gives_by_its_routes_and_names_its_drugs_by_use_code_or_word() -> None:
    tables = Surroundings(owners=read_owners([OWNER]))
    toxin, other = frozenset({"toxin"}), frozenset({"other"})
    assert tables.owners_of("IM", ("any", None), None, toxin)
    assert tables.owners_of("IM", (None, "J0585"), None, other)
    assert not tables.owners_of("IV", ("any", None), None, toxin)
    assert not tables.owners_of("IM", ("any", None), "some words", other)
    named = read_owners([[*OWNER[:3], "allergy serum", *OWNER[4:]]])
    written = Surroundings(owners=named)
    assert written.owners_of("IM", (None, None), "Allergy  serum vial 2", other)
    assert not written.owners_of("IM", (None, None), "allergy serums", other)
    assert written.owners[0].in_force(DAY) and not written.owners[0].in_force(date(1999, 1, 1))


def test_a_drug_may_have_several_uses() -> None:
    uses = read_uses([["stress", "adenosine; dobutamine", "a"], ["rhythm", "adenosine", "a"]])
    assert uses["adenosine"] == {"stress", "rhythm"} and uses["dobutamine"] == {"stress"}
