"""What a batch writes: files that grow by whole chunks, and the checkpoint beside them.

``runner`` opens an ``Output`` a file and writes a ``Checkpoint`` after each chunk. A file is
``NAME.partial`` until the run is whole. After each chunk its bytes are made durable, and
only then does the checkpoint say so; a file is therefore never shorter than its checkpoint, and
what stands beyond it is cut off when the run is resumed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from ivpush.errors import Fault, UsageError
from ivpush.writers.files import open_partial, partial_of, publish, require_there, unfit

__all__ = ["Checkpoint", "Kept", "Output", "promote", "refuse"]

_FORM = 3
"""Number of the checkpoint's layout; another one is not read."""
_BLOCK = 1024 * 1024
_MOST_CHECKPOINT_BYTES = 16 * 1024 * 1024
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
    problem, remedy = unfit(target) or ("", "")
    # By the file and not its name: an input may go by several names.
    if not problem and any(_is_same(target, name) for name in inputs):
        problem, remedy = "is an input of this run", "name another file"
    if not problem and str(target.resolve()) in taken:
        problem, remedy = "is written twice in this run", "name another file"
    if problem:
        raise UsageError(Fault(path, problem, remedy))
    taken.add(str(target.resolve()))


def _is_same(target: Path, name: str) -> bool:
    return name != "-" and target.exists() and target.samefile(name)


class Kept(NamedTuple):
    """What a checkpoint vouches for of one output."""

    length: int
    digest: str
    """Of its bytes, in hexadecimal."""


def _hash_of(stream: IO[bytes]) -> hashlib._Hash:
    """The hash of a file's bytes, at whose end the stream stands afterwards."""
    digest = hashlib.sha256()
    stream.seek(0)
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest


class Output:
    """One output: standard output, or a file that gets its name when it is whole.

    ::

        output = Output("results.ndjson")
        output.append(rows)
        output.sync()
        output.finish()

    Every method raises UsageError where the system refuses to write.
    """

    def __init__(self, path: str, kept: Kept | None = None) -> None:
        """``kept`` is what a checkpoint vouches for; None begins anew."""
        self.path = None if path == "-" else Path(path)
        self.name = "standard output" if path == "-" else path
        self.length = kept.length if kept is not None else 0
        self._hash = hashlib.sha256()
        with _watched(self.name):
            self._out: IO[bytes] = self._opened(kept)

    @property
    def kept(self) -> Kept:
        """What a checkpoint may vouch for, once it is durable."""
        return Kept(self.length, self._hash.hexdigest())

    def _opened(self, kept: Kept | None) -> IO[bytes]:
        """The stream, with nothing in it beyond what is to be kept."""
        if self.path is None:
            sys.stdout.flush()
            return sys.stdout.buffer
        stream = open_partial(self.path, self.length)
        if kept is not None:
            self._hash = _hash_of(stream)
            if self._hash.hexdigest() != kept.digest:
                stream.close()
                problem = "holds other bytes than its checkpoint says"
                remedy = "begin anew without resuming"
                raise UsageError(Fault(str(partial_of(self.path)), problem, remedy))
        return stream

    def append(self, rows: bytes) -> None:
        """Write further rows."""
        with _watched(self.name):
            left = memoryview(rows)
            # An unbuffered stream may take less than it is given.
            while left:
                left = left[self._out.write(left) :]
        self.length += len(rows)
        self._hash.update(rows)

    def sync(self) -> None:
        """Make what was written durable."""
        with _watched(self.name):
            self._out.flush()
            if self.path is not None:
                os.fsync(self._out.fileno())
                require_there(self._out, self.path)

    def finish(self) -> None:
        """Give the file its name."""
        if self.path is not None:
            with _watched(self.name):
                publish(self._out, self.path)

    def leave(self, length: int) -> None:
        """Stop short: keep the whole chunks, which end at ``length``, under the partial name."""
        # Closed: it has its name, and another output failed to get one.
        if self.path is not None and not self._out.closed:
            with suppress(OSError):
                self._out.truncate(length)
                self._out.close()


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
            with self.path.open("rb") as file:
                state = json.loads(file.read(_MOST_CHECKPOINT_BYTES))
            if isinstance(state, dict) and state.pop("seal", None) == _seal(state):
                return state
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            pass
        raise self.damaged()

    def damaged(self) -> UsageError:
        """The error of a checkpoint that no run has written so."""
        problem, remedy = "is no checkpoint that can be read", "begin anew without resuming"
        return UsageError(Fault(str(self.path), problem, remedy))

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace the state; whoever reads it sees the old or the new one, never a part."""
        with _watched(str(self.path)):
            with self._new.open("wb") as file:
                sealed = {"seal": _seal(state), **state}
                file.write(json.dumps(sealed, indent=1).encode() + b"\n")
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


def _seal(state: Mapping[str, Any]) -> str:
    """A hash of a state, by which a damaged one is told; it keeps nobody from writing another."""
    text = json.dumps(state, sort_keys=True)
    return hashlib.sha256(f"{_FORM}:{text}".encode()).hexdigest()


def promote(path: str, kept: Kept) -> None:
    """Give a whole file its name, where a run was killed just before it did so.

    Raises UsageError where neither name leads to the bytes that the checkpoint vouches for.
    """
    if partial_of(Path(path)).exists():
        Output(path, kept).finish()
        return
    try:
        with Path(path).open("rb") as whole:
            there = _hash_of(whole).hexdigest() == kept.digest
    except OSError:
        there = False
    if not there:
        problem = "is not there as its checkpoint says"
        raise UsageError(Fault(path, problem, "begin anew without resuming"))
