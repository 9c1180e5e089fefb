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


def behind(target: Path) -> int:
    try:
        return int(json.loads(Path(f"{target}.checkpoint").read_bytes())["counts"]["read"])
    except (OSError, ValueError):
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice, killed = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, driver, target = folder / "in.ndjson", folder / "driver.py", folder / "out.ndjson"
        driver.write_text(DRIVER, "utf-8")
        with source.open("wb") as out:
            out.writelines(lines(options.seed, options.n))
        run(Plan((str(source),), (("ndjson", str(folder / "whole")),), workers=options.workers))
        chunk = max(1, options.n // (5 * max(1, options.kills)))
        arguments = [
            sys.executable,
            str(driver),
            str(source),
            str(target),
            str(options.workers),
            str(chunk),
        ]
        environ = environment(folder)
        share = options.n / max(1, options.kills)
        for _ in range(options.kills):
            process = subprocess.Popen(arguments, env=environ)
            # Some are killed while they start, most after a share of the work.
            mark = behind(target) + (0 if dice.random() < 0.1 else dice.random() * share)
            while process.poll() is None and behind(target) < mark:
                time.sleep(0.002)
            time.sleep(dice.random() / 20)
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        subprocess.run(arguments, env=environ, check=True)
        digests = [
            hashlib.sha256(one.read_bytes()).hexdigest() for one in (folder / "whole", target)
        ]
        left = [
            one.name
            for one in folder.iterdir()
            if ".partial" in one.name or "checkpoint" in one.name
        ]
    same = digests[0] == digests[1] and not left
    print(
        f"{options.n:,} encounters, {killed} kills of {options.kills} runs: "
        f"{'the same bytes' if same else 'DIFFERENT BYTES'}"
    )
    sys.exit(not same)


if __name__ == "__main__":
    main()
