"""How much of the core's code the tests notice: ``python -m benchmarks.core_mutants``.

Modules of the wings that decide what is billed are changed one thing at a time (``code_changes``),
and the tests run on each change, the nearest first. A change that no test notices is printed, unless
``core_equivalents.yaml`` says why it changes no answer. All changes take days: ``--sample`` draws.
A change that hangs counts as noticed.

Each change runs in a process of its own, forked from one that has loaded what does not change.
Tests that start other processes see the code unchanged.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import NamedTuple

import yaml

from benchmarks.code_changes import changes

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src/ivpush"
WINGS = ("coding", "claim", "language", "contract", "clock")
EQUIVALENTS = Path(__file__).with_name("core_equivalents.yaml")
SECONDS = 600
"""After so long a change counts as one that hangs."""
NOTICED, SURVIVED, NOT_LOADED = 1, 0, 2

NEXT = [
    "tests/pack/test_rules.py",
    "tests/test_scenarios.py",
    "tests/test_field.py",
]
REST = [
    *[f"tests/{wing}" for wing in ("coding", "claim", "language", "contract")],
    *[f"tests/test_{name}.py" for name in ("engine", "clock", "compatibility")],
    "tests/timeline",
    "tests/properties",
    "tests/oracle",
]


class Mutant(NamedTuple):
    """One change of one module."""

    module: str
    line: int
    words: str
    source: str

    @property
    def label(self) -> str:
        """As survivors and ``core_equivalents.yaml`` name it; lines move, so they are no part."""
        return f"{self.module}: {self.words}"


def mutants(wings: Sequence[str]) -> Iterator[Mutant]:
    """Every change of every module of some wings."""
    for wing in wings:
        path = SOURCES / wing
        files = [SOURCES / f"{wing}.py"] if not path.is_dir() else sorted(path.rglob("*.py"))
        for file in files:
            parts = file.relative_to(SOURCES.parent).with_suffix("").parts
            for change in changes(file.read_text("utf-8")):
                yield Mutant(".".join(parts), change.line, change.words, change.source)


def _file_of(module: str) -> Path:
    return SOURCES.parent / (module.replace(".", "/") + ".py")


def equivalents() -> dict[str, str]:
    """Changes that change no answer, each with its reason."""
    reasons: dict[str, str] = yaml.safe_load(EQUIVALENTS.read_text("utf-8")) or {}
    return reasons


class _Changed(MetaPathFinder, Loader):
    """Loads one module from a changed text, and leaves all others to Python."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name != self._mutant.module:
            return None
        file = _file_of(name)
        spec = ModuleSpec(name, self, origin=str(file))
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source, str(module.__file__), "exec"), module.__dict__)


def _nearest(module: str) -> list[str]:
    """The tests of the module itself, where they have a file of their own."""
    *folders, name = module.split(".")[1:]
    return [str(path) for path in [Path("tests", *folders, f"test_{name}.py")] if path.exists()]


def _run_tests(mutant: Mutant) -> int:
    """Run in the forked process: whether any test fails on the change."""
    import pytest

    changed = _Changed(mutant)
    sys.meta_path.insert(0, changed)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    near = _nearest(mutant.module)
    # Plain asserts: else pytest would load our modules, as those of a plugin, in place of the change.
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
    for files in [near, [path for path in NEXT if path not in near], REST]:
        # One failure is enough.
        if files and pytest.main([*options, *files]) != pytest.ExitCode.OK:
            return NOTICED
    loaded = sys.modules.get(mutant.module)
    return SURVIVED if loaded is not None and loaded.__loader__ is changed else NOT_LOADED


def judge(mutant: Mutant) -> bool:
    """Whether the tests notice a change; raises RuntimeError where they never saw it."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        status = NOTICED
        try:
            status = _run_tests(mutant)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == NOT_LOADED:
        raise RuntimeError(f"no test loaded the change: {mutant.label}")
    return status != SURVIVED


def options_of_command() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.core_mutants")
    parser.add_argument("wings", nargs="*", default=WINGS, metavar="WING", help="default: all")
    parser.add_argument("--sample", type=int, metavar="N", help="draw N changes (default: all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--minutes", type=int, default=10**6, metavar="N", help="begin no change after so long"
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    return parser.parse_args()


def _unchanged(mutant: Mutant) -> Mutant:
    """The module of a change as it is."""
    return mutant._replace(words="unchanged", source=_file_of(mutant.module).read_text("utf-8"))


def _warm() -> None:
    """Load what no change touches, once for all."""
    for name in ("pydantic", "dateutil.tz", "pandas", "pyarrow", "polars"):
        __import__(name)


def main() -> None:
    """Judge the drawn changes; print survivors as they are seen, then the figure."""
    options = options_of_command()
    os.chdir(ROOT)
    os.environ |= {"CI": "1", "IVPUSH_EXAMPLES": os.environ.get("IVPUSH_EXAMPLES", "25")}
    start = perf_counter()
    every = list(mutants(options.wings))
    drawn = every
    if options.sample is not None:
        drawn = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    reasons = equivalents()
    counts: Counter[str] = Counter()
    _warm()
    if judge(_unchanged(drawn[0])):
        sys.exit("the tests fail on the code as it is; mend it first")
    with ThreadPoolExecutor(options.workers) as pool:
        for place in range(0, len(drawn), options.workers):
            if perf_counter() - start > 60 * options.minutes:
                break
            together = drawn[place : place + options.workers]
            for mutant, noticed in zip(together, pool.map(judge, together), strict=True):
                known = "equivalent" if mutant.label in reasons else "survived"
                counts["noticed" if noticed else known] += 1
                if not noticed and known == "survived":
                    print(f"survived: {mutant.module}:{mutant.line}: {mutant.words}", flush=True)
    judged = counts["noticed"] + counts["survived"]
    percent = 100 * counts["noticed"] / max(judged, 1)
    print(
        f"{counts.total():,} of {len(every):,} changes: {counts['noticed']} noticed, "
        f"{counts['equivalent']} change no answer, {counts['survived']} survive: "
        f"{percent:.1f} % noticed, in {perf_counter() - start:.0f} s (seed {options.seed})"
    )


if __name__ == "__main__":
    main()
