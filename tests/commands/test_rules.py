"""``ivpush rules``: its actions, and a case that fails."""

from __future__ import annotations

import json
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
