"""A new release beside the one that a pack holds: its changes, and the half that no file gives."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from ivpush.__main__ import main
from ivpush.authoring.cms.held import Held, changes, with_other_half
from ivpush.authoring.cms.release import import_files, wanted_of
from ivpush.engine import Engine
from ivpush.errors import UsageError
from ivpush.pack.folder import rules_folder
from tests.authoring.cms.published import commas, limits

OLD = date(2024, 7, 1)
LIMITS = Held(
    OLD, [("96374", "1", "1", "3", "3"), ("96375", "6", "9", "3", "3"), ("96999", "", "2", "", "3")]
)
PAIRS = Held(
    OLD, [("facility", "96374", "1", "96365 96413"), ("professional", "96374", "1", "96365")]
)


def test_a_half_that_no_file_gives_is_kept() -> None:
    new = [("96374", "2", "", "3", ""), ("96376", "4", "", "3", "")]
    assert with_other_half("mue", new, "facility", LIMITS) == [
        ("96374", "2", "1", "3", "3"),
        ("96375", "", "9", "", "3"),
        ("96376", "4", "", "3", ""),
        ("96999", "", "2", "", "3"),
    ]
    pairs = [("professional", "96374", "0", "96365")]
    assert with_other_half("ptp", pairs, "facility", PAIRS) == [PAIRS.rows[0], *pairs]


def test_changes_of_limits_say_which_way_they_went() -> None:
    new = [
        ("96374", "2", "1", "3", "2"),
        ("96375", "6", "5", "3", "3"),
        ("96376", "", "4", "", "3"),
    ]
    assert list(changes("mue", new, LIMITS)) == [
        "against 2024-07-01: 1 limit added, 1 gone, 3 changed",
        "added: facility 96376",
        "gone: facility 96999",
        "up: 96374 professional 1 to 2",
        "down: 96375 facility 9 to 5",
        "only the indicator: 96374 facility 1 to 1",
    ]


def test_changes_of_pairs_are_told_pair_by_pair() -> None:
    new = [("facility", "96374", "0", "96365"), ("facility", "96375", "1", "96365")]
    said = list(changes("ptp", new, PAIRS))
    assert said[0] == "against 2024-07-01: 1 pair added, 2 gone, 1 changed"
    assert said[1] == "added: facility 96365 96375"


def test_one_half_alone_is_imported_beside_the_one_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "rules"
    shutil.copytree(rules_folder(), pack)
    file = tmp_path / "MCR_MUE_PractitionerServices_Eff_01-01-2027.csv"
    file.write_text(commas(limits("practitioner")))
    assert main(["tables", "import", str(file), "--into", str(pack / "tables")]) == 2
    assert f"name the pack: --into {pack}" in capsys.readouterr().err
    assert main(["tables", "import", str(file), "--into", str(pack)]) == 0
    said = capsys.readouterr().out
    assert "no file gives the facility half: it is that of 2026-10-01" in said
    assert "against 2026-10-01: " in said
    held = (pack / "tables" / "mue-2027-01-01.csv").read_text().splitlines()
    assert any(row.startswith("96374,1,") and row.split(",")[2] for row in held)
    wanted = wanted_of(Engine().pack)
    with pytest.raises(UsageError, match="gives no facility half of the table"):
        import_files([file], wanted, pack=tmp_path)
