"""Batches: nothing is lost, whatever happens to processes, disks and pipes."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine, UsageError
from ivpush.batch import Counts, EngineOptions, Outcome, Plan, Seen, check_many, outputs, run
from ivpush.batch.plan import Item, WorkOptions
from ivpush.batch.pool import spread
from ivpush.batch.work import Done, Worker
from ivpush.engine import Worked
from ivpush.readers import ReadOptions, Record, SetAside
from ivpush.readers.json import read
from ivpush.writers.files import publish
from tests.shipped import ENGINE

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [
    json.loads(one.read_text("utf-8")) for one in sorted((ROOT / "examples").glob("*.json"))
]
QUICK = [one for one in EXAMPLES if one["id"] in {"ed-1", "office-1", "chemo-1"}]
BAD = [
    b'{"id": 1,\n',
    b'{"id": "x", "setting": "facility", "id": "y"}\n',
    b'{"id": "SECRET"}\n',
    b'"text"\n',
    b"\xff\n",
]


def lines(count: int, *, bad: bool = True) -> list[bytes]:
    """Records with ids of their own; every seventh is followed by one that cannot be read."""
    made = []
    for n in range(count):
        made.append(json.dumps({**QUICK[n % len(QUICK)], "id": f"E{n}"}).encode() + b"\n")
        if bad and n % 7 == 3:
            made.append(BAD[n % len(BAD)])
            made.append(b"\n")
    return made


def ndjson(folder: Path, count: int, name: str = "in.ndjson", *, bad: bool = True) -> Path:
    path = folder / name
    path.write_bytes(b"".join(lines(count, bad=bad)))
    return path


def plan(source: Path | Sequence[Path], folder: Path, **more: Any) -> Plan:
    files = [source] if isinstance(source, Path) else source
    return Plan(
        tuple(map(str, files)),
        **{
            "outputs": (
                ("ndjson", str(folder / "out.ndjson")),
                ("csv", str(folder / "out.csv")),
            ),
            "set_aside": str(folder / "aside.ndjson"),
            "workers": 0,
            **more,
        },
    )


def written(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes], Counts]:
    """An input, what one process alone makes of it, and its counts."""
    folder = tmp_path_factory.mktemp("whole")
    source, out = ndjson(folder, 60), folder / "out"
    out.mkdir()
    counts = run(plan(source, out))
    return source, written(out), counts


def test_a_batch_says_what_one_engine_says(whole: tuple[Path, dict[str, bytes], Counts]) -> None:
    source, made, counts = whole
    engine = ENGINE
    with source.open("rb") as stream:
        readings = list(read(str(source), stream))
    results = [engine.check(one.encounter) for one in readings if isinstance(one, Record)]
    assert made["out.ndjson"] == b"".join(one.to_json() + b"\n" for one in results)
    aside = [one for one in readings if isinstance(one, SetAside)]
    rows = [json.loads(one) for one in made["aside.ndjson"].splitlines()]
    assert [one["place"] for one in rows] == [one.place for one in aside]
    assert counts.read == len(readings) == counts.checked + counts.set_aside
    assert (counts.checked, counts.set_aside) == (len(results), len(aside)) == (60, 9)
    found = [one.severity for result in results for one in result.violations]
    assert (counts.errors, counts.infos) == (found.count("error"), found.count("info"))
    assert counts.violations == len(found) - counts.infos
    assert sorted(made) == ["aside.ndjson", "out.csv", "out.ndjson"]
    assert made["out.csv"].count(b"place,encounter,") == 1
    assert b"SECRET" not in made["aside.ndjson"]


@pytest.mark.parametrize(
    ("workers", "chunk", "method"),
    [
        (0, 1, "spawn"),
        (0, 7, "spawn"),
        (1, 7, "spawn"),
        (2, 1, "spawn"),
        (2, 1000, "spawn"),
        (4, 7, "spawn"),
    ],
)
def test_processes_and_chunks_change_no_byte(
    whole: tuple[Path, dict[str, bytes], Counts],
    tmp_path: Path,
    workers: int,
    chunk: int,
    method: str,
) -> None:
    source, made, counts = whole
    got = run(plan(source, tmp_path, workers=workers, chunk=chunk, method=method))
    assert got == counts
    assert written(tmp_path) == made


def command(*arguments: str | Path, **environ: str) -> list[str]:
    return [sys.executable, "-m", "ivpush", "check", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}


@pytest.mark.parametrize(
    "more",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
    ],
)
def test_hash_seed_zone_and_locale_change_no_byte(
    whole: tuple[Path, dict[str, bytes], Counts], tmp_path: Path, more: dict[str, str]
) -> None:
    source, made, _ = whole
    targets = [
        f"--output=ndjson:{tmp_path}/out.ndjson",
        f"--output=csv:{tmp_path}/out.csv",
        f"--set-aside={tmp_path}/aside.ndjson",
    ]
    done = subprocess.run(
        command(source, "--workers=2", "--chunk=9", "--no-cache", *targets),
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "69 in = 60 checked + 9 set aside" in done.stderr
    assert written(tmp_path) == made


def test_many_files_and_patterns_are_read_in_order(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    ndjson(source, 3, "b.ndjson")
    ndjson(source, 2, "a.ndjson")
    with gzip.open(source / "c.ndjson.gz", "wb") as stream:
        stream.writelines(lines(2))
    (source / "d.json").write_text(json.dumps(QUICK, indent=1), "utf-8")
    (source / "e.ndjson.gz").write_bytes((source / "c.ndjson.gz").read_bytes()[:-300])
    counts = run(plan(source / "*", out, chunk=4))
    ids = [json.loads(one)["encounter"] for one in written(out)["out.ndjson"].splitlines()]
    assert ids[:10] == ["E0", "E1", "E0", "E1", "E2", "E0", "E1", "chemo-1", "ed-1", "office-1"]
    assert counts.read == counts.checked + counts.set_aside
    assert b"damaged or cut short" in (out / "aside.ndjson").read_bytes()


def test_what_another_reader_makes_goes_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps(QUICK), "utf-8")
    for workers, name in ((0, "one"), (2, "two")):
        (tmp_path / name).mkdir()
        run(plan(tmp_path / "d.json", tmp_path / name, workers=workers, chunk=1))
    engine = ENGINE
    results = [engine.check(Encounter.model_validate(one)).to_json() for one in QUICK]
    assert (tmp_path / "one/out.ndjson").read_bytes().splitlines() == results
    assert written(tmp_path / "one") == written(tmp_path / "two")


def test_files_that_are_whole_only_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read apart, resources that name one another would lose what links them."""
    first, second = ndjson(tmp_path, 1, "a.ndjson"), ndjson(tmp_path, 1, "b.ndjson")
    monkeypatch.setattr(
        "ivpush.readers.json.read_together", lambda _inputs, _options: iter(()), raising=False
    )
    with pytest.raises(UsageError, match="read together"):
        run(plan([first, second], tmp_path))
    monkeypatch.undo()
    assert run(plan([first, second], tmp_path)).read == 2


