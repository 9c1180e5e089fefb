"""The configuration: found where it should be, read whole, and ignoring needs a reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ivpush import Encounter, Result, UsageError
from ivpush.claim.selection import select_rules
from ivpush.commands.configuration import find_configuration, read_configuration
from tests.shipped import ENGINE

TODAY = date(2026, 11, 24)
RULES = ENGINE.pack.rules
WRONG = Encounter.model_validate(
    {
        "id": "E",
        "setting": "facility",
        "date": "2026-03-02",
        "administrations": [],
        "lines": [{"number": 1, "code": "96375", "units": 1, "modifiers": ["25"]}],
    }
)


def config(folder: Path, text: str, name: str = "ivpush.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


FULL = """
payer = "medicare"
packs = ["ours", "more/rules"]
select = ["IVP1"]
ignore = [{rule = "IVP304", reason = "our billing office checks it", until = "2027-01-01"},
          {rule = "IVP2", reason = "times are checked elsewhere", until = 2027-06-30}]
[policies]
long_push = "x"
gap = 30
on = true
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    settled = read_configuration(config(tmp_path, FULL))
    assert settled.payer == "medicare"
    assert settled.packs == (tmp_path / "ours", tmp_path / "more/rules")
    assert settled.policies == {"long_push": "x", "gap": "30", "on": "true"}
    assert settled.select == ("IVP1",)
    assert [(ignore.rule, ignore.until) for ignore in settled.ignore] == [
        ("IVP304", date(2027, 1, 1)),
        ("IVP2", date(2027, 6, 30)),
    ]


def test_pyproject_holds_the_same_under_its_table(tmp_path: Path) -> None:
    path = config(tmp_path, '[tool.ivpush]\npayer = "p"\n', "pyproject.toml")
    assert read_configuration(path).payer == "p"
    with pytest.raises(UsageError, match=r"has no table \[tool.ivpush\]"):
        read_configuration(config(tmp_path / "x", "[tool.other]\n", "pyproject.toml"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('payr = "x"', "unknown key 'payr'; did you mean 'payer'?"),
        ("payer = 3", "payer: is not text"),
        ('packs = "ours"', "packs: is no list"),
        ("select = [1]", "select[1]: select: is not text"),
        ("policies = 3", "policies: is no mapping"),
        ("policies = {a = [1]}", "policies: a: is no word or number"),
        ("policies = {a = 1.5}", "policies: a: is no word or number"),
        ('ignore = "IVP304"', "ignore: is no list"),
        ('ignore = ["IVP304"]', "ignore[1]: ignore: is no mapping; write rule, reason"),
        ('ignore = [{rule = "IVP304"}]', "ignore[1]: lacks the key 'reason'"),
        ('ignore = [{rule = "IVP304", reason = " "}]', "ignore[1]: reason: is empty"),
        ('ignore = [{reason = "r"}]', "ignore[1]: lacks the key 'rule'"),
        ('ignore = [{rule = "a", reason = "r", untl = "x"}]', "did you mean 'until'?"),
        ('ignore = [{rule = "a", reason = "r", until = "soon"}]', "ignore[1]: until: is no day"),
        ('ignore = [{rule = "a", reason = "r", until = 2027-01-01T00:00:00}]', "until: is no day"),
        ("payer = ", "is not TOML"),
        ("a = " + "[" * 5_000, "is not TOML"),
    ],
)
def test_faults_are_named_with_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_configuration(config(tmp_path, text))
    assert says in str(caught.value)
    assert str(tmp_path) in str(caught.value)


ODD = [
    "1",
    "true",
    "1.5",
    '""',
    "[]",
    "[[1]]",
    "[{}]",
    "{}",
    "{a = []}",
    "0x" + "f" * 5_000,
    "2026-01-01T00:00:00",
    "9" * 5_000,
    "nan",
]


