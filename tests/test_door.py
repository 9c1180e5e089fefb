"""The public door: what ``import ivpush`` offers, and how little it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ivpush


def test_the_names_are_sorted_and_all_there() -> None:
    assert ivpush.__all__ == sorted(ivpush.__all__, key=str.lower) or sorted(
        ivpush.__all__
    ) == sorted(set(ivpush.__all__))
    assert len(ivpush.__all__) <= 20
    for name in ivpush.__all__:
        assert getattr(ivpush, name) is not None
    assert set(ivpush.__all__) <= set(dir(ivpush))


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        ivpush.nothing  # noqa: B018


def run(text: str) -> str:
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_door_is_lazy() -> None:
    text = "import sys, ivpush; print(sorted(m for m in sys.modules if m.startswith('ivpush')))"
    assert run(text) == "['ivpush', 'ivpush._version']"
    heavy = "'pydantic', 'yaml', 'dateutil', 'json'"
    assert run(f"import sys, ivpush; print([m for m in ({heavy}) if m in sys.modules])") == "[]"


def test_models_need_no_rules() -> None:
    text = (
        "import sys; from ivpush import Encounter\n"
        "print([m for m in ('yaml', 'ivpush.pack', 'ivpush.engine') if m in sys.modules])"
    )
    assert run(text) == "[]"


def test_doors_for_many_records_are_those_of_their_modules() -> None:
    text = (
        "import sys, ivpush\n"
        "from ivpush import EngineOptions, check_batches, check_frame, check_many\n"
        "import ivpush.batch, ivpush.frames\n"
        "print(check_many is ivpush.batch.check_many, check_frame is ivpush.frames.check_frame,\n"
        "      check_batches is ivpush.frames.check_batches,\n"
        "      EngineOptions is ivpush.batch.EngineOptions)\n"
        "print([m for m in ('pyarrow', 'narwhals', 'pandas', 'polars') if m in sys.modules])"
    )
    assert run(text).splitlines() == ["True True True True", "[]"]