class Killing(Worker):
    """A worker that dies of one kind of record."""

    def __call__(self, items: Sequence[Item]) -> Done:
        if any(b'"poison"' in item.raw and item.kind != "aside" for item in items):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(items)


class FailingEngine(Engine):
    """An engine that fails on one encounter."""

    def work(self, encounter: Any) -> Worked:
        if encounter.id == "poison":
            raise AttributeError(encounter.id)
        return super().work(encounter)


class Failing(Worker):
    """A worker whose engine fails on one encounter."""

    def __init__(self, options: WorkOptions) -> None:
        super().__init__(options)
        self._engine = FailingEngine(pack=self._engine.pack)


def poisoned(folder: Path) -> Path:
    made = [json.dumps({**QUICK[1], "id": f"E{n}"}).encode() + b"\n" for n in range(11)]
    made[6] = json.dumps({**QUICK[1], "id": "poison"}).encode() + b"\n"
    path = folder / "poisoned.ndjson"
    path.write_bytes(b"".join(made))
    return path


def test_a_record_that_kills_is_found_and_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = poisoned(tmp_path), tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr("ivpush.batch.runner.Worker", Killing)
    counts = run(plan(source, out, workers=1, chunk=8))
    assert (counts.read, counts.checked, counts.set_aside) == (11, 10, 1)
    ids = [json.loads(one)["encounter"] for one in written(out)["out.ndjson"].splitlines()]
    assert ids == [f"E{n}" for n in range(11) if n != 6]
    row = json.loads((out / "aside.ndjson").read_bytes())
    assert row["place"].endswith("poisoned.ndjson:7")
    assert "died" in row["reason"] and "raw" not in row


