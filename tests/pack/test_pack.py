"""The pack: read whole, all faults at once, in force by date, cached without going stale."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from ivpush import Encounter, Engine, Pack, PackError, UsageError
from ivpush.authoring.cases import run_cases
from ivpush.pack.data import MODIFIERS
from ivpush.pack.folder import rules_folder
from ivpush.pack.shapes.words import unknown
from tests.shipped import PACK

RULE = """\
id: IVP790
name: dose-over-a-gram
title: A large dose is looked at.
severity: warning
disposition: informational
in_force: {from: 2026-01-01, to: 2026-06-30}
for_each: administration
when: administration.dose_unit == 'mg'
require: administration.dose <= 1000
message: "{administration.id} is charted with {administration.dose} mg."
fix: "Look at the dose of {administration.id}."
why: A slipped decimal point makes a large dose.
not_covered: Doses in other units.
cites: [ivpush-plausibility]
cases:
  - name: two grams
    administrations: [{drug: x, dose: 2000, dose_unit: mg, route: IV, method: push}]
    expect: [{administration: a1}]
  - name: one gram
    administrations: [{drug: x, dose: 1000, dose_unit: mg, route: IV, method: push}]
    expect: []
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to be damaged."""
    return Path(shutil.copytree(rules_folder(), tmp_path / "rules"))


def extra(tmp_path: Path, text: str = RULE, name: str = "IVP790-dose-over-a-gram.yaml") -> Path:
    folder = tmp_path / "ours" / "checks" / "record"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return tmp_path / "ours"


def faults(load: Callable[[], object]) -> list[str]:
    with pytest.raises(PackError) as caught:
        load()
    return [str(one) for one in caught.value.faults]


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_every_code_equals_its_source_text() -> None:
    text = (rules_folder() / "codes.yaml").read_text("utf-8")
    rows = yaml.load(text, Loader=yaml.CBaseLoader)["codes"]
    assert {row["code"] for row in rows} == set(PACK.codes)
    assert all(len(code) == 5 and code.isascii() for code in PACK.codes)


def test_all_faults_are_reported_at_once_with_their_places(rules: Path) -> None:
    edit(
        rules / "checks/roles/IVP104-addon-without-primary.yaml", "line.is_add_on", "line.is_addon"
    )
    edit(rules / "checks/roles/IVP101-several-initials.yaml", "severity: error", "severity: eror")
    edit(rules / "checks/time/IVP206-hydration-too-short.yaml", "why:", "wy:")
    found = faults(lambda: Pack.load(rules))
    assert any("IVP104" in one and "did you mean 'is_add_on'" in one for one in found)
    assert any("IVP101" in one and "'eror'" in one for one in found)
    assert any("IVP206" in one and "unknown key 'wy'" in one for one in found)
    assert all(one.split(":")[1].isdigit() and one.split(":")[2].isdigit() for one in found)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("severity: warning", "severity: fatal", "'fatal'"),
        ("disposition: informational", "disposition: ignore", "'ignore'"),
        ("for_each: administration", "for_each: drug", "'drug'"),
        ("from: 2026-01-01", "from: 2026-13-01", "no day"),
        ("from: 2026-01-01", "from: 2027-01-01", "ends before"),
        ("to: 2026-06-30", "until: 2026-06-30", "unknown key 'until'"),
        ("administration.dose <= 1000", "administration.dosis <= 1000", "did you mean 'dose'"),
        ("administration.dose <= 1000", "administration.dose", "not true or false"),
        ("{administration.dose} mg", "{administration.drug} mg", "own words"),
        ("{administration.dose} mg", "{administration.dose.real} mg", "no"),
        ("cites: [ivpush-plausibility]", "cites: [ivpush-plausible]", "did you mean"),
        ("cites: [ivpush-plausibility]", "cites: []", "cites: is empty"),
        ("    expect: []", "    expect: [{administration: a1}]", "holds"),
        ("id: IVP790", "id: IVP190", "room"),
        ("id: IVP790", "id: ../IVP790", ""),
        ("id: IVP790", 'id: "IVP790\\x1b[2J"', ""),
        ("name: dose-over-a-gram", "name: Dose_over", ""),
        ("title: A large dose is looked at.", "title: " + "x" * 700, "longer"),
        ("why: A slipped decimal point makes a large dose.\n", "", "lacks the key 'why'"),
        ("cases:", "cases: none\nexamples:", "unknown key 'examples'"),
        ("severity: warning\n", "severity: warning\nseverity: error\n", "repeats the key"),
    ],
)
def test_a_faulty_rule_is_explained(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in RULE
    folder = extra(tmp_path, RULE.replace(old, new, 1))
    found = faults(lambda: Pack.load(extra=[folder]))
    assert any(said in one for one in found)
    assert all("\x1b" not in one for one in found)


PINS = """\
rule: IVP790
cases:
  - name: three grams
    administrations: [{drug: x, dose: 3000, dose_unit: mg, route: IV, method: push}]
    expect: [{administration: a1}]
