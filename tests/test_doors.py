"""Whatever goes wrong at any door: an error of our tree, with place and remedy and without a value.

A door is a way by which something of the caller's comes in: models, the engine, packs, frames,
batches, readers, and the commands with their flags, files and configuration.
"""

from __future__ import annotations

import argparse
import json
import pickle
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pydantic import BaseModel

from ivpush import (
    Administration,
    ClaimLine,
    Encounter,
    Engine,
    EngineOptions,
    InputError,
    IvpushError,
    Pack,
    PackError,
    Result,
    Supervision,
    UsageError,
    check_batches,
    check_frame,
    check_many,
)
from ivpush.__main__ import _parser, main
from ivpush.batch import Plan, run
from ivpush.commands.outputs import Out, OutputError
from ivpush.errors import InternalError
from ivpush.frames import check_readings, encounters_to_tables, iter_records
from ivpush.readers import Note, ReadOptions, SetAside
from ivpush.readers.detect import FORMATS, reader_of
from tests.commands.conftest import cache, ivpush
from tests.shipped import ENGINE, PACK

__all__ = ["cache", "ivpush"]

CANARY = "Jane-Doe-078-05-1120"
RECORD: dict[str, Any] = {"id": "E1", "setting": "facility", "date": "2026-03-02"}
LINE = {"number": 1, "code": "96374", "units": 1}
MODELS: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (Encounter, RECORD),
    (Administration, {"id": "a1"}),
    (ClaimLine, LINE),
    (Supervision, {}),
]
ODD: list[Any] = [CANARY, 7, [CANARY], b"\xff", object(), None]
"""Values of kinds that most doors do not take."""
Door = Callable[[], object]


class Try(NamedTuple):
    """What somebody does wrong, and the class of the error that answers it."""

    error: type[IvpushError]
    door: Door


def refused(kind: type[IvpushError], door: Door) -> IvpushError:
    """The error that a door raises; it is one of ours and says all that an error of ours says."""
    with pytest.raises(kind) as caught:
        door()
    assert type(caught.value) is kind
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert_helps(caught.value)
    return caught.value


def assert_helps(error: IvpushError) -> None:
    """Each fault has a place, a problem and a remedy on one line, and no value."""
    assert error.faults
    for fault in error.faults:
        assert fault.place and fault.problem and fault.remedy, str(fault)
        assert "\n" not in str(fault)
    assert CANARY not in str(error) + repr(error) + error.one_line
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


# Models


@pytest.mark.parametrize(("model", "good"), MODELS)
def test_a_value_that_fits_no_field_is_refused_wherever_it_comes_in(
    model: Any, good: dict[str, Any]
) -> None:
    for name in (*model.model_fields, CANARY):
        # No field takes such an object, whatever its kind.
        for value in ({CANARY: CANARY}, [{CANARY: CANARY}]):
            bad = {**good, name: value}
            refused(InputError, partial(model, **bad))
            refused(InputError, partial(model.model_validate, bad))
            refused(InputError, partial(model.model_validate_json, json.dumps(bad)))


@pytest.mark.parametrize(("model", "good"), MODELS)
def test_no_field_can_be_set_afterwards(model: Any, good: dict[str, Any]) -> None:
    one = model.model_validate(good)
    for name in model.model_fields:
        refused(UsageError, partial(setattr, one, name, CANARY))


@pytest.mark.parametrize(("model", "good"), MODELS)
def test_a_field_that_is_needed_is_named_where_it_lacks(model: Any, good: dict[str, Any]) -> None:
    for name, field in model.model_fields.items():
        if field.is_required():
            bad = {key: value for key, value in good.items() if key != name}
            assert refused(InputError, partial(model, **bad)).faults[0].place == name


@pytest.mark.parametrize(
    "text",
    ["", CANARY, "{", f'{{"id": "{CANARY}"', "[]", json.dumps([CANARY]), "[" * 100_000, b"\xff"],
)
def test_what_is_no_json_of_a_record_is_refused(text: str | bytes) -> None:
    refused(InputError, lambda: Encounter.model_validate_json(text))
    refused(InputError, lambda: Result.from_json(text))
    refused(InputError, lambda: ENGINE.check(text))


