"""Whatever stands in a file of a pack: it makes a good pack, or an error with places, nothing else."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivpush import Encounter, Engine, Pack, PackError
from ivpush.authoring.cases import run_cases
from ivpush.errors import Fault
from ivpush.pack.files import Sheet
from tests.shipped import PACK

WHOLE = PACK
KEPT = ("IVP104", "IVP206", "IVP703")
TABLES = ("denials", "pos", "tob", "addon")
ODD: list[Any] = [
    "",
    " ",
    "x",
    "null",
    "true",
    "-1",
    "²",
    "9" * 5_000,
    "2026-02-30",
    "9999-12-31",
    "{",
    "{x}",
    "any",
    "96374",
    "1" * 700,
    [],
    ["x"],
    [["x"]],
    ["x", "x"],
    [{}],
    {},
    {"x": "y"},
    {"x": ["y"]},
    {"from": "2026-01-01"},
    {"from": ["2026-01-01"]},
]
ENCOUNTER = Encounter.model_validate(
    {
        "id": "E",
        "setting": "facility",
        "date": "2026-03-02",
        "administrations": [
            {"id": "a", "drug": "ondansetron", "route": "IV", "method": "push"},
            {"id": "b", "drug": "vancomycin", "route": "IV", "method": "infusion"},
        ],
        "lines": [{"number": 1, "code": "96375", "units": 2}],
    }
)


def _kept(name: str) -> bool:
    if name.startswith("checks/"):
        return any(key in name for key in KEPT)
    if name.startswith("tables/"):
        return any(name.startswith(f"tables/{kind}-") for kind in TABLES)
    return name in {"payers/premera.yaml", "payers/select_health.yaml"} or "/" not in name


def _alone(part: Any) -> Any:
    """A file without what it says of rules that the small pack lacks."""
    if not isinstance(part, Sheet) or "follows_from" not in part.mapping:
        return part
    data = {key: value for key, value in part.mapping.items() if key != "follows_from"}
    return Sheet(part.name, data, part.marks)


LAYER = {name: _alone(part) for name, part in WHOLE._layers[0].items() if _kept(name)}
NAMES = sorted(
    name
    for name, part in LAYER.items()
    if isinstance(part, Sheet) and name not in {"terms.yaml", "samples.yaml", "mutants.yaml"}
)


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    rows = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in rows if isinstance(data, dict | list) else ():
        yield from _paths(value, (*path, key))


PATHS = {name: list(_paths(LAYER[name].data)) for name in NAMES}


def garbled(name: str, path: tuple[Any, ...], change: Any) -> Pack:
    """The pack with one value of one file replaced, dropped or under another key."""
    data = copy.deepcopy(LAYER[name].data)
    if not path:
        data = change if change not in ("DROP", "RENAME") else {}
    else:
        holder = data
        for step in path[:-1]:
            holder = holder[step]
        if change == "DROP":
            del holder[path[-1]]
        elif change == "RENAME" and isinstance(holder, dict):
            holder[f"{path[-1]}x"] = holder.pop(path[-1])
        else:
            holder[path[-1]] = change
    return Pack([{**LAYER, name: Sheet(name, data, LAYER[name].marks)}], "garbled")


def faults_or_use(name: str, path: tuple[Any, ...], change: Any) -> tuple[Fault, ...]:
    """What is wrong with the garbled pack; nothing, once it was put to use."""
    try:
        pack = garbled(name, path, change)
    except PackError as error:
        return error.faults
    Engine(pack=pack).check(ENCOUNTER)
    list(run_cases(pack))
    return ()


def test_the_small_pack_is_good() -> None:
    pack = Pack([LAYER], "whole")
    assert all(rule.pins for rule in pack.rules)
    assert [outcome for outcome in run_cases(pack) if outcome.problem] == []


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(deadline=None, max_examples=15)
def test_a_garbled_file_makes_a_good_pack_or_an_error_with_places(
    name: str, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(PATHS[name]))
    change = data.draw(st.sampled_from([*ODD, "DROP", "RENAME"]))
    for fault in faults_or_use(name, path, change):
        assert fault.place.split(":")[0] in LAYER, fault
        assert fault.problem and len(str(fault)) < 1_500, fault
