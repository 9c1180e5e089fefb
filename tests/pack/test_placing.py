"""Every file of a pack is read, or refused by its name: none is ignored in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivpush import Engine
from ivpush.errors import PackError
from ivpush.pack.folder import rules_folder
from ivpush.pack.pack import Pack

RULE = next((rules_folder() / "checks" / "roles").glob("IVP104-*[!s].yaml")).read_text("utf-8")
OURS = RULE.replace("IVP104", "ACM190").replace("addon-without-primary", "our-addon")
FILE = "ACM190-our-addon.yaml"
SOURCES = """sources:
  acme-letter:
    title: Letter on infusions
    publisher: Acme
    edition: "2026"
    checked: "2026-03-02"
"""


def pack(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_a_rule_in_its_room_is_read(tmp_path: Path) -> None:
    ours = pack(tmp_path / "ours", **{f"checks/roles/{FILE}": OURS})
    assert "ACM190" in {rule.id for rule in Pack.load(extra=[ours]).rules}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (FILE, "put it into checks/ROOM/; the rooms are roles, time"),
        (f"checks/{FILE}", "put it into checks/ROOM/"),
        (f"checks/ourroom/{FILE}", "put it into checks/ROOM/"),
        (f"checks/role/{FILE}", f"did you mean checks/roles/{FILE}?"),
        (f"checks/roles/more/{FILE}", "put it into checks/ROOM/"),
        ("checks/roles/ACM190-our-addon.yml", "name it ACM190-our-addon.yaml"),
        ("checks/roles/ACM190-our-addon.YAML", "name it ACM190-our-addon.yaml"),
        ("drugs.CSV", "name it drugs.csv"),
        ("payers/more/acme.yaml", "a pack brings rules"),
        ("tables/ptp-2026-01-01.yaml", "a pack brings rules"),
        ("source.yaml", "a pack brings rules"),
        ("codes.yaml", "only the base pack has it"),
        ("maps/ours.yaml", "a pack brings rules"),
    ],
)
def test_a_file_that_nothing_reads_is_refused_by_name(tmp_path: Path, name: str, said: str) -> None:
    ours = pack(tmp_path / "ours", **{f"checks/time/{FILE}": OURS, name: "x: y\n"})
    with pytest.raises(PackError) as refused:
        Pack.load(extra=[ours], cache=tmp_path / "cache")
    (fault,) = refused.value.faults
    assert fault.place == f"{ours}/{name}"
    assert said in str(fault)


def test_the_base_pack_is_held_to_it_too(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"checks/rolls/a\.yaml: is read by nothing there"):
        Pack.load(pack(tmp_path, **{"checks/rolls/a.yaml": "x: y\n"}))


def test_an_empty_folder_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="holds no file of a pack; put rules"):
        Engine(packs=[tmp_path])


def test_files_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    others = {
        ".github/workflows/ci.yaml": "x: y\n",
        "README.md": "",
        "our.ivpush.yaml": "cases: []",
    }
    ours = pack(tmp_path, **{f"checks/roles/{FILE}": OURS, **others})
    assert Pack.load(extra=[ours])


def test_a_stacked_pack_cites_sources_of_its_own(tmp_path: Path) -> None:
    cited = OURS.replace("cites: [", "cites: [acme-letter, ")
    assert cited != OURS
    ours = pack(tmp_path, **{f"checks/roles/{FILE}": cited, "sources.yaml": SOURCES})
    loaded = Pack.load(extra=[ours])
    rule = next(rule for rule in loaded.rules if rule.id == "ACM190")
    assert "acme-letter" in rule.cites
    assert loaded.sources["acme-letter"].publisher == "Acme"


def test_a_source_is_taken_once(tmp_path: Path) -> None:
    taken = next(iter(Pack.load().sources))
    ours = pack(
        tmp_path,
        **{f"checks/roles/{FILE}": OURS, "sources.yaml": SOURCES.replace("acme-letter", taken)},
    )
    with pytest.raises(
        PackError, match=rf"sources\.yaml:2:.*'{taken}' is a source of another pack"
    ):
        Pack.load(extra=[ours])


def test_a_faulty_source_of_a_stacked_pack_is_said(tmp_path: Path) -> None:
    wrong = SOURCES.replace("publisher", "publishr")
    ours = pack(tmp_path, **{f"checks/roles/{FILE}": OURS, "sources.yaml": wrong})
    with pytest.raises(PackError, match="unknown key 'publishr'; did you mean 'publisher'"):
        Pack.load(extra=[ours])
