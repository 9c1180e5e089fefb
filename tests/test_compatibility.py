"""What users of version 1 of the contract hold keeps working: names, fields and kept results.

``tests/data/contract/1`` was written when the contract got its number. A change that makes one of
these tests fail breaks somebody: it needs a new number of the contract and a line in CHANGELOG.md,
and the kept files of number 1 stay as they are.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine, Result

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "tests/data/contract/1"
NAMES: dict[str, dict[str, list[str]]] = json.loads((KEPT / "names.json").read_text("utf-8"))

Schema = Mapping[str, Any]


def schema_in(folder: Path, name: str) -> Schema:
    schema: Schema = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return schema


def resolved(node: Schema, root: Schema) -> Schema:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def parts(node: Schema, root: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every part of a schema with its path, such as ``.lines[].units``."""
    node = resolved(node, root)
    yield path, node
    for each in node.get("anyOf", ()):
        yield from parts(each, root, path)
    for name, field in node.get("properties", {}).items():
        yield from parts(field, root, f"{path}.{name}")
    if "items" in node:
        yield from parts(node["items"], root, f"{path}[]")


def fields(schema: Schema) -> set[str]:
    """Every field, with the kinds of its values and their words: ``.lines[].units: integer``."""
    kinds = {f"{path}: {node['type']}" for path, node in parts(schema, schema) if "type" in node}
    words = {
        f"{path} = {word}" for path, node in parts(schema, schema) for word in node.get("enum", ())
    }
    return kinds | words


def required(schema: Schema) -> set[str]:
    """Every field that an object must have."""
    return {
        f"{path}.{name}"
        for path, node in parts(schema, schema)
        for name in node.get("required", ())
    }


@pytest.mark.parametrize("name", ["encounter", "result"])
def test_no_field_of_the_contract_is_gone(name: str) -> None:
    kept, now = schema_in(KEPT, name), schema_in(ROOT / "docs/schemas", name)
    assert fields(kept) - fields(now) == set()


def test_an_encounter_that_was_whole_still_is() -> None:
    kept, now = schema_in(KEPT, "encounter"), schema_in(ROOT / "docs/schemas", "encounter")
    assert required(now) - required(kept) == set()


def test_a_result_still_has_every_field_that_it_always_had() -> None:
    kept, now = schema_in(KEPT, "result"), schema_in(ROOT / "docs/schemas", "result")
    assert required(kept) - required(now) == set()


@pytest.mark.parametrize("file", sorted((KEPT / "results").glob("*.json")), ids=lambda f: f.stem)
def test_a_kept_result_is_read_and_says_the_same(file: Path) -> None:
    kept = json.loads(file.read_text("utf-8"))
    again = json.loads(Result.from_json(file.read_bytes()).to_json())
    assert {name: again[name] for name in kept} == kept


@pytest.mark.parametrize("module", sorted(NAMES))
def test_no_public_name_is_gone_and_its_arguments_are_still_taken(module: str) -> None:
    today = importlib.import_module(module)
    for name, arguments in NAMES[module].items():
        assert hasattr(today, name), name
        if arguments:
            parameters = inspect.signature(getattr(today, name)).parameters
            assert set(arguments) <= set(parameters), name
            asked = {
                each.name
                for each in parameters.values()
                if each.default is each.empty and each.kind is not each.VAR_KEYWORD
            }
            assert asked <= set(arguments), name


def test_the_kept_names_hold_the_models_and_the_engine() -> None:
    assert {Encounter.__name__, Engine.__name__, Result.__name__} <= NAMES["ivpush"].keys()
