"""Nothing that cannot be printed gets out, and places come apart as readers put them together."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivpush.writers.safe import as_json, escaped_json, place_of, visible


@given(st.text())
def test_what_is_visible_is_printable_and_plain_text_is_kept(text: str) -> None:
    assert visible(text).isprintable()
    if text.isprintable():
        assert visible(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_says_the_same(text: str) -> None:
    raw = json.dumps({text: [text]}, ensure_ascii=False).encode()
    safe = escaped_json(raw)
    assert json.loads(safe) == json.loads(raw)
    assert all(one.isprintable() or one in "\x7f" for one in safe.decode())


def test_characters_beyond_the_first_plane_become_pairs() -> None:
    raw = json.dumps("\U000e0041", ensure_ascii=False).encode()
    assert escaped_json(raw) == b'"\\udb40\\udc41"'


def test_indented_json_keeps_its_lines() -> None:
    raw = json.dumps({"a": "é"}, indent=2, ensure_ascii=False).encode()
    assert escaped_json(raw) == raw


@settings(max_examples=100)
@given(st.recursive(st.text() | st.integers(), st.lists))
def test_as_json_is_ascii(value: object) -> None:
    assert as_json(value).isascii()
    assert json.loads(as_json(value)) == value


@pytest.mark.parametrize(
    ("text", "file", "line", "within", "uri"),
    [
        ("a/b.ndjson:12", "a/b.ndjson", 12, "", "a/b.ndjson"),
        ("a.json[3]", "a.json", None, "[3]", "a.json"),
        ("a.837: interchange 1, claim 4", "a.837", None, "interchange 1, claim 4", "a.837"),
        ("a b%.json", "a b%.json", None, "", "a%20b%25.json"),
        ("/x/a#1.json:2", "/x/a#1.json", 2, "", "file:///x/a%231.json"),
        ("-:7", "-", 7, "", "stdin"),
        ("odd\udc80name:1", "odd\udc80name", 1, "", "odd%80name"),
    ],
)
def test_places_come_apart(text: str, file: str, line: int, within: str, uri: str) -> None:
    place = place_of(text)
    assert (place.file, place.line, place.within, place.uri) == (file, line, within, uri)
