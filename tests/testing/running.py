"""Runs pytest in a folder of its own, with the plugin of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    # The options of the run that is going on, such as its workers, are not those of a small one.
    inherited = {name: os.environ[name] for name in os.environ if name != "PYTEST_ADDOPTS"}
    return {**inherited, "PYTHONPATH": str(ROOT / "src"), **more}


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # Where the package is installed, pytest has the plugin under its own name already.
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:ivpush",
            # It replaces how Hypothesis prints a failing example.
            "-p",
            "no:schemathesis",
            "-p",
            "ivpush.testing.plugin",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(folder),
            "-v",
            *options,
            str(folder),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
