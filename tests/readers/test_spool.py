"""Streams that cannot go back are copied to disk, whose end is told as such."""

from __future__ import annotations

import errno
import io
import tempfile
from typing import Any

import pytest

from ivpush import UsageError
from ivpush.readers.spool import rewindable


class Pipe(io.BytesIO):
    """A stream that cannot go back."""

    def seekable(self) -> bool:
        return False


def test_a_pipe_can_be_read_twice() -> None:
    with rewindable(Pipe(b"MSH|")) as stream:
        assert stream.read() == b"MSH|"
        stream.seek(0)
        assert stream.read() == b"MSH|"


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOSPC, UsageError, "temporary files: cannot be written; make room"),
        (errno.EIO, OSError, "went away"),
    ],
)
def test_a_full_disk_is_told_from_an_input_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], said: str
) -> None:
    class Full(io.BytesIO):
        def write(self, _block: Any) -> int:
            raise OSError(number, "went away")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(kind, match=said), rewindable(Pipe(b"MSH|")):
        pass
