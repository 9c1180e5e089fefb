"""Files of cases for pytest: read whole and checked, then judged one by one.

``plugin`` collects them. A file is held to its shape as a rule file is: a misspelt rule, status or
key would make a case hold for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from ivpush.authoring.encounters import case_encounter
from ivpush.authoring.shorthand import line_in_short, read_line
from ivpush.contract.result import Result, Status
from ivpush.engine import Engine
from ivpush.errors import Fault, PackError
from ivpush.pack.checked import read_shape
from ivpush.pack.files import Faults, KeyPath, Say, Sheet, Yaml, read_yaml
from ivpush.pack.known import Known
from ivpush.pack.pack import Pack
from ivpush.pack.shapes.words import Named, OneOrMore, Shape, Text, listed, wrong
from ivpush.testing.assertions import lines_in_short, listing

__all__ = ["Case", "CaseFile", "EngineShape", "ExpectShape", "read_case_file"]


class EngineShape(Shape):
    """The engine of a file of cases."""

    payer: Text | None = None
    """The overlay of cases that name no payer."""
    packs: OneOrMore = ()
    """Folders of further packs, seen from this file."""
    policies: dict[Text, Text] = Field(default={})
    """Policies and their values."""


def _in_short(text: str) -> str:
    """A suggested line the one way in which results are compared with it."""
    line = read_line(text)
    if line is None:
        raise wrong(f"'{text[:60]}' is no line", "write CODE-MODIFIER xUNITS")
    return line_in_short(*line)


RuleNames = Annotated[tuple[Annotated[str, Named("rules")], ...], BeforeValidator(listed)]
Lines = Annotated[tuple[Annotated[str, AfterValidator(_in_short)], ...], BeforeValidator(listed)]


class ExpectShape(Shape):
    """What a case expects of its result."""

    fires: RuleNames | None = None
    """Rules that must speak, by id or name."""
    silent: RuleNames | None = None
    """Rules that must not."""
    status: Status | None = None
    """The status."""
    suggested: Lines | None = None
    """Every suggested line, in any order."""

    def problems(self, result: Result) -> Iterator[str]:
        """What the result is, wherever it is not what is expected."""
        yield from self._wrong_rules(result)
        if self.status not in {None, result.status}:
            yield f"status: expected {self.status}, got {result.status}"
        got = sorted(lines_in_short(result))
        if self.suggested is not None and sorted(self.suggested) != got:
            yield f"suggested: expected {listing(self.suggested)}, got {listing(got)}"

    def _wrong_rules(self, result: Result) -> Iterator[str]:
        names = [(violation.rule, violation.name) for violation in result.violations]
        speaking = {key for pair in names for key in pair}
        spoke = listing(" ".join(pair) for pair in dict.fromkeys(names))
        for rule in self.fires or ():
            if rule not in speaking:
                yield f"fires: expected {rule}, got {spoke}"
        for rule in self.silent or ():
            if rule in speaking:
                yield f"silent: expected no {rule}, got {spoke}"


class _FileShape(Shape):
    """``*.ivpush.yaml``: an engine and its cases."""

    engine: EngineShape = EngineShape()
    """The engine that judges them."""
    cases: list[dict[str, Any]]
    """Each an encounter as rule files write it, with what is expected of it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its encounter as it is written, what is expected, and where it stands."""

    name: str
    line: int
    facts: Mapping[str, Yaml]
    expect: ExpectShape

    def problems(self, engine: Engine) -> list[str]:
        """What is wrong with the engine's result; raises InputError for what is no encounter."""
        encounter = case_encounter(self.facts, engine.pack.case_date)
        return list(self.expect.problems(engine.check(encounter)))


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file of cases that was read whole."""

    engine: Engine
    cases: tuple[Case, ...]


def read_case_file(path: Path, name: str, packs: tuple[Path, ...] = ()) -> CaseFile:
    """The cases of a file; ``name`` begins every place, ``packs`` are stacked under its own.

    Raises PackError with every fault of the file, and UsageError for an engine that there is not.
    """
    sheet = read_yaml(name, path.read_bytes())
    faults = Faults()
    shape = read_shape(sheet, _FileShape, faults.say)
    if shape is None or faults.found:
        raise PackError(faults.found)
    own = tuple(path.parent / folder for folder in shape.engine.packs)
    pack = Pack.load(extra=(*packs, *own))
    engine = Engine(shape.engine.payer, policies=shape.engine.policies, pack=pack)
    cases = tuple(_cases(sheet, Known(rules=pack.rules_by_word), faults.say))
    if not cases:
        # pytest would find nothing in it, and say nothing.
        faults.say(Fault(f"{name}:1:1", "holds no case", "write one under cases"))
    if faults.found:
        raise PackError(faults.found)
    return CaseFile(engine, cases)


def _cases(sheet: Sheet, known: Known, say: Say) -> Iterator[Case]:
    cases = sheet.mapping["cases"]
    taken: set[str] = set()
    for n, row in enumerate(cases if isinstance(cases, list) else []):
        written = row if isinstance(row, dict) else {}
        part = _Part(sheet, ("cases", n))
        # No suggested line is an expectation too; no rule that must speak is none.
        if not any(part.data.values()) and "suggested" not in part.data:
            remedy = f"write one of: {', '.join(ExpectShape.model_fields)}"
            say(Fault(part.place(), "the case expects nothing", remedy))
        expect = read_shape(part, ExpectShape, say, known)
        # A name is for people; a case without one is called by its number.
        name = str(written.get("name", f"case {n + 1}"))
        if name in taken:
            # pytest picks and reports a case by its name.
            say(Fault(part.place(), f"repeats the name '{name[:60]}'", "give each case its own"))
        taken.add(name)
        facts = {key: value for key, value in written.items() if key not in part.data}
        yield Case(name, part.line, facts, expect or ExpectShape())


class _Part:
    """What a case expects, apart from the facts beside it, with the places of its file."""

    def __init__(self, sheet: Sheet, path: KeyPath) -> None:
        self._sheet, self._path = sheet, path
        whole = sheet.at(path)
        keys = whole if isinstance(whole, dict) else {}
        self.data = {key: keys[key] for key in keys if key in ExpectShape.model_fields}
        self.line = int(sheet.place(path).split(":")[-2])

    def place(self, path: KeyPath = (), *, key: bool = False) -> str:
        """Where a value stands in the file."""
        return self._sheet.place((*self._path, *path), key=key)
