"""Loading the rule pack, against a C reader of the same files, and importing the package."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from benchmarks.measure import Row, Size, best
from ivpush import Pack
from ivpush.pack.folder import rules_folder


def rows(size: Size) -> Iterator[Row | str]:
    """The pack, then the imports, each in a process of its own."""
    texts = [file.read_bytes() for file in sorted(rules_folder().rglob("*.yaml"))]

    def c_reader() -> None:
        for text in texts:
            yaml.load(text, Loader=yaml.CBaseLoader)

    with tempfile.TemporaryDirectory() as cache:
        Pack.load(cache=Path(cache))
        seconds = best(
            {"yaml": c_reader, "cold": Pack.load, "cached": lambda: Pack.load(cache=Path(cache))},
            rounds=size.of(3, 5),
            seconds=0.01,
        )
    yield Row(
        "loading the pack / a C YAML reader on the same files",
        seconds["cold"] / seconds["yaml"],
        wanted="at most 6",
        detail=f"{seconds['cold'] * 1e3:.0f} ms",
    )
    yield Row(
        "loading the pack from its cache / without",
        seconds["cached"] / seconds["cold"],
        wanted="at most 1",
        detail=f"{seconds['cached'] * 1e3:.0f} ms",
    )
    turns = size.of(5, 11)
    needed = user_time("import pydantic, yaml, dateutil.tz; pydantic.BaseModel", turns)
    yield Row(
        "import ivpush / importing pydantic, PyYAML and dateutil.tz",
        user_time("import ivpush", turns) / needed,
        wanted="at most 1.2",
    )
    yield Row(
        "the same with Engine and Encounter / its dependencies",
        user_time("import ivpush; ivpush.Engine, ivpush.Encounter", turns) / needed,
    )


def user_time(text: str, turns: int) -> float:
    """Seconds of processor time of some statements in a fresh process, the least of several."""
    code = f"import time; a = time.process_time(); {text}; print(time.process_time() - a)"
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(turns)
    ]
    return min(float(run.stdout) for run in runs)
