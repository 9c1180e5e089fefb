"""Machine instructions of a check, which do not depend on load: ``python -m benchmarks --instructions``.

Valgrind's callgrind counts them for validation, the check and its result as JSON, of six kinds of
visits. A figure committed beside this module says what they came to; it holds for one build of
Python and pydantic alone, so elsewhere figures are printed and compared with nothing.

    python -m benchmarks --instructions           # prints; status 1 where a figure rose by more than 3 %
    python -m benchmarks.instructions --keep      # writes the figures of this build beside this module

The process that is counted runs this module again with ``--inside``. Counting is slow, so it is on
only while ``exec`` runs a measured call: ``exec`` calls PyEval_EvalCode, and callgrind writes one
file each time that it ends.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.kinds import kinds_of
from benchmarks.measure import Row
from ivpush import Encounter, Engine, Result

KEPT = Path(__file__).with_name("instructions.json")
MOST = 1.03
"""A figure may rise by so much before it fails."""
PARTS = ("validation", "check", "JSON")
WANTED = {"clean": "at most 4.0", "with errors": "at most 5.2"}
"""Bytes to bytes over validation alone."""
_MEASURED = "PyEval_EvalCode"

Counts = dict[str, dict[str, int]]
"""Instructions of one visit by its kind and by part."""


def main(*, keep: bool = False) -> int:
    """Count, print, and compare with what is kept; gives the exit status."""
    if shutil.which("valgrind") is None:
        print("not counted: valgrind is not installed (apt-get install valgrind)")
        return 0
    counts = counted()
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.is_file() else {}
    holds = kept.get("build") == build()
    print(f"instructions a visit, of {build()['python']}, pydantic {build()['pydantic']}")
    for row in rows(counts):
        print(row)
    if keep:
        text = json.dumps({"build": build(), "counts": counts}, indent=2)
        KEPT.write_text(text + "\n", "utf-8")
        return 0
    if not holds:
        print("no figure is kept for this build, so nothing is compared")
        return 0
    risen = list(rises(kept["counts"], counts))
    print("\n".join(risen) or f"no figure rose by more than {MOST - 1:.0%} over the one kept")
    return int(bool(risen))


def rows(counts: Counts) -> Iterator[Row]:
    """Bytes to bytes over validation, by kind."""
    for kind, parts in counts.items():
        detail = ", ".join(f"{part} {count / 1e3:,.0f}k" for part, count in parts.items())
        ratio = sum(parts.values()) / parts["validation"]
        what = f"{kind}: bytes to bytes / validation"
        yield Row(what, ratio, wanted=WANTED.get(kind, ""), detail=detail)


def rises(kept: Counts, counts: Counts) -> Iterator[str]:
    """What costs more than the figure that is kept allows."""
    for kind, parts in counts.items():
        for part, count in parts.items():
            before = kept.get(kind, {}).get(part)
            if before is not None and count > before * MOST:
                yield f"risen by {count / before - 1:.1%}: {kind}, {part}, from {before:,} to {count:,}"


def build() -> dict[str, str]:
    """What a figure holds for: other builds take other instructions for the same work."""
    return {
        "python": " ".join(sys.version.split()),
        "pydantic": f"{version('pydantic')}, {version('pydantic_core')}",
        "machine": f"{platform.machine()} {' '.join(platform.libc_ver())}",
    }


def counted() -> Counts:
    """The instructions of each kind and part, of a process of its own under callgrind."""
    with tempfile.TemporaryDirectory() as folder:
        out, records = Path(folder) / "counts", Path(folder) / "records.json"
        # Made here: within, everything takes many times as long.
        records.write_text(json.dumps(kinds_of(Engine())), "utf-8")
        command = [
            *("valgrind", "--tool=callgrind", "--quiet", "--instr-atstart=no"),
            *("--collect-atstart=no", f"--toggle-collect={_MEASURED}"),
            *(f"--dump-after={_MEASURED}", f"--callgrind-out-file={out}"),
            *(sys.executable, "-m", "benchmarks.instructions", "--inside", str(records)),
        ]
        # The order of sets of text must be the same in every run.
        run = subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise SystemExit(f"callgrind: {run.stderr or run.stdout}")
        measured: list[list[Any]] = json.loads(run.stdout)
        counts: Counts = {}
        for number, (kind, part, visits) in enumerate(measured, 1):
            total = _total(Path(f"{out}.{number}"))
            counts.setdefault(kind, {})[part] = round(total / visits)
        return counts


def _total(dump: Path) -> int:
    """The sum of one file of callgrind."""
    lines = dump.read_text("utf-8").splitlines()
    total = int(next(line for line in lines if line.startswith("totals: ")).split()[1])
    if not total:
        raise SystemExit(f"callgrind saw no {_MEASURED}: does this Python hide its names?")
    return total


# Inside the process that is counted


def inside(records: Path) -> None:
    """Run every part of every kind under callgrind, and print what was run."""
    engine = Engine()
    kinds: dict[str, list[str]] = json.loads(records.read_text("utf-8"))
    code = compile("call()", "<measured>", "exec")
    plan: list[tuple[str, str, int, Callable[[], Any]]] = []
    for kind, raws in kinds.items():
        encounters = [Encounter.model_validate_json(raw) for raw in raws]
        results = [engine.check(encounter) for encounter in encounters]
        parts: tuple[Callable[[], Any], ...] = (
            partial(_each, Encounter.model_validate_json, raws),
            partial(_each, engine.check, encounters),
            partial(_each, Result.to_json, results),
        )
        plan += [(kind, name, len(raws), call) for name, call in zip(PARTS, parts, strict=True)]
    for *_, call in plan:
        call()
    gc.collect()
    gc.freeze()  # what is loaded is looked through no more, as in a long run
    _switch_on()
    for *_, call in plan:
        exec(code, {"call": call})
    print(json.dumps([row[:3] for row in plan]))


def _each(call: Callable[[Any], Any], things: list[Any]) -> None:
    for thing in things:
        call(thing)


def _switch_on() -> None:
    """Let callgrind count from here on; waited for awake, for it asks the process itself."""
    command = ["callgrind_control", "-i", "on", str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as control:
        while control.poll() is None:
            pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the figures of this build")
    parser.add_argument("--inside", type=Path, metavar="FILE", help="run what is counted")
    options = parser.parse_args()
    if options.inside:
        inside(options.inside)
    else:
        sys.exit(main(keep=options.keep))
