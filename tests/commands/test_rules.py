"""``ivpush rules``: its actions, and a case that fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.commands.cli import ROOT


def test_rules_list_show_test_lint_docs(ivpush: Any) -> None:
    listed = ivpush("rules", "list")
    assert "IVP101" in listed.out
    rows = json.loads(ivpush("rules", "list", "--format", "json").out)
    assert len(rows) == len(listed.out.splitlines())
    assert "\nCASES\n" in ivpush("rules", "show", "IVP101").out
    assert " + 0 failed" in ivpush("rules", "test", "IVP101").out
    assert "no fault" in ivpush("rules", "lint").out
    ivpush("rules", "docs", "docs")
    assert Path("docs/rules/roles.md").is_file()


def test_a_failing_case_makes_rules_test_fail(ivpush: Any) -> None:
    folder = Path("ours/checks/roles")
    folder.mkdir(parents=True)
    source = ROOT / "rules/checks/roles/IVP104-addon-without-primary.yaml"
    text = source.read_text("utf-8").replace("IVP104", "IVP190")
    text = text.replace("addon-without-primary", "other-rule").replace(
        'lines: ["96375"]', 'lines: ["96374"]'
    )
    (folder / "IVP190-other-rule.yaml").write_text(text, "utf-8")
    run = ivpush("rules", "test", "IVP190", "--rules", "ours")
    assert run.status == 1
    assert "did not fire on line 1" in run.out


def test_of_two_packs_the_one_that_is_not_fit_to_compare_is_named(ivpush: Any) -> None:
    shutil.copytree(ROOT / "rules", "older")
    wording = Path("older/reasons.yaml")
    text = wording.read_text("utf-8")
    wording.write_text(text.replace("\ntrace:", "\nof_old:"), "utf-8")
    run = ivpush("rules", "diff", "older", str(ROOT / "rules"))
    assert run.status == 3
    assert "lacks the key 'trace'" in run.err
    assert "older: is no pack that this ivpush reads" in run.err
