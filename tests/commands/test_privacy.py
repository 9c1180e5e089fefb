"""No output carries what a chart or claim says of a patient: every format, command and failure.

One canary stands in every identifier and text of an input, and in each field of it in turn, where
it makes the record unfit. Ids are canaries too, so that masked results hold none at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ivpush.commands.outputs import FORMATS
from tests.readers.fhir.samples import administration, claim
from tests.readers.hl7.samples import message, rxa
from tests.readers.x12.samples import BILL, HEADER, envelope

CANARY = "QCANARY7"
RECORD = {
    "id": f"{CANARY}-1",
    "setting": "facility",
    "date": "2026-03-02",
    "primary_administration": f"{CANARY}-a",
    "supervision": {"level": "direct", "mode": "in_person"},
    "diagnoses": ["R11.2"],
    "administrations": [
        {
            "id": f"{CANARY}-a",
            "drug": f"drug {CANARY}",
            "route": "IV",
            "method": "push",
            "start": "2026-03-02T10:00",
            "dose": 4,
            "dose_unit": CANARY,
            "site": f"arm of {CANARY}",
            "lumen": CANARY,
            "separate_site_reason": f"{CANARY} asked for it",
            "performer": CANARY,
            "administered_by": CANARY,
        },
        {
            "id": f"{CANARY}-b",
            "drug": "ceftriaxone",
            "route": "IV",
            "method": "infusion",
            "start": "2026-03-02T11:00",
            "continues": f"{CANARY}-a",
        },
    ],
    "lines": [
        {"number": 1, "code": "96375", "units": 2, "administrations": [f"{CANARY}-a"]},
        {"number": 2, "code": "96365", "units": 9, "modifiers": ["59"], "charge": 12.5},
    ],
}


def places(data: Any) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a tree of JSON."""
    if not isinstance(data, dict | list):
        return
    for step, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (step,)
        yield from ((step, *path) for path in places(value))


