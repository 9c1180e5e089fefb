"""Tests of the service need the extra ``web`` and httpx; without them they say so and are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

MISSING = [name for name in ("starlette", "uvicorn", "httpx") if find_spec(name) is None]


class Skipped(pytest.Module):
    """A module of tests that are not run."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        pytest.skip(f"{', '.join(MISSING)} not installed: pip install .[web] httpx")


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    return Skipped.from_parent(parent, path=module_path) if MISSING else None
