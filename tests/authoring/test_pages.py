"""Generated pages are fresh: what stands in ``docs/`` is what the code and the pack say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ivpush import Encounter, Engine
from ivpush.authoring.catalogue import code_page
from ivpush.authoring.pages import encounter_schema, pages, result_schema
from tests.shipped import PACK

ROOT = Path(__file__).resolve().parents[2]
PAGES = pages(PACK)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == PAGES[name], "run: ivpush rules docs docs"


def test_no_page_is_left_over() -> None:
    held = {
        file.relative_to(ROOT / "docs").as_posix()
        for folder in ("rules", "schemas")
        for file in (ROOT / "docs" / folder).rglob("*")
        if file.is_file()
    }
    assert held <= set(PAGES)


def test_schemas_describe_every_field() -> None:
    for schema in (encounter_schema(), result_schema()):
        assert schema["$schema"].startswith("https://json-schema.org/")
    for model in ("Administration", "ClaimLine", "Supervision"):
        for name, field in encounter_schema()["$defs"][model]["properties"].items():
            assert field.get("description"), f"{model}.{name}"


def test_the_schema_names_what_the_result_holds() -> None:
    record = {"id": "E", "setting": "facility", "date": "2026-03-02"}
    encounter = Encounter.model_validate({**record, "administrations": [], "lines": []})
    result = Engine(pack=PACK).check(encounter).to_dict()
    schema = result_schema()
    top = schema if "properties" in schema else schema["$defs"]["Result"]
    # The schema lists what has a default last.
    assert set(top["properties"]) == set(result)
    assert json.dumps(top)


def test_every_code_has_a_page_with_its_rules() -> None:
    for row in PACK.codes.values():
        text = code_page(row, PACK)
        assert text.startswith(f"# {row.code} ")


LINKING_PAGES = [
    "README.md",
    *(file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "docs").rglob("*.md"))),
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples/README.md",
]


@pytest.mark.parametrize("page", LINKING_PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "mailto:", "#")):
            path = (ROOT / page).parent / target.partition("#")[0]
            assert path.exists(), f"{page}: {target}"
