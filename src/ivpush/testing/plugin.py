"""A pytest plugin: files named ``*.ivpush.yaml`` hold cases, each of which is a test.

Pytest loads it wherever ivpush is installed, so that nothing heavy is imported before a file of
cases is there. A case is written as in a rule file, with what is expected of the whole result:

    engine: {payer: medicare, policies: {}}
    cases:
      - name: a further push alone
        setting: facility
        lines: ["<code>", "<code> x2"]
        fires: [addon-without-primary]      # ids or names of rules that must speak
        silent: [IVP101]                    # and of rules that must not
        status: violations
        suggested: ["<code>-<modifier> x2"]

Also the fixture ``ivpush_engine``: one engine for a whole run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ivpush.contract.result import Result, SuggestedLine
    from ivpush.engine import Engine

__all__ = ["CaseError", "ivpush_engine", "pytest_collect_file"]

_EXPECTED = ("fires", "silent", "status", "suggested")


class CaseError(Exception):
    """A case did not do as it says."""


@pytest.fixture(scope="session")
def ivpush_engine() -> Engine:
    """An engine with the shipped rules."""
    from ivpush.engine import Engine  # noqa: PLC0415  (loaded only where it is used)

    return Engine()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect case files."""
    if file_path.name.endswith(".ivpush.yaml"):
        collector: pytest.Collector = _CaseFile.from_parent(parent, path=file_path)
        return collector
    return None


class _CaseFile(pytest.File):
    """A file of cases with one engine."""

    def collect(self) -> Iterable[pytest.Item]:
        """One test a case."""
        from ivpush.errors import IvpushError  # noqa: PLC0415

        try:
            data = self._read()
            cases = self._cases(data)
            engine = _engine(data)
        except IvpushError as error:
            raise self.CollectError(str(error)) from None
        for number, case in enumerate(cases, 1):
            # A name is for people; a case without one is called by its number.
            name = str(case.get("name", f"case {number}"))
            yield _Case.from_parent(self, name=name, case=case, engine=engine)

    def _read(self) -> Any:
        from ivpush.pack.files import read_yaml  # noqa: PLC0415

        return read_yaml(self.path.name, self.path.read_bytes()).data

    def _cases(self, data: Any) -> list[dict[str, Any]]:
        cases = data.get("cases") if isinstance(data, dict) else None
        if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
            raise self.CollectError(f"{self.path.name}: holds no list of cases")
        return cases


def _engine(data: Mapping[str, Any]) -> Engine:
    """The engine that a file asks for; raises UsageError for what does not exist."""
    from ivpush.engine import Engine  # noqa: PLC0415

    about = data.get("engine") or {}
    return Engine(about.get("payer"), policies=about.get("policies") or {})


class _Case(pytest.Item):
    """One case."""

    def __init__(self, *, case: dict[str, Any], engine: Engine, **more: Any) -> None:
        super().__init__(**more)
        self._case, self._engine = case, engine

    def runtest(self) -> None:
        """Judge the case and compare."""
        from ivpush.authoring.encounters import case_encounter  # noqa: PLC0415

        facts = {key: value for key, value in self._case.items() if key not in _EXPECTED}
        # Every key is a fact: the case would hold whatever the engine says.
        if facts == self._case:
            raise CaseError(f"expects nothing; write one of: {', '.join(_EXPECTED)}")
        encounter = case_encounter(facts, self._engine.pack.case_date)
        problems = list(_differences(self._engine.check(encounter), self._case))
        if problems:
            raise CaseError("\n".join(problems))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The difference in words; anything else as ever."""
        from ivpush.errors import IvpushError  # noqa: PLC0415

        # Whoever writes cases need not see our own stack.
        if isinstance(excinfo.value, CaseError | IvpushError):
            return f"{self.path.name}: {self.name}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the case stands."""
        return self.path, None, self.name


def _differences(result: Result, case: Mapping[str, Any]) -> Iterator[str]:
    """What the result is, wherever it is not what the case expects."""
    yield from _wrong_rules(result, case)
    if "status" in case and case["status"] != result.status:
        yield f"the status is {result.status}"
    if "suggested" in case:
        lines = sorted(map(_in_short, result.suggested))
        if lines != sorted(case["suggested"] or ()):
            yield f"suggested are: {', '.join(lines) or 'none'}"


def _wrong_rules(result: Result, case: Mapping[str, Any]) -> Iterator[str]:
    names = [(violation.rule, violation.name) for violation in result.violations]
    speaking = {key for pair in names for key in pair}
    spoke = ", ".join(" ".join(pair) for pair in names) or "none"
    for rule in case.get("fires") or ():
        if rule not in speaking:
            yield f"{rule} is silent; spoke: {spoke}"
    for rule in case.get("silent") or ():
        if rule in speaking:
            yield f"{rule} speaks"


def _in_short(line: SuggestedLine) -> str:
    """A line as cases write it; a single unit goes without saying."""
    code = "-".join((line.code, *line.modifiers))
    return f"{code} x{line.units}" if line.units > 1 else code
