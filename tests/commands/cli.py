"""Claims, calls and stand-ins that the tests of the commands share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {
    "id": "E1",
    "setting": "facility",
    "date": "2026-03-02",
    "administrations": [],
    "lines": [],
}
WRONG = {**CLEAN, "id": "E2", "lines": [{"number": 1, "code": "96375", "units": 1}]}
PUSH = {"id": "a", "drug": "ondansetron", "route": "IV", "method": "push"}
MENDED = {
    **CLEAN,
    "id": "E3",
    "administrations": [PUSH],
    "lines": [{"number": 1, "code": "96375", "units": 2}],
}
CANARY = "Jane-Doe-078-05-1120"
X12 = b"ISA*claims\n"


class Run:
    """What one call of the command said."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


def write(name: str, *records: Any) -> str:
    Path(name).write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return name


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that runs this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}


def spawn(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Calls the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "ivpush", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment(**env),
    )


def part(record: dict[str, Any], *names: str) -> dict[str, Any]:
    """Some of the fields of a record."""
    return {name: record[name] for name in names}


CHART = part(MENDED, "id", "setting", "date", "administrations")
"""What the chart alone says of the claim to mend."""


def module(monkeypatch: pytest.MonkeyPatch, name: str, **names: Any) -> None:
    """A module of ours with these names in it."""
    stand_in = types.ModuleType(name)
    vars(stand_in).update(names)
    monkeypatch.setitem(sys.modules, name, stand_in)


def fake_x12(monkeypatch: pytest.MonkeyPatch) -> None:
    """An 837 of one word a claim: its reader, and its writer that keeps all but the lines."""
    from ivpush.readers import Note, Record

    def records(name: str, raw: bytes) -> Any:
        for number, word in enumerate(raw.split()[1:], 1):
            claim = {
                **CLEAN,
                "administrations": None,
                "id": word.decode(),
                "lines": [{"number": 1, "code": "96375", "units": 2}],
            }
            yield Record(f"{name}: claim {number}", Encounter.model_validate(claim))

    def read(name: str, stream: Any, _options: Any) -> Any:
        yield from records(name, stream.read())

    def mend(name: str, stream: Any, out: Any, correct: Any, options: Any) -> Any:
        raw = stream.read()
        out.write(raw.split()[0] + b"\n")
        yield Note(name, "mended as a stream")
        for record in records(name, raw):
            lines = correct(record)
            shown = ",".join(line.code for line in lines) if lines is not None else "as it came"
            out.write(f"{record.encounter.id}={shown}\n".encode())
            yield record

    reader, writer = types.ModuleType("ivpush.readers.x12"), types.ModuleType("ivpush.writers.x12")
    reader.read = read  # type: ignore[attr-defined]
    writer.mend = mend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ivpush.readers.x12", reader)
    monkeypatch.setitem(sys.modules, "ivpush.writers.x12", writer)
