"""``ivpush maps``: listed, shown, proposed and tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivpush.__main__ import main
from ivpush.readers.tables.maps import map_names

MAR = (
    "MAR_ENC_CSN,ORDER_MED_ID,LINE,MAR_ACTION_NAME,TAKEN_TIME,DESCRIPTION,ROUTE_NAME\n"
    "1,7,1,New Bag,3/2/2026 10:00:00 AM,ceftriaxone,Intravenous\n"
    "1,7,2,Zebra,3/2/2026 10:45:00 AM,ceftriaxone,Intravenous\n"
)


def test_every_shipped_map_is_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["maps", "list"]) == 0
    assert [row.split()[0] for row in capsys.readouterr().out.splitlines()] == list(map_names())
    assert main(["maps", "show", "claim-lines"]) == 0
    assert "id: claim-lines" in capsys.readouterr().out
    assert main(["maps", "show", "claim-line"]) == 2
    assert "did you mean 'claim-lines'" in capsys.readouterr().err


def test_a_proposed_map_and_what_a_map_makes_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mar.csv"
    file.write_text(MAR)
    assert main(["maps", "new", str(file)]) == 0
    said = capsys.readouterr()
    assert "The shipped map 'epic-mar-admin-info' knows most of its columns" in said.out
    assert "2 lines to complete (TODO)" in said.err
    assert main(["maps", "check", str(file), "--map", "epic-mar-admin-info"]) == 4
    said = capsys.readouterr()
    assert "row 2: set aside with their encounter\n" in said.out
    assert "not understood, action:\n  1 x zebra\n" in said.out
    assert "0 encounters read, 1 set aside" in said.err
