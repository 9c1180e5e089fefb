"""The folder of a pack: its files as bytes, parsed, and kept parsed between runs.

``Pack.load`` is the only caller. Nothing else of the library reads the rules from disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache as once
from importlib.resources import files
from pathlib import Path

from ivpush.errors import Fault, PackError, UsageError
from ivpush.pack.files import MOST_CSV_BYTES, Sheet, Yaml, read_yaml

__all__ = ["Cache", "collect", "digest_of", "read_files", "rules_folder"]

# To be raised when the parsed form changes: old files then are misses.
_CACHE_FORMAT = "2"


@once
def rules_folder() -> Path:
    """The shipped rules: inside the package when installed, beside ``src`` in a checkout."""
    inside = Path(str(files("ivpush"))) / "rules"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "rules"


_READ = {".yaml", ".yml", ".csv"}
"""Files that may be meant for a pack; .yml is read nowhere, and the one who reads names it."""


def _is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file is of another program, such as those in ``.git``."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def collect(folder: Path) -> dict[str, bytes]:
    """The files of a pack by relative path; links that lead out of it are refused."""
    if not folder.is_dir():
        raise UsageError(Fault(str(folder), "is no folder of rules", "name one"))
    found: dict[str, bytes] = {}
    root = folder.resolve()
    # Sorted, so that order of faults and digest are the same on every file system.
    for path in sorted(folder.rglob("*")):
        if path.suffix not in _READ or not path.is_file() or _is_hidden(path, folder):
            continue
        # A link out of a pack from elsewhere could read any file of the machine into a message.
        if not path.resolve().is_relative_to(root):
            raise PackError(
                Fault(path.relative_to(folder).as_posix(), "leads out of the pack", "copy the file")
            )
        # Asked before reading, so that a huge file costs no memory.
        if path.stat().st_size > MOST_CSV_BYTES:
            raise PackError(Fault(path.relative_to(folder).as_posix(), "is too large", "split it"))
        found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def digest_of(content: Mapping[str, bytes]) -> str:
    """A hash of a pack's files, names and bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(content):
        # Lengths first: without them two packs could run together to the same bytes.
        digest.update(f"{len(name)}:{name}:{len(content[name])}:".encode())
        digest.update(content[name])
    return digest.hexdigest()


class Cache:
    """Parsed files of a pack as JSON, keyed by their content; anything odd is a miss."""

    def __init__(self, folder: Path, contents: Sequence[Mapping[str, bytes]]) -> None:
        hashes = (_CACHE_FORMAT, *(digest_of(content) for content in contents))
        self.key = hashlib.sha256(";".join(hashes).encode()).hexdigest()
        self.path = folder / f"{self.key}.json"

    def read(self) -> list[dict[str, Yaml]] | None:
        """The parsed files of each layer; None where they are not kept or not as written."""
        try:
            seal, _, text = self.path.read_bytes().partition(b"\n")
            # The seal holds the key too: a whole file under another pack's name is a miss.
            if seal.decode() != hashlib.sha256(self.key.encode() + text).hexdigest():
                return None
            made: list[dict[str, Yaml]] = json.loads(text)
            return made
        except (OSError, ValueError):
            return None

    def write(self, data: list[dict[str, Yaml]]) -> None:
        """Keep the parsed files; a folder that cannot be written to is no fault."""
        text = json.dumps(data, separators=(",", ":")).encode()
        seal = hashlib.sha256(self.key.encode() + text).hexdigest().encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Written aside and renamed: a reader at the same time never sees half a file.
            handle, name = tempfile.mkstemp(dir=self.path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(seal + b"\n" + text)
            os.replace(name, self.path)
        except OSError:
            return


def read_files(contents: Mapping[str, bytes], faults: list[Fault]) -> dict[str, Sheet | bytes]:
    """Every YAML file as a Sheet, every CSV as its bytes."""
    made: dict[str, Sheet | bytes] = {}
    for name, raw in contents.items():
        if name.endswith(".csv"):
            made[name] = raw
            continue
        try:
            made[name] = read_yaml(name, raw)
        except PackError as error:
            faults += error.faults
    return made
