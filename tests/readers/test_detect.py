"""An input's format is told by its content, then its name; compressed inputs cannot run away."""

from __future__ import annotations

import gzip
import io
import json
import sys
import types
import zipfile
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ivpush import UsageError
from ivpush.readers import Note, ReadOptions, Record, SetAside, detect, unpack
from ivpush.readers.detect import FORMATS, Format, open_reader, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = json.dumps({"id": "E", "setting": "facility"}).encode()
NONE = ReadOptions()


@pytest.mark.parametrize(
    ("name", "head", "format_"),
    [
        ("x", b'{"id": "E"}', "json"),
        ("x", b'\xef\xbb\xbf \r\n[{"id": 1}]', "json"),
        ("x", b"", "json"),
        ("x", b"null", "json"),
        ("x", b"-7", "json"),
        ("x.json", b"not json at all", "json"),
        ("x", b'{"resourceType": "Bundle"}', "fhir"),
        ("x.json", b'[{"id": "a", "resourceType" : "Patient"}]', "fhir"),
        ("x", b'{"id": "\\"resourceType\\": no"}', "json"),
        ("x", b"ISA*00*", "x12"),
        ("x.txt", b"\xef\xbb\xbf  ISA|00|", "x12"),
        ("x", b"ST*837*0001", "x12"),
        ("claims.837", b"junk", "x12"),
        ("x", b"MSH|^~\\&|", "hl7"),
        ("x", b"FHS|^~\\&|", "hl7"),
        ("x", b"BHS|^~\\&|", "hl7"),
        ("x", b"PAR1\x15\x04", "parquet"),
        ("x.CSV", b"encounter,code\n", "csv"),
        ("x.csv", b'"encounter","code"\n', "csv"),
        ("x.tsv", b"1\t2\n", "csv"),
    ],
)
def test_the_format_is_told_by_content_then_name(name: str, head: bytes, format_: str) -> None:
    assert detect.detect(name, head, NONE).name == format_


