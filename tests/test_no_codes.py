"""No code, modifier, denial code or payer is written in the source: they are data in ``rules/``.

Words of the whole text (code, comments, docstrings) are held against the code lists. Modifiers and
denial codes look like ordinary numbers, so those are sought where they would be used as such.
"""

from __future__ import annotations

import ast
import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "ivpush"
RULES = ROOT / "rules"

FAMILY = re.compile(r"\b(963[67][0-9]|964[0-4][0-9])\b")
WORD = re.compile(r"[A-Za-z0-9]+")
# The shapes of a code, for those that no list holds yet; numbers proper are written with _ or **.
SHAPED = re.compile(r"(?<![\w.#])([39][0-9]{4}|[A-V][0-9]{4})(?![\w.])")
NAMED_MODIFIER = re.compile(r"(?i)\bmodifiers?\s+-?([0-9]{2})\b")
LINTER = re.compile(r"#\s*(noqa|type: ignore|pragma|fmt).*")
# Formats have numbered qualifiers of their own; there a denial code shows by its key alone.
FORMATS = ("readers", "writers")


@dataclass(frozen=True)
class Lists:
    """What the rule pack calls codes."""

    codes: frozenset[str]
    modifiers: frozenset[str]
    carcs: frozenset[str]
    rarcs: frozenset[str]
    payers: frozenset[str]


def _yaml(name: str) -> Any:
    return yaml.load((RULES / name).read_text("utf-8"), Loader=yaml.CBaseLoader)


def _csv(pattern: str) -> Iterator[dict[str, str]]:
    for file in sorted(RULES.glob(pattern)):
        with file.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)


def read_lists() -> Lists:
    """The lists as the rule pack holds them today."""
    codes = {row["code"] for row in _yaml("codes.yaml")["codes"]}
    codes |= {row["hcpcs"] for row in _csv("drugs.csv")} - {""}
    denials = list(_csv("tables/denials-*.csv"))
    return Lists(
        codes=frozenset(codes),
        modifiers=frozenset(row["code"] for row in _yaml("modifiers.yaml")["modifiers"]),
        carcs=frozenset(row["code"] for row in denials if row["kind"] == "CARC"),
        rarcs=frozenset(row["code"] for row in denials if row["kind"] == "RARC"),
        payers=frozenset(file.stem for file in RULES.glob("payers/*.yaml")),
    )


LISTS = read_lists()


def _words(text: str, lists: Lists) -> Iterator[tuple[int, str]]:
    """Codes and letter-bearing modifiers and remarks anywhere in the text, comments included.

    Two-letter remarks such as the first nine are left to ``_literals``: X12 segments share them.
    """
    lettered = {modifier for modifier in lists.modifiers if not modifier.isdigit()}
    denials = lists.rarcs | lists.carcs
    lettered |= {code for code in denials if len(code) > 2 and not code.isdigit()}
    for number, line in enumerate(text.splitlines(), 1):
        line = LINTER.sub("", line)
        words = set(FAMILY.findall(line)) | set(SHAPED.findall(line))
        for word in WORD.findall(line):
            if word.upper() in lists.codes or word in lettered:
                words.add(word)
        words |= set(NAMED_MODIFIER.findall(line)) & lists.modifiers
        yield from ((number, word) for word in sorted(words))


def _named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value), value


def _literals(text: str, lists: Lists, *, is_format: bool) -> Iterator[tuple[int, str]]:
    """Whole string literals that are a modifier, a denial code or a payer, and denial arguments."""
    banned = lists.modifiers | lists.payers
    if not is_format:
        banned |= {code for code in lists.carcs | lists.rarcs if len(code) > 1}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in banned:
            yield node.lineno, node.value
        if isinstance(node, ast.Constant) and str(node.value) in lists.codes:
            yield node.lineno, str(node.value)
        for name, value in _named_values(node):
            if name in {"carc", "rarc"} and isinstance(value, ast.Constant) and value.value:
                yield value.lineno, str(value.value)


def codes_in(source: Path, lists: Lists) -> list[str]:
    """Every code written in the source, with its place."""
    faults = set()
    for file in sorted(source.rglob("*.py")):
        name = file.relative_to(source)
        text = file.read_text("utf-8")
        for line, word in (
            *_words(text, lists),
            *_literals(text, lists, is_format=name.parts[0] in FORMATS),
        ):
            faults.add(f"{name.as_posix()}:{line}: writes the code '{word}'; move it to rules/")
    return sorted(faults)


def test_the_source_names_no_code() -> None:
    faults = codes_in(SOURCE, LISTS)
    assert not faults, "\n".join(faults)


def test_the_lists_are_read() -> None:
    assert {"96374", "J2405", "G0463"} <= LISTS.codes
    assert {"59", "XS", "JW"} <= LISTS.modifiers
    assert {"97", "107"} <= LISTS.carcs
    assert {"N122", "M15"} <= LISTS.rarcs
    assert "medicare" in LISTS.payers


@pytest.mark.parametrize(
    "text",
    [
        "CODE = '96365'",
        "CODE = 96365",
        "CODE = 36_000",
        "CODE = 'J2405'",
        "# as j2405 does",
        "def code_96374() -> None: ...",
        '"""Bills G0463 as well."""',
        "def f():\n    '''Unlisted: 96999, absent from the pack.'''",
        "HINT = f'use {x} with 90471'",
        "CODE = 'A0000'",
        "LIFTS = {'59'}",
        "MODIFIER = 'XS'",
        "# XE marks the second visit",
        "TEXT = 'add modifier 25 to the visit'",
        "CARC = '97'",
        "RARC = 'N122'",
        "RARC = 'N4'",
        "# denied with M15",
        "deny(carc='5')",
        "DENIAL = {'rarc': 'N4'}",
        "payer = 'medicare'",
    ],
)
def test_a_planted_code_is_caught(tmp_path: Path, text: str) -> None:
    (tmp_path / "module.py").write_text(text, "utf-8")
    assert codes_in(tmp_path, LISTS)


@pytest.mark.parametrize(
    "text",
    [
        "MOST = 100_000",
        "MOST = 10**6",
        "MINUTES = 15 + 25 + 59",
        "CODE = re.compile('[0-9]{5}|[A-Z][0-9]{4}')",
        "START = '2026-03-02T10:00'",
        "import os  # noqa: E7411",
        "UNITS = x.rarc or y['carc']",
        "SEPARATE = 'separate_site'",
        "VERSION = '005010X222A1'",
    ],
)
def test_an_ordinary_value_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "module.py").write_text(text, "utf-8")
    assert codes_in(tmp_path, LISTS) == []


def test_qualifiers_of_a_format_are_no_denial_codes(tmp_path: Path) -> None:
    (tmp_path / "readers").mkdir()
    reader = tmp_path / "readers" / "x12.py"
    reader.write_text("BILLING, NDC = '85', 'N4'", "utf-8")
    assert codes_in(tmp_path, LISTS) == []
    reader.write_text("deny(rarc='N4')", "utf-8")
    assert codes_in(tmp_path, LISTS)
