"""Files of results: one run at a time, whole under their names, cut only once they are locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivpush import UsageError
from ivpush.writers.files import open_partial, partial_of, publish


def test_a_second_run_neither_writes_nor_cuts_what_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "o"
    with open_partial(path) as first:
        first.write(b"rows of the first\n")
        with pytest.raises(UsageError, match="is being written by another run"):
            open_partial(path)
        publish(first, path)
    assert path.read_bytes() == b"rows of the first\n"


def test_a_file_that_got_its_name_while_another_run_opened_it_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "o"
    first = open_partial(path)
    first.write(b"rows of the first\n")
    from ivpush.writers import files

    opened = files._opened

    def just_then(partial: Path) -> object:
        monkeypatch.setattr(files, "_opened", opened)
        stream = opened(partial)
        publish(first, path)
        return stream

    monkeypatch.setattr(files, "_opened", just_then)
    with open_partial(path) as second:
        second.write(b"second\n")
        assert path.read_bytes() == b"rows of the first\n"
        publish(second, path)
    assert path.read_bytes() == b"second\n"


def test_what_somebody_put_in_its_place_does_not_get_its_name(tmp_path: Path) -> None:
    path = tmp_path / "o"
    with open_partial(path) as first:
        partial_of(path).unlink()
        with open_partial(path) as second:
            second.write(b"rows of the second, not whole\n")
            with pytest.raises(OSError, match="taken away or replaced"):
                publish(first, path)
            assert not path.exists()
            publish(second, path)
    assert path.read_bytes() == b"rows of the second, not whole\n"


def test_what_is_kept_is_kept_and_the_rest_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "o"
    partial_of(path).write_bytes(b"kept, torn")
    with open_partial(path, keep=4) as stream:
        stream.write(b"!")
    assert partial_of(path).read_bytes() == b"kept!"
    with pytest.raises(UsageError, match="is shorter than its checkpoint says"):
        open_partial(path, keep=6)


def test_a_link_put_there_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"of someone else")
    partial_of(tmp_path / "o").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        open_partial(tmp_path / "o")
    assert (tmp_path / "other").read_bytes() == b"of someone else"
