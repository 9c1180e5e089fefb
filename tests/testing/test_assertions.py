"""Assertions say in words what went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivpush import Encounter, UsageError
from ivpush.testing import (
    assert_clean,
    assert_fires,
    assert_silent,
    assert_suggests,
    chart,
    claim,
)
from tests.shipped import ENGINE
from tests.testing.running import pytest_in

PUSHES = ("ondansetron IV push 10:00-10:02", "ketorolac IV push 10:05-10:06")
RIGHT = chart(*PUSHES, lines=["96374", "96375"])
OPEN = chart("iron sucrose 200 mg IV infusion 10:00", lines=["96365"])
ADDON = claim("96375")


def test_assert_clean_says_what_is_wrong() -> None:
    assert assert_clean(RIGHT, engine=ENGINE).status == "clean"
    with pytest.raises(AssertionError, match=r"(?s)not clean:\nIVP[0-9]+ on line"):
        assert_clean(ADDON, engine=ENGINE)
    with pytest.raises(AssertionError, match=r"open: "):
        assert_clean(OPEN, engine=ENGINE)
    alone = claim("96374", "96375")
    with pytest.raises(AssertionError, match=r"no chart came, so that [0-9]+ rules could not be"):
        assert_clean(alone, engine=ENGINE)


def test_assert_fires_names_the_rules_that_are_silent() -> None:
    record = {
        "id": "E1",
        "setting": "facility",
        "date": "2026-03-02",
        "lines": [{"number": 1, "code": "96375", "units": 1}],
    }
    assert_fires(record, "IVP104", "addon-without-primary", line=1, engine=ENGINE)
    with pytest.raises(AssertionError, match=r"silent: IVP101; spoke: .*IVP104"):
        assert_fires(Encounter.model_validate(record), "IVP101", engine=ENGINE)
    with pytest.raises(AssertionError, match="silent: IVP104"):
        assert_fires(record, "IVP104", line=2, engine=ENGINE)
    with pytest.raises(AssertionError, match="no rule was named"):
        assert_fires(record, engine=ENGINE)


def test_assert_suggests_compares_every_line() -> None:
    assert assert_suggests(RIGHT, "96375", "96374 x1", engine=ENGINE).encounter == "case"
    said = r"suggested: expected 96374 x2, got 96374, 96375"
    with pytest.raises(AssertionError, match=said):
        assert_suggests(RIGHT, "96374 x2", engine=ENGINE)
    with pytest.raises(AssertionError, match="expected none, got 96374, 96375"):
        assert_suggests(RIGHT, engine=ENGINE)
    assert assert_suggests(chart(), engine=ENGINE).suggested == ()
    with pytest.raises(UsageError, match="'9637': is no line; write CODE-MODIFIER xUNITS"):
        assert_suggests(RIGHT, "9637", engine=ENGINE)


def test_assert_silent_names_what_speaks() -> None:
    assert assert_silent(ADDON, "IVP101", engine=ENGINE).violations
    assert_silent(ADDON, "IVP104", line=2, engine=ENGINE)
    with pytest.raises(
        AssertionError, match=r"these spoke:\nIVP104 addon-without-primary on line 1"
    ):
        assert_silent(ADDON, "IVP101", "addon-without-primary", engine=ENGINE)
    with pytest.raises(AssertionError, match="IVP104"):
        assert_silent(ADDON, engine=ENGINE)
    with pytest.raises(UsageError, match="'IVP1O4': is no rule; did you mean 'IVP104'"):
        assert_silent(ADDON, "IVP1O4", engine=ENGINE)


def test_asserts_show_no_frame_of_ours(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "from ivpush.testing import assert_clean, assert_fires\n\n\n"
        "def test_unfit():\n    assert_clean({'id': 'E1', 'setting': 'hospital'})\n\n\n"
        "def test_silent():\n    assert_fires({'id': 'E1', 'setting': 'facility'}, 'IVP101')\n",
        "utf-8",
    )
    done = pytest_in(tmp_path)
    assert "2 failed" in done.stdout
    assert "setting" in done.stdout and "silent: IVP101" in done.stdout
    assert "src/ivpush" not in done.stdout and "site-packages/ivpush" not in done.stdout


def test_assert_fires_refuses_a_rule_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="'IVP1O1': is no rule; did you mean 'IVP101'"):
        assert_fires(RIGHT, "IVP1O1", engine=ENGINE)
