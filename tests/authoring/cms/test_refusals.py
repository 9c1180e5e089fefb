"""What is not what CMS publishes is refused with its place, and nothing of it gets out."""

from __future__ import annotations

import random
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivpush import InputError, UsageError
from ivpush.authoring.cms import files
from ivpush.authoring.cms.release import KINDS, Imported, import_files
from ivpush.errors import Fault
from tests.authoring.cms import published as cms
from tests.authoring.cms.test_layouts import JULY, WANTED, write


def refused(paths: list[Path], kind: str | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        import_files(paths, WANTED, kind, JULY)
    return [str(fault) for fault in caught.value.faults]


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    rows = [
        ["9636", "CANARYX", "", "2000-13-01", "*", "1", "x"],
        cms.pair("96365", "96374", indicator="7"),
        ["96365", "96374", "", "20000101", "soon", "1", "x"],
        cms.pair("96365", "96374"),
    ]
    paths = write(tmp_path, **{"ccipra-f1__txt": cms.tabbed(cms.PAIR_HEADING + rows)})
    said = refused(paths)
    assert said == [
        "ccipra-f1.txt:7: holds no code under 'Column 2'; write five letters or digits",
        "ccipra-f1.txt:7: holds no date under 'Effective Date'; write YYYYMMDD, or * where there is none",
        "ccipra-f1.txt:8: holds no known letter or digit under 'Modifier'; write one of: 0, 1, 9",
        "ccipra-f1.txt:9: holds no date under 'Deletion Date'; write YYYYMMDD, or * where there is none",
    ]


def test_twenty_faults_are_enough(tmp_path: Path) -> None:
    rows = [cms.pair("96365", "96374", indicator="x") for _ in range(50)]
    paths = write(tmp_path, **{"ccipra-f1__txt": cms.tabbed(cms.PAIR_HEADING + rows)})
    assert len(refused(paths)) == 20


def test_a_column_misspelt_is_guessed(tmp_path: Path) -> None:
    rows = cms.add_ons()
    rows[0][2] = "AOC_Edit_Tipe"
    said = refused(write(tmp_path, AOC__csv=cms.commas(rows)))
    assert said == ["AOC.csv:1: lacks the column 'AOC Edit Type'; did you mean 'AOC_Edit_Tipe'?"]


def test_a_short_row_is_a_fault_and_a_note_is_counted(tmp_path: Path) -> None:
    rows = [*cms.add_ons(), ["Notes under the table are no rows of it."]]
    (imported,) = import_files(write(tmp_path, AOC__csv=cms.commas(rows)), WANTED, release=JULY)
    assert imported.counts["notes under the table"] == 1
    rows.append(["96375"])
    assert all("AOC.csv:56" in text for text in refused(write(tmp_path, AOC__csv=cms.commas(rows))))


@pytest.mark.parametrize(
    "member", ["../AOC.csv", "/etc/AOC.csv", "a/../../AOC.csv", "..\\AOC.csv", "C:/AOC.csv"]
)
def test_a_member_that_leads_out_is_refused(tmp_path: Path, member: str) -> None:
    raw = cms.archive_of({member: cms.commas(cms.add_ons()).encode()})
    assert refused(write(tmp_path, AOC__zip=raw)) == [
        "AOC.zip: holds a file that leads out of it; fetch it again"
    ]


def test_an_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    raw = cms.archive_of({"AOC.zip": cms.archive(AOC__csv=b"")})
    assert "holds an archive" in refused(write(tmp_path, AOC__zip=raw))[0]


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 100_000)
    bomb = cms.archive_of({"AOC.csv": b"0" * 200_000})
    assert len(bomb) < 1_000
    assert "unpacks to more than" in refused(write(tmp_path, AOC__zip=bomb))[0]
    book = cms.workbook([["96375", "x" * 30_000] for _ in range(10)])
    assert "unpacks to more than" in refused(write(tmp_path, AOC__xlsx=book))[0]
    inside = cms.archive_of({"AOC.xlsx": book})
    assert "unpacks to more than" in refused(write(tmp_path, AOC__zip=inside))[0]
    plain = write(tmp_path, AOC__csv="0" * 200_000)
    assert refused(plain) == ["AOC.csv: is too large; split it"]


def test_what_an_archive_claims_is_what_is_read(tmp_path: Path) -> None:
    """A member that claims to be small is read no further than it claims."""
    raw = bytearray(cms.archive_of({"AOC.csv": b"0" * 200_000}))
    with zipfile.ZipFile(write(tmp_path, x__zip=bytes(raw))[0]) as archive:
        size = archive.infolist()[0].file_size.to_bytes(4, "little")
    lying = bytes(raw).replace(size, (10).to_bytes(4, "little"))
    assert refused(write(tmp_path, AOC__zip=lying))