def mapped_to(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """Every map describes this kind of table."""
    maps = types.ModuleType("ivpush.readers.tables.maps")
    maps.load_map = lambda _named: types.SimpleNamespace(table=table)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ivpush.readers.tables.maps", maps)


def test_a_map_makes_a_table_of_text_and_leaves_other_formats_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mapped_to(monkeypatch, "lines")
    mapped = ReadOptions(map="a-map")
    assert detect.detect("export.txt", b"encounter|code", mapped).name == "csv"
    assert detect.detect("claims", b"ISA*00*", mapped).name == "x12"
    assert detect.detect("charts", b'{"id": "E"}', mapped).name == "json"


@pytest.mark.parametrize(("table", "format_"), [("administrations", "mar"), ("lines", "csv")])
def test_the_map_says_what_a_table_holds(
    monkeypatch: pytest.MonkeyPatch, table: str, format_: str
) -> None:
    mapped_to(monkeypatch, table)
    mapped = ReadOptions(map="a-map")
    assert detect.detect("export.csv", b"a,b", mapped).name == format_
    assert detect.detect("export.csv", b"a,b", NONE).name == "csv"


@pytest.mark.parametrize("head", [b"hello", b"\x00\x00", b"\xff\xfe{\x00"])
def test_unknown_content_is_refused_with_the_list(head: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        detect.detect("f", head, NONE)
    said = str(caught.value)
    assert said.startswith("f: is in no known format")
    assert all(one.name in said for one in FORMATS)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"%PDF-1.7", "is a PDF"),
        (b"<Bundle/>", "is XML; send FHIR as JSON"),
        (b"\n<html><table>", "is a web page, whatever its ending"),
        (b"\xd0\xcf\x11\xe0\xa1", "is a workbook of the old form (.xls), or one with a password"),
        (b"7z\xbc\xaf\x27", "is packed in a way that is not read"),
    ],
)
@pytest.mark.parametrize("name", ["f", "f.csv"])
def test_what_is_often_sent_and_not_read_is_named(name: str, head: bytes, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        detect.detect(name, head, NONE)
    assert str(caught.value).startswith(f"{name}: {said}")


def zipped(**files: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # Of a fixed date, as names of tests are made of these bytes.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return raw.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        zipped(claim=GOOD),
        zipped(claim=GOOD, **{"__MACOSX/._claim": b"x", ".DS_Store": b"x"}),
        GOOD.decode().encode("utf-16"),
        GOOD.decode().encode("utf-16-le"),
        GOOD.decode().encode("utf-16-be"),
        GOOD.decode().encode("utf-32"),
        gzip.compress(GOOD.decode().encode("utf-16")),
        zipped(claim=GOOD.decode().encode("utf-16")),
    ],
    # Archives hold the time at which they were made, and names of tests must not.
    ids=["zip", "mac", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gzip", "zip of utf-16"],
)
def test_an_input_is_read_in_whatever_it_is_packed(packed: bytes, tmp_path: Path) -> None:
    file = tmp_path / "claims"
    file.write_bytes(packed)
    every = list(open_reader(str(file), NONE))
    assert [x.encounter.id for x in every if isinstance(x, Record)] == ["E"]
    assert not any(isinstance(x, SetAside) for x in every)


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (zipped(a=GOOD, b=GOOD), "is a zip archive of 2 files"),
        (zipped(a=zipped(b=GOOD)), "is packed twice"),
    ],
)
def test_archives_that_are_not_unpacked_say_why(packed: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "claims.zip"
    file.write_bytes(packed)
    with pytest.raises(UsageError, match=said):
        list(open_reader(str(file), NONE))


@pytest.mark.parametrize(
    "packed",
    [zipped(a=GOOD * 50)[:-30], zipped(a=b"x" * 9)[:20], b"\xff\xfe" + b"{\x00\x00\xd8" * 9],
    ids=["cut at its end", "cut at its start", "half a character"],
)
def test_damage_sets_the_rest_aside(packed: bytes, tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    file.write_bytes(packed)
    (aside,) = [x for x in open_reader(str(file), NONE) if not isinstance(x, Note)]
    assert isinstance(aside, SetAside)


def test_from_wins_over_content_and_must_exist() -> None:
    assert detect.detect("f", b"ISA*00*", NONE, "json").name == "json"
    with pytest.raises(UsageError, match="did you mean 'json'"):
        detect.detect("f", b"", NONE, "jsom")


def fake(monkeypatch: pytest.MonkeyPatch, read: Any) -> None:
    """Puts a reader of our own in the place of every format but JSON."""
    module = types.ModuleType("ivpush.readers.fake")
    module.read = read  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ivpush.readers.fake", module)
    formats = tuple(
        known if known.name == "json" else replace(known, module=module.__name__)
        for known in FORMATS
    )
    monkeypatch.setattr(detect, "FORMATS", formats)


def test_a_reader_gets_name_bytes_and_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def read(name: str, stream: Any, options: ReadOptions) -> Iterator[Note]:
        seen.append((name, stream.read(), options))
        yield Note(name, "read")

    fake(monkeypatch, read)
    path = tmp_path / "a.837"
    path.write_bytes(b"\r\nISA*00*rest")
    options = ReadOptions(setting="facility")
    assert list(open_reader(str(path), options)) == [Note(str(path), "read")]
    assert seen == [(str(path), b"\r\nISA*00*rest", options)]


def test_a_format_without_its_reader_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tuple(Format(one.name, "ivpush.readers.gone", one.sniff) for one in FORMATS)
    monkeypatch.setattr(detect, "FORMATS", gone)
    path = tmp_path / "a"
    path.write_bytes(GOOD)
    with pytest.raises(UsageError, match="has no reader in this installation"):
        list(open_reader(str(path), NONE))


def test_only_the_reader_that_is_needed_is_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def noted(name: str) -> object:
        asked.append(name)
        return import_module(name)

    monkeypatch.setattr(detect, "import_module", noted)
    path = tmp_path / "a"
    path.write_bytes(GOOD)
    list(open_reader(str(path), NONE))
    assert asked == ["ivpush.readers.json"]


@pytest.mark.parametrize("name", ["a.ndjson.gz", "a"])
def test_gzip_is_unpacked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(GOOD + b"\n" + GOOD))
    assert [type(one) for one in open_reader(str(path), NONE)] == [Record, Record]


def test_gzip_from_a_pipe_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            return super().tell()

    for raw in (gzip.compress(GOOD), GOOD):
        stdin = types.SimpleNamespace(buffer=Pipe(raw))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert [type(one) for one in open_reader("-", NONE)] == [Record]


def test_a_table_in_gzip_is_known_by_the_name_inside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "lines.csv.gz"
    path.write_bytes(gzip.compress(b"encounter,code\n"))
    with open_source(str(path), NONE) as source:
        assert source.format.name == "csv"


@pytest.mark.parametrize("cut", [10, 40, -9, -4])
def test_damaged_gzip_is_set_aside(tmp_path: Path, cut: int) -> None:
    lines = b"\n".join(GOOD.replace(b'"E"', b'"%d"' % n) for n in range(2_000))
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(lines)[:cut])
    *before, last = open_reader(str(path), NONE)
    assert isinstance(last, SetAside)
    assert "damaged or cut short" in str(last.error)
    assert all(isinstance(one, Record) for one in before[:-1])


def test_a_gzip_with_a_wrong_checksum_is_set_aside(tmp_path: Path) -> None:
    raw = bytearray(gzip.compress(GOOD))
    raw[-8] ^= 1
    path = tmp_path / "a.gz"
    path.write_bytes(raw)
    assert any(isinstance(one, SetAside) for one in open_reader(str(path), NONE))


@pytest.mark.parametrize(("cap", "ratio"), [(10_000, 10**9), (10**12, 20)], ids=["bytes", "ratio"])
def test_a_bomb_is_stopped_by_bytes_and_by_ratio(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cap: int, ratio: int
) -> None:
    monkeypatch.setattr(unpack, "MOST_UNPACKED_BYTES", cap)
    monkeypatch.setattr(unpack, "MOST_RATIO", ratio)
    monkeypatch.setattr(unpack, "_FREE_BYTES", 1_000)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress((GOOD + b"\n") * 100_000))
    *_, last = open_reader(str(path), NONE)
    assert isinstance(last, SetAside)
    assert "unpack to too much" in str(last.error)


def test_gzip_in_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(gzip.compress(GOOD)))
    with pytest.raises(UsageError, match="packed twice"):
        list(open_reader(str(path), NONE))
