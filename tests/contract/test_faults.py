"""What does not fit the contract says which field, and what to write; it repeats no value."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush import Encounter, InputError
from ivpush.contract.faults import place_of

OWN: dict[str, Any] = {"id": "E1", "setting": "facility", "date": "2026-03-02"}
DOSE: dict[str, Any] = {"id": "a1", "drug": "ondansetron"}
LINE: dict[str, Any] = {"number": 1, "code": "96374", "units": 1}


def told(**other: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        Encounter.model_validate({**OWN, **other})
    return [f"{each.place}: {each.problem}; {each.remedy}" for each in caught.value.faults]


def fix_of(**other: Any) -> str:
    (fault,) = told(**other)
    return fault.rpartition("; ")[2]


def on_line(**other: Any) -> str:
    return fix_of(lines=[{**LINE, **other}])


def on_dose(**other: Any) -> str:
    return fix_of(administrations=[{**DOSE, **other}])


def test_each_kind_of_fault_says_what_to_write() -> None:
    assert on_line(code="9637") == "write 5 capital letters or digits"
    assert on_line(code="9637a") == "write capital letters A-Z and digits 0-9 only"
    assert on_line(modifiers=["5"]) == "write 2 capital letters or digits"
    assert on_line(units=-1) == "write a number from 0"
    assert on_line(number=0) == "write a number from 1"
    assert on_line(units=2_000_000) == "write a number up to 1000000"
    assert on_line(units="1") == "write a whole number"
    assert on_line(place_of_service="1") == "write two digits"
    assert on_line(revenue_code="26") == "write the four digits of the revenue code"
    assert on_line(code=7) == "write text"
    assert on_dose(ordered="yes") == "write true or false"
    assert on_dose(id="") == "write a text that is not empty"
    assert on_dose(id="x" * 201) == "write at most 200 characters"
    assert "control characters" in on_dose(drug="a\tb")
    assert fix_of(type_of_bill="1") == "write the three characters of the type of bill"
    assert fix_of(diagnoses=["e86"]) == "write an ICD-10-CM code, such as E86.0"
    assert fix_of(administrations=7) == "write a list"
    assert fix_of(supervision=7) == "write one object"
    assert "10 or 11 digits" in on_dose(ndc="1-2-3")


def test_of_a_closed_list_the_nearest_word_is_named_else_all() -> None:
    assert on_dose(method="infuson") == "did you mean 'infusion'?"
    every = on_dose(method="zzz")
    assert all(word in every for word in ("push", "infusion", "injection"))


def test_a_missing_field_is_named_with_its_place() -> None:
    assert told(lines=[{"number": 1, "units": 1}]) == ["lines[0].code: is missing; write it"]


def test_an_unknown_field_is_named_where_it_looks_like_a_name() -> None:
    (near,) = told(administrations=[{**DOSE, "stopp": 1}])
    assert near.startswith("administrations[0]: holds 'stopp', which is not in the contract")
    assert near.endswith("did you mean 'stop'?")
    (top,) = told(Jane=1)
    assert top.startswith("the top level: holds a field, which")
    (long,) = told(**{"x" * 31: 1})
    assert "holds a field" in long
    (longest,) = told(**{"x" * 30: 1})
    assert f"holds '{'x' * 30}'" in longest
    (nested,) = told(supervision={"levell": "direct"})
    assert nested.endswith("did you mean 'level'?")


def test_a_path_is_written_as_the_contract_writes_it() -> None:
    assert place_of(()) == ""
    assert place_of(("lines", 0, "code")) == "lines[0].code"
    assert place_of((2, "id")) == "[2].id"


@pytest.mark.parametrize("name", ["stra\u00dfe", "a1b", "Jane", "jane doe", ""])
def test_what_looks_like_a_value_is_not_named(name: str) -> None:
    (fault,) = told(**{name: 1})
    assert fault.startswith("the top level: holds a field, which is not in the contract")


def test_a_name_of_several_words_is_named() -> None:
    (fault,) = told(type_of_bil="131")
    assert fault.startswith("the top level: holds 'type_of_bil', which")


def test_what_is_no_record_at_all_is_told_of_the_whole() -> None:
    given: Any = [1]
    with pytest.raises(InputError) as caught:
        Encounter.model_validate(given)
    (fault,) = caught.value.faults
    assert (fault.place, fault.problem) == ("Encounter", "is not what the contract asks for")


def test_what_does_not_fit_is_told_at_its_place() -> None:
    (fault,) = told(lines=[LINE, {**LINE, "number": 2, "code": "9637"}])
    assert fault.startswith("lines[1].code: is not what the contract asks for; ")


@pytest.mark.parametrize(("most", "told_of"), [(3, 3), (2, 1)])
def test_beyond_a_bound_the_faults_are_counted_alone(
    most: int, told_of: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivpush.contract.faults._MOST_DETAILED", most)
    assert len(told(zork=1, zork_a=1, zork_b=1)) == told_of