def test_two_tables_of_one_kind_are_not_guessed_between(tmp_path: Path) -> None:
    text = cms.commas(cms.relative_values()).encode()
    raw = cms.archive_of({"PPRRVU24_nonQPP.csv": text, "PPRRVU24_QPP.csv": text})
    assert "holds 2 tables" in refused(write(tmp_path, RVU24C__zip=raw))[0]


def test_of_two_forms_of_one_table_the_plain_one_is_read(tmp_path: Path) -> None:
    raw = cms.archive_of(
        {"AOC.xlsx": b"no spreadsheet", "AOC.csv": cms.commas(cms.add_ons()).encode()}
    )
    (imported,) = import_files(write(tmp_path, AOC__zip=raw), WANTED, release=JULY)
    assert imported.files == ("AOC.zip/AOC.csv",)


def test_without_openpyxl_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write(tmp_path, AOC__xlsx=cms.workbook(cms.add_ons()))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UsageError, match=r"pip install 'ivpush\[cms\]'"):
        import_files(paths, WANTED, release=JULY)


def test_an_unclosed_quote_has_a_place(tmp_path: Path) -> None:
    text = cms.commas(cms.add_ons()) + '96365,"96375\r\n'
    assert "AOC.csv:" in refused(write(tmp_path, AOC__csv=text))[0]


@pytest.mark.parametrize("name", ["x.pdf", "missing.csv"])
def test_no_such_file_or_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.pdf").write_bytes(b"")
    with pytest.raises(UsageError):
        import_files([tmp_path / name], WANTED, release=JULY)


def test_a_file_of_other_codes_is_refused(tmp_path: Path) -> None:
    rows = [row for row in cms.add_ons() if row[1] not in WANTED.families]
    assert (
        "no row that this pack asks for" in refused(write(tmp_path, AOC__csv=cms.commas(rows)))[0]
    )


SAMPLES = {
    "ccipra-f1.txt": cms.tabbed(cms.pairs("professional")[:40]).encode(),
    "MCR_MUE_PractitionerServices.csv": cms.commas(cms.limits("practitioner")).encode(),
    "AOC.csv": cms.commas(cms.add_ons()).encode(),
    "AOC.txt": cms.add_on_lines().encode(),
    "AOC.xlsx": cms.workbook(cms.add_ons()),
    "AOC.zip": cms.archive(AOC__xlsx=cms.workbook(cms.add_ons())),
    "PPRRVU.csv": cms.commas(cms.relative_values()).encode(),
    "b.csv": cms.commas(cms.addendum_b()).encode("latin-1"),
    "asp.csv": cms.commas(cms.payment_limits()).encode(),
    "ndc.csv": cms.commas(cms.packages()[:20]).encode(),
    "HCPC.txt": cms.level_two().encode(),
}
NOISE = (
    b"",
    b"\x00",
    b'"',
    b"\r",
    b"\n",
    b"\t",
    b",",
    b"\xff\xfe",
    b"*",
    b"9" * 9,
    b"96374",
    b"\xc2\xa0",
    "\u202e".encode(),
    b"PK\x03\x04",
)


def mutated(raw: bytes, seed: int) -> bytes:
    """A file damaged in a few places: bytes changed, dropped, doubled, cut."""
    rng = random.Random(seed)
    damaged = bytearray(raw)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(damaged))
        end = min(len(damaged), at + rng.choice((0, 1, 4, 60)))
        what = rng.random()
        if what < 0.4:
            damaged[at:end] = rng.choice(NOISE)
        elif what < 0.6:
            damaged[at:at] = damaged[at:end] * rng.randint(1, 40)
        elif what < 0.9:
            damaged[at:end] = bytes(rng.randrange(256) for _ in range(end - at))
        else:
            del damaged[at:]
    return bytes(damaged)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(sorted(SAMPLES)), st.integers(0, 2**32), st.sampled_from([None, *sorted(KINDS)])
)
def test_a_damaged_file_gives_a_table_or_a_fault(
    tmp_path: Path, name: str, seed: int, kind: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(mutated(SAMPLES[name], seed))
    tables, faults = list[Imported](), tuple[Fault, ...]()
    try:
        tables = import_files([path], WANTED, kind, JULY)
    except (InputError, UsageError) as error:
        faults = error.faults
    assert bool(tables) is not bool(faults)
    assert len(faults) <= 20
    assert all(fault.place.startswith(name) for fault in faults)
    for table in tables:
        assert b"CANARY desc" not in table.raw
        assert table.rows == table.raw.count(b"\n") - 1
