"""What the commands share: the cache of the pack, and the configuration beside the options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ivpush.commands.options import cache_folder
from tests.commands.cli import CLEAN, WRONG, write
from tests.pack.test_pack import extra


def test_the_cache_is_used_unless_refused(
    ivpush: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # An installed package has its own rules in one file and needs no cache for them alone.
    words = ("check", write("f", CLEAN), "--rules", str(extra(tmp_path)))
    ivpush(*words, "--no-cache")
    assert not (tmp_path / "cache").exists()
    ivpush(*words)
    assert len(list((tmp_path / "cache/ivpush").iterdir())) == 1


def test_an_empty_folder_of_rules_is_3_also_where_the_pack_below_is_kept(ivpush: Any) -> None:
    Path("ours").mkdir()
    write("f", CLEAN)
    assert ivpush("check", "f").status == 0
    run = ivpush("check", "f", "--rules", "ours")
    assert run.status == 3
    assert "ours: holds no file of a pack" in run.err


def test_where_the_cache_stands() -> None:
    assert cache_folder({}) is None
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/ivpush")
    assert cache_folder({"HOME": "/h", "XDG_CACHE_HOME": "/x"}) == Path("/x/ivpush")


def test_the_configuration_is_obeyed_and_can_be_left_out(ivpush: Any) -> None:
    Path("ivpush.toml").write_text('ignore = [{rule = "IVP9", reason = "r"}]\n', "utf-8")
    write("f", WRONG)
    with_, without = ivpush("check", "f"), ivpush("check", "f", "--no-config")
    assert "IVP901" not in with_.out and "ignored" in with_.err
    assert "IVP901" in without.out and "ignored" not in without.err
    Path("other.toml").write_text("", "utf-8")
    assert "IVP901" in ivpush("check", "f", "--config", "other.toml").out


def test_the_command_line_wins_over_the_configuration(ivpush: Any) -> None:
    Path("ivpush.toml").write_text(
        'payer = "medicare"\nselect = ["IVP9"]\n[policies]\nmissing_stop_time = "deny"\n', "utf-8"
    )
    write("f", WRONG)
    data = json.loads(ivpush("check", "f", "--format", "ndjson").out)
    assert data["pack"]["payer"] == "medicare"
    assert all(each["rule"].startswith("IVP9") for each in data["violations"])
    run = ivpush("check", "f", "--format", "ndjson", "--select", "IVP1,IVP2")
    # What explains it does not speak in this run, so that it stands for itself.
    violations = json.loads(run.out)["violations"]
    assert [(each["rule"], each["folds"]) for each in violations] == [("IVP104", [])]
    assert ivpush("check", "f", "--policy", "missing_stop_time=nonsense").status == 2


def test_ignoring_every_error_makes_the_status_0(ivpush: Any) -> None:
    write("f", WRONG)
    violations = json.loads(ivpush("check", "f", "--format", "ndjson").out)["violations"]
    # What an ignored finding explained comes forward, so that it is ignored as well.
    errors = {
        rule
        for each in violations
        if each["severity"] == "error"
        for rule in (each["rule"], *each["folds"])
    }
    run = ivpush("check", "f", "--ignore", ",".join(errors), "--format", "ndjson")
    assert run.status == 0
    assert json.loads(run.out)["status"] != "violations"
    assert "ignored" in run.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('payr = "x"', "did you mean 'payer'"),
        ('ignore = ["IVP104"]', "is no mapping; write rule, reason"),
        ('payer = "nobody"', "ivpush.toml: payer: has no overlay"),
        ("policies = {nonsense = 1}", "ivpush.toml: policies.nonsense: does not exist"),
        ('select = ["IVP999"]', "is no rule"),
        ('packs = ["nowhere"]', "nowhere"),
        ('policies = {a = "b"}', ""),
    ],
)
def test_a_faulty_configuration_is_2(ivpush: Any, text: str, says: str) -> None:
    Path("ivpush.toml").write_text(text + "\n", "utf-8")
    run = ivpush("check", write("f", WRONG))
    assert run.status == 2
    assert says in run.err and "Traceback" not in run.err


def test_an_ignore_that_has_ended_is_named_and_holds_no_more(ivpush: Any) -> None:
    Path("ivpush.toml").write_text(
        'ignore = [{rule = "IVP104", reason = "r", until = "2020-01-01"}]\n', "utf-8"
    )
    run = ivpush("check", write("f", WRONG))
    assert "ivpush.toml: ignore[1]: ended on 2020-01-01" in run.err
    assert "IVP104" in run.out