def test_a_result_that_was_tampered_with_is_refused() -> None:
    whole = ENGINE.check({**RECORD, "lines": [LINE], "administrations": []}).to_dict()
    for name in whole:
        text = json.dumps({**whole, name: {CANARY: [CANARY]}})
        refused(InputError, partial(Result.from_json, text))


# The engine, packs, batches and frames


def _reads(door: Callable[[], Iterator[object]]) -> Door:
    """A door that answers once its first piece is asked for."""
    return lambda: list(door())


def _of_engine(odd: Any) -> Iterator[Try]:
    if odd is not None:
        yield Try(UsageError, lambda: Engine(payer=odd))
        yield Try(UsageError, lambda: Engine(pack=odd))
        # A word is the caller's own and is repeated; a value of another kind never is.
        value = "nonsense" if odd == CANARY else odd
        yield Try(UsageError, lambda: Engine(pack=PACK, policies={"long_push": value}))
        yield Try(UsageError, lambda: EngineOptions(payer=odd).engine())
        yield Try(UsageError, lambda: Engine(policies=odd))
    not_folders: Any = [7] if isinstance(odd, list) else odd
    yield Try(UsageError, lambda: Engine(packs=not_folders))
    yield Try(InputError, lambda: ENGINE.check(odd))
    yield Try(InputError, lambda: ENGINE.suggest(odd))
    yield Try(InputError, lambda: ENGINE.work(odd))
    yield Try(UsageError, lambda: ENGINE.sources(odd))
    if not isinstance(odd, list):
        yield Try(UsageError, lambda: list(ENGINE.check_many(odd)))
        yield Try(UsageError, lambda: list(check_many(odd)))
    yield Try(InputError, lambda: list(ENGINE.check_many([odd])))
    if not isinstance(odd, list):
        yield Try(UsageError, lambda: EngineOptions(silent=odd))


def _of_batches(odd: Any) -> Iterator[Try]:
    outputs = (("ndjson", "-"),)

    def planned(**more: Any) -> Door:
        return lambda: run(Plan(**{"files": ("-",), "outputs": outputs, "workers": 0, **more}))

    yield Try(UsageError, lambda: run(odd))
    yield Try(UsageError, planned(engine=odd))
    yield Try(UsageError, planned(read=odd))
    yield Try(UsageError, planned(files=7 if isinstance(odd, list) else odd))
    yield Try(UsageError, planned(outputs=[odd]))
    if not isinstance(odd, int):
        yield Try(UsageError, planned(workers=odd))
        yield Try(UsageError, planned(chunk=odd))
        yield Try(UsageError, lambda: list(check_many([], workers=odd)))
    if not isinstance(odd, str | None):
        yield Try(UsageError, planned(from_=odd))
        yield Try(UsageError, planned(set_aside=odd))
    if odd is not None:
        yield Try(UsageError, lambda: list(check_many([], odd)))


def _of_frames(odd: Any) -> Iterator[Try]:
    rows = {"encounter": ["A"], "number": [1], "code": ["96374"], "units": [1]}
    good = {"lines": pl.DataFrame(rows), "setting": "facility", "engine": ENGINE}

    def framed(**more: Any) -> Iterator[Try]:
        yield Try(UsageError, lambda: check_frame(**{**good, **more}))
        yield Try(UsageError, lambda: list(check_batches(**{**good, **more})))

    yield from framed(lines=odd)
    if odd is not None:
        yield from framed(administrations=odd)
        yield from framed(engine=odd)
        yield from framed(setting=odd)
        yield from framed(timezone=odd)
        yield from framed(payer=odd)
    if not isinstance(odd, int):
        yield from framed(workers=odd)
        yield Try(UsageError, lambda: list(check_batches(**good, size=odd)))
    for library in (pd.DataFrame, pl.DataFrame, pa.table):
        yield from framed(lines=library({CANARY: [1]}))
        yield from framed(lines=library({**rows, CANARY: [1]}))
        yield from framed(lines=library({"encounter": ["A"]}))
    yield Try(UsageError, lambda: list(check_readings(odd, engine=ENGINE)))
    yield Try(UsageError, lambda: list(iter_records(lines=odd)))
    yield Try(UsageError, lambda: encounters_to_tables(odd))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize("door", [_of_engine, _of_batches, _of_frames])
