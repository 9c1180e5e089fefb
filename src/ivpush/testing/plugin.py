"""A pytest plugin: files named ``*.ivpush.yaml`` hold cases, each of which is a test.

Pytest loads it wherever ivpush is installed, so that nothing heavy is imported before a file of
cases is there. A case is written as in a rule file, with what is expected of the whole result:

    engine: {payer: medicare, policies: {}, packs: [ours]}
    cases:
      - name: a further push alone
        setting: facility
        lines: ["<code>", "<code> x2"]
        fires: [addon-without-primary]      # ids or names of rules that must speak
        silent: [IVP101]                    # and of rules that must not
        status: violations
        suggested: ["<code>-<modifier> x2"]

Also two fixtures: ``ivpush_engine``, one engine for a whole run, and ``ivpush_snapshot``, which
compares what a result decides with a file in the folder ``snapshots`` beside the test; the option
``--ivpush-update`` writes it. ``ivpush_packs`` in pytest's configuration names folders of further
packs for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from ivpush.engine import Engine
    from ivpush.testing.casefiles import Case
    from ivpush.testing.snapshots import Snapshots

__all__ = [
    "CaseError",
    "ivpush_engine",
    "ivpush_snapshot",
    "pytest_addoption",
    "pytest_collect_file",
]

_PACKS = "ivpush_packs"
_UPDATE = "--ivpush-update"


class CaseError(Exception):
    """A case did not do as it says."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that names packs, and the flag that writes snapshots."""
    about = "folders of further rules, for ivpush_engine and *.ivpush.yaml"
    parser.addini(_PACKS, about, type="paths", default=[])
    anew = "write the snapshots of ivpush_snapshot anew"
    parser.getgroup("ivpush").addoption(_UPDATE, action="store_true", help=anew)


def _packs(config: pytest.Config) -> tuple[Path, ...]:
    return tuple(config.getini(_PACKS))


@pytest.fixture(scope="session")
def ivpush_engine(pytestconfig: pytest.Config) -> Engine:
    """An engine with the shipped rules, and with those of the packs that are configured."""
    from ivpush.engine import Engine  # noqa: PLC0415  (loaded only where it is used)

    return Engine(packs=_packs(pytestconfig))


@pytest.fixture
def ivpush_snapshot(request: pytest.FixtureRequest, ivpush_engine: Engine) -> Snapshots:
    """A function that compares what a result, or a record, decides with the file of this test."""
    from ivpush.testing.snapshots import Snapshots  # noqa: PLC0415

    module = request.path
    # Parameters may hold any sign; quoted, no two tests share a file.
    test = quote(request.node.nodeid.partition("::")[2].replace("::", "."), safe="[]= ")
    stem = module.parent / "snapshots" / module.stem / test
    return Snapshots(stem, request.config.getoption(_UPDATE), ivpush_engine)


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
        from ivpush.testing.casefiles import read_case_file  # noqa: PLC0415

        try:
            file = read_case_file(self.path, self.nodeid, _packs(self.config))
        except IvpushError as error:
            raise self.CollectError(str(error)) from None
        for case in file.cases:
            yield _Case.from_parent(self, name=case.name, case=case, engine=file.engine)


class _Case(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, engine: Engine, **more: Any) -> None:
        super().__init__(**more)
        self._case, self._engine = case, engine

    def runtest(self) -> None:
        """Judge the case and compare."""
        problems = self._case.problems(self._engine)
        if problems:
            raise CaseError("".join(f"\n  {problem}" for problem in problems))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The difference in words, after file and line; anything else as ever."""
        from ivpush.errors import IvpushError  # noqa: PLC0415

        # Whoever writes cases need not see our own stack.
        if isinstance(excinfo.value, CaseError | IvpushError):
            place = f"{self.nodeid.partition('::')[0]}:{self._case.line}"
            return f"{place}: {self.name}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the case stands; pytest counts lines from 0."""
        return self.path, self._case.line - 1, self.name
