"""Type checkers, as users run them, take the natural forms of the contract and find slips.

No plugin is needed: neither mypy's for pydantic nor any other. ``refused`` marks each slip for both
checkers, which say so where a mark is not needed.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Required, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from ivpush import Administration, ClaimLine, Encounter, InputError, Supervision
from ivpush.contract import constructors, encounter

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
REFUSED = (HERE / "refused.py").read_text("utf-8")
FIELDS: list[tuple[type[BaseModel], type]] = [
    (Administration, constructors.AdministrationFields),
    (ClaimLine, constructors.ClaimLineFields),
    (Supervision, constructors.SupervisionFields),
    (Encounter, encounter.EncounterFields),
]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )


def by_mypy(folder: Path) -> subprocess.CompletedProcess[str]:
    # Only what the user wrote is reported, as for a package that is installed.
    options = ["--strict", "--config-file", os.devnull, "--follow-imports", "silent"]
    options += ["--cache-dir", os.devnull]
    return run(["mypy", *options, "."], folder)


def by_basedpyright(folder: Path) -> subprocess.CompletedProcess[str]:
    config = {
        "typeCheckingMode": "strict",
        "extraPaths": [str(SOURCE)],
        # Marks for mypy are no marks for it.
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config), "utf-8")
    return run(["basedpyright", "--pythonpath", sys.executable], folder)


Checker = Callable[[Path], subprocess.CompletedProcess[str]]
MARK = "  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]"


@pytest.mark.parametrize("checker", [by_mypy, by_basedpyright])
def test_natural_forms_pass_and_every_slip_is_found(checker: Checker, tmp_path: Path) -> None:
    for name in ("natural.py", "refused.py"):
        (tmp_path / name).write_bytes((HERE / name).read_bytes())
    # A mark without a slip, so that silence of the checker is known to mean something.
    (tmp_path / "needless.py").write_text(
        f"from ivpush import Supervision\n\nSupervision(){MARK}\n"
    )
    done = checker(tmp_path)
    told = [line for line in done.stdout.splitlines() if "error:" in line or " - error" in line]
    assert told and all("needless.py:3:" in line for line in told), done.stdout + done.stderr


def test_the_natural_program_runs() -> None:
    space = runpy.run_path(str(HERE / "natural.py"))
    assert space["amounts"] == [Decimal(120), Decimal("19.5")]
    assert space["begun"] == datetime(2026, 3, 2, 10, 5)
    assert space["nested"].supervision.level == "general"


SLIPS = [
    line.partition("  # ")[0]
    for line in REFUSED.splitlines()
    if line.startswith(("Administration(", "ClaimLine(", "Supervision(", "Encounter("))
]


@pytest.mark.parametrize("slip", SLIPS)
def test_what_checkers_refuse_is_refused_when_it_runs(slip: str) -> None:
    with pytest.raises(InputError):
        eval(slip, dict(vars(encounter)))


# What constructors take and what checkers are told, held against each other


def hints_of(fields: type) -> dict[str, Any]:
    space = {**vars(constructors), **vars(encounter)}
    return get_type_hints(fields, None, space, include_extras=True)


@pytest.mark.parametrize(("model", "fields"), FIELDS)
def test_checkers_know_every_field_of_a_model(model: type[BaseModel], fields: type) -> None:
    hints = hints_of(fields)
    assert list(hints) == list(model.model_fields)
    required = {name for name, hint in hints.items() if get_origin(hint) is Required}
    assert required == {name for name, field in model.model_fields.items() if field.is_required()}


def kinds(hint: Any) -> Iterator[Any]:
    """The forms that a hint names, each alone."""
    if get_origin(hint) is Required:
        hint = get_args(hint)[0]
    if get_origin(hint) in {Union, UnionType}:
        for part in get_args(hint):
            yield from kinds(part)
    else:
        yield hint


TEXTS = {
    "hcpcs": "J1885",
    "code": "96374",
    "ndc": "0409-3795-01",
    "timezone": "America/Chicago",
    "place_of_service": "11",
    "revenue_code": "0260",
    "type_of_bill": "131",
    "date": "2026-03-02",
    "modifiers": "59",
    "diagnoses": "R11.2",
}
"""Texts of fields that do not take any."""
MOMENTS = ("start", "stop", "end", "last_seen_running", "inpatient_from")
EMPTY: dict[Any, Any] = {
    NoneType: None,
    bool: True,
    int: 1,
    float: 1.5,
    Decimal: Decimal("1.5"),
    datetime: datetime(2026, 3, 2, 10),
    date: date(2026, 3, 2),
}
"""A value of each kind."""


def value_of(kind: Any, name: str) -> Any:
    if kind in EMPTY:
        return EMPTY[kind]
    if kind is str:
        return "2026-03-02T10:00" if name in MOMENTS else TEXTS.get(name, "a1")
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) in {list, tuple}:
        return get_origin(kind)([value_of(get_args(kind)[0], name)])
    return None


def forms() -> Iterator[tuple[type[BaseModel], str, Any]]:
    for model, fields in FIELDS:
        for name, hint in hints_of(fields).items():
            for kind in kinds(hint):
                value = value_of(kind, name)
                if value is not None or kind is NoneType:
                    yield model, name, value


@pytest.mark.parametrize(("model", "name", "value"), list(forms()))
def test_a_constructor_takes_each_form_of_its_types(
    model: type[BaseModel], name: str, value: Any
) -> None:
    # Of an encounter's links and lists ``natural`` has the forms.
    least: dict[type[BaseModel], dict[str, Any]] = {
        Administration: {"id": "a1"},
        ClaimLine: {"number": 1, "code": "96374", "units": 1},
        Supervision: {},
        Encounter: {
            "id": "E1",
            "setting": "facility",
            "administrations": [{"id": "a1", "start": "2026-03-02T10:00"}],
        },
    }
    built = model(**{**least[model], name: value})
    assert type(built).model_validate_json(built.model_dump_json()) == built