def test_our_own_failure_sets_the_record_aside_without_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = poisoned(tmp_path), tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr("ivpush.batch.runner.Worker", Failing)
    counts = run(plan(source, out, workers=0, chunk=7))
    assert (counts.read, counts.checked, counts.set_aside) == (11, 10, 1)
    assert counts.internal == 1
    row = json.loads((out / "aside.ndjson").read_bytes())
    assert row["reason"].startswith("failed inside ivpush (AttributeError)")
    ids = [json.loads(one)["encounter"] for one in written(out)["out.ndjson"].splitlines()]
    assert ids == [f"E{n}" for n in range(11) if n != 6]


def test_a_killed_process_costs_nothing(
    whole: tuple[Path, dict[str, bytes], Counts], tmp_path: Path
) -> None:
    source, made, counts = whole
    killed: list[int | None] = []

    def kill(_seen: Seen) -> None:
        if len(killed) < 2:
            victim = multiprocessing.active_children()[0]
            killed.append(victim.pid)
            victim.kill()
            victim.join()  # else it might be found alive, and killed, once more

    assert run(plan(source, tmp_path, workers=2, chunk=5), watch=kill) == counts
    assert len(set(killed)) == 2
    assert written(tmp_path) == made


class Echo:
    """Gives back the places of its records; dies once of a record called ``last``."""

    stamp = "stands"

    def __init__(self, starts: Path) -> None:
        self._starts = starts

    def __call__(self, items: Sequence[Item]) -> list[str]:
        if items[0].place == "last" and self._starts.stat().st_size < 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return [item.place for item in items]


@pytest.mark.parametrize("deaths", [{1}, {1, 2}, {2}, {2, 3}])
def test_a_process_killed_while_it_starts_is_started_again(
    tmp_path: Path, deaths: set[int]
) -> None:
    starts = tmp_path / "starts"

    def make(_options: WorkOptions) -> Echo:
        with starts.open("ab") as file:
            file.write(b".")
        if starts.stat().st_size in deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        return Echo(starts)

    chunks = [(name, [Item("line", name, b"")]) for name in ("first", "last")]
    answers = spread(make, WorkOptions(), chunks, workers=1, method="fork")
    assert list(answers) == [("first", [["first"]]), ("last", [["last"]])]


def test_processes_that_are_always_killed_as_they_start_are_told() -> None:
    def make(_options: WorkOptions) -> Echo:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    with pytest.raises(UsageError, match="a process could not be started"):
        list(spread(make, WorkOptions(), [(0, [])], workers=1, method="fork"))


def test_processes_that_cannot_start_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="policy nonsense"):
        list(check_many([], EngineOptions(policies={"nonsense": 1}), workers=2))


class Ending(Worker):
    """A worker that ends before it is ready."""

    def __init__(self, options: WorkOptions) -> None:
        os._exit(3)


def test_a_process_that_ends_at_once_is_told() -> None:
    with pytest.raises(UsageError, match="could not be started"):
        list(spread(Ending, WorkOptions(), iter([(None, [])]), workers=1))


def test_at_most_two_chunks_a_process_are_in_flight() -> None:
    taken = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal taken
        while True:
            taken += 1
            yield {**QUICK[taken % 3], "id": f"E{taken}"}

    answers = check_many(endless(), workers=2, chunk=3)
    for n in range(1, 20):
        assert next(answers).place == f"record[{n}]"
        assert taken <= n + 3 * (2 * 2 + 1)
    answers.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


# Stopped and resumed.

