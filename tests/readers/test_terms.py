"""The table of terms: every row means something of the contract, every fault has its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ivpush.contract.fields import Route
from ivpush.errors import PackError
from ivpush.pack.files import read_yaml
from ivpush.pack.folder import rules_folder
from ivpush.readers.terms import Meaning, Terms, combined, plain, read_terms, shipped_terms

DATA = Path(__file__).resolve().parents[1] / "data" / "fhir"
GOOD = """
systems:
  s: {names: [urn:s, S]}
codes:
  - {system: s, code: A, route: IV, label: by vein}
texts:
  - {texts: [iv push], route: IV, method: push}
"""


def table(text: str) -> Terms:
    return read_terms(read_yaml("terms.yaml", text.encode()))


def codes_of(name: str) -> tuple[str, list[str]]:
    data: dict[str, Any] = json.loads((DATA / name).read_text("utf-8"))
    return data["url"], [one["code"] for one in data["concept"]]


def test_the_shipped_table_cites_sources_of_the_pack() -> None:
    sources = read_yaml("sources.yaml", (rules_folder() / "sources.yaml").read_bytes())
    assert shipped_terms().cites
    assert all(sources.at(("sources", cite)) for cite in shipped_terms().cites)


def test_every_route_of_the_contract_can_be_written() -> None:
    terms = shipped_terms()
    for route in get_args(Route):
        coding = terms.codings[("route", route)]
        assert terms.code(coding.system, coding.code) == Meaning(route=route)


def test_every_route_of_the_hl7_table_has_a_meaning() -> None:
    url, codes = codes_of("CodeSystem-v2-0162.json")
    assert len(codes) == 47
    for code in codes:
        meaning = shipped_terms().code(url, code)
        assert meaning is not None and meaning.route is not None, code


def test_letters_that_the_hl7_table_shares_with_the_contract_may_mean_another_route() -> None:
    terms = shipped_terms()
    assert terms.code("HL70162", "IO") == Meaning(route="OTHER")  # intraocular
    assert terms.code("HL70162", "ICV") == Meaning(route="OTHER")  # intracervical


def test_a_push_is_a_method_of_the_hl7_table_and_no_route() -> None:
    terms = shipped_terms()
    assert terms.code("HL70165", "IVP") == Meaning(route="IV", method="push")
    assert terms.code("HL70165", "IVPB") == Meaning(route="IV", method="infusion")
    assert terms.code("HL70162", "IVP") is None
    assert terms.code("HL70164", "IVP") is None  # the pump


def test_what_a_hospital_export_says_was_not_given_is_not_given() -> None:
    url, codes = codes_of("CodeSystem-mimic-medication-method.json")
    terms = shipped_terms()
    never = {code for code in codes if (one := terms.code(url, code)) and one.given == "no"}
    assert {"Not Given", "Not Started", "Not Flushed", "Hold Dose"} <= never
    assert all("Not" in code or code == "Hold Dose" for code in never)


def test_a_bolus_alone_is_no_technique() -> None:
    url, codes = codes_of("CodeSystem-mimic-medication-method-icu.json")
    assert "Bolus" in codes
    assert shipped_terms().code(url, "Bolus") is None
    assert shipped_terms().text("bolus") is None
    assert shipped_terms().code(url, "Drug Push") == Meaning(method="push")


@pytest.mark.parametrize("text", ["IV Push", "iv-push", " IV  PUSH ", "IVP"])
def test_case_and_punctuation_of_a_text_do_not_matter(text: str) -> None:
    assert shipped_terms().text(text) == Meaning(route="IV", method="push")


def test_terms_that_contradict_each_other_leave_the_fact_unknown() -> None:
    meaning, odd = combined([Meaning(route="IV", method="push"), Meaning(route="IM")])
    assert meaning == Meaning(method="push")
    assert odd == ("route",)


@pytest.mark.parametrize(
    ("old", "new", "spot", "said"),
    [
        ("route: IV, label", "rout: IV, route: IV, label", "rout: IV", "unknown key 'rout'"),
        ("route: IV, label", "route: VI, label", "VI, label", "'VI' is not among its words"),
        ("system: s, code", "system: t, code", "t, code", "names no system"),
        ("[urn:s, S]", "[urn:s], defaults_stop: maybe", "maybe", "'maybe' is not among its words"),
        ("[iv push]", "[IV-Push]", "IV-Push", "not written plainly"),
        ("[iv push]", "[iv push, x, iv push]", "iv push]", "listed twice"),
        (", method: push", ", purpose: nonsense", "nonsense", "'nonsense' is not among its words"),
        ("codes:", "kodes: []\ncodes:", "kodes", "unknown key 'kodes'"),
        ("route: IV, label: by vein", "label: by vein", "{system", "says nothing"),
        ("{names: [urn:s, S]}", "{names: []}", "[]", "names: is empty"),
    ],
)
def test_a_fault_of_the_table_has_its_place(old: str, new: str, spot: str, said: str) -> None:
    text = GOOD.replace(old, new, 1)
    before = text[: text.index(spot)]
    place = f"terms.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    with pytest.raises(PackError) as caught:
        table(text)
    faults = [(one.place, one.problem) for one in caught.value.faults]
    assert any(at == place and said in problem for at, problem in faults), (place, faults)


def test_the_good_table_is_read() -> None:
    assert table(GOOD).code("urn:s", "a") == Meaning(route="IV")
    assert table(GOOD).text("IV push") == Meaning(route="IV", method="push")


@given(st.data())
def test_a_garbled_table_is_read_or_refused_with_its_places(data: st.DataObject) -> None:
    whole = yaml.load(GOOD, Loader=yaml.CBaseLoader)
    paths = [path for path in _paths(whole) if path]
    path = data.draw(st.sampled_from(paths))
    odd = ["", "x", "null", [], ["x"], [["x"]], {}, {"x": "y"}, {"x": ["y"]}]
    holder = whole
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = data.draw(st.sampled_from(odd))
    try:
        table(yaml.dump(whole, Dumper=yaml.CSafeDumper, default_style='"'))
    except PackError as error:
        found = error.faults
    else:
        found = ()
    assert all(fault.place.startswith("terms.yaml:") and fault.problem for fault in found)


def _paths(data: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    rows = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data if isinstance(data, list) else [])
    )
    return [path, *(deeper for key, value in rows for deeper in _paths(value, (*path, key)))]


@given(st.text())
def test_plain_is_plain_already(text: str) -> None:
    assert plain(plain(text)) == plain(text)