"""


def pinned(tmp_path: Path, text: str = PINS, name: str = "IVP790-dose-over-a-gram") -> Path:
    return extra(extra(tmp_path).parent, text, f"{name}.pins.yaml")


def test_further_cases_of_a_rule_may_stand_in_a_file_beside_it(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    before = Pack.load(extra=[extra(tmp_path)], cache=cache)
    packs = [Pack.load(extra=[pinned(tmp_path)], cache=cache) for _ in range(2)]
    assert before.digest != packs[0].digest
    for pack in packs:
        rule = next(rule for rule in pack.rules if rule.id == "IVP790")
        assert [case["name"] for case in rule.cases] == ["two grams", "one gram"]
        assert [case["name"] for case in rule.pins] == ["three grams"]
        assert [case["name"] for case in rule.every_case] == [
            "two grams",
            "one gram",
            "three grams",
        ]
        outcomes = list(run_cases(pack, "IVP790"))
        assert [(outcome.name, outcome.problem) for outcome in outcomes] == [
            ("two grams", ""),
            ("one gram", ""),
            ("three grams", ""),
        ]


@pytest.mark.parametrize(
    ("old", "new", "name", "said"),
    [
        ("rule: IVP790", "rule: IVP791", "IVP790-dose-over-a-gram", ":1:7: rule: is not IVP790"),
        ("rule: IVP790\n", "", "IVP790-dose-over-a-gram", "lacks the key 'rule'"),
        ("cases:", "case:", "IVP790-dose-over-a-gram", "did you mean 'cases'"),
        (
            "    expect: [{",
            "    expects: [{",
            "IVP790-dose-over-a-gram",
            ":3:5: lacks the key 'expect'",
        ),
        ("", "", "IVP790-dose-over-a-gramm", "did you mean 'checks/record/IVP790-dose-over-a-gram"),
    ],
)
def test_a_faulty_file_of_further_cases_is_explained(
    tmp_path: Path, old: str, new: str, name: str, said: str
) -> None:
    folder = pinned(tmp_path, PINS.replace(old, new, 1), name)
    found = faults(lambda: Pack.load(extra=[folder]))
    assert any(said in one for one in found), found
    assert all(f"checks/record/{name}.pins.yaml:" in one for one in found)


def test_a_rule_needs_its_two_cases_in_its_own_file(tmp_path: Path) -> None:
    folder = pinned(tmp_path)
    holds = next(folder.rglob("IVP790-dose-over-a-gram.yaml"))
    edit(holds, "expect: [{administration: a1}]", "expect: []")
    found = faults(lambda: Pack.load(extra=[folder]))
    assert any("lacks a case that breaks the rule" in one for one in found)


def test_an_extra_rule_applies_within_its_dates(tmp_path: Path) -> None:
    engine = Engine(packs=[extra(tmp_path)])

    def fires(day: str) -> bool:
        given = {"id": "a", "drug": "x", "dose": 2000, "dose_unit": "mg", "route": "IV"}
        record = {"id": "E", "setting": "facility", "date": day, "administrations": [given]}
        result = engine.check(Encounter.model_validate(record))
        return "IVP790" in {one.rule for one in result.violations}

    assert [fires(day) for day in ("2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01")] == [
        False,
        True,
        True,
        False,
    ]


def test_an_id_or_name_is_taken_once(tmp_path: Path) -> None:
    folder = extra(tmp_path, RULE.replace("IVP790", "IVP701"), "IVP701-dose-over-a-gram.yaml")
    assert any("'IVP701' is taken" in one for one in faults(lambda: Pack.load(extra=[folder])))


def test_a_link_out_of_the_pack_is_refused(tmp_path: Path) -> None:
    folder = extra(tmp_path)
    secret = tmp_path / "secret.yaml"
    secret.write_text("password: x", "utf-8")
    (folder / "checks/record/IVP791-x.yaml").symlink_to(secret)
    found = faults(lambda: Pack.load(extra=[folder]))
    assert found == ["checks/record/IVP791-x.yaml: leads out of the pack; copy the file"]


def test_a_folder_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Pack.load(tmp_path / "nowhere")


@pytest.mark.parametrize("file", ["codes.yaml", "policies.yaml", "pack.yaml", "drugs.csv"])
def test_a_missing_file_is_named(rules: Path, file: str) -> None:
    (rules / file).unlink()
    assert any(file in one for one in faults(lambda: Pack.load(rules)))


# --- the cache


def test_the_cache_gives_the_same_pack(tmp_path: Path) -> None:
    first = Pack.load(cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    second = Pack.load(cache=tmp_path)
    assert first.digest == second.digest == PACK.digest
    assert [one.texts for one in first.rules] == [one.texts for one in second.rules]
    scenario = Encounter.model_validate(
        {
            "id": "E",
            "setting": "facility",
            "date": "2026-03-02",
            "administrations": [
                {"id": "a", "drug": "ondansetron", "route": "IV", "method": "push"}
            ],
            "lines": [{"number": 1, "code": "96375", "units": 2}],
        }
    )
    results = {Engine(pack=pack).check(scenario).to_json() for pack in (PACK, first, second)}
    assert len(results) == 1


def test_a_changed_rule_is_never_served_from_the_cache(rules: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    before = Pack.load(rules, cache=cache)
    edit(
        rules / "checks/roles/IVP104-addon-without-primary.yaml",
        "severity: error",
        "severity: warning",
    )
    after = Pack.load(rules, cache=cache)
    assert before.digest != after.digest
    severity = {one.id: one.severity for one in after.rules}
    assert severity["IVP104"] == "warning"


def test_a_renamed_file_is_another_pack(rules: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    before = Pack.load(rules, cache=cache).digest
    (rules / "payers/medicare.yaml").rename(rules / "payers/medicare2.yaml")
    assert Pack.load(rules, cache=cache).digest != before == PACK.digest


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign", "other seal", "not json"])
def test_a_damaged_cache_is_a_miss(tmp_path: Path, damage: str) -> None:
    Pack.load(cache=tmp_path)
    (file,) = tmp_path.iterdir()
    seal, _, text = file.read_bytes().partition(b"\n")
    forged = json.dumps([{"pack.yaml": {"name": "forged"}}]).encode()
    flipped = text.replace(b"error", b"info", 1)
    made = {
        "cut": seal + b"\n" + text[:-100],
        "flip": seal + b"\n" + flipped,
        "empty": b"",
        "foreign": b"\x00" * 100,
        "other seal": b"0" * 64 + b"\n" + forged,
        "not json": seal + b"\nnothing",
    }
    file.write_bytes(made[damage])
    again = Pack.load(cache=tmp_path)
    assert again.name == PACK.name
    assert [one.severity for one in again.rules] == [one.severity for one in PACK.rules]


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x", "utf-8")
    assert Pack.load(cache=blocked / "deeper").digest == PACK.digest


# --- dates, policies, payers


def test_the_service_date_picks_codes_and_limits() -> None:
    assert PACK.book(date(2008, 12, 31)).code("96374") is None
    assert PACK.book(date(2009, 1, 1)).code("96374") is not None
    assert PACK.book(date(2008, 12, 31)).code("90774") is not None
    assert PACK.book(date(2009, 1, 1)).code("90774") is None
    assert PACK.book(date(2009, 1, 1)).code_any("90774") is not None


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ({"long_pusch": "push"}, "did you mean 'long_push'"),
        ({"long_push": "drip"}, "long_push"),
        ({"same_drug_push_gap_minutes": "soon"}, "whole number"),
        ({"same_drug_push_gap_minutes": -1}, "whole number"),
        ({"second_site_requires_reason": "maybe"}, "flag"),
    ],
)
def test_a_policy_that_does_not_exist_is_refused(policies: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Engine(pack=PACK, policies=policies)
    assert said in str(caught.value)


def test_every_policy_names_its_values_and_sources() -> None:
    for policy in PACK.policies.values():
        assert (
            policy.why and policy.cites and policy.touches in {"derivation", "checks", "questions"}
        )
        assert policy.read(policy.default) == policy.default or policy.form in {"words", "units"}


def test_a_pack_must_hold_every_modifier_that_the_engine_reads() -> None:
    files = [
        file for wing in ("coding", "claim") for file in Path(f"src/ivpush/{wing}").glob("*.py")
    ]
    source = "".join(file.read_text("utf-8") for file in files)
    assert {kind for kind in PACK.data.modifiers if f'"{kind}"' in source} == MODIFIERS


def test_a_policy_that_settles_a_missing_fact_does_so_by_values_of_its_own() -> None:
    """The default leaves the fact open, or nobody could ask for it."""
    for policy in PACK.policies.values():
        assert policy.default not in policy.settles
        assert all(policy.read(value) == value for value in policy.settles)


def test_every_policy_is_used() -> None:
    source = "".join(file.read_text("utf-8") for file in Path("src/ivpush").rglob("*.py"))
    rules = "".join(text for rule in PACK.rules for text in rule.texts.values())
    data = "".join(
        file.read_text("utf-8")
        for file in rules_folder().glob("*.yaml")
        if file.name != "policies.yaml"
    )
    unused = [name for name in PACK.policies if name not in source + rules + data]
    assert unused == []


def test_a_payer_without_overlay_falls_back_with_a_note() -> None:
    record = {
        "id": "E",
        "setting": "facility",
        "date": "2026-03-02",
        "payer": "nobody",
        "administrations": [],
        "lines": [],
    }
    result = Engine(pack=PACK).check(Encounter.model_validate(record))
    assert result.pack.payer is None
    assert "payer-without-overlay" in {one.name for one in result.violations}


def test_the_encounters_payer_beats_the_engines() -> None:
    record = {"id": "E", "setting": "facility", "date": "2026-03-02", "administrations": []}
    engine = Engine("regence", pack=PACK)
    assert engine.check(Encounter.model_validate(record)).pack.payer == "regence"
    other = Encounter.model_validate({**record, "payer": "medicare"})
    assert engine.check(other).pack.payer == "medicare"


def test_a_pack_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(PACK))
    assert again.digest == PACK.digest
    assert len(again.rules) == len(PACK.rules)


# --- the order of files and packs


def test_the_order_of_files_and_packs_does_not_matter(tmp_path: Path) -> None:
    """Relation 4: the same rules under other paths, or stacked the other way, give the same bytes."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, name, least in ((one, "a-rule", 10), (two, "z-rule", 20)):
        (folder / "checks/record").mkdir(parents=True)
        key = "IVP790" if folder == one else "IVP791"
        text = RULE.replace("IVP790", key).replace("dose-over-a-gram", name)
        text = text.replace("<= 1000", f"<= {least}")
        text = text.replace("dose: 1000", "dose: 1")
        (folder / f"checks/record/{key}-{name}.yaml").write_text(text, "utf-8")
    record = Encounter.model_validate(
        {
            "id": "E",
            "setting": "facility",
            "date": "2026-03-02",
            "administrations": [
                {"id": "a", "drug": "x", "dose": 50, "dose_unit": "mg", "route": "IV"}
            ],
            "lines": [{"number": 1, "code": "96375", "units": 2}],
        }
    )
    found = {Engine(packs=packs).check(record).to_json() for packs in ([one, two], [two, one])}
    assert len(found) == 1
    (written,) = found
    assert b"IVP790" in written and b"IVP791" in written
    turned = Pack(
        [dict(reversed(list(layer.items()))) for layer in PACK._layers], PACK.digest, PACK.layers
    )
    assert Engine(pack=turned).check(record).to_json() == Engine(pack=PACK).check(record).to_json()


