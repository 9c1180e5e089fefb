"""Reading twice: once for an index of numbers, once for the content, so that memory stays flat.

Records of one encounter may stand anywhere in a file. A stream that cannot go back is copied to
disk meanwhile; the copy has no name, ends with the reading, and is never kept. Readers of HL7 and
FHIR read so; those of tables have a database of their own, whose disk may be full as well.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from ivpush.errors import Fault, UsageError

__all__ = ["Index", "no_room", "rewindable"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def no_room() -> UsageError:
    """The error of a temporary file that its disk has no room for; no record is at fault."""
    problem, remedy = "cannot be written", "make room, or name another folder in TMPDIR"
    return UsageError(Fault("temporary files", problem, remedy))


@contextmanager
def rewindable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The stream, or a copy of the rest of it, at the place where reading begins."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        try:
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
        except OSError as error:
            # Else it would read as if the input could not be read.
            raise no_room() if error.errno in _FULL else error from None
        yield copy


class Index:
    """Numbers of resources in groups, groups in the order of their first resource.

    ::

        index = Index()
        index.add("visit 1", 0)
        index.add("visit 2", 1)
        index.add("visit 1", 2)
        list(index.groups())            # [("visit 1", [0, 2]), ("visit 2", [1])]
    """

    __slots__ = ("_groups", "_heads", "_next", "_same", "_spots", "_tails")

    def __init__(self) -> None:
        # A group is a chain through arrays, 16 bytes a resource; a list of each would cost more.
        self._groups: dict[str, int] = {}
        self._same: dict[str, str] = {}
        self._heads, self._tails = array("q"), array("q")
        self._next, self._spots = array("q"), array("q")

    def add(self, key: str, spot: int) -> None:
        """Put a resource that stands at ``spot`` into the group of ``key``."""
        number = len(self._spots)
        self._spots.append(spot)
        self._next.append(-1)
        group = self._groups.setdefault(key, len(self._groups))
        if group == len(self._heads):
            self._heads.append(number)
            self._tails.append(number)
            return
        self._next[self._tails[group]] = number
        self._tails[group] = number

    def alike(self, names: list[str]) -> None:
        """Say that several keys name one encounter, the first being its own."""
        for name in names[1:]:
            self._same.setdefault(name, names[0])

    def own_key(self, key: str) -> str:
        """The encounter's own key behind one of its names."""
        return self._same.get(key, key)

    def groups(self) -> Iterator[tuple[str, list[int]]]:
        """Every group with the spots of its resources, names of one encounter put together."""
        together: dict[str, list[int]] = {}
        for key, group in self._groups.items():
            together.setdefault(self.own_key(key), []).append(group)
        for key, members in together.items():
            yield key, sorted(spot for group in members for spot in self._chain(group))

    def _chain(self, group: int) -> Iterator[int]:
        """The spots of one group, in the order in which they were added."""
        at = self._heads[group]
        while at >= 0:
            yield self._spots[at]
            at = self._next[at]