def altered(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy of a tree with one value replaced."""
    copy = json.loads(json.dumps(data))
    branch = copy
    for step in path[:-1]:
        branch = branch[step]
    branch[path[-1]] = value
    return copy


def broken(data: Any) -> Iterator[Any]:
    """The tree itself, then with each value, one at a time, as the canary in some form."""
    yield data
    for path in places(data):
        for value in (CANARY, [CANARY], {CANARY: CANARY}):
            yield altered(data, path, value)


def ours() -> Iterator[tuple[str, bytes]]:
    rows = [json.dumps(record) for record in broken(RECORD)]
    cut = [row[: len(row) * n // 9] for n, row in enumerate(rows[:9])]
    yield "ours.ndjson", "\n".join([*rows, *cut, f'{{"{CANARY}": NaN}}', CANARY]).encode()
    yield "array.json", json.dumps([RECORD, CANARY, {CANARY: 1}]).encode()


def fhir() -> Iterator[tuple[str, bytes]]:
    given = administration(
        id=CANARY,
        subject={"reference": f"Patient/{CANARY}", "display": CANARY},
        context={"reference": f"Encounter/{CANARY}"},
        note=[{"text": CANARY}],
        text={"status": "generated", "div": f"<div>{CANARY}</div>"},
    )
    billed = claim(id=CANARY, patient={"reference": f"Patient/{CANARY}"})
    rows = [json.dumps(each) for each in (*broken(given), *broken(billed))]
    yield "fhir.ndjson", "\n".join(rows).encode()


def x12() -> Iterator[tuple[str, bytes]]:
    bill = [segment.replace(b"CLM*C1", f"CLM*{CANARY}".encode()) for segment in BILL]
    people = [
        f"NM1*IL*1*{CANARY}*{CANARY}****MI*{CANARY}".encode(),
        f"N3*{CANARY} STREET".encode(),
        f"REF*EA*{CANARY}".encode(),
        f"NTE*ADD*{CANARY}".encode(),
    ]
    yield "whole.837", envelope(bill[0], *people, *bill[1:])
    variants = [
        b"*".join([*parts[:at], CANARY.encode(), *parts[at + 1 :]])
        for segment in bill
        for parts in [segment.split(b"*")]
        for at in range(len(parts))
    ]
    owners = [n for n, segment in enumerate(bill) for _ in segment.split(b"*")]
    claims = [
        [*bill[:owner], variant, *bill[owner + 1 :]]
        for owner, variant in zip(owners, variants, strict=True)
    ]
    yield "claims.837", envelope(*(segment for each in claims for segment in each))
    yield "header.837", envelope(*bill, header=HEADER.replace(b"*ZZ*A  ", f"*{CANARY}".encode()))


def hl7() -> Iterator[tuple[str, bytes]]:
    given = rxa(f10=f"{CANARY}^{CANARY}")
    text = message("RAS^O17", given, visit=f"{CANARY}-0", patient=CANARY)
    variants = [text]
    for at, segment in enumerate(segments := text.split("\r")):
        fields = segment.split("|")
        for n in range(1, len(fields)):
            other = "|".join([*fields[:n], CANARY, *fields[n + 1 :]])
            variant = "\r".join([*segments[:at], other, *segments[at + 1 :]])
            # A visit of its own, so that each is read apart from the others.
            variants.append(variant.replace(f"{CANARY}-0", f"{CANARY}-{len(variants)}"))
    yield "messages.hl7", "".join(variants).encode()


def csv() -> Iterator[tuple[str, bytes]]:
    head = "encounter,number,code,units,date,modifiers"
    cells = [CANARY, "1", "96375", "2", "2026-03-02", "59"]
    rows = [
        ",".join([f"{CANARY}-{at}", *cells[1:at], CANARY, *cells[at + 1 :]])
        for at in range(1, len(cells))
    ]
    yield "lines.csv", "\n".join([head, ",".join(cells), *rows]).encode()


def header() -> Iterator[tuple[str, bytes]]:
    yield "header.csv", f"{CANARY},encounter\n1,2\n".encode()
    yield "values.csv", f"{CANARY},1,96375,2\n{CANARY}-2,1,96375,2\n".encode()


def unknown() -> Iterator[tuple[str, bytes]]:
    yield "text.txt", f"{CANARY} came on Monday\n".encode()
    yield "none.json", b""
    yield "quote.csv", f'encounter,number,code,units\n{CANARY},"{CANARY}\n'.encode()
    yield "cut.gz", b"\x1f\x8b\x08\x00" + CANARY.encode()


Inputs = Callable[[], Iterator[tuple[str, bytes]]]
INPUTS: tuple[Inputs, ...] = (ours, fhir, x12, hl7, csv, header, unknown)


def saved(inputs: Inputs) -> list[str]:
    names = []
    for name, raw in inputs():
        Path(name).write_bytes(raw)
        names.append(name)
    return names


@pytest.mark.parametrize("inputs", INPUTS, ids=lambda each: each.__name__)
def test_no_masked_output_and_no_message_holds_a_word_of_the_input(
    ivpush: Any, inputs: Inputs
) -> None:
    names = saved(inputs)
    made = {name: f"out.{name}" for name in FORMATS if name != "parquet"}
    outputs = [f"--output={name}:{path}" for name, path in made.items()]
    run = ivpush(
        *("check", *names, "--setting", "facility", "--mask-ids", "--explain", "--coverage"),
        *(*outputs, "--set-aside", "aside.ndjson"),
    )
    read, _, rest = run.err.splitlines()[-1].partition(" in = ")
    assert CANARY not in run.err.upper() + run.out.upper()
    assert "Traceback" not in run.err
    for path in (*made.values(), "aside.ndjson"):
        assert CANARY.encode() not in Path(path).read_bytes().upper(), path
    # It all was read, and not refused at the door; what is masked is judged all the same.
    checked, aside = (int(word.split()[0]) for word in rest.split(" + "))
    assert checked + aside == int(read)
    if inputs in {ours, fhir, x12, hl7, csv}:
        assert checked and aside
        assert b'"encounter":"encounter-' in Path("out.ndjson").read_bytes()


@pytest.mark.parametrize(
    "words", [("check", "--fix"), ("check", "--diff"), ("convert",)], ids=" ".join
)
def test_commands_that_hand_on_a_record_keep_it_out_of_their_messages(
    ivpush: Any, words: tuple[str, ...]
) -> None:
    for inputs in (ours, x12):
        run = ivpush(words[0], *saved(inputs), *words[1:], "--set-aside", "aside.ndjson")
        assert CANARY not in run.err
        assert CANARY.encode() not in Path("aside.ndjson").read_bytes()


# Masks


def check(ivpush: Any, *words: str) -> str:
    Path("ours.json").write_text(json.dumps(RECORD), "utf-8")
    run = ivpush("check", "ours.json", *words)
    assert run.status == 1, run.err
    out: str = run.out
    return out


def test_ids_stand_in_results_unless_masked(ivpush: Any) -> None:
    formats = ("text", "json", "csv", "sarif", "junit")
    check(ivpush, *(f"--output={name}:{name}" for name in formats))
    assert all(CANARY.encode() in Path(name).read_bytes() for name in formats)


def test_the_log_of_a_build_is_masked_unless_told_otherwise(ivpush: Any) -> None:
    masked = check(ivpush, "--format", "github", "--output", "json:plain.json")
    assert "::error" in masked and CANARY not in masked
    assert CANARY.encode() in Path("plain.json").read_bytes()
    assert CANARY in check(ivpush, "--format", "github", "--no-mask-ids")


def test_names_are_the_same_under_one_key_and_others_under_another(ivpush: Any) -> None:
    Path("a.key").write_bytes(b"a" * 32)
    Path("b.key").write_bytes(b"b" * 32)
    first, again, other, fresh = (
        check(ivpush, "--format", "sarif", *words)
        for words in (
            ("--mask-key", "a.key"),
            ("--mask-key", "a.key"),
            ("--mask-key", "b.key"),
            ("--mask-ids",),
        )
    )
    assert first == again
    assert len({first, other, fresh}) == 3


def test_a_key_that_hides_nothing_is_refused(ivpush: Any) -> None:
    Path("short.key").write_bytes(b"secret\n")
    Path("ours.json").write_text(json.dumps(RECORD), "utf-8")
    for name, said in (("short.key", "is too short to keep ids secret"), ("none", "No such file")):
        run = ivpush("check", "ours.json", "--mask-key", name)
        assert run.status == 2
        assert f"--mask-key {name}: {said}" in run.err
    run = ivpush("check", "ours.json", "--mask-key", "short.key", "--output", "json:short.key")
    assert "is an input of this run" in run.err


@pytest.mark.parametrize("words", [("--mask-ids",), ("--mask-key", "a.key")], ids=" ".join)
def test_a_run_in_several_processes_says_that_it_masks_nothing(
    ivpush: Any, words: tuple[str, ...]
) -> None:
    Path("a.key").write_bytes(b"a" * 32)
    Path("ours.json").write_text(json.dumps(RECORD), "utf-8")
    run = ivpush("check", "ours.json", "--workers", "1", *words)
    assert run.status == 2
    assert f"{words[0]}: is not for a run in several processes" in run.err
