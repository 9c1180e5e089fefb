"""Batches in processes of their own, with their time and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ivpush.testing.samples import lines

OWN_PEAK = """
def own_peak():
    # A process inherits the peak of the one that started it; where Linux tells, take its own.
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
"""
"""Source of a function that gives a process's own peak memory, in MB."""
RUN = f"""
import json, resource, sys, time
from pathlib import Path
from ivpush.batch import EngineOptions, Plan, run
{OWN_PEAK}
if __name__ == "__main__":
    source, target, workers = sys.argv[1:]
    start = time.perf_counter()
    cache = str(Path(target).with_name("cache"))  # as the command keeps one
    counts = run(Plan((source,), (("ndjson", target),), workers=int(workers),
                      engine=EngineOptions(cache=cache)))
    took = time.perf_counter() - start
    parent = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (parent, children))
    written = Path(target).stat().st_size
    print(json.dumps([counts.read, took, cpu, own_peak(), children.ru_maxrss / 1024, written]))
"""


class Batch(NamedTuple):
    """Records, seconds, processor seconds, peak MB of parent and largest process, bytes out."""

    read: int
    seconds: float
    cpu: float
    parent: float
    process: float
    written: int


def encounters_file(folder: Path, count: int) -> Path:
    """A file of so many realistic encounters."""
    path = folder / f"{count}.ndjson"
    if not path.exists():
        with path.open("wb") as out:
            out.writelines(lines(1, count))
    return path


def batch(source: Path, workers: int) -> Batch:
    """One run of a batch."""
    return side_by_side(source, workers, 1)[0]


def side_by_side(source: Path, workers: int, runs: int) -> list[Batch]:
    """So many runs of the same batch at once, which know nothing of each other."""
    script = source.with_name("run.py")
    script.write_text(RUN, "utf-8")
    targets = [source.with_name(f"out{n}.ndjson") for n in range(runs)]
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(source), str(target), str(workers)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(source.parent),
        )
        for target in targets
    ]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a batch ended badly; what it said stands above")
    for target in targets:
        target.unlink()
    return [Batch(*json.loads(output)) for output in outputs]


def search_path() -> str:
    """Where a process finds what this one imports."""
    return os.pathsep.join(filter(None, sys.path))


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that imports what this one does, compiled once as installed."""
    inherited = dict(os.environ)
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **inherited,
        "PYTHONPATH": search_path(),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }
