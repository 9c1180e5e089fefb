"""Reasons and questions: their numbers are those in force, and a wrong name is a fault."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from ivpush import Pack, PackError
from ivpush.pack.folder import rules_folder
from tests.shipped import PACK


def test_a_reason_says_the_minutes_that_a_policy_sets() -> None:
    plain, _ = PACK.book(None).reason("before_reported_gap", what="x at 10:00")
    assert plain.startswith("x at 10:00: the same drug again, less than 31 minutes after")
    policies = {"same_drug_push_gap_minutes": 20}
    changed, _ = PACK.book(None, None, policies).reason("before_reported_gap", what="x")
    assert "less than 20 minutes" in changed


def test_a_question_names_the_drug() -> None:
    who, ask = PACK.book(None).question("stop", what="saline")
    assert who and "saline" in ask and "{" not in ask


def test_every_reason_can_be_rendered_without_a_brace_left() -> None:
    book = PACK.book(None)
    for name in PACK.data.reasons:
        assert "{" not in book.reason(name)[0], name


@pytest.mark.parametrize("wrong", ["{wat}", "{policy.no_such}", "{what"])
def test_a_name_that_is_not_known_is_a_fault_with_its_place(tmp_path: Path, wrong: str) -> None:
    rules = tmp_path / "rules"
    copytree(rules_folder(), rules)
    file = rules / "reasons.yaml"
    text = file.read_text("utf-8").replace('"{what}: stands alone', f'"{wrong}: stands alone')
    file.write_text(text, "utf-8")
    with pytest.raises(PackError) as caught:
        Pack.load(rules)
    assert any("reasons.yaml:" in str(fault) for fault in caught.value.faults)
