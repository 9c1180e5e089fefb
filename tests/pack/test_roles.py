"""Who gave a drug, in any spelling."""

from __future__ import annotations

from datetime import date

import pytest

from ivpush.pack.roles import Role, Spellings
from tests.shipped import PACK

ROLES = PACK.book(date(2026, 3, 2)).roles


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RN", "RN"),
        ("rn", "RN"),
        ("R.N.", "RN"),
        ("RN, BSN", "RN"),
        ("MSN, RN, FNP-C", "NP"),
        ("Physician Assistant", "PA"),
        ("PA-C", "PA"),
        ("Nurse Practitioner", "NP"),
        ("certified registered nurse anesthetist", "CRNA"),
        ("licensed practical nurse", "LPN"),
        ("Medical Assistant (CMA)", "MA"),
        ("patient care technician", "technician"),
        ("Patient (PCA button)", "patient"),
        ("Dr. Smith", "MD"),
        ("Nurse Pract.", "NP"),
        ("Physician Asst", "PA"),
        ("med asst", "MA"),
        ("RN student", "student"),
        ("PGY-2", "resident"),
    ],
)
def test_a_role_is_read_in_any_case_and_spelling(text: str, name: str) -> None:
    role = ROLES.find(text)
    assert role is not None
    assert role.name == name


@pytest.mark.parametrize("text", ["", "...", "clinic 4", "x"])
def test_a_text_that_names_no_role_is_of_no_known_role(text: str) -> None:
    assert ROLES.find(text) is None


def test_the_longest_spelling_names_the_role_and_of_two_the_one_listed_first() -> None:
    roles = Spellings(
        [("A", Role("A", "nurse")), ("B", Role("B", "staff")), ("b c", Role("C", "patient"))]
    )
    assert roles.find("c a b c") == Role("C", "patient")
    assert roles.find("b, a") == Role("A", "nurse")
    assert Spellings([]).find("a") is None
