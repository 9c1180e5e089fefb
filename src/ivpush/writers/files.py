"""Files that appear whole or not at all: written as ``FILE.partial``, locked, and then renamed.

The command line and batches open every file of results here, so that no two runs of any kind write
one file at a time, and nothing is written onto a folder, a device, or through a symbolic link.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO

from ivpush.errors import Fault, UsageError

__all__ = ["is_at", "open_partial", "partial_of", "publish", "require_there", "unfit"]


def partial_of(path: Path) -> Path:
    """The name of a file while it is not whole."""
    return path.with_name(path.name + ".partial")


def unfit(target: Path) -> tuple[str, str] | None:
    """Why a path can be no file of ours, and the remedy."""
    if target.is_symlink():
        return "is a symbolic link", "name the file itself; - is standard output"
    if target.is_dir():
        return "is a folder", "name a file in it"
    if not target.parent.is_dir():
        return "stands in a folder that does not exist", "make the folder first"
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        return "is no ordinary file", "name a file; - is standard output"
    return None


def open_partial(path: Path, keep: int = 0) -> IO[bytes]:
    """The partial file of a path, locked, with its first bytes kept and the rest cut off.

    It has no buffer, so that what is written is in the file. Raises OSError, and UsageError where
    another run writes it or it is shorter than what is to be kept.
    """
    partial = partial_of(path)
    stream = _opened(partial)
    try:
        _lock(stream, path)
        while not is_at(partial, stream):
            # Another run gave it its name since it was opened: what is open is a whole file now.
            stream.close()
            stream = _opened(partial)
            _lock(stream, path)
        if stream.seek(0, os.SEEK_END) < keep:
            problem = "is shorter than its checkpoint says"
            raise UsageError(Fault(str(partial), problem, "begin anew without resuming"))
        # Not before it is locked: else the rows of another run would be lost.
        stream.truncate(keep)
        stream.seek(keep)
    except BaseException:
        stream.close()
        raise
    return stream


def _opened(partial: Path) -> IO[bytes]:
    # O_NOFOLLOW: a link put there since the check would lead to a file of someone else.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(partial, flags, 0o666), "r+b", buffering=0)


def _lock(stream: IO[bytes], path: Path) -> None:
    """Keep a second run away from the file, where the system can; raises UsageError."""
    try:
        import fcntl
    except ImportError:  # not on every system
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        problem, remedy = "is being written by another run", "wait for it, or name another file"
        raise UsageError(Fault(str(path), problem, remedy)) from None


def is_at(partial: Path, stream: IO[bytes]) -> bool:
    """Whether the name still leads to the file that is open."""
    try:
        return os.path.samestat(os.stat(partial), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def require_there(stream: IO[bytes], path: Path) -> None:
    """Raise OSError where the partial file of a path is no longer the one that is written."""
    if not is_at(partial_of(path), stream):
        raise OSError(errno.ENOENT, "it was taken away or replaced while it was written")


def publish(stream: IO[bytes], path: Path) -> None:
    """Make the bytes durable, give the file its name, and close it; raises OSError."""
    # Else a file that somebody put in its place would get the name.
    require_there(stream, path)
    # Without it a power cut could leave the new name on a file without its bytes.
    os.fsync(stream.fileno())
    # Windows renames no open file; elsewhere the lock is held until the file has its name.
    if os.name == "nt":
        stream.close()
    partial_of(path).replace(path)
    stream.close()
