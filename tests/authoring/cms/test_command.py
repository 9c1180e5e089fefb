"""``ivpush tables import`` and ``list``, and what a stacked release changes."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from ivpush import Encounter, Engine, Pack, PackError
from ivpush.__main__ import main
from ivpush.pack.folder import rules_folder
from ivpush.pack.releases import QUARTERLY, quarter_end
from tests.authoring.cms import published as cms
from tests.authoring.cms.test_layouts import pair_files, write
from tests.shipped import PACK


def run(*words: object) -> int:
    return main([str(word) for word in words])


def table(folder: Path, name: str, text: str) -> Path:
    path = folder / "tables" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="")
    return folder


def units(folder: Path, day: str, most: int) -> Path:
    return table(
        folder,
        f"mue-{day}.csv",
        f"code,professional,facility,mai_professional,mai_facility\n96375,{most},{most},2,2\n",
    )


def test_import_writes_a_table_that_stacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = pair_files(tmp_path)
    into = tmp_path / "ours"
    words = ("tables", "import", *paths, "--release", "2026-04-01", "--no-cache")
    assert run(*words) == 0
    assert "nothing written" in capsys.readouterr().err
    assert not into.exists()
    assert run(*words, "--into", into) == 0
    said = capsys.readouterr()
    assert "120 rows read = " in said.out
    assert "ptp-2026-04-01.csv: written" in said.err
    assert run(*words, "--into", into) == 0
    assert "unchanged" in capsys.readouterr().err
    assert [file.name for file in (into / "tables").iterdir()] == ["ptp-2026-04-01.csv"]
    pack = Pack.load(extra=[into])
    assert pack.book(date(2026, 3, 31)).in_force["ptp"] == date(2024, 7, 1)
    assert pack.book(date(2026, 4, 1)).in_force["ptp"] == date(2026, 4, 1)


def test_a_bad_file_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path, AOC__csv=cms.commas(cms.add_ons()))
    bad = write(tmp_path, asp__csv=cms.commas(cms.payment_limits()) + "96375,CANARY,1,free\r\n")
    words = ("tables", "import", *good, *bad, "--release", "2026-04-01", "--no-cache")
    assert run(*words, "--into", tmp_path / "ours") == 2
    said = capsys.readouterr()
    assert "asp.csv:34: holds no payment limit" in said.err
    assert "free" not in said.err
    assert said.out == ""
    assert not (tmp_path / "ours").exists()


def test_no_date_is_bad_usage(tmp_path: Path) -> None:
    assert run("tables", "import", *pair_files(tmp_path), "--release", "soon", "--no-cache") == 2
    assert run("tables", "list", "--on", "soon", "--no-cache") == 2


def test_list_says_what_is_held(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = max(release.day for release in PACK.releases["mue"])
    ours = units(units(tmp_path / "ours", "2028-04-01", 5), newest.isoformat(), 5)
    words = ("tables", "list", "--no-cache", "--rules", ours)
    assert run(*words, "--on", "2028-07-01") == 0
    lines = capsys.readouterr().out.splitlines()
    by_kind = [line.split() for line in lines]
    assert {row[0] for row in by_kind} == set(PACK.releases)
    limits = [line for line in lines if line.startswith("mue")][-3:]
    assert ["superseded" in line for line in limits] == [True, False, False]
    assert "until 2028-04-01" in limits[1]
    assert "quarter ends 2028-06-30" in limits[2]
    assert "past its quarter on 2028-07-01" in limits[2]
    assert run(*words, "--on", "2028-06-30") == 0
    assert "past its quarter" not in next(
        line for line in capsys.readouterr().out.splitlines() if "2028-04-01  " in line
    )


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2024-07-01", "2024-09-30"),
        ("2024-06-03", "2024-09-30"),
        ("2025-10-31", "2025-12-31"),
        ("2025-12-15", "2026-03-31"),
        ("2026-01-01", "2026-03-31"),
        ("2024-01-01", "2024-03-31"),
    ],
)
def test_a_release_is_for_a_quarter(day: str, last: str) -> None:
    assert quarter_end(date.fromisoformat(day)) == date.fromisoformat(last)


def most(pack: Pack, day: str) -> tuple[int, int] | None:
    return pack.book(date.fromisoformat(day)).mue("96375", "facility")


def test_the_later_release_counts_and_of_one_date_the_later_pack(tmp_path: Path) -> None:
    first = units(units(tmp_path / "one", "2024-07-01", 1), "2026-01-01", 2)
    second = units(tmp_path / "two", "2024-07-01", 3)
    shipped = most(PACK, "2026-03-02")
    assert most(Pack.load(extra=[first, second]), "2024-08-01") == (3, 2)
    assert most(Pack.load(extra=[second, first]), "2024-08-01") == (1, 2)
    for stack in ([first, second], [second, first]):
        assert most(Pack.load(extra=stack), "2025-12-31") in {(3, 2), (1, 2)}
        assert most(Pack.load(extra=stack), "2026-01-01") == (2, 2)
    early = units(tmp_path / "early", "2024-01-01", 9)
    assert most(Pack.load(extra=[early]), "2026-03-02") == shipped
    assert most(Pack.load(extra=[early]), "2024-06-30") == (9, 2)
    assert most(PACK, "2024-06-30") is None


def test_a_stacked_table_decides_and_caches(tmp_path: Path) -> None:
    ours = units(tmp_path / "ours", "2026-01-01", 1)
    record = {
        "id": "E",
        "setting": "facility",
        "date": "2026-03-02",
        # With an initial service, so that no other finding explains the units away.
        "lines": [
            {"number": 1, "code": "96374", "units": 1},
            {"number": 2, "code": "96375", "units": 2},
        ],
    }
    encounter = Encounter.model_validate(record)

    def over(pack: Pack) -> bool:
        violations = Engine(pack=pack).check(encounter).violations
        return any(violation.name == "units-over-absolute-limit" for violation in violations)

    assert not over(PACK)
    for _ in range(2):
        assert over(Pack.load(extra=[ours], cache=tmp_path / "cache"))


@pytest.mark.parametrize("name", ["mue-2026-13-01.csv", "mues-2026-01-01.csv", "mue.csv"])
def test_a_table_named_wrongly_is_a_fault(tmp_path: Path, name: str) -> None:
    with pytest.raises(PackError, match=f"tables/{name}"):
        Pack.load(extra=[table(tmp_path / "ours", name, "code\n")])


def test_faults_of_stacked_tables_are_reported_at_once(tmp_path: Path) -> None:
    ours = table(tmp_path / "ours", "mue-2026-01-01.csv", "code,units\n")
    table(ours, "opps-2026-01-01.csv", "code,status,apc\n")
    with pytest.raises(PackError) as caught:
        Pack.load(extra=[ours])
    places = {fault.place for fault in caught.value.faults}
    assert places == {f"{ours}/tables/{name}-2026-01-01.csv:1" for name in ("mue", "opps")}


def past(folder: Path, day: str) -> list[str]:
    """The kinds of table whose quarter ended before a day, with a further pack."""
    book = Pack.load(extra=[folder]).book(date.fromisoformat(day))
    return [text.split()[0] for text in book.outdated]


@pytest.mark.parametrize("kind", ["ptp", "mue", "addon"])
def test_each_table_past_its_quarter_is_named(tmp_path: Path, kind: str) -> None:
    """With two of the three fresh, the third is named; on the last day of its quarter none is."""
    fresh = tmp_path / "fresh"
    for name in ("ptp", "mue", "addon"):
        file = next((rules_folder() / "tables").glob(f"{name}-*.csv"))
        for day in ("2027-01-01", "2027-04-01"):
            if name != kind or day == "2027-01-01":
                (fresh / "tables").mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, fresh / "tables" / f"{name}-{day}.csv")
    assert past(fresh, "2027-03-31") == []
    assert past(fresh, "2027-04-01") == [kind]
    file = next((rules_folder() / "tables").glob(f"{kind}-*.csv"))
    shutil.copyfile(file, fresh / "tables" / f"{kind}-2027-04-01.csv")
    assert past(fresh, "2027-04-01") == past(fresh, "2027-06-30") == []
    assert past(fresh, "2027-07-01") == ["ptp", "mue", "addon"]


def test_the_tables_that_are_shipped_are_quarterly_or_not() -> None:
    assert set(PACK.releases) & QUARTERLY == {"addon", "asp", "mue", "ndc", "opps", "ptp"}


def test_a_status_indicator_is_known_from_its_release_on() -> None:
    book = PACK.book(date(2026, 3, 2))
    assert book.status_indicator("96374") == "S"
    assert book.status_indicator("96376") == "N"
    assert book.status_indicator("11042") is None
    assert PACK.book(date(2025, 9, 30)).status_indicator("96374") is None