DRIVER = """
import sys
from ivpush.batch import Plan, run
if __name__ == "__main__":
    source, folder, workers, resume = sys.argv[1:]
    run(Plan((source,), (("ndjson", folder + "/out.ndjson"), ("csv", folder + "/out.csv")),
             folder + "/aside.ndjson", workers=int(workers), chunk=2, resume=resume == "1"))
"""


def progress_of(folder: Path) -> int:
    try:
        made = json.loads((folder / "out.ndjson.checkpoint").read_bytes())
    except (FileNotFoundError, ValueError):
        return -1
    return int(made["counts"]["read"])


def test_ten_kills_change_no_byte(
    whole: tuple[Path, dict[str, bytes], Counts], tmp_path: Path
) -> None:
    source, made, _ = whole
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER, "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    dice, kills = random.Random(7), 0
    for turn in range(10):
        process = subprocess.Popen(
            [sys.executable, str(driver), str(source), str(out), "02"[turn % 2], "1"],
            env=environment(),
            stderr=subprocess.PIPE,
        )
        mark = progress_of(out) + dice.randrange(0, 8)
        while process.poll() is None and progress_of(out) < mark:
            time.sleep(0.002)
        time.sleep(dice.random() / 100)
        process.kill()
        _, errors = process.communicate()
        kills += process.returncode == -signal.SIGKILL
        assert errors == b"" or process.returncode
    assert kills >= 8
    subprocess.run(
        [sys.executable, str(driver), str(source), str(out), "0", "1"],
        env=environment(),
        check=True,
    )
    assert written(out) == made


class Stop(BaseException):
    """Ends a run from within."""


def stopped(made: Plan, after: int = 2) -> None:
    """Run a plan and stop it after some chunks."""
    seen = []

    def stop(one: Seen) -> None:
        seen.append(one)
        if len(seen) == after:
            raise Stop

    with pytest.raises(Stop):
        run(made, watch=stop)


def test_what_is_left_holds_whole_chunks_and_is_resumed(
    whole: tuple[Path, dict[str, bytes], Counts], tmp_path: Path
) -> None:
    source, made, counts = whole
    one = plan(source, tmp_path, chunk=5)
    stopped(one)
    left = written(tmp_path)
    assert sorted(left) == [
        "aside.ndjson.partial",
        "out.csv.partial",
        "out.ndjson.checkpoint",
        "out.ndjson.partial",
    ]
    for name in ("out.ndjson", "out.csv", "aside.ndjson"):
        assert made[name].startswith(left[f"{name}.partial"])
    assert len(left["out.ndjson.partial"].splitlines()) == 9
    with (tmp_path / "out.ndjson.partial").open("ab") as stream:
        stream.write(b"torn")
    assert run(replace(one, chunk=50, workers=1, resume=True)) == counts
    assert written(tmp_path) == made


def test_begun_anew_an_unfinished_run_is_not_dropped_in_silence(
    whole: tuple[Path, dict[str, bytes], Counts], tmp_path: Path
) -> None:
    source, made, counts = whole
    one = plan(source, tmp_path, chunk=5)
    told: list[str] = []
    stopped(one)
    assert run(one, note=told.append) == counts
    assert [text for text in told if "unfinished" in text and "10 records" in text]
    assert written(tmp_path) == made
    told.clear()
    # Nothing is left behind a whole run, so nothing is dropped.
    run(one, note=told.append)
    stopped(one)
    run(replace(one, resume=True), note=told.append)
    assert not [text for text in told if "unfinished" in text]