def test_an_argument_of_another_kind_is_refused(
    door: Callable[[Any], Iterator[Try]], odd: Any
) -> None:
    for error, call in door(odd):
        refused(error, call)


PACKS = {
    "empty": {},
    "odd": {"notes.txt": CANARY},
    "rule": {"checks/record/IVP790-x.yaml": "id: IVP790\nid: IVP790\n"},
    "no text": {"checks/record/IVP790-x.yaml": "\x00"},
    "payer": {"payers/x.yaml": "[]"},
    "table": {"tables/mue-2026-01-01.csv": "a,b\n1,2\n"},
    "no day": {"tables/mue-2026-99-01.csv": "a\n"},
    "drugs": {"drugs.csv": "x\n"},
    "sources": {"sources.yaml": "{"},
}


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_that_is_not_fit_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    for path, text in PACKS[name].items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    for door in (
        lambda: Engine(packs=[folder]),
        lambda: Pack.load(folder),
        lambda: Pack.load(extra=[str(folder)]),
        lambda: EngineOptions(packs=(str(folder),)).engine(),
    ):
        refused(PackError, door)


def test_a_folder_that_does_not_exist_is_named_as_it_was_written() -> None:
    with pytest.raises(IvpushError) as caught:
        Engine(packs=["/nowhere/at/all"])
    assert caught.value.faults[0].place == "/nowhere/at/all"
    assert_helps(caught.value)


# Readers


GARBAGE: dict[str, list[bytes]] = {
    "fhir": [b'{"resourceType": "Claim", "id": "CANARY"}', b'{"resourceType": 7}', b"{"],
    "x12": [
        b"ISA*CANARY",
        b"ST*837*CANARY~CLM*CANARY*x~SE*1*1~",
        b"ISA*00*          *00*          *ZZ*CANARY         *ZZ*B              *260302*1000*^*"
        b"00501*000000001*0*P*:~GS*HC*A*B*20260302*1000*1*X*005010X222A1~ST*837*0001~"
        b"CLM*CANARY*CANARY***11:B:1~SE*3*0001~GE*1*1~IEA*1*000000001~",
    ],
    "hl7": [b"MSH|^~\\&|CANARY", b"MSH|^~\\&|a|b|c|d|CANARY||RAS^O17|1|P|2.5\rPID|||CANARY"],
    "parquet": [b"PAR1CANARY", b"PAR1"],
    "xlsx": [b"PK\x03\x04CANARY", b"PK\x03\x04"],
    "json": [b'{"id": "CANARY"}', b"[1, 2", b'{"CANARY": 1}', b"\xff", b'["CANARY"]'],
    "csv": [b"CANARY,b\n1,2\n", b"encounter,number,code,units\nCANARY,x,CANARY,-1\n", b"\x00"],
    "mar": [b"CANARY\n1\n", b"\xff\xfe"],
}
"""Bytes of each format that hold no record, or none that fits."""


def test_garbage_of_every_format_is_thrown_at_its_reader() -> None:
    assert GARBAGE.keys() == {each.name for each in FORMATS}


@pytest.mark.parametrize("name", GARBAGE)
def test_a_reader_sets_garbage_aside_or_refuses_it(name: str) -> None:
    (form,) = [each for each in FORMATS if each.name == name]
    for raw in GARBAGE[name]:
        stream = BytesIO(raw.replace(b"CANARY", CANARY.encode()))
        try:
            readings = list(reader_of(form).read("f", stream, ReadOptions()))
        except IvpushError as error:
            assert_helps(error)
            continue
        said = [each for each in readings if isinstance(each, SetAside | Note)]
        assert said, raw
        for each in said:
            if isinstance(each, SetAside):
                assert each.place
                assert_says_what_to_do(each.error)
            else:
                assert CANARY not in each.message


