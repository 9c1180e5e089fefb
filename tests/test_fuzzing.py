"""Changed inputs of every kind have documented outcomes; so do those kept for what they reach."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from benchmarks import fuzz_packs, fuzz_tables
from benchmarks.fuzz import TARGETS
from benchmarks.fuzz_corpus import (
    Corpus,
    coded,
    collected,
    guided_inputs,
    kept_inputs,
    reached,
    ways_of,
    write_inputs,
)
from benchmarks.fuzzing import CANARY, Fuzzed, Target, UndocumentedError, fuzz, reader_outcomes
from benchmarks.fuzzing_trees import tree_of, yaml_of

from ivpush.readers import Note

INPUTS = {
    "x12": 4_000,
    "hl7": 4_000,
    "fhir": 2_500,
    "tables": 1_500,
    "maps": 1_000,
    "json": 1_500,
    "packs": 500,
    "language": 2_000,
    "configuration": 1_500,
    "checkpoint": 1_500,
}
"""How many are drawn in each run of the tests: 20,000 in all."""
WANTED = {
    **{name: {"Record", "SetAside", "Note"} for name in ("x12", "hl7", "fhir", "tables")},
    "json": {"Record", "SetAside"},
    "maps": {"map accepted", "map refused"},
    "packs": {"rule accepted", "rule refused", "pack accepted", "pack refused"},
    "language": {"accepted", "refused", "verdict True", "verdict False", "verdict None"},
    "configuration": {"configuration accepted", "configuration refused"},
    "checkpoint": {"checkpoint accepted", "checkpoint refused"},
}
"""Outcomes that show that a target still reaches both what is good and what is not."""
ONCE_A_TRACEBACK = (
    ("in_force", "{from: 2009-01-01, to: 9999-12-31}"),
    ("in_force", "{from: 0001-01-01}"),
    ("codes", "[[a]]"),
    ("codes", "{role: [[x]]}"),
    ("codes", "{role: {x: y}}"),
    ("cites", "[[a]]"),
    ("severity", "[error]"),
    ("denial", "[]"),
    ("edit", "{replace_code: {}}"),
    ("cases", "[[]]"),
    ("require", "count(x for x in claim.lines) > 99999999999999999999"),
    ("require", "not " * 400 + "line.coded"),
)
"""Keys of a rule with values that once ended in a traceback or took long."""


def test_every_target_is_drawn_from() -> None:
    assert INPUTS.keys() == WANTED.keys() == TARGETS.keys()
    assert sum(INPUTS.values()) == 20_000


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_changed_inputs_have_documented_outcomes(name: str) -> None:
    target, rng = TARGETS[name], random.Random(7)
    seen: Counter[str] = Counter()
    for _ in range(INPUTS[name]):
        fuzzed = target.drawn(rng)
        try:
            seen.update(target.outcomes(fuzzed))
        except Exception as error:
            pytest.fail(f"{error!r} of {fuzzed!r}")
    assert seen.keys() >= WANTED[name]


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_kept_inputs_have_documented_outcomes(name: str) -> None:
    target, seen = TARGETS[name], set[str]()
    for fuzzed in kept_inputs(name):
        try:
            seen.update(target.outcomes(fuzzed))
        except Exception as error:
            pytest.fail(f"{error!r} of {fuzzed!r}")
    assert seen >= WANTED[name]


@pytest.mark.parametrize(("key", "value"), ONCE_A_TRACEBACK)
def test_what_once_ended_in_a_traceback_is_refused_or_harmless(key: str, value: str) -> None:
    path = fuzz_packs.RULES[0]
    name = f"checks/{path.parent.name}/{path.name}"
    (accepted,) = fuzz_packs.outcomes(Fuzzed(yaml_of(tree_of(path)), name))
    assert accepted == "rule accepted"
    changed = {**tree_of(path), key: yaml.load(value, yaml.BaseLoader)}
    (outcome,) = fuzz_packs.outcomes(Fuzzed(yaml_of(changed), name))
    assert outcome in {"rule accepted", "rule refused"}


def test_the_small_pack_is_good_as_it_is() -> None:
    for path in (*fuzz_packs.BASE, *fuzz_packs.PAYERS):
        name = path.relative_to(fuzz_packs.RULES[0].parents[2]).as_posix()
        assert list(fuzz_packs.outcomes(Fuzzed(path.read_bytes(), name))) == ["pack accepted"]


def numbers(outcomes: dict[int, str | Exception]) -> Target:
    """A target whose inputs are the numbers from 0 on, each with its outcome."""
    count = iter(range(100))

    def outcome(fuzzed: Fuzzed) -> Iterator[str]:
        what = outcomes.get(int(fuzzed.raw), "read")
        if isinstance(what, Exception):
            raise what
        yield what

    return Target("numbers", lambda _rng: Fuzzed(b"%d" % next(count)), outcome, (), ())


def test_a_fuzz_run_goes_on_after_a_fault_and_ends_with_status_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    faults = {1: UndocumentedError("lost in silence"), 2: ValueError("crashed")}
    assert fuzz(numbers({**faults}), inputs=4) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("numbers: 4 inputs, seed 1, in 0 s\n  read: 2\n")
    assert "  FAULT: lost in silence: 1\n" in printed.out
    assert "  FAULT: ValueError('crashed'): 1\n" in printed.out
    assert "input 2: ValueError('crashed')\nFuzzed(raw=b'2'" in printed.err


def test_an_input_that_takes_more_than_a_record_may_is_a_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.fuzzing.MOST_SECONDS", -1.0)
    assert fuzz(numbers({}), inputs=2) == 1
    assert "  FAULT: takes too long: 2\n" in capsys.readouterr().out
    monkeypatch.setattr("benchmarks.fuzzing.MOST_SECONDS", 1_000.0)
    monkeypatch.setattr("benchmarks.fuzzing.MOST_MEGABYTES", -1.0)
    assert fuzz(numbers({}), inputs=2) == 1
    assert "  FAULT: takes too much memory: 2\n" in capsys.readouterr().out


def test_a_fuzz_run_ends_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz(numbers({}), inputs=5, minutes=0) == 0
    assert capsys.readouterr().out.startswith("numbers: 0 inputs, seed 1, in 0 s\n")


def test_an_interrupted_fuzz_run_says_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    def drawn(_rng: random.Random) -> Fuzzed:
        raise KeyboardInterrupt

    assert fuzz(numbers({})._replace(drawn=drawn), inputs=5) == 0
    assert "interrupted\nnumbers: 0 inputs" in capsys.readouterr().out


def test_a_message_that_repeats_a_value_is_no_documented_outcome() -> None:
    assert list(reader_outcomes([Note("f:1", "is empty")])) == ["Note"]
    with pytest.raises(UndocumentedError, match="repeats a value"):
        list(reader_outcomes([Note("f:1", f"holds {CANARY}")]))
    with pytest.raises(UndocumentedError, match="gives a str"):
        list(reader_outcomes(["text"]))


def test_kept_inputs_are_read_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = fuzz_tables.drawn(random.Random(1)).options
    inputs = [Fuzzed(b"a\r\n\x00", "x.csv", options), Fuzzed(bytes(range(256)))]
    write_inputs(tmp_path / "some.ndjson", inputs)
    monkeypatch.setattr("benchmarks.fuzz_corpus.FOLDER", tmp_path)
    assert kept_inputs("some") == inputs


def test_an_input_in_one_row_of_bytes_is_the_same_input() -> None:
    ways = ways_of("tables")
    kept = kept_inputs("tables")
    assert len(ways) > 1
    assert guided_inputs([coded(each, ways) for each in kept], ways) == kept
    assert guided_inputs([b""], ways) == []


def forked(fuzzed: Fuzzed) -> Iterator[str]:
    """What has three branches to be reached."""
    if b"a" in fuzzed.raw:
        yield "a"
    if b"b" in fuzzed.raw:
        yield "b"


FORKED = Target(
    "forked",
    lambda rng: Fuzzed(bytes(rng.choices(b"abcdef", k=40))),
    forked,
    (Path(__file__).name,),
    (b"x",),
)


def test_an_input_is_kept_for_a_branch_that_none_before_took() -> None:
    corpus = Corpus(FORKED)
    assert corpus.offer(Fuzzed(b"xx"))
    assert not corpus.offer(Fuzzed(b"yyy"))
    assert corpus.offer(Fuzzed(b"xxa"))
    # A shorter one takes its place.
    assert corpus.offer(Fuzzed(b"a"))
    assert reached(FORKED, Fuzzed(b"a")) != reached(FORKED, Fuzzed(b"b"))


def test_a_corpus_is_small_and_the_same_for_the_same_seed() -> None:
    chosen = collected(FORKED, [], inputs=200, seed=3)
    assert {fuzzed.raw for fuzzed in chosen} == {b"", b"ab"}
    assert collected(FORKED, [], inputs=200, seed=3) == chosen
