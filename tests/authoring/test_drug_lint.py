"""What is wrong between rows of the drug tables is found, with file and row; the shipped pack is clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivpush import Pack
from ivpush.__main__ import main
from ivpush.authoring.drug_lint import drug_faults
from ivpush.pack.drug_files import COLUMNS, NAME_COLUMNS

DRUG = "{code},{name},{category},{injected},,{techniques},1,mg,per,,{successor},ours,L\n"


def drug(code: str, name: str, category: str = "therapeutic", **more: str) -> str:
    """A row of drugs.csv."""
    rest = {"injected": "", "techniques": "push", "successor": "", **more}
    return DRUG.format(code=code, name=name, category=category, **rest)


def findings(folder: Path, drugs: str = "", names: str = "", **tables: str) -> list[str]:
    """The findings of a pack stacked on the shipped one."""
    if drugs:
        (folder / "drugs.csv").write_text(",".join(COLUMNS) + "\n" + drugs, "utf-8")
    if names:
        (folder / "drug_names.csv").write_text(",".join(NAME_COLUMNS) + "\n" + names, "utf-8")
    (folder / "tables").mkdir()
    for name, text in tables.items():
        (folder / "tables" / f"{name}-2027-01-01.csv").write_text(text, "utf-8")
    return [str(fault) for fault in drug_faults(Pack.load(extra=[folder]))]


def test_the_shipped_tables_are_clean() -> None:
    assert [str(fault) for fault in drug_faults(Pack.load())] == []


@pytest.mark.parametrize(
    ("drugs", "names", "said"),
    [
        (
            drug("X0001", '"morphine, 2-dose kit"', techniques="im"),
            "",
            "drugs.csv:2: 'morphine, 2-dose kit' (morphine, 2-dose kit) is read as morphine",
        ),
        (
            drug("X0001", "alphamab") + drug("X0002", "betamab"),
            "Gammex IV,alphamab,brand,x\nGammex IM,betamab,brand,x\n",
            "drug_names.csv:2: 'gammex' is what is left of names of alphamab and of betamab",
        ),
        (drug("X0001", "alphamab", successor="X0009"), "", "drugs.csv:2: X0009 has no class"),
        (
            drug("X0001", "alphamab", injected="chemotherapy", techniques="infusion"),
            "",
            "drugs.csv:2: alphamab has a class by injection, and is not injected",
        ),
        (
            drug("X0001", "alphamab", injected="therapeutic", techniques="sc"),
            "",
            "drugs.csv:2: alphamab has the same class by injection and by vein",
        ),
        (
            drug("X0001", "alphamab", "complex_biologic", techniques="infusion|sc"),
            "",
            "drugs.csv:2: alphamab is a complex biologic by injection too",
        ),
        (
            drug("X0001", "alphamab") + drug("X0002", "alphamab", "chemotherapy"),
            "",
            "drugs.csv:3: alphamab has another category than in drugs.csv:2",
        ),
        (
            drug("X0001", "alphamab-abcd") + drug("X0002", "alphamab-efgh", "chemotherapy"),
            "",
            "drugs.csv:3: alphamab-efgh is chemotherapy by push, and alphamab-abcd in drugs.csv:2",
        ),
    ],
)
def test_what_rows_do_to_each_other_is_said_at_its_row(
    tmp_path: Path, drugs: str, names: str, said: str
) -> None:
    faults = findings(tmp_path, drugs, names)
    assert any(finding.startswith(said) for finding in faults), faults


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("opps", "code,status_indicator,apc\nX0005,K,1\n", ":2: X0005 has no class"),
        ("asp", "code,dosage,payment_limit\nX0005,1 MG,1\n", ":2: X0005 has no class"),
        (
            "products",
            "name,hcpcs,source\nzofran,X0005,cms-asp\n",
            ":2: no row of drugs.csv has X0005",
        ),
        (
            "products",
            "name,hcpcs,source\nzofran,J1885,cms-asp\n",
            ":2: 'zofran' leads to ondansetron, and its code J1885 is ketorolac",
        ),
    ],
)
def test_a_code_of_a_table_needs_a_row_of_its_drug(
    tmp_path: Path, table: str, text: str, said: str
) -> None:
    faults = findings(tmp_path, **{table: text})
    assert any(f"tables/{table}-2027-01-01.csv{said}" in finding for finding in faults), faults


def test_a_packaged_code_needs_no_class(tmp_path: Path) -> None:
    assert findings(tmp_path, opps="code,status_indicator,apc\n36000,N,\n") == []


def test_the_command_prints_findings_and_ends_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drugs", "lint", "--no-cache"]) == 0
    assert "0 findings" in capsys.readouterr().err
    text = ",".join(COLUMNS) + "\n" + drug("X0001", "alphamab", successor="X0009")
    (tmp_path / "drugs.csv").write_text(text, "utf-8")
    assert main(["drugs", "lint", "--rules", str(tmp_path), "--no-cache"]) == 1
    out, err = capsys.readouterr()
    assert out == "drugs.csv:2: X0009 has no class; add its row to drugs.csv\n"
    assert "1 finding\n" in err
