"""Builds of the package, for tests and benchmarks of what is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def build(project: Path, kind: str, into: Path) -> Path:
    """One distribution, made by the build backend of ``pyproject.toml`` without any network."""
    text = f"import sys, hatchling.build as b; print(b.build_{kind}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", text, str(into)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return into / done.stdout.split()[-1]
