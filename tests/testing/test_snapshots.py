"""Snapshots of results: stable lines, compared with files that a flag writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivpush import UsageError
from ivpush.testing import chart, claim, snapshot
from ivpush.testing.snapshots import Snapshots
from tests.shipped import ENGINE
from tests.testing.running import pytest_in

VISIT = chart(
    "ondansetron IV push 10:00-10:02",
    "normal saline IV infusion 10:00-10:10",
    "iron sucrose 200 mg IV infusion 11:00",
    lines=["96375"],
)
TESTS = """
import pytest
from ivpush.testing import chart


@pytest.mark.parametrize("drug", ["ketorolac", "x/../y"])
def test_push(ivpush_snapshot, drug):
    ivpush_snapshot(chart(f"{drug} IV push 10:00-10:02"))
    ivpush_snapshot(chart(f"{drug} IV push 10:00-10:02", lines=["96374 x2"]), "billed")
"""


def test_a_snapshot_tells_every_decision_and_no_sentence() -> None:
    result = ENGINE.check(VISIT)
    text = snapshot(result)
    assert f"status: {result.status}" in text
    told = {each.rule for each in result.violations}
    assert all(rule in text for rule in told)
    assert not any(each.rule in text for each in result.unjudged if each.rule not in told)
    for question in result.questions:
        assert f"open: {question.missing} of {question.administration}" in text
    for barred in result.not_billable:
        assert f"not billable: {barred.administration}" in text
    assert result.questions and result.not_billable and result.suggested
    assert "corrected: withheld" in text
    sentences = [each.message for each in result.violations]
    sentences += [each.because for each in result.suggested]
    assert not any(sentence in text for sentence in sentences)
    corrected = ENGINE.check(chart("ketorolac IV push 10:00-10:02", lines=["96365"]))
    assert corrected.corrected
    for line in corrected.corrected:
        assert f"corrected: line {line.number}: {line.code}" in snapshot(corrected)


def test_a_file_is_written_by_the_flag_alone(tmp_path: Path) -> None:
    own = tmp_path / "test_own.py"
    own.write_text(TESTS, "utf-8")
    missing = pytest_in(tmp_path)
    assert "2 failed" in missing.stdout
    assert "is missing; run pytest with --ivpush-update" in missing.stdout
    assert "src/ivpush" not in missing.stdout
    assert pytest_in(tmp_path, "--ivpush-update").returncode == 0
    files = sorted((tmp_path / "snapshots" / "test_own").rglob("*"))
    assert len(files) == 4 and all(file.is_file() for file in files)
    assert pytest_in(tmp_path).returncode == 0
    own.write_text(TESTS.replace("10:02", "10:40"), "utf-8")
    changed = pytest_in(tmp_path)
    assert "2 failed" in changed.stdout
    assert "-suggested: 96374" in changed.stdout and "+suggested: 96365" in changed.stdout


def test_two_snapshots_of_a_test_need_two_names(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "test_x", update=True, engine=ENGINE)
    snapshots(ENGINE.check(claim("96374")))
    with pytest.raises(UsageError, match="give each a name of its own"):
        snapshots(claim("96375"))
    with pytest.raises(UsageError, match="write those only"):
        snapshots(claim("96375"), "../x")
    snapshots(claim("96375"), "second")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["test_x.second.txt", "test_x.txt"]
