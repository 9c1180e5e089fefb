"""What a batch writes: files that grow by whole chunks, and the checkpoint beside them.

``runner`` opens an ``Output`` a file and writes a ``Checkpoint`` after each chunk. A file is
``NAME.partial`` until the run is whole. After each chunk its bytes are made durable, and
only then does the checkpoint say so; a file is therefore never shorter than its checkpoint, and
what stands beyond it is cut off when the run is resumed.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ivpush.errors import Fault, UsageError

__all__ = ["Checkpoint", "Output", "promote", "refuse"]

_FORM = 2
"""Number of the checkpoint's layout; another one is not read."""
_MEND = "make room or name another file"


@contextmanager
def _watched(name: str) -> Iterator[None]:
    """Turns failures to write into UsageError; a closed pipe stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(
            Fault(name, f"cannot be written: {error.strerror or 'failed'}", _MEND)
        ) from None


def refuse(path: str, inputs: tuple[str, ...], taken: set[str]) -> None:
    """Raise UsageError where a file must not be written: an input, a folder, a device, a link."""
    target = Path(path)
    problem = remedy = ""
    if target.is_symlink():
        problem, remedy = "is a symbolic link", "name the file itself"
    elif target.is_dir():
        problem, remedy = "is a folder", "name a file in it"
    elif not target.parent.is_dir():
        problem, remedy = "stands in a folder that does not exist", "make the folder first"
    elif target.exists() and not stat.S_ISREG(target.stat().st_mode):
        problem, remedy = "is no ordinary file", "name a file; - is standard output"
    # By the file and not its name: an input may go by several names.
    elif any(name != "-" and target.exists() and target.samefile(name) for name in inputs):
        problem, remedy = "is an input of this run", "name another file"
    elif str(target.resolve()) in taken:
        problem, remedy = "is written twice in this run", "name another file"
    if problem:
        raise UsageError(Fault(path, problem, remedy))
    taken.add(str(target.resolve()))


class Output:
    """One output: standard output, or a file that gets its name when it is whole.

    ::

        output = Output("results.ndjson")
        output.append(rows)
        output.sync()
        output.finish()

    Every method raises UsageError where the system refuses to write.
    """

    def __init__(self, path: str, keep: int | None = None) -> None:
        """``keep`` is the length that a checkpoint vouches for; None begins anew."""
        self.path = None if path == "-" else Path(path)
        self.name = "standard output" if path == "-" else path
        self.length = keep or 0
        with _watched(self.name):
            self._out: IO[bytes] = self._opened()

    def _opened(self) -> IO[bytes]:
        """The stream, with nothing in it beyond what is to be kept."""
        if self.path is None:
            sys.stdout.flush()
            return sys.stdout.buffer
        # O_NOFOLLOW: a link put there since the check would lead to a file of someone else.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(self.partial, flags | getattr(os, "O_BINARY", 0), 0o666)
        # Without a buffer, so that what is written is in the file and its length is known.
        stream = os.fdopen(handle, "r+b", buffering=0)
        self._lock(stream)
        if stream.seek(0, os.SEEK_END) < self.length:
            stream.close()
            raise UsageError(
                Fault(
                    str(self.partial),
                    "is shorter than its checkpoint says",
                    "begin anew without resuming",
                )
            )
        stream.truncate(self.length)
        stream.seek(self.length)
        return stream

    @property
    def partial(self) -> Path:
        """The file's name while it is not whole."""
        return _partial(self.path or Path())

    def _lock(self, stream: IO[bytes]) -> None:
        """Keep a second run away from the same file, where the system can."""
        try:
            import fcntl  # noqa: PLC0415  (not on every system)
        except ImportError:
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            raise UsageError(
                Fault(
                    self.name,
                    "is being written by another run",
                    "wait for it, or name another file",
                )
            ) from None

    def append(self, rows: bytes) -> None:
        """Write further rows."""
        with _watched(self.name):
            left = memoryview(rows)
            # An unbuffered stream may take less than it is given.
            while left:
                left = left[self._out.write(left) :]
        self.length += len(rows)

    def sync(self) -> None:
        """Make what was written durable."""
        with _watched(self.name):
            self._out.flush()
            if self.path is not None:
                os.fsync(self._out.fileno())

    def finish(self) -> None:
        """Give the file its name."""
        if self.path is not None:
            with _watched(self.name):
                self._out.close()
                self.partial.replace(self.path)

    def leave(self, length: int) -> None:
        """Stop short: keep the whole chunks, which end at ``length``, under the partial name."""
        if self.path is not None:
            with suppress(OSError):
                self._out.truncate(length)
                self._out.close()


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


class Checkpoint:
    """The state of a run as a small JSON file, replaced as a whole each time.

    ::

        checkpoint = Checkpoint("results.ndjson")  # beside it: results.ndjson.checkpoint
        checkpoint.write(state)
        state = checkpoint.read()
    """

    def __init__(self, first: str) -> None:
        """``first`` is the first output of the run that is a file."""
        target = Path(first)
        self.path = target.with_name(target.name + ".checkpoint")
        self._new = target.with_name(target.name + ".checkpoint.new")

    def read(self) -> dict[str, Any] | None:
        """The state; None where no run has left one. Raises UsageError for a damaged one."""
        try:
            state = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            state = None
        if not isinstance(state, dict) or state.get("form") != _FORM:
            raise UsageError(
                Fault(
                    str(self.path),
                    "is no checkpoint that can be read",
                    "begin anew without resuming",
                )
            )
        return state

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace the state; whoever reads it sees the old or the new one, never a part."""
        with _watched(str(self.path)):
            with self._new.open("wb") as file:
                file.write(json.dumps({"form": _FORM, **state}, indent=1).encode() + b"\n")
                # On the disk before it takes the old one's place; else an end of power could leave
                # neither.
                file.flush()
                os.fsync(file.fileno())
            self._new.replace(self.path)

    def remove(self) -> None:
        """The run is whole: nothing is left to resume."""
        with suppress(OSError):
            self._new.unlink()
        with suppress(FileNotFoundError), _watched(str(self.path)):
            self.path.unlink()


def promote(path: str) -> None:
    """Give a whole file its name, where a run was killed just before it did so."""
    partial = _partial(Path(path))
    if partial.exists():
        with _watched(path):
            partial.replace(path)
