"""The shipped rules as one file, ``rules.bundle`` beside ``rules/`` of an installed package.

The build of a wheel writes it from the YAML (``hatch_build.py``), and ``Pack.shipped`` reads it, so
that no run parses what every run would parse alike. It is data: a line of JSON that says where each
file lies, the YAML files parsed, as JSON, then the CSV files as they are. Cases of rules are left
out: no check reads them.

    ivpush-bundle 1 <CRC of the rest>
    {"digest": "…", "yaml": 1234, "names": ["checks/…", …], "csv": {"drugs.csv": 567, …}}
    <JSON of the YAML files><bytes of the CSV files>
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from ivpush.errors import Fault, PackError, first_faults
from ivpush.pack.files import Faults, Layer, Sheet, Yaml
from ivpush.pack.folder import (
    collect,
    contents_of,
    digest_of,
    package_folder,
    read_files,
    rules_folder,
)
from ivpush.pack.placing import is_pins

__all__ = ["NAME", "Bundle", "bundle_file", "bundle_of", "read_bundle"]

NAME = "rules.bundle"
_MARK = b"ivpush-bundle 1 "


def bundle_file() -> Path | None:
    """The bundle of an installed package; a checkout has none, and reads its YAML."""
    file = package_folder() / NAME
    return file if rules_folder().parent == file.parent and file.is_file() else None


class Bundle(NamedTuple):
    """The files of the shipped pack, and the hash of the files that they were made of."""

    digest: str
    layer: Layer


def bundle_of(folder: Path) -> bytes:
    """The bundle of a folder of rules; raises PackError where its files cannot be read."""
    contents = contents_of(collect(folder))
    faults = Faults()
    layer = read_files(contents, faults.say)
    if faults.found:
        raise PackError(first_faults(faults.found, len(faults.found)))
    sheets = {
        name: _without_cases(file.data)
        for name, file in layer.items()
        if isinstance(file, Sheet) and not is_pins(name)
    }
    tables = {name: file for name, file in layer.items() if isinstance(file, bytes)}
    yaml = json.dumps(sheets, ensure_ascii=False, separators=(",", ":")).encode()
    head = {
        "digest": digest_of(contents),
        "names": [name for name in contents if name in sheets or name in tables],
        "yaml": len(yaml),
        "csv": {name: len(raw) for name, raw in tables.items()},
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    body = b"".join((text, b"\n", yaml, *tables.values()))
    return b"%s%d\n%s" % (_MARK, crc32(body), body)


def _without_cases(data: Yaml) -> Yaml:
    """A file of rules without their cases."""
    if isinstance(data, dict):
        return {key: _without_cases(part) for key, part in data.items() if key != "cases"}
    return [_without_cases(part) for part in data] if isinstance(data, list) else data


def read_bundle(raw: bytes) -> Bundle:
    """The files of a bundle; raises PackError for one that is damaged or of another version."""
    first, _, body = raw.partition(b"\n")
    if first != b"%s%d" % (_MARK, crc32(body)):
        problem = "is damaged, or of another version of ivpush"
        raise PackError(Fault(NAME, problem, "install ivpush anew"))
    text, _, rest = body.partition(b"\n")
    head = json.loads(text)
    sheets = json.loads(rest[: head["yaml"]])
    tables = _cut(rest, head["yaml"], head["csv"])
    layer: dict[str, Sheet | bytes] = {}
    for name in head["names"]:
        layer[name] = tables[name] if name in tables else Sheet(name, sheets[name], {})
    return Bundle(head["digest"], layer)


def _cut(rest: bytes, at: int, sizes: Mapping[str, int]) -> dict[str, bytes]:
    tables = {}
    for name, size in sizes.items():
        tables[name] = rest[at : at + size]
        at += size
    return tables
