"""Hostile and careless files of a pack are refused with a place, quickly, and never crash."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ivpush.errors import PackError
from ivpush.pack.files import MOST_BYTES, MOST_CSV_BYTES, read_csv, read_yaml

BOMBS = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "dashes": "- " * 100_000,
    "indented maps": "".join(" " * n + "a:\n" for n in range(1_000)),
    "brackets in a list": "a:\n- " + "[" * 50_000,
    "anchors": "a: &a [x,x]\nb: [*a,*a]\n",
    "own anchor": "&a [*a]",
    "merge": "a: &a {b: c}\nd:\n  <<: *a\n",
    "merge key alone": "d:\n  <<: {b: c}\n",
    "python tag": "a: !!python/object/apply:os.system ['true']",
    "binary tag": "a: !!binary aGVsbG8=",
    "set tag": "a: !!set {b}",
    "own tag": "a: !custom b",
    "tag directive": "%TAG ! tag:x,2000:\n---\na: b",
    "yaml directive": "%YAML 9.9\n---\na: b",
    "two documents": "a: b\n---\nc: d\n",
    "empty": "",
    "comment": "# nothing\n",
    "duplicate key": "a: b\na: c\n",
    "nested duplicate": "a:\n  b: 1\n  b: 2\n",
    "list as key": "? [a, b]\n: c\n",
    "tab indentation": "a:\n\tb: c\n",
    "open quote": 'a: "b\n',
    "bidi": "a: b\u202ec",
    "zero width": "a: b\u200bc",
    "escape": "a: b\x1b[2J",
    "nul": "a: b\x00c",
    "long scalar": "a: " + "x" * (MOST_BYTES + 1),
    "many nodes": "a: [" + "b," * 60_000 + "]",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_hostile_file_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(PackError) as caught:
        read_yaml("bad.yaml", text.encode())
    assert str(caught.value).startswith("bad.yaml")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("raw", [b"a: \xff\xfe", "a: b".encode("utf-16"), b"a: \xed\xa0\x80"])
def test_other_encodings_are_refused(raw: bytes) -> None:
    with pytest.raises(PackError):
        read_yaml("bad.yaml", raw)


def test_no_hostile_file_kills_the_process() -> None:
    """The C reader dies of deep nesting; a child process shows that ours never lets it."""
    text = (
        "from tests.pack.test_files import BOMBS\n"
        "from ivpush.pack.files import read_yaml\nfrom ivpush.errors import PackError\n"
        "for text in BOMBS.values():\n"
        "    try: read_yaml('x', text.encode())\n"
        "    except PackError: pass\n"
        "print('alive')"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "alive\n"


@pytest.mark.parametrize(
    "written",
    [
        "0260",
        "0819",
        "02",
        "0004091234",
        "96374",
        "12:30",
        "9:05",
        "NO",
        "ON",
        "1e3",
        "null",
        "~",
        "2026-11-01 01:30:00",
        "0x1F",
        "1_000",
        "true",
        ".5",
        "012",
    ],
)
def test_every_scalar_is_its_own_text(written: str) -> None:
    assert read_yaml("ok.yaml", f"a: [{written}]\nb: {written}".encode()).data == {
        "a": [written],
        "b": written,
    }


def test_places_count_lines_and_columns_from_one() -> None:
    sheet = read_yaml("ok.yaml", b"a: b\nc:\n  - d\n  - e: f\n")
    assert sheet.place(("a",)) == "ok.yaml:1:4"
    assert sheet.place(("c", 0)) == "ok.yaml:3:5"
    assert sheet.place(("c", 1, "e")) == "ok.yaml:4:8"
    assert sheet.place(("c", 1, "e"), key=True) == "ok.yaml:4:5"


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    assert read_yaml("ok.yaml", b"\xef\xbb\xbfa: b\r\nc: d\r\n").data == {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "1"),
        (b"a\n1\n", "1"),
        (b"a,b,c\n1,2,3\n", "1"),
        (b"b,a\n1,2\n", "1"),
        (b"a,b\n1\n", "2"),
        (b"a,b\n1,2,3\n", "2"),
        (b'a,b\n1,2\n"1,2\n3,4\n5,6\n', "3"),
        (b'a,b\n"1\n",2\n"1\n2",2,3\n', "4"),
        (b"a,b\n1,\x00\n", "2:3"),
        (b"a,b\n" + b"x" * 200_000 + b",2\n", "2"),
        (b"a,a\n1,2\n", "1"),
        (b"a,b\n\xff,2\n", "2:1"),
        (b"a,b\n" * (MOST_CSV_BYTES // 4 + 1), "1:1"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_a_careless_table_is_refused_with_the_line_where_it_begins(raw: bytes, place: str) -> None:
    with pytest.raises(PackError) as caught:
        list(read_csv("bad.csv", raw, ("a", "b")))
    assert caught.value.faults[0].place == f"bad.csv:{place}"


def test_a_table_is_read() -> None:
    rows = list(read_csv("ok.csv", b'\xef\xbb\xbfa,b\r\n1,"x,y"\r\n=2,\n', ("a", "b")))
    assert rows == [(2, ["1", "x,y"]), (3, ["=2", ""])]


@pytest.mark.parametrize("code", [*range(9), 11, 12, *range(14, 32), 127, 0x85, 0x200B, 0x202E])
def test_every_hidden_sign_of_a_table_is_refused_with_its_place(code: int) -> None:
    text = f"a,b\n1,2{chr(code)}\n"
    with pytest.raises(PackError, match=r"t\.csv:2:4: holds a hidden or control character"):
        list(read_csv("t.csv", text.encode(), ("a", "b")))