def test_a_run_killed_while_it_names_its_files_is_finished(
    whole: tuple[Path, dict[str, bytes], Counts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, made, counts = whole

    def die(_self: Any) -> None:
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr("ivpush.batch.outputs.Output.finish", die)
        with pytest.raises(Stop):
            run(plan(source, tmp_path))
    (tmp_path / "out.csv.partial").rename(tmp_path / "out.csv")
    assert run(plan(source, tmp_path, resume=True)) == counts
    assert written(tmp_path) == made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"engine": EngineOptions(payer="medicare")}, "payer"),
        ({"engine": EngineOptions(silent=frozenset({"IVP101"}))}, "silent rules"),
        ({"outputs": (("csv", "out.ndjson"),), "set_aside": None}, "outputs"),
        ({"read": ReadOptions(setting="facility")}, "reading"),
        ({"files": "other"}, "input"),
        ({"files": "longer"}, "input"),
        ({"engine": "pack"}, "rule pack"),
    ],
)
def test_another_input_pack_or_option_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    source, out = ndjson(tmp_path, 8), tmp_path / "out"
    out.mkdir()
    stopped(plan(source, out, chunk=2))
    left = written(out)
    if change.get("files") == "other":
        source.write_bytes(source.read_bytes().replace(b"E1", b"E9"))
    elif change.get("files") == "longer":
        source.write_bytes(source.read_bytes() + lines(1)[0])
    elif change.get("engine") == "pack":
        (tmp_path / "more").mkdir()
        (tmp_path / "more/sources.yaml").write_text("sources: {}\n", "utf-8")
        change = {"engine": EngineOptions(packs=(str(tmp_path / "more"),))}
    if "outputs" in change:
        change = {**change, "outputs": (("csv", str(out / "out.ndjson")),)}
    change = {key: one for key, one in change.items() if key != "files"}
    with pytest.raises(UsageError, match=f"resume: is not possible: .*{said}.* changed"):
        run(replace(plan(source, out, resume=True), **change))
    assert written(out) == left


def test_resume_needs_files_and_a_sound_checkpoint(tmp_path: Path) -> None:
    source = ndjson(tmp_path, 4)
    with pytest.raises(UsageError, match="standard output cannot be cut back"):
        run(Plan((str(source),), resume=True))
    with pytest.raises(UsageError, match="the input cannot be read twice"):
        run(plan(Path("-"), tmp_path, resume=True))
    assert run(plan(source, tmp_path, resume=True)).read == 5


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    source = ndjson(tmp_path, 4)
    stopped(plan(source, tmp_path, chunk=1))
    checkpoint = tmp_path / "out.ndjson.checkpoint"
    text = checkpoint.read_text("utf-8")
    state = json.loads(text)
    del state["seal"]
    by_hand = {**state, "counts": [], "seal": outputs._seal({**state, "counts": []})}
    damaged = {
        "brackets": "[" * 100_000,
        "a number": text.replace('"read": 2', '"read": 3'),
        "no seal": json.dumps(state),
        "other types": json.dumps({**state, "at": 7}),
        "sealed by hand": json.dumps(by_hand),
        "cut": text[:-9],
        "empty": "",
    }
    for name, damage in damaged.items():
        assert damage != text, name
        checkpoint.write_text(damage, "utf-8")
        with pytest.raises(UsageError, match="is no checkpoint that can be read"):
            run(plan(source, tmp_path, resume=True))
    checkpoint.write_text(text, "utf-8")
    assert run(plan(source, tmp_path, resume=True)).read == 5


@pytest.mark.parametrize("name", ["out.ndjson", "out.csv", "aside.ndjson"])
def test_a_file_taken_away_meanwhile_ends_the_run_and_gives_no_other_its_name(
    tmp_path: Path, name: str
) -> None:
    partial = tmp_path / f"{name}.partial"
    seen = []

    def take_away(one: Seen) -> None:
        seen.append(one)
        if len(seen) == 2:
            partial.unlink()

    with pytest.raises(UsageError, match=rf"{name}: cannot be written: it was taken away"):
        run(plan(ndjson(tmp_path, 9), tmp_path, chunk=3), watch=take_away)
    assert len(seen) == 2
    assert not [file for file in written(tmp_path) if file in {"out.ndjson", "out.csv"}]


def test_a_whole_file_lost_before_it_was_named_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ndjson(tmp_path, 4)
    with monkeypatch.context() as patch:
        patch.setattr("ivpush.batch.outputs.Output.finish", lambda _self: stop_here())
        with pytest.raises(Stop):
            run(plan(source, tmp_path))
    (tmp_path / "out.csv.partial").unlink()
    with pytest.raises(UsageError, match=r"out\.csv: is not there as its checkpoint says"):
        run(plan(source, tmp_path, resume=True))


