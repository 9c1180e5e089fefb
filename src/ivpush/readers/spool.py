"""A stream that can be read twice: itself where it can go back, else a copy on disk without a name.

Files whose records belong together without standing together are read once for an index and once
for their content. The copy has no name, ends with the reading, and is never kept.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["rewindable"]


@contextmanager
def rewindable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The stream, or a copy of the rest of it, at the place where reading begins."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy
