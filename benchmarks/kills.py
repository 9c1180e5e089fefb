"""Kills -9 at random moments, each run resumed: ``python -m benchmarks.kills [--kills N] [--n M]``.

A batch of M encounters is killed N times, at a moment drawn from the whole of its course, and
resumed each time; in the end its output must be the bytes of a run that nobody killed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.batches import environment
from ivpush.batch import Plan, run
from ivpush.testing.samples import lines

DRIVER = """
import sys
from ivpush.batch import Plan, run
if __name__ == "__main__":
    source, target, workers, chunk = sys.argv[1:]
    run(Plan((source,), (("ndjson", target),), workers=int(workers), chunk=int(chunk), resume=True))
"""


def records_done(target: Path) -> int:
    """How many records the checkpoint of a run counts; 0 before there is one."""
    try:
        return int(json.loads(Path(f"{target}.checkpoint").read_bytes())["counts"]["read"])
    except (OSError, ValueError):
        return 0


class Victim:
    """A batch in a process of its own, to be killed and resumed."""

    def __init__(self, folder: Path, source: Path, workers: int, chunk: int) -> None:
        self.target = folder / "out.ndjson"
        driver = folder / "driver.py"
        driver.write_text(DRIVER, "utf-8")
        files = [str(driver), str(source), str(self.target)]
        self.command = [sys.executable, *files, str(workers), str(chunk)]
        self.environment = environment(folder)

    def kill_after(self, records: float, pause: float) -> bool:
        """Start or resume, kill after so many records more; whether it was still running."""
        process = subprocess.Popen(self.command, env=self.environment)
        mark = records_done(self.target) + records
        while process.poll() is None and records_done(self.target) < mark:
            time.sleep(0.002)
        time.sleep(pause)
        process.kill()
        return process.wait() == -signal.SIGKILL

    def finish(self) -> None:
        """Resume and let it end."""
        subprocess.run(self.command, env=self.environment, check=True)


def same_bytes(whole: Path, target: Path) -> bool:
    """Whether both runs wrote the same, and left nothing of their work behind."""
    digests = {hashlib.sha256(file.read_bytes()).hexdigest() for file in (whole, target)}
    names = [file.name for file in target.parent.iterdir()]
    left = [name for name in names if ".partial" in name or "checkpoint" in name]
    return len(digests) == 1 and not left


def main() -> None:
    """Kill and resume as often as the command line says; status 1 where a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng, killed = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, whole = folder / "in.ndjson", folder / "whole"
        with source.open("wb") as out:
            out.writelines(lines(options.seed, options.n))
        run(Plan((str(source),), (("ndjson", str(whole)),), workers=options.workers))
        share = options.n / max(1, options.kills)
        victim = Victim(folder, source, options.workers, chunk=max(1, int(share / 5)))
        for _ in range(options.kills):
            # Some are killed while they start, most after a share of the work.
            records = 0 if rng.random() < 0.1 else rng.random() * share
            killed += victim.kill_after(records, pause=rng.random() / 20)
        victim.finish()
        same = same_bytes(whole, victim.target)
    print(
        f"{options.n:,} encounters, {killed} kills of {options.kills} runs: "
        f"{'the same bytes' if same else 'DIFFERENT BYTES'}"
    )
    sys.exit(not same)


if __name__ == "__main__":
    main()