def test_an_output_that_cannot_get_its_name_is_told_when_another_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(stream: Any, path: Path) -> None:
        if path.suffix == ".csv":
            raise OSError(13, "Permission denied")
        publish(stream, path)

    monkeypatch.setattr("ivpush.batch.outputs.publish", refuse)
    source = ndjson(tmp_path, 4)
    with pytest.raises(UsageError, match=r"out\.csv: cannot be written: Permission denied"):
        run(plan(source, tmp_path))
    monkeypatch.undo()
    assert run(plan(source, tmp_path, resume=True)).read == 5
    assert "out.csv" in written(tmp_path)


@pytest.mark.parametrize("done", [False, True])
def test_rows_changed_behind_a_checkpoint_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    source = ndjson(tmp_path, 4)
    if done:
        with monkeypatch.context() as patch:
            patch.setattr("ivpush.batch.outputs.Output.finish", lambda _self: stop_here())
            with pytest.raises(Stop):
                run(plan(source, tmp_path))
    else:
        stopped(plan(source, tmp_path, chunk=1))
    partial = tmp_path / "out.ndjson.partial"
    rows = bytearray(partial.read_bytes())
    rows[12] ^= 1
    partial.write_bytes(rows)
    with pytest.raises(UsageError, match=r"out\.ndjson\.partial: holds other bytes than"):
        run(plan(source, tmp_path, resume=True))
    assert partial.read_bytes() == rows


def stop_here() -> None:
    raise Stop


def test_a_second_run_on_the_same_output_is_refused(tmp_path: Path) -> None:
    source, out = ndjson(tmp_path, 4), tmp_path / "out"
    out.mkdir()

    def again(_seen: Seen) -> None:
        with pytest.raises(UsageError, match="being written by another run"):
            run(plan(source, out))

    assert run(plan(source, out), watch=again).read == 5


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder, "is a folder"),
        (lambda folder: folder / "none" / "out", "does not exist"),
        (lambda folder: folder / "in.ndjson", "is an input"),
        (lambda folder: Path("/dev/null"), "is no ordinary file"),
        (lambda folder: folder / "link", "symbolic link"),
    ],
)
def test_files_that_must_not_be_written_are_refused(tmp_path: Path, make: Any, said: str) -> None:
    source = ndjson(tmp_path, 2)
    (tmp_path / "link").symlink_to(source)
    before = written(tmp_path)
    with pytest.raises(UsageError, match=said):
        run(Plan((str(source),), (("ndjson", str(make(tmp_path))),), workers=0))
    assert written(tmp_path) == before


@pytest.mark.parametrize("name", ["none.ndjson", "*.none", "folder"])
def test_inputs_that_are_not_there_are_told_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"name a file|name files"):
        run(plan(tmp_path / name, tmp_path))
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


# Ends from outside.


def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path) -> None:
    source, out = ndjson(tmp_path, 500), tmp_path / "out"
    out.mkdir()
    arguments = command(source, "--workers=1", "--chunk=1", f"--output=ndjson:{out}/out.ndjson")
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [*arguments, "--resume"], env=environment(), stderr=subprocess.PIPE, text=True
        )
        mark = progress_of(out) + 3
        while progress_of(out) < mark:
            time.sleep(0.01)
            assert process.poll() is None
        process.send_signal(number)
        _, errors = process.communicate()
        assert process.returncode == 130
        assert "Traceback" not in errors
        assert "interrupted; go on with: ivpush check" in errors and "--resume" in errors
    assert progress_of(out) < 500
    run(Plan((str(source),), (("ndjson", str(out / "out.ndjson")),), workers=0, resume=True))
    (tmp_path / "two").mkdir()
    run(Plan((str(source),), (("ndjson", str(tmp_path / "two/out.ndjson")),), workers=0))
    assert written(out) == written(tmp_path / "two")