def test_sealed_values_of_another_kind_in_the_cache_are_a_miss(tmp_path: Path) -> None:
    Pack.load(cache=tmp_path)
    (path,) = tmp_path.iterdir()
    kept = json.loads(path.read_text("utf-8").partition("\n")[2])
    text = json.dumps([dict.fromkeys(layer, 7) for layer in kept])
    seal = hashlib.sha256((path.stem + text).encode()).hexdigest()
    path.write_text(f"{seal}\n{text}", "utf-8")
    assert Pack.load(cache=tmp_path).sources == PACK.sources


# --- bounds


def test_faults_of_a_pack_are_looked_for_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivpush.pack.files.MOST_FAULTS", 3)
    (tmp_path / "drugs.csv").write_text("a,b\n" * 9, "utf-8")
    (tmp_path / "sources.yaml").write_text("sources: {}\n" + "x: y\n" * 9, "utf-8")
    (tmp_path / "words.yaml").write_text("x: y\nz: y\nzz: y\nzzz: y\nzzzz: y\n", "utf-8")
    with pytest.raises(PackError) as refused:
        Pack.load(extra=[tmp_path])
    assert len(refused.value.faults) <= 4


def test_a_row_of_words_that_nobody_knows_does_not_spell_out_those_known() -> None:
    class Unspelled(frozenset[str]):
        def __repr__(self) -> str:
            raise AssertionError("spelled out")

    known = Unspelled({"96374", "96375"})
    error = unknown("96373", "'96373' has no row", known)
    assert error.message() == "'96373' has no row"
