"""``ivpush convert``: what was understood, in our JSON or another format."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter
from ivpush.errors import Fault, InputError
from tests.commands.cli import CLEAN, MENDED, module, write


def test_convert_shows_what_was_understood(ivpush: Any) -> None:
    run = ivpush("convert", write("f", MENDED, {"id": 7}))
    expected = Encounter.model_validate(MENDED)
    assert Encounter.model_validate_json(run.out) == expected
    assert run.status == 4
    assert "f:2" in run.err and run.err.endswith("2 in = 1 written + 1 set aside\n")
    ivpush("convert", "f", "--output", "o", "--set-aside", "aside")
    assert Encounter.model_validate_json(Path("o").read_bytes()) == expected
    assert json.loads(Path("aside").read_bytes())["place"] == "f:2"
    again = ivpush("convert", "o")
    assert Encounter.model_validate_json(again.out) == expected


def test_convert_to_an_837_sets_aside_what_it_cannot_hold(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(encounter: Encounter) -> tuple[Fault, ...]:
        return () if encounter.lines else (Fault("lines", "the claim has no line", "write one"),)

    def claims(encounters: Any) -> Any:
        yield b"ISA\n"
        for encounter in encounters:
            yield encounter.id.encode() + b"\n"

    module(monkeypatch, "ivpush.writers.x12", unfit=unfit, encounter_to_837=claims)
    run = ivpush("convert", write("f", MENDED, CLEAN), "--format", "x12", "--set-aside", "aside")
    assert run.out == "ISA\nE3\n"
    assert run.status == 4
    assert "f:2: lines: the claim has no line" in run.err
    assert run.err.endswith("2 in = 1 written + 1 set aside\n")
    assert json.loads(Path("aside").read_bytes())["place"] == "f:2"


def test_convert_to_fhir_writes_a_bundle_a_line(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bundle(encounter: Encounter) -> Any:
        if encounter.id == "E1":
            raise InputError(Fault("timezone", "is not stated", "state it"))
        return {"resourceType": "Bundle", "id": encounter.id}

    module(monkeypatch, "ivpush.writers.fhir", encounter_to_bundle=bundle)
    run = ivpush("convert", write("f", MENDED, CLEAN), "--format", "fhir")
    assert json.loads(run.out) == {"resourceType": "Bundle", "id": "E3"}
    assert run.err.endswith("2 in = 1 written + 1 set aside\n")


@pytest.mark.parametrize("format_", ["x12", "fhir"])
def test_a_format_without_its_writer_is_2(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setitem(sys.modules, f"ivpush.writers.{format_}", None)
    run = ivpush("convert", write("f", CLEAN), "--format", format_, "--output", "o")
    assert run.status == 2
    assert f"format {format_}: is not in this installation" in run.err
    assert not list(Path().glob("o*"))


def test_convert_writes_the_payer_into_records_that_name_none(ivpush: Any) -> None:
    run = ivpush("convert", write("f", MENDED), "--payer", "medicare")
    assert Encounter.model_validate_json(run.out).payer == "medicare"
    run = ivpush("convert", "f", "--payer", "medicaer")
    assert (run.status, run.out) == (2, "")
    assert "--payer: has no overlay in this pack; did you mean 'medicare'?" in run.err


def test_convert_refuses_its_own_input(ivpush: Any) -> None:
    assert ivpush("convert", write("f", CLEAN), "--output", "f").status == 2
    assert json.loads(Path("f").read_bytes()) == CLEAN