def assert_says_what_to_do(error: InputError) -> None:
    """The faults of a record that is set aside: its place is told beside them."""
    for fault in error.faults:
        assert fault.problem and fault.remedy, str(fault)
    assert CANARY not in str(error)


# Commands


def _words(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every command and action that a parser knows."""
    inner = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not inner:
        yield words
    for name, below in inner[0].choices.items() if inner else ():
        yield from _words(below, (*words, name))


COMMANDS = sorted(_words(_parser()))


def told(run: Any, statuses: set[int]) -> None:
    """A command ends with a status and says why in a line of its own."""
    assert run.status in statuses, run.err
    assert "Traceback" not in run.err + run.out
    assert CANARY not in run.err + run.out
    lines = [line for line in run.err.splitlines() if line.startswith("ivpush")]
    assert lines, run.err


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_flag_that_a_command_does_not_know_is_told(ivpush: Any, words: tuple[str, ...]) -> None:
    told(ivpush(*words, "--nonsense"), {2})
    told(ivpush(*words, "--rules"), {2})


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_files_and_configurations_that_are_none_are_told(
    ivpush: Any, words: tuple[str, ...]
) -> None:
    Path("ivpush.toml").write_text(f'payr = "{CANARY}"\n', "utf-8")
    for file in (Path("f.json"), Path("f.csv"), Path("f")):
        file.write_bytes(b"\x00\xff" + CANARY.encode())
        run = ivpush(*words, str(file))
        assert "Traceback" not in run.err + run.out
        assert CANARY not in run.err
        assert run.status in {0, 1, 2, 3, 4}
        assert run.err or run.status < 2


@pytest.mark.parametrize("flag", ["--format", "--output", "--from", "--payer", "--policy", "--rules",
                                  "--timezone", "--setting", "--map", "--select", "--ignore",
                                  "--fail-on", "--workers", "--chunk", "--progress", "--chart",
                                  "--set-aside", "--config"])  # fmt: skip
def test_a_word_that_a_flag_does_not_take_is_told(ivpush: Any, flag: str) -> None:
    Path("f.json").write_text(json.dumps(RECORD), "utf-8")
    told(ivpush("check", "f.json", flag, "/no/such:word"), {2, 3})


def test_files_of_garbage_are_told(ivpush: Any) -> None:
    for name, raws in GARBAGE.items():
        files = [f"{name}{number}" for number in range(len(raws))]
        for file, raw in zip(files, raws, strict=True):
            Path(file).write_bytes(raw.replace(b"CANARY", CANARY.encode()))
        told(ivpush("check", *files), {2, 4})
    Path("f.ndjson").write_bytes(b"\n".join(GARBAGE["json"]).replace(b"CANARY", CANARY.encode()))
    told(ivpush("check", "f.ndjson", "--workers", "1"), {4})


# All classes


def failure_inside() -> InternalError:
    """What is told of a failure of ours: its kind and a remedy; its place is the record's."""
    error = InternalError.of(KeyError(CANARY))
    assert "KeyError" in str(error) and error.faults[0].remedy
    assert CANARY not in "".join(traceback.format_exception(error))
    return error


def test_every_class_of_errors_is_provoked(tmp_path: Path) -> None:
    """A class without a door here would be an error that nobody looked at."""

    def classes(of: type[IvpushError]) -> Iterator[type[IvpushError]]:
        for below in of.__subclasses__():
            yield below
            yield from classes(below)

    provoked = {
        type(refused(InputError, lambda: ENGINE.check({"id": CANARY}))),
        type(refused(UsageError, lambda: Engine(payer="nobody"))),
        type(refused(PackError, lambda: Pack.load(tmp_path))),
        type(refused(OutputError, lambda: Out(str(tmp_path / "no" / "f")))),
        # The doors of this one are made to fail in tests/commands/test_main.py.
        type(failure_inside()),
    }
    assert provoked == {
        each for each in classes(IvpushError) if each.__module__.startswith("ivpush")
    }
    assert main(["chek"]) == 2
