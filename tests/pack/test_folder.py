"""Files of a pack on disk: so many and no more, and a cache that nobody else can have written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ivpush import PackError
from ivpush.pack.files import Yaml
from ivpush.pack.folder import Cache, collect, contents_of

CONTENTS = [{"pack.yaml": b"name: ours", "drugs.csv": b""}, {"words.yaml": b"words: {}"}]
KEPT: list[dict[str, Yaml]] = [{"pack.yaml": {"name": "ours"}}, {"words.yaml": {"words": {}}}]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache in which the files are kept."""
    made = Cache(tmp_path / "cache", CONTENTS, "key")
    made.write(KEPT)
    assert made.read() == KEPT
    return made


@pytest.mark.parametrize(
    ("what", "mode"), [("folder", 0o777), ("folder", 0o770), ("file", 0o606), ("file", 0o660)]
)
def test_a_cache_that_others_may_write_is_not_used(cache: Cache, what: str, mode: int) -> None:
    (cache.path.parent if what == "folder" else cache.path).chmod(mode)
    assert cache.read() is None


def test_a_cache_that_others_may_read_is_used(cache: Cache) -> None:
    cache.path.parent.chmod(0o755)
    cache.path.chmod(0o644)
    assert cache.read() == KEPT


def test_a_cache_of_another_user_is_neither_read_nor_written(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: cache.path.stat().st_uid + 1)
    assert cache.read() is None
    before = cache.path.read_bytes()
    cache.write([])
    assert cache.path.read_bytes() == before
    assert len(list(cache.path.parent.iterdir())) == 1


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_in_the_place_of_a_cache_is_not_followed(cache: Cache, what: str) -> None:
    path = cache.path.parent if what == "folder" else cache.path
    other = path.with_name("other")
    path.rename(other)
    path.symlink_to(other)
    assert cache.read() is None


def test_a_pipe_in_the_place_of_a_cache_is_not_waited_for(cache: Cache) -> None:
    cache.path.unlink()
    os.mkfifo(cache.path, 0o600)
    assert cache.read() is None


def test_a_cache_past_its_bound_is_not_read(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivpush.pack.folder.MOST_CACHE_BYTES", cache.path.stat().st_size - 1)
    assert cache.read() is None


@pytest.mark.parametrize(
    "odd",
    ["[3, 4]", "[]", "7", "{}", "[{}, {}]", '[{"pack.yaml": {}}]', "[" * 100_000, "not json"],
    ids=lambda odd: odd[:20],
)
def test_a_sealed_cache_of_odd_content_is_a_miss(cache: Cache, odd: str) -> None:
    seal = hashlib.sha256((cache.key + odd).encode()).hexdigest()
    cache.path.write_text(f"{seal}\n{odd}", "utf-8")
    assert cache.read() is None


@pytest.mark.parametrize(
    ("bound", "most", "said"),
    [
        ("MOST_FILES", 2, "holds more than 2 files; name the folder of a pack"),
        ("MOST_PACK_BYTES", 30, "words.yaml:1:1: is past the 30 bytes that a pack may hold"),
        ("MOST_CSV_BYTES", 10, "sources.yaml:1:1: is too large"),
    ],
)
def test_a_pack_has_so_many_files_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int, said: str
) -> None:
    for name in ("sources", "texts", "words"):
        (tmp_path / f"{name}.yaml").write_text(f"{name}: {{}}\n", "utf-8")
    assert len(contents_of(collect(tmp_path))) == 3
    monkeypatch.setattr(f"ivpush.pack.folder.{bound}", most)
    with pytest.raises(PackError, match=said):
        contents_of(collect(tmp_path))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"gone\.yaml: cannot be read: No such file"):
        contents_of({"gone.yaml": tmp_path / "gone.yaml"})


# --- what looks like a file of a pack


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("words.yaml", lambda path: path.symlink_to("nowhere.yaml"), "words.yaml: is no file"),
        ("words.yaml", lambda path: path.symlink_to(path), "words.yaml: is no file"),
        ("words.yaml", lambda path: path.symlink_to("/dev/zero"), "leads out of the pack"),
        ("words.yaml", lambda path: path.mkdir(), "words.yaml: is no file"),
        ("drugs.csv", os.mkfifo, "drugs.csv: is no file"),
        ("checks", lambda path: path.symlink_to(".kept"), "checks: is a link to a folder"),
        ("checks", lambda path: path.symlink_to("/usr"), "checks: leads out of the pack"),
    ],
)
def test_what_would_be_passed_over_in_silence_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], object], said: str
) -> None:
    (tmp_path / ".kept").mkdir()
    (tmp_path / "sources.yaml").write_text("sources: {}\n", "utf-8")
    assert list(collect(tmp_path)) == ["sources.yaml"]
    make(tmp_path / name)
    with pytest.raises(PackError, match=said):
        collect(tmp_path)
