"""Laws of charted drug names: what stands beside a name changes no drug, and a slip of the pen no class."""

from __future__ import annotations

from itertools import pairwise

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush.pack.drugs import DrugRow
from ivpush.pack.folder import rules_folder
from tests.shipped import PACK

NAMES = PACK.book(None).names
KNOWN = NAMES.known()
LISTS = yaml.load((rules_folder() / "drug_words.yaml").read_text("utf-8"), Loader=yaml.CBaseLoader)
UNITS = {*LISTS["units"], *LISTS["per"]}
WORDS = {word for name in KNOWN for word in name.split()}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
BESIDE = (
    "{} 4 mg",
    "4mg {}",
    "{} 25,000 units",
    "{} 20 mg/m2",
    "{} (mcg/kg/min)",
    "{} 100 mcg/kg/min",
    "{} 1000 mL",
    "{} @ 125 ml/hr",
    "{} at 75 ml/hr",
    "{} 150/hr",
    "{} IV",
    "IV {}",
    "{} IVP",
    "{} IM",
    "{} SQ",
    "{} PO",
    "{} inj",
    "{} gtt",
    "{} bolus",
    "{} drip",
    "{} q8h",
    "{} x1",
    "{} stat",
    "{} KVO",
    "{} over 30 min",
)


def holds_an_amount(name: str) -> bool:
    """Whether a name says an amount itself: it is known by its whole text alone."""
    pairs = pairwise(name.split())
    return any(number[0].isdigit() and unit in UNITS for number, unit in pairs)


def class_of(row: DrugRow) -> tuple[str, str | None, bool]:
    return row.category, row.category_injection, row.hormonal


# A bag of fluid with an electrolyte is told by its volume and by how it runs.
PLAIN = [
    name
    for name in KNOWN
    if not holds_an_amount(name)
    and (row := NAMES.exact(name)) is not None
    and not row.key.startswith("fluid with ")
]


@given(st.sampled_from(PLAIN), st.sampled_from(BESIDE))
def test_amounts_rates_and_routes_beside_a_name_change_no_drug(name: str, beside: str) -> None:
    row, beside_it = NAMES.exact(name), NAMES.find(beside.format(name))
    assert row is not None and beside_it is not None
    assert beside_it.key == row.key


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A name of letters alone, and it with one letter of a longer word left out, added or changed."""
    name = draw(st.sampled_from([name for name in KNOWN if not any(map(str.isdigit, name))]))
    words = name.split()
    n = draw(st.integers(0, len(words) - 1))
    word = words[n]
    assume(len(word) >= 4)
    at, letter = draw(st.integers(0, len(word) - 1)), draw(st.sampled_from(LETTERS))
    slip = draw(
        st.sampled_from(
            (
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            )
        )
    )
    # A known word is no slip: no reader can tell LR from LV by its letters.
    assume(slip != word and slip not in WORDS)
    return name, " ".join([*words[:n], slip, *words[n + 1 :]])


@given(slips())
def test_a_misspelling_is_never_taken_for_a_drug_of_another_class(slip: tuple[str, str]) -> None:
    name, misspelt = slip
    row, taken_for = NAMES.exact(name), NAMES.find(misspelt)
    assert row is not None
    assert taken_for is None or class_of(taken_for) == class_of(row)
