"""Tests that are loaded once and run on many changes, for ``benchmarks.core_mutants``.

pytest collects them in this process. A first round, in a process of its own, runs each on the code as
it is and writes down how long it takes and which functions of the core it calls. From then on each
change is judged in a forked process: the functions that it changed get their new code in place, and
the tests that call them run, the shortest first, until one fails.

A change outside functions cannot be put in place, and one in a function that was called before the first
test began may have decided something already. Where no test fails on such a change, ``Loaded.judge`` cannot
tell, and gives None.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import os
import pickle
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from time import perf_counter
from types import CodeType, FrameType, FunctionType

import pytest

MEMORY = 6 * 2**30
"""Bytes that a change may make a test use before it fails."""
FAILED, PASSED = 1, 0

Function = tuple[str, str]
"""A file and a qualified name in it."""


@dataclass(frozen=True)
class Reached:
    """What one test calls."""

    seconds: float
    functions: frozenset[Function]


@dataclass
class Calls:
    """The functions of some files that are called while it watches."""

    folder: str
    seen: set[Function] = field(default_factory=set)

    def __call__(self, frame: FrameType, event: str, arg: object) -> None:
        """As Python calls it for each function that begins."""
        code = frame.f_code
        if code.co_filename.startswith(self.folder):
            self.seen.add((code.co_filename, outermost(code.co_qualname)))

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch in this thread and in those that it starts."""
        sys.settrace(self)
        threading.settrace(self)
        try:
            yield
        finally:
            sys.settrace(None)
            threading.settrace(None)


def outermost(name: str) -> str:
    """The function of a module or class in which a qualified name stands."""
    return name.partition(".<locals>")[0]


def functions_of(code: CodeType) -> dict[str, CodeType]:
    """The functions of a module's code, and of its classes, by qualified name."""
    found: dict[str, CodeType] = {}
    for part in code.co_consts:
        if isinstance(part, CodeType):
            is_class = part.co_flags & 0x3 == 0  # neither optimized nor with locals of its own
            found |= functions_of(part) if is_class else {part.co_qualname: part}
    return found


def changed_functions(before: CodeType, after: CodeType) -> dict[str, CodeType] | None:
    """The functions whose code differs; None where something outside them differs, too."""
    olds, news = functions_of(before), functions_of(after)
    if olds.keys() != news.keys() or not _alike_outside(before, after):
        return None
    return {name: code for name, code in news.items() if _differs(olds[name], code)}


def _differs(one: CodeType, other: CodeType) -> bool:
    """Whether two codes do other things; where they stand in the file says nothing."""
    return one.co_code != other.co_code or not _same_constants(one, other, inside=_differs)


def _alike_outside(one: CodeType, other: CodeType) -> bool:
    """Whether a module, or a class in it, is the same but for what its functions do."""

    def differ(left: CodeType, right: CodeType) -> bool:
        return left.co_flags & 0x3 == 0 and not _alike_outside(left, right)

    return one.co_code == other.co_code and _same_constants(one, other, inside=differ)


def _same_constants(
    one: CodeType, other: CodeType, *, inside: Callable[[CodeType, CodeType], bool]
) -> bool:
    names = (one.co_names, one.co_varnames) == (other.co_names, other.co_varnames)
    return (
        names
        and len(one.co_consts) == len(other.co_consts)
        and all(
            not inside(left, right)
            if isinstance(left, CodeType) and isinstance(right, CodeType)
            else (type(left), left) == (type(right), right)
            for left, right in zip(one.co_consts, other.co_consts, strict=True)
        )
    )


def compiled(source: str, file: str) -> CodeType:
    """A module's code, of a text that Python's own printer wrote, so that texts can be compared."""
    return compile(ast.unparse(ast.parse(source)), file, "exec", dont_inherit=True)


