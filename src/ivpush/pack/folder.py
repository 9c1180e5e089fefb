"""The folder of a pack: its files as bytes, parsed, and kept parsed between runs.

``Pack.load`` is the only caller, but for ``rules_folder`` and ``package_folder``, which say where
shipped files lie. Nothing else of the library reads the rules from disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache as once
from importlib.resources import files
from itertools import islice
from pathlib import Path

from ivpush.errors import Fault, PackError, UsageError
from ivpush.pack.files import MOST_CSV_BYTES, Say, Sheet, Yaml, read_yaml

__all__ = [
    "Cache",
    "collect",
    "contents_of",
    "digest_of",
    "key_of",
    "package_folder",
    "read_files",
    "rules_folder",
]

# To be raised when the parsed form changes: old files then are misses.
_CACHE_FORMAT = "2"
MOST_CACHE_BYTES = 64 * 1024 * 1024
MOST_FILES = 100_000
"""Folders and files of other programs among them, such as those of ``.git``."""
MOST_PACK_BYTES = 256 * 1024 * 1024


def package_folder() -> Path:
    """The folder of the package itself, for what it ships beside its modules."""
    return Path(str(files("ivpush")))


@once
def rules_folder() -> Path:
    """The shipped rules: inside the package when installed, beside ``src`` in a checkout."""
    inside = package_folder() / "rules"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "rules"


_READ = {".yaml", ".yml", ".csv"}
"""Files that may be meant for a pack; .yml is read nowhere, and the one who reads names it."""


def _is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file is of another program, such as those in ``.git``."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def collect(folder: Path) -> dict[str, Path]:
    """The files of a pack by relative path; links that lead out of it are refused."""
    if not folder.is_dir():
        raise UsageError(Fault(str(folder), "is no folder of rules", "name one"))
    paths: dict[str, Path] = {}
    root = folder.resolve()
    for path in _below(folder):
        # What a linked folder holds is not looked for: its rules would be missed in silence.
        linked = path.is_symlink() and path.is_dir()
        if _is_hidden(path, folder) or not (linked or path.suffix.lower() in _READ):
            continue
        name = path.relative_to(folder).as_posix()
        # A link out of a pack from elsewhere could read any file of the machine into a message.
        # realpath, because resolve fails on a link that leads to itself.
        if not Path(os.path.realpath(path)).is_relative_to(root):
            raise PackError(Fault(name, "leads out of the pack", "copy the file"))
        if not path.is_file():
            problem = "is a link to a folder" if linked else "is no file"
            raise PackError(Fault(name, problem, "put a file in its place, or take it out"))
        paths[name] = path
    return paths


def _below(folder: Path) -> list[Path]:
    """All that a folder holds, at most so much as a pack may."""
    paths = list(islice(folder.rglob("*"), MOST_FILES + 1))
    if len(paths) > MOST_FILES:
        problem = f"holds more than {MOST_FILES:,} files"
        raise PackError(Fault(str(folder), problem, "name the folder of a pack"))
    # Sorted, so that order of faults and digest are the same on every file system.
    return sorted(paths)


def contents_of(paths: Mapping[str, Path]) -> dict[str, bytes]:
    """The bytes of a pack's files; raises PackError where they are too many, or cannot be read."""
    contents: dict[str, bytes] = {}
    left = MOST_PACK_BYTES
    for name, path in paths.items():
        try:
            # Asked before reading, so that a huge file costs no memory.
            size = path.stat().st_size
            if size > MOST_CSV_BYTES:
                raise PackError(Fault(f"{name}:1:1", "is too large", "split it"))
            left -= size
            if left < 0:
                problem = f"is past the {MOST_PACK_BYTES:,} bytes that a pack may hold"
                raise PackError(
                    Fault(f"{name}:1:1", problem, "leave out tables that are not needed")
                )
            contents[name] = path.read_bytes()
        except OSError as error:
            problem = f"cannot be read: {error.strerror or 'failed'}"
            raise PackError(Fault(name, problem, "mend it, or take it out")) from None
    return contents


def digest_of(content: Mapping[str, bytes]) -> str:
    """A hash of a pack's files, names and bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(content):
        # Lengths first: without them two packs could run together to the same bytes.
        digest.update(f"{len(name)}:{name}:{len(content[name])}:".encode())
        digest.update(content[name])
    return digest.hexdigest()


def key_of(digests: Iterable[str]) -> str:
    """The hash of a stack of packs, of their hashes, in hexadecimal."""
    return hashlib.sha256(";".join((_CACHE_FORMAT, *digests)).encode()).hexdigest()


class Cache:
    """Parsed files of a pack as JSON, keyed by their content; anything odd is a miss."""

    def __init__(self, folder: Path, contents: Sequence[Mapping[str, bytes]], key: str) -> None:
        self.key = key
        self.path = folder / f"{self.key}.json"
        self._names = [
            sorted(name for name in content if not name.endswith(".csv")) for content in contents
        ]

    def read(self) -> list[dict[str, Yaml]] | None:
        """The parsed files of each layer; None where they are not kept or not as written."""
        try:
            seal, _, text = self._kept().partition(b"\n")
            # The seal holds the key too: a whole file under another pack's name is a miss.
            if seal.decode() != hashlib.sha256(self.key.encode() + text).hexdigest():
                return None
            layers = json.loads(text)
        except (OSError, ValueError, RecursionError):
            return None
        return layers if self._fits(layers) else None

    def _kept(self) -> bytes:
        """The bytes of the file; raises OSError where anybody else could have written them.

        The seal is no secret: who may write here could change every verdict.
        """
        _require_own(os.stat(self.path.parent, follow_symlinks=False))
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        # Else a pipe in its place would be waited for.
        flags |= getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(self.path, flags), "rb") as file:
            state = os.fstat(file.fileno())
            _require_own(state)
            if not stat.S_ISREG(state.st_mode) or state.st_size > MOST_CACHE_BYTES:
                raise OSError
            return file.read()

    def _fits(self, layers: object) -> bool:
        """Whether data has the form of what is kept: a mapping of its YAML files a layer."""
        return (
            isinstance(layers, list)
            and all(isinstance(layer, dict) for layer in layers)
            and [sorted(layer) for layer in layers] == self._names
        )

    def write(self, data: list[dict[str, Yaml]]) -> None:
        """Keep the parsed files; a folder that cannot be written to is no fault."""
        text = json.dumps(data, separators=(",", ":")).encode()
        seal = hashlib.sha256(self.key.encode() + text).hexdigest().encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _require_own(os.stat(self.path.parent, follow_symlinks=False))
            # Written aside and renamed: a reader at the same time never sees half a file.
            handle, name = tempfile.mkstemp(dir=self.path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(seal + b"\n" + text)
            os.replace(name, self.path)
        except OSError:
            return


def _require_own(state: os.stat_result) -> None:
    """Raise OSError unless a file or folder is this user's, and nobody else may write to it."""
    # Windows has neither; there the folder lies in the profile of its user.
    if not hasattr(os, "geteuid"):
        return
    if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError


def read_files(contents: Mapping[str, bytes], say: Say) -> dict[str, Sheet | bytes]:
    """Every YAML file as a Sheet, every CSV as its bytes."""
    made: dict[str, Sheet | bytes] = {}
    for name, raw in contents.items():
        if name.endswith(".csv"):
            made[name] = raw
            continue
        try:
            made[name] = read_yaml(name, raw)
        except PackError as error:
            for fault in error.faults:
                say(fault)
    return made
