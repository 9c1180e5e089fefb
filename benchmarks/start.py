"""How soon it starts: processor time of fresh processes, of the package as an installer leaves it.

A wheel is built and unpacked, and each process is run once before it counts, so that its modules
are compiled and caches are warm. Taken is the least of several runs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, Size
from tests.building import build

ROOT = Path(__file__).resolve().parents[1]
NEEDED = "import pydantic, yaml, dateutil.tz; pydantic.BaseModel"
NAMES = "import ivpush; ivpush.Engine, ivpush.Encounter"
EXAMPLE = ROOT / "examples/emergency-pushes-and-hydration.json"


def rows(size: Size) -> Iterator[Row | str]:
    """What a process takes to import, to make an engine and to check one file."""
    turns = size.of(5, 11)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = _installed(folder)
        bare = _within("pass", turns, env)
        needed, names = _within(NEEDED, turns, env), _within(NAMES, turns, env)
        engine = _within(
            "ivpush.Engine()", turns, env, before=f"{NAMES}; from ivpush import Engine"
        )
        check = _whole([sys.executable, "-m", "ivpush", "check", str(EXAMPLE)], turns, env)
    yield f"an interpreter alone: {bare * 1e3:.1f} ms; the dependencies: {needed * 1e3:.0f} ms"
    for what, seconds, wanted in (
        ("importing ivpush with Engine and Encounter", names, "at most 1.2"),
        ("Engine() after that import", engine, "at most 0.6"),
        ("ivpush check of one file, warm, the whole process", check, "at most 1.8"),
    ):
        yield Row(
            f"{what} / importing its dependencies",
            seconds / needed,
            wanted=wanted,
            detail=f"{seconds * 1e3:.0f} ms",
        )


def _installed(folder: Path) -> dict[str, str]:
    """The environment of a process that finds the package of a wheel, and may keep bytecode."""
    with zipfile.ZipFile(build(ROOT, "wheel", folder)) as wheel:
        wheel.extractall(folder / "installed")
    kept = {name: value for name, value in os.environ.items() if name not in _OFF}
    paths = {"PYTHONPATH": str(folder / "installed"), "XDG_CACHE_HOME": str(folder)}
    return {**kept, **paths}


_OFF = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"}


def _within(text: str, turns: int, env: dict[str, str], before: str = "pass") -> float:
    """Processor time of some statements in a fresh process."""
    code = f"import time; {before}; a = time.process_time(); {text}; print(time.process_time() - a)"
    command = [sys.executable, "-c", code]
    runs = [
        float(subprocess.run(command, capture_output=True, env=env, check=True).stdout)
        for _ in range(turns + 1)
    ]
    return min(runs[1:])


def _whole(command: list[str], turns: int, env: dict[str, str]) -> float:
    """Processor time of a process from its start to its end."""
    runs = []
    for _ in range(turns + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, env=env, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        runs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(runs[1:])