def forked(run: Callable[[], int], *, quiet: bool = True) -> int:
    """The exit status of a forked process that runs a function; where it raises, FAILED."""
    child = os.fork()
    if child == 0:
        status = FAILED
        try:
            if quiet:
                with open(os.devnull, "w", encoding="utf-8") as nowhere:
                    os.dup2(nowhere.fileno(), 1)
                    os.dup2(nowhere.fileno(), 2)
            status = run()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Loaded:
    """Tests that pytest has collected, with what each calls."""

    def __init__(self, session: pytest.Session, early: frozenset[Function]) -> None:
        self._session = session
        self._early = early
        self._reached: dict[str, Reached] = {}
        self._live: dict[Function, list[FunctionType]] = {}
        for one in gc.get_objects():
            if isinstance(one, FunctionType):
                key = (one.__code__.co_filename, one.__code__.co_qualname)
                self._live.setdefault(key, []).append(one)

    def measure(self, folder: str, file: Path) -> None:
        """Run every test that a file does not know yet on the code as it is, and keep it there.

        Raises RuntimeError where one fails.
        """
        known: dict[str, Reached] = pickle.loads(file.read_bytes()) if file.exists() else {}
        tests = [item for item in self._session.items if item.nodeid not in known]
        if forked(lambda: self._write_reached(folder, file, known, tests)) != PASSED:
            raise RuntimeError("a test fails on the code as it is; mend it first")
        self._reached = pickle.loads(file.read_bytes())

    def _write_reached(
        self, folder: str, file: Path, known: dict[str, Reached], tests: Sequence[pytest.Item]
    ) -> int:
        reached = dict(known)
        for item, following in self._in_order(tests):
            calls = Calls(folder)
            start = perf_counter()
            with calls.watching():
                if not self._passes(item, following):
                    return FAILED
            reached[item.nodeid] = Reached(perf_counter() - start, frozenset(calls.seen))
        file.write_bytes(pickle.dumps(reached))
        return PASSED

    def judge(self, file: str, before: str, after: str, *, near: Sequence[Path]) -> bool | None:
        """Whether a test notices a changed text of a file, those of ``near`` asked first.

        None where none does, but the change may have come too late.
        """
        changed = changed_functions(compiled(before, file), compiled(after, file))
        keys = {(file, name) for name in changed or ()}
        if not changed or not keys <= self._live.keys():
            return None
        tests = self._tests_of(keys, near)
        if forked(lambda: self._run_changed(file, changed, tests)) != PASSED:
            return True
        return None if keys & self._early else False

    def _tests_of(self, keys: set[Function], near: Sequence[Path]) -> list[pytest.Item]:
        """The tests that call any of some functions: the nearest, then the shortest first."""

        def rank(item: pytest.Item) -> tuple[bool, int]:
            seconds = self._reached[item.nodeid].seconds
            return item.path not in near, sum(seconds > limit for limit in (0.01, 0.1, 1, 10))

        calling = [
            item for item in self._session.items if keys & self._reached[item.nodeid].functions
        ]
        return sorted(calling, key=rank)

    def _run_changed(
        self, file: str, changed: dict[str, CodeType], tests: list[pytest.Item]
    ) -> int:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        for name, code in changed.items():
            for function in self._live[file, name]:
                function.__code__ = code
        for item, following in self._in_order(tests):
            # A change that hangs is killed, and so noticed.
            signal.alarm(30 + int(20 * self._reached[item.nodeid].seconds))
            if not self._passes(item, following):
                return FAILED
        return PASSED

    def _in_order(
        self, tests: Sequence[pytest.Item]
    ) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
        # With no test at all nothing follows, and the None is left over.
        return zip(tests, [*tests[1:], None], strict=False)

    def _passes(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return not self._session.testsfailed


@dataclass
class _Plugin:
    """Takes over from pytest where the tests are loaded and would be run."""

    calls: Calls
    use: Callable[[Loaded], None]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.settrace(None)
        self.use(Loaded(session, frozenset(self.calls.seen)))
        return True


def with_tests(
    files: Sequence[str], folder: str, use: Callable[[Loaded], None], *, modules: Iterable[str] = ()
) -> None:
    """Collect the tests of some files, which concern the code of a folder, and hand them over.

    Modules are loaded before the tests, some of which import only when they run.

    Raises RuntimeError where pytest cannot collect them.
    """
    calls = Calls(folder)
    # Plain asserts: a helper that pytest rewrites would be told of each failure at length.
    options = ["-q", "-s", "--tb=no", "-p", "no:cacheprovider", "--assert=plain"]
    with calls.watching():
        for module in modules:
            import_module(module)
        status = pytest.main([*options, *files], plugins=[_Plugin(calls, use)])
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise RuntimeError(f"pytest ended with {status} before any test ran")
