"""Published layouts in, the pack's own tables out, every row counted once."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from ivpush import InputError, UsageError
from ivpush.authoring.cms.release import KINDS, Imported, import_files, wanted_of
from ivpush.pack.folder import rules_folder
from tests.authoring.cms import published as cms
from tests.shipped import PACK

WANTED = wanted_of(PACK)
JULY = date(2024, 7, 1)


def write(folder: Path, **files: str | bytes) -> list[Path]:
    """Files named by keyword, ``name__ext``."""
    paths = []
    for name, raw in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode("utf-8"))
        paths.append(path)
    return paths


def only(tables: Sequence[Imported]) -> Imported:
    assert len(tables) == 1
    return tables[0]


def table(imported: Imported) -> list[list[str]]:
    return list(csv.reader(io.StringIO(imported.raw.decode("utf-8"))))


def shipped(name: str) -> list[list[str]]:
    with (rules_folder() / "tables" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def pair_files(folder: Path) -> list[Path]:
    return write(
        folder,
        **{
            "ccipra-v302r0-f1__txt": cms.tabbed(cms.pairs("professional")),
            "ccioph-v302r0-f1__txt": cms.tabbed(cms.pairs("facility")),
        },
    )


def test_pairs_come_out_as_the_shipped_rows(tmp_path: Path) -> None:
    imported = only(import_files(pair_files(tmp_path), WANTED, release=JULY))
    asked = {row["column2"] for row in cms.extract("ptp_slice_2024q3.csv")}
    assert imported.name == "tables/ptp-2024-07-01.csv"
    assert table(imported)[1:] == [
        row for row in shipped("ptp-2024-07-01.csv")[1:] if row[1] in asked
    ]
    assert sum(imported.counts.values()) == len(cms.extract("ptp_slice_2024q3.csv"))
    assert imported.counts["deleted"] == sum(
        bool(row["deleted"]) for row in cms.extract("ptp_slice_2024q3.csv")
    )


def test_the_shipped_pairs_written_as_published_come_back_byte_for_byte(tmp_path: Path) -> None:
    files: dict[str, str] = {}
    for setting, name in (("professional", "ccipra"), ("facility", "ccioph")):
        rows = [
            cms.pair(column1, column2, indicator)
            for held, column2, indicator, codes in shipped("ptp-2024-07-01.csv")[1:]
            if held == setting
            for column1 in codes.split()
        ]
        half = len(rows) // 2
        files[f"{name}-v302r0-f1__txt"] = cms.tabbed(cms.PAIR_HEADING + rows[half:])
        files[f"{name}-v302r0-f2__txt"] = cms.tabbed(cms.PAIR_HEADING + rows[:half])
    imported = only(import_files(write(tmp_path, **files), WANTED, release=JULY))
    assert imported.raw == (rules_folder() / "tables" / "ptp-2024-07-01.csv").read_bytes()
    assert len(imported.files) == 4


def test_unlikely_units_come_out_as_shipped(tmp_path: Path) -> None:
    paths = write(
        tmp_path,
        **{
            "MCR_MUE_PractitionerServices_Eff_07-01-2024__csv": cms.commas(
                cms.limits("practitioner")
            ),
            "MCR_MUE_OutpatientHospitalServices_Eff_07-01-2024__csv": cms.commas(
                cms.limits("outpatient")
            ),
        },
    )
    imported = only(import_files(paths, WANTED))
    assert imported.name == "tables/mue-2024-07-01.csv"
    assert table(imported) == shipped("mue-2024-07-01.csv")


@pytest.mark.parametrize("form", ["csv", "xlsx", "txt", "zip"])
def test_add_ons_come_out_as_shipped_from_every_form(tmp_path: Path, form: str) -> None:
    raw: dict[str, str | bytes] = {
        "csv": cms.commas(cms.add_ons()),
        "xlsx": cms.workbook(cms.add_ons()),
        "txt": cms.add_on_lines(),
        "zip": cms.archive(AOC__xlsx=cms.workbook(cms.add_ons()), readme__pdf=b"%PDF"),
    }
    paths = write(tmp_path, **{f"AOC_V2024Q3-MCR__{form}": raw[form]})
    imported = only(import_files(paths, WANTED, release=date(2024, 6, 3)))
    assert imported.raw == (rules_folder() / "tables" / "addon-2024-06-03.csv").read_bytes()


def test_fee_schedule_indicators_come_out_as_shipped(tmp_path: Path) -> None:
    paths = write(tmp_path, PPRRVU24_JUL__csv=cms.commas(cms.relative_values()))
    imported = only(import_files(paths, WANTED))
    # The shipped table says of one code that the fee schedule does not hold it.
    held = [row for row in shipped("indicators-2024-07-01.csv") if row[1]]
    assert table(imported) == held
    assert imported.release == JULY


def test_status_indicators_come_out_as_shipped(tmp_path: Path) -> None:
    name = "508 version of October 2025 Web Addendum B.10.31.25__csv"
    raw = cms.commas(cms.addendum_b()).encode("latin-1")
    imported = only(import_files(write(tmp_path, **{name: raw}), WANTED))
    assert imported.name == "tables/opps-2025-10-01.csv"
    slice_ = {row["hcpcs"].rstrip("ÿ") for row in cms.extract("opps_slice_2025-10.csv")}
    assert table(imported)[1:] == [
        row for row in shipped("opps-2025-10-01.csv")[1:] if row[0] in slice_
    ]
    assert imported.counts["outside the families"] > 0


def test_packages_come_out_as_shipped_and_odd_numbers_are_named(tmp_path: Path) -> None:
    paths = write(tmp_path, crosswalk__csv=cms.commas(cms.packages()))
    imported = only(import_files(paths, WANTED))
    codes = {row["hcpcs"] for row in cms.extract("ndc_slice_2026-01.csv")}
    assert imported.name == "tables/ndc-2026-01-01.csv"
    assert table(imported)[1:] == [
        row for row in shipped("ndc-2026-01-01.csv")[1:] if row[1] in codes
    ]
    assert imported.counts["without an eleven-digit number"] == len(imported.notes) == 1
    assert imported.notes[0].startswith("crosswalk.csv:")


def test_payment_limits_are_kept_for_drugs(tmp_path: Path) -> None:
    imported = only(
        import_files(write(tmp_path, asp__csv=cms.commas(cms.payment_limits())), WANTED)
    )
    assert imported.name == "tables/asp-2026-01-01.csv"
    held = {row["hcpcs"]: row for row in cms.extract("asp_slice_2026-01.csv")}
    rows = table(imported)[1:]
    assert rows
    for code, dosage, limit in rows:
        assert code in WANTED.drugs
        published = held[code]["payment_limit"]
        # A drug without a limit of its own stays in the table, with an empty cell.
        assert (dosage, limit) == (held[code]["dosage"], "" if published == "N/A" else published)


def test_level_two_reports_what_it_changes_for_drugs(tmp_path: Path) -> None:
    paths = write(tmp_path, HCPC2024_JUL_ANWEB__txt=cms.level_two())
    imported = only(import_files(paths, WANTED))
    assert imported.name == "reports/hcpcs-2024-07-01.csv"
    listed = {row["hcpcs"]: row for row in cms.extract("hcpcs_slice_2024-07.csv")}
    for code, finding, ended, held, text in table(imported)[1:]:
        if finding == "not in the file":
            assert code in WANTED.drugs and code not in listed
        elif finding == "new drug":
            assert code not in WANTED.drugs
            assert listed[code]["cms_long_description"].startswith(text)
            assert ended == "" or ended > "2024-07-01"
        else:
            assert ended == listed[code]["date_terminated"] != held
    assert imported.counts["modifiers and other records"] == 1
    assert imported.counts["continuing a description"] > 0


def test_an_end_that_the_drug_table_lacks_is_reported(tmp_path: Path) -> None:
    text = cms.level_two()
    code = next(
        row["hcpcs"]
        for row in cms.extract("hcpcs_slice_2024-07.csv")
        if row["hcpcs"] in WANTED.drugs and not row["date_terminated"]
    )
    lines = [
        line[:284] + "20240630" + line[292:] if line.startswith(code) and line[10] == "3" else line
        for line in text.splitlines(keepends=True)
    ]
    imported = only(import_files(write(tmp_path, HCPC2024_JUL__txt="".join(lines)), WANTED))
    assert [code, "ended", "2024-06-30", "", ""] in table(imported)


def test_no_wording_of_cpt_comes_out(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "MCR_MUE_PractitionerServices_Eff_07-01-2024__csv": cms.commas(cms.limits("practitioner")),
        "MCR_MUE_OutpatientHospitalServices_Eff_07-01-2024__csv": cms.commas(
            cms.limits("outpatient")
        ),
        "AOC__txt": cms.add_on_lines(),
        "PPRRVU24__csv": cms.commas(cms.relative_values()),
        "b__csv": cms.commas(cms.addendum_b()).encode("latin-1"),
        "n__csv": cms.commas(cms.packages()),
        "asp__csv": cms.commas(cms.payment_limits()),
        "HCPC__txt": cms.level_two(),
    }
    paths = pair_files(tmp_path) + write(tmp_path, **files)
    tables = import_files(paths, WANTED, release=JULY)
    assert {table.kind for table in tables} == {KINDS[name].table for name in KINDS}
    for imported in tables:
        assert b"CANARY" not in imported.raw
        assert not any("CANARY" in note for note in imported.notes)


def test_deleted_by_the_release_goes_and_later_stays(tmp_path: Path) -> None:
    rows = [
        cms.pair("96365", "96374"),
        cms.pair("96360", "96374", deleted="20240701"),
        cms.pair("96409", "96374", deleted="20240702"),
        cms.pair("96413", "96374", effective="20240702"),
        cms.pair("96416", "96374", effective="20240701"),
        cms.pair("96416", "96374", effective="20200101"),
        cms.pair("96425", "96374", indicator="9"),
        cms.pair("11042", "12001"),
    ]
    paths = write(
        tmp_path,
        **{
            "ccipra-f1__txt": cms.tabbed(cms.PAIR_HEADING + rows),
            "ccioph-f1__txt": cms.tabbed(cms.PAIR_HEADING + rows[:1]),
        },
    )
    imported = only(import_files(paths, WANTED, release=JULY))
    assert table(imported)[1:] == [
        ["facility", "96374", "1", "96365"],
        ["professional", "96374", "1", "96365 96409 96416"],
    ]
    assert imported.counts == {
        "kept": 4,
        "deleted": 1,
        "not yet in force": 1,
        "repeated": 1,
        "without a modifier indicator": 1,
        "outside the families": 1,
    }


def test_order_of_files_and_rows_changes_no_byte(tmp_path: Path) -> None:
    paths = pair_files(tmp_path)
    first = only(import_files(paths, WANTED, release=JULY))
    turned = {
        f"turned-{name}-f1__txt": cms.tabbed(cms.PAIR_HEADING + cms.pairs(setting)[:5:-1])
        for name, setting in (("ccioph", "facility"), ("ccipra", "professional"))
    }
    second = only(import_files(write(tmp_path, **turned), WANTED, release=JULY))
    assert first.raw == second.raw
    assert only(import_files(paths[::-1], WANTED, release=JULY)).raw == first.raw


def test_leading_zeros_that_a_spreadsheet_dropped_are_put_back(tmp_path: Path) -> None:
    rows = [*cms.PAIR_HEADING, ["100", "96374", "", "20200101", "*", "1", "x"]]
    files: dict[str, str | bytes] = {
        "ccipra-f1__xlsx": cms.workbook([*cms.PAIR_HEADING, cms.pair("96365", "96374"), rows[-1]]),
        "ccioph-f1__txt": cms.tabbed([*cms.PAIR_HEADING, cms.pair("96365", "96374")]),
    }
    imported = only(import_files(write(tmp_path, **files), WANTED, release=JULY))
    assert ["professional", "96374", "1", "00100 96365"] in table(imported)


@pytest.mark.parametrize(
    ("name", "says", "day"),
    [
        ("MCR_MUE_Eff_10-01-2026", "", "2026-10-01"),
        ("add-code-edits-medicare-effective-04012026", "", "2026-04-01"),
        ("medicare-ncci-2026q2-practitioner", "", "2026-04-01"),
        ("AOC_V2024Q2-MCR", "", "2024-04-01"),
        ("January_Web_2024_Addendum_B.04.24.24", "", "2024-01-01"),
        ("JUL 2024 ASP Pricing File 062024", "", "2024-07-01"),
        ("HCPC2026_OCT_ANWEB_v2", "", "2026-10-01"),
        ("asp", "effective july 1, 2026 through september 30, 2026", "2026-07-01"),
        (
            "pprrvu",
            "2026 national physician fee schedule relative value file april release",
            "2026-04-01",
        ),
        ("b", "addendum b for cy 2025", None),
        ("ccipra-v302r0-f1", "copyright 2024 american medical association", None),
        ("Eff_13-41-2026", "", None),
    ],
)
def test_the_release_is_read_from_the_name_or_the_heading(
    name: str, says: str, day: str | None
) -> None:
    from ivpush.authoring.cms.headings import release_in

    release = release_in((name, says))
    assert (release.isoformat() if release else None) == day


def test_what_no_file_says_must_be_said(tmp_path: Path) -> None:
    paths = pair_files(tmp_path)
    with pytest.raises(UsageError, match="--release"):
        import_files(paths, WANTED)
    with pytest.raises(UsageError, match="facility half"):
        import_files(paths[:1], WANTED, release=JULY)
    (nameless,) = write(tmp_path, pairs__txt=cms.tabbed(cms.pairs("facility")))
    with pytest.raises(UsageError, match="--kind ptp-practitioner"):
        import_files([nameless], WANTED, release=JULY)
    with pytest.raises(UsageError, match="did you mean 'ndc'"):
        import_files(paths, WANTED, kind="ndcs", release=JULY)
    with pytest.raises(UsageError, match="professional half"):
        import_files([nameless], WANTED, "ptp-outpatient", JULY)


def test_a_supplier_table_is_of_no_kind(tmp_path: Path) -> None:
    rows = cms.limits("practitioner")
    rows[1][1] = "DME Supplier Services MUE Values"
    with pytest.raises(InputError, match="lacks the column"):
        import_files(write(tmp_path, dme__csv=cms.commas(rows)), WANTED, release=JULY)


def test_parts_are_told_and_a_gap_is_refused(tmp_path: Path) -> None:
    paths = pair_files(tmp_path)
    imported = only(import_files(paths, WANTED, release=JULY))
    assert imported.notes == ("ccioph-v302r0: parts 1 to 1", "ccipra-v302r0: parts 1 to 1")
    third = write(tmp_path, **{"ccipra-v302r0-f3__txt": cms.tabbed(cms.pairs("professional"))})
    with pytest.raises(UsageError, match="ccipra-v302r0: lacks its part 2"):
        import_files(paths + third, WANTED, release=JULY)


def test_add_ons_without_a_list_and_deleted_ones_are_left_out(tmp_path: Path) -> None:
    heading, *_ = cms.add_ons()
    rows = [
        ["CCCCC", "96361", "2", "", "", "2009001", "", ""],
        ["96360", "96361", "1", "", "", "2009001", "", ""],
        ["96365", "96361", "1", "", "", "2009001", "2024182", ""],
        ["96374", "96361", "1", "", "2024183", "2009001", "", ""],
        ["96409", "96361", "1", "", "2024184", "2009001", "", ""],
        ["96413", "96361", "3", "", "", "2024184", "", ""],
    ]
    imported = only(
        import_files(write(tmp_path, AOC__csv=cms.commas([heading, *rows])), WANTED, release=JULY)
    )
    assert table(imported)[1:] == [["96361", "96360", "1"], ["96361", "96409", "1"]]
    assert imported.counts == {
        "kept": 2,
        "deleted": 2,
        "not yet in force": 1,
        "with the contractor's own primaries": 1,
    }


def test_level_two_reads_the_same_as_a_spreadsheet(tmp_path: Path) -> None:
    heading = [
        "HCPC",
        "SEQNUM",
        "RECID",
        "LONG DESCRIPTION",
        "SHORT DESCRIPTION",
        "ADD DT",
        "ACT EFF DT",
        "TERM DT",
        "ACTION CD",
    ]
    rows = [
        [
            line[:5],
            line[5:10],
            line[10],
            line[11:91].strip(),
            "CANARY",
            line[268:276].strip(),
            line[276:284].strip(),
            line[284:292].strip(),
            line[292:293].strip(),
        ]
        for line in cms.level_two().splitlines()
        if line[:3].strip()
    ]
    text = write(tmp_path, HCPC2024_JUL_ANWEB__txt=cms.level_two())
    book = write(tmp_path, HCPC2024_JUL_ANWEB__xlsx=cms.workbook([heading, *rows]))
    assert only(import_files(text, WANTED)).raw == only(import_files(book, WANTED)).raw