@pytest.mark.parametrize("key", ["payer", "packs", "policies", "select", "ignore", "policies.a"])
@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_any_value_is_read_or_refused_with_its_place(tmp_path: Path, key: str, value: str) -> None:
    path = config(tmp_path, f"{key} = {value}\n")
    try:
        read_configuration(path)
    except UsageError as error:
        found = error.faults
    else:
        found = ()
    assert all(str(path) in fault.place and fault.problem for fault in found)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_configuration(config(tmp_path, 'payr = 1\nselect = 2\nignore = ["x"]\n'))
    assert len(caught.value.faults) == 3


def test_a_file_past_its_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ivpush.toml"
    path.write_text("".join(f"zork_{n} = 1\n" for n in range(9)), "utf-8")
    monkeypatch.setattr("ivpush.pack.files.MOST_FAULTS", 3)
    with pytest.raises(UsageError) as refused:
        read_configuration(path)
    assert [fault.problem for fault in refused.value.faults][2:] == [
        "unknown key 'zork_2'",
        "there are further faults",
    ]
    monkeypatch.setattr("ivpush.commands.configuration.MOST_BYTES", 50)
    with pytest.raises(UsageError, match="is larger than 50 bytes"):
        read_configuration(path)


def test_bytes_and_missing_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "ivpush.toml"
    with pytest.raises(UsageError, match="No such file"):
        read_configuration(path)
    path.write_bytes(b'payer = "\xff"')
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_configuration(path)


def test_the_nearest_file_up_to_the_repository_speaks(tmp_path: Path) -> None:
    root, deep = tmp_path / "repo", tmp_path / "repo/a/b"
    deep.mkdir(parents=True)
    config(tmp_path, "")
    assert find_configuration(deep) is None
    (root / ".git").mkdir()
    assert find_configuration(deep) is None
    project = config(root, "[tool.ivpush]\n", "pyproject.toml")
    assert find_configuration(deep) == project
    config(root / "a", "[tool.other]\n", "pyproject.toml")
    assert find_configuration(deep) == project
    own = config(root, "")
    assert find_configuration(deep) == own
    nearer = config(root / "a", "[tool.ivpush]\n", "pyproject.toml")
    assert find_configuration(deep) == nearer


def test_outside_a_repository_only_the_folder_itself_counts(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    config(tmp_path, "")
    assert find_configuration(inner) is None
    assert find_configuration(tmp_path) == tmp_path / "ivpush.toml"


def _errors(result: Result) -> list[str]:
    return [each.rule for each in result.errors]


def test_silent_rules_leave_the_result_and_its_status_follows() -> None:
    work = ENGINE.work(WRONG)
    before = work.result
    errors = frozenset(each.id for each in RULES if each.severity == "error")
    assert work.tell(errors) == len(_errors(before)) > 0
    after = work.result
    assert (before.status, after.status, _errors(after)) == ("violations", "clean", [])
    assert after.warnings + after.notes == before.warnings + before.notes
    assert (after.corrected, after.suggested) == (before.corrected, before.suggested)


def test_what_follows_from_an_ignored_finding_comes_forward() -> None:
    """Silent are only the rules named: what they explained is told by its own finding."""
    work = ENGINE.work(WRONG)
    before = _errors(work.result)
    (cause,) = [each for each in work.result.errors if each.folds]
    work.tell(frozenset({cause.rule}))
    assert {*_errors(work.result), *_folded(work.result)} == {*before, *cause.folds} - {cause.rule}


def _folded(result: Result) -> set[str]:
    return {rule for each in result.violations for rule in each.folds}


def test_a_selected_rule_is_heard_though_another_explains_it() -> None:
    (cause,) = [each for each in ENGINE.check(WRONG).errors if each.folds]
    for selected in (cause.folds, (*cause.folds, cause.rule)):
        work = ENGINE.work(WRONG)
        work.tell(select_rules(RULES, selected, (), TODAY)[0])
        assert work.result.status == "violations"
        speaking = set(_errors(work.result)) | _folded(work.result)
        assert speaking == set(selected)


def test_no_selection_gives_the_same_result() -> None:
    work = ENGINE.work(WRONG)
    before = work.result
    assert work.tell(select_rules(RULES, (), (), TODAY)[0]) == 0
    assert work.result is before
