"""How much of the core's code the tests notice: ``python -m benchmarks.core_mutants``.

Modules of the wings that decide what is billed are changed one thing at a time (``code_changes``),
and the tests run on each change, the nearest first. A change that no test notices is printed, unless
``core_equivalents.yaml`` says why it changes no answer. All changes take days: ``--sample`` draws.
A change that hangs counts as noticed.

Each change runs in a process of its own, forked from one that has loaded the tests (``mutant_tests``).
Where it may have come too late there, it is judged again in one that has loaded only what does not
change, by the tests of its wing and of the rules, which takes minutes. ``--quick`` leaves that out, and so
prints changes that a test may notice. Tests that start other processes see the code unchanged.
"""

from __future__ import annotations

import argparse
import os
import pickle
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import NamedTuple

import yaml

from benchmarks.code_changes import changes
from benchmarks.mutant_tests import FAILED, PASSED, Loaded, forked, with_tests

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src/ivpush"
WINGS = ("coding", "claim", "language", "contract", "clock")
EQUIVALENTS = Path(__file__).with_name("core_equivalents.yaml")
SECONDS = 600
"""After so long a change counts as one that hangs."""
NOTICED, SURVIVED, NOT_LOADED = FAILED, PASSED, 2

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


def mutants(parts: Sequence[str]) -> Iterator[Mutant]:
    """Every change of every module of some wings, or of some modules such as ``claim/lines``."""
    for part in parts:
        path = SOURCES / part
        files = [SOURCES / f"{part}.py"] if not path.is_dir() else sorted(path.rglob("*.py"))
        for file in files:
            names = file.relative_to(SOURCES.parent).with_suffix("").parts
            for change in changes(file.read_text("utf-8")):
                yield Mutant(".".join(names), change.line, change.words, change.source)


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
    path = Path("tests", *folders, f"test_{name}.py")
    return [str(path)] if path.exists() else []


def _run_tests(mutant: Mutant) -> int:
    """Run in the forked process: whether any test fails on the change."""
    import pytest

    changed = _Changed(mutant)
    sys.meta_path.insert(0, changed)
    signal.alarm(SECONDS)
    near = _nearest(mutant.module)
    wing = Path("tests", mutant.module.split(".")[1])
    # Plain asserts: else pytest would load our modules, as those of a plugin, in place of the change.
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
    for files in [near, [*NEXT, *([str(wing)] if wing.is_dir() else [])]]:
        # One failure is enough.
        if files and pytest.main([*options, *files]) != pytest.ExitCode.OK:
            return NOTICED
    loaded = sys.modules.get(mutant.module)
    return SURVIVED if loaded is not None and loaded.__loader__ is changed else NOT_LOADED


def judge_apart(mutant: Mutant) -> bool:
    """Whether the tests, loaded anew, notice a change; raises RuntimeError where they never saw it."""
    status = forked(partial(_run_tests, mutant))
    if status == NOT_LOADED:
        raise RuntimeError(f"no test loaded the change: {mutant.label}")
    return status != SURVIVED


def _warm() -> None:
    """Load what no change touches, once for all."""
    for name in ("pydantic", "dateutil.tz", "pandas", "pyarrow", "polars"):
        __import__(name)


Verdict = bool | None
"""Whether a change is noticed; None where that is not yet known."""


class Judges(NamedTuple):
    """Judges changes, a few at a time, and begins none after the end."""

    workers: int
    end: float

    def verdicts(
        self, drawn: Sequence[Mutant], judge: Callable[[Mutant], Verdict]
    ) -> Iterator[tuple[Mutant, Verdict]]:
        """Each change with its verdict, as they come."""
        with ThreadPoolExecutor(self.workers) as pool:
            for place in range(0, len(drawn), self.workers):
                if perf_counter() > self.end:
                    return
                together = drawn[place : place + self.workers]
                yield from zip(together, pool.map(judge, together), strict=True)


