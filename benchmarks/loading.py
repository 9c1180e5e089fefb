"""Loading the rule pack from its YAML, against a C reader of the same files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from benchmarks.measure import Row, Size, best
from ivpush import Pack
from ivpush.pack.folder import rules_folder


def rows(size: Size) -> Iterator[Row | str]:
    """The pack with and without its cache."""
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