def test_a_full_disk_ends_the_run_and_spares_what_was_written(
    whole: tuple[Path, dict[str, bytes], Counts], tmp_path: Path
) -> None:
    source, made, _ = whole
    arguments = command(
        source, "--workers=1", "--chunk=3", f"--output=ndjson:{tmp_path}/out.ndjson"
    )
    half = len(made["out.ndjson"]) // 2

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (half, half))

    done = subprocess.run(
        arguments, env=environment(), capture_output=True, text=True, check=False, preexec_fn=small
    )
    assert done.returncode == 2
    assert "cannot be written" in done.stderr and "go on with" in done.stderr
    assert "Traceback" not in done.stderr
    left = (tmp_path / "out.ndjson.partial").read_bytes()
    assert 0 < len(left) <= half and made["out.ndjson"].startswith(left) and left[-1:] == b"\n"
    done = subprocess.run(
        [*arguments, "--resume"], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert (tmp_path / "out.ndjson").read_bytes() == made["out.ndjson"]


def test_a_full_standard_output_is_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(ndjson(tmp_path, 4), "--workers=1"),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "standard output: cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_a_closed_pipe_ends_the_run_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(ndjson(tmp_path, 200), "--workers=1", "--chunk=2"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["encounter"] == "E0"
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert b"Traceback" not in errors


def test_standard_input_is_read_as_a_stream(
    whole: tuple[Path, dict[str, bytes], Counts],
) -> None:
    source, made, _ = whole
    done = subprocess.run(
        command("-", "--workers=1", "--exit-zero"),
        env=environment(),
        input=source.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 4
    assert done.stdout == made["out.ndjson"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers=2", "--format=text"], "--format"),
        (["--workers=2", "--fix"], "--fix"),
        (["--workers=2", "--output=html:x"], "--output"),
        (["--resume"], "--resume"),
        (["--workers=-1"], "--workers"),
        (["--chunk=0"], "--chunk"),
    ],
)
def test_what_a_batch_cannot_do_is_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        command(ndjson(tmp_path, 1), *arguments),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr


# From Python.


@pytest.mark.parametrize("workers", [0, 2])
def test_every_record_has_its_answer_in_order(workers: int) -> None:
    encounter = Encounter.model_validate(QUICK[0])
    given: list[Any] = [
        QUICK[0],
        json.dumps(QUICK[1]),
        json.dumps(QUICK[2]).encode(),
        encounter,
        {"id": "SECRET"},
        b"{",
        {"id": object()},
        {**QUICK[1], "charge": float("nan")},
        {
            **QUICK[1],
            "administrations": [{**QUICK[1]["administrations"][0], "dose": Decimal("4.5")}],
        },
    ]
    got = list(check_many(given, workers=workers, chunk=2))
    assert [one.place for one in got] == [f"record[{n}]" for n in range(1, 10)]
    engine = ENGINE
    for outcome, record in zip(got[:4], [*QUICK, QUICK[0]], strict=True):
        assert outcome.result == engine.check(Encounter.model_validate(record))
    assert [one.json is None for one in got[4:]] == [True, True, True, True, False]
    assert "SECRET" not in "".join(one.reason for one in got)
    assert "SECRET" not in "".join(map(repr, got))


METHODS = """
from ivpush.batch import check_many
if __name__ == "__main__":
    given = [b'{"id": "E%d", "setting": "facility", "lines": []}' % n for n in range(9)]
    alone = list(check_many(given))
    for method in ("fork", "forkserver"):
        assert list(check_many(given, workers=2, chunk=2, method=method)) == alone
    print(sum(one.json is not None for one in alone))
"""


def test_processes_may_be_forked_too(tmp_path: Path) -> None:
    script = tmp_path / "methods.py"
    script.write_text(METHODS, "utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("9\n", 0), done.stderr


def test_an_outcome_of_options_is_that_of_the_engine() -> None:
    options = EngineOptions(payer="medicare", silent=frozenset({"IVP101"}))
    (got,) = check_many([{**QUICK[1], "payer": None}], options)
    assert isinstance(got, Outcome) and got.result is not None
    assert got.result.pack.payer == "medicare"
    assert "IVP101" not in {one.rule for one in got.result.violations}