def judged_in_place(
    drawn: Sequence[Mutant], judges: Judges, *, tests: Sequence[str], reached: Path
) -> list[tuple[Mutant, Verdict]]:
    """The changes that were judged with tests loaded once, in a process of its own."""
    with tempfile.NamedTemporaryFile() as file:

        def use(loaded: Loaded) -> None:
            loaded.measure(str(SOURCES), reached)
            verdicts = list(judges.verdicts(drawn, partial(_in_place, loaded)))
            Path(file.name).write_bytes(pickle.dumps(verdicts))

        def run() -> int:
            modules = dict.fromkeys(mutant.module for mutant in drawn)
            with_tests(tests, str(SOURCES), use, modules=modules)
            return PASSED

        if forked(run, quiet=False) != PASSED:
            sys.exit("the changes could not be judged; what went wrong stands above")
        judged: list[tuple[Mutant, Verdict]] = pickle.loads(Path(file.name).read_bytes())
        return judged


def _in_place(loaded: Loaded, mutant: Mutant) -> Verdict:
    file = _file_of(mutant.module)
    near = [Path(path).resolve() for path in _nearest(mutant.module)]
    verdict = loaded.judge(str(file), file.read_text("utf-8"), mutant.source, near=near)
    if verdict is False:
        _tell("survived", mutant)
    return verdict


def _tell(what: str, mutant: Mutant) -> None:
    print(f"{what}: {mutant.module}:{mutant.line}: {mutant.words}", flush=True)


def options_of_command() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.core_mutants")
    parser.add_argument(
        "parts",
        nargs="*",
        default=WINGS,
        metavar="PART",
        help="coding, or claim/lines; default: all",
    )
    parser.add_argument("--sample", type=int, metavar="N", help="draw N changes (default: all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--minutes", type=int, default=10**6, metavar="N", help="begin no change after so long"
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument(
        "--reached", type=Path, metavar="FILE", help="keep what each test calls, for the next run"
    )
    parser.add_argument(
        "--tests", nargs="+", default=[*NEXT, *REST], metavar="FILE", help="ask these alone"
    )
    parser.add_argument("--quick", action="store_true", help="judge no change a second time")
    return parser.parse_args()


def _judged_apart(unsure: Sequence[Mutant], judges: Judges) -> Iterator[tuple[Mutant, Verdict]]:
    """Changes judged again, with nothing of ivpush loaded before; says which survive."""
    _warm()
    for mutant, noticed in judges.verdicts(unsure, judge_apart):
        if not noticed:
            _tell("survived", mutant)
        yield mutant, noticed


def main() -> None:
    """Judge the drawn changes; print survivors as they are seen, then the figure."""
    options = options_of_command()
    os.chdir(ROOT)
    os.environ |= {"CI": "1", "IVPUSH_EXAMPLES": os.environ.get("IVPUSH_EXAMPLES", "25")}
    os.environ.pop("PYTEST_ADDOPTS", None)  # workers of its own would not see the changes
    os.environ["IVPUSH_SHRINK"] = "0"  # one failure is enough, however large
    start = perf_counter()
    judges = Judges(options.workers, start + 60 * options.minutes)
    every = list(mutants(options.parts))
    drawn = every
    if options.sample is not None:
        drawn = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    reasons = equivalents()
    asked = [mutant for mutant in drawn if mutant.label not in reasons]
    with tempfile.TemporaryDirectory() as folder:
        reached = options.reached or Path(folder, "reached")
        verdicts = dict(judged_in_place(asked, judges, tests=options.tests, reached=reached))
    unsure = [mutant for mutant, noticed in verdicts.items() if noticed is None]
    if unsure and options.quick:
        for mutant in unsure:
            _tell("unnoticed in place", mutant)
    elif unsure:
        verdicts |= dict.fromkeys(unsure, None) | dict(_judged_apart(unsure, judges))
    counts = Counter(verdicts.values())
    known = counts[True] + counts[False]
    print(
        f"{len(verdicts):,} of {len(every):,} changes: {counts[True]} noticed, {counts[False]} "
        f"survive, {counts[None]} not judged to the end: {100 * counts[True] / max(known, 1):.1f} % "
        f"of those judged are noticed; {len(drawn) - len(asked)} more change no answer; "
        f"{perf_counter() - start:.0f} s (seed {options.seed})"
    )


if __name__ == "__main__":
    main()
