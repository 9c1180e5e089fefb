"""``ivpush convert``: what was understood of an input, as encounters of our own or another format.

``ivpush.__main__`` adds it. Nothing is judged. A record that cannot be read is set aside with its
file, position and reason, and the counts are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from ivpush.commands.inputs import Intake, add_files, add_inputs, input_names
from ivpush.commands.options import INTERRUPTED, add_look, add_pack, read_pack
from ivpush.commands.outputs import Guard, Out, Shield, format_name, module_of
from ivpush.errors import InputError, IvpushError, UsageError
from ivpush.writers.safe import as_json, escaped_json

if TYPE_CHECKING:
    from ivpush.commands.options import Commands
    from ivpush.contract.encounter import Encounter
    from ivpush.readers import Record

__all__ = ["add"]

Format = Callable[[Iterator["Record"], Intake], Iterator[bytes]]
"""Writes records in a format, and sets aside what the format cannot hold."""


def add(commands: Commands) -> None:
    """Add ``convert`` to the commands."""
    parser = commands.add_parser("convert", help="show what was understood of an input")
    add_files(parser)
    add_inputs(parser)
    parser.add_argument(
        "--format",
        type=format_name,
        choices=tuple(_FORMATS),
        default="ndjson",
        help="our JSON, one encounter a line, or another format",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        default="-",
        help="write to a file instead of standard output",
    )
    parser.add_argument("--payer", help="overlay of encounters that name no payer")
    add_pack(parser)
    add_look(parser)
    parser.set_defaults(run=_convert)


def _convert(options: argparse.Namespace) -> int:
    guard = Guard([*input_names(options), *filter(None, (options.map,))])
    guard.take(options.output, "--output")
    if options.set_aside is not None:
        guard.take(options.set_aside, "--set-aside")
    if options.payer is not None:
        read_pack(options).require_payer(options.payer)
    intake = Intake(options, payer=options.payer)
    outs: list[Out] = []
    try:
        # For SIGTERM, which is an interruption too. Nothing is held: a record is a single write.
        with Shield():
            outs.append(Out(options.output))
            if options.set_aside is not None:
                outs.append(Out(options.set_aside))
                intake.keep_aside(outs[-1].stream)
            _copy(intake, _FORMATS[options.format], outs[0].stream)
            _end(outs, whole=INTERRUPTED not in intake.statuses)
    except UsageError as error:
        _drop(outs)
        intake.refused(error)
    except (BrokenPipeError, IvpushError):
        _drop(outs)
        raise
    return intake.close(done="written")


def _copy(intake: Intake, format_: Format, stream: IO[bytes]) -> None:
    try:
        for text in format_(intake.records(), intake):
            stream.write(text)
    except KeyboardInterrupt:
        intake.statuses.add(INTERRUPTED)


def _end(outs: Sequence[Out], *, whole: bool) -> None:
    for out in outs:
        if whole:
            out.finish()
        else:
            out.leave()


def _drop(outs: Sequence[Out]) -> None:
    for out in outs:
        out.drop()


def _ndjson(records: Iterator[Record], _intake: Intake) -> Iterator[bytes]:
    for record in records:
        text = record.encounter.model_dump_json(exclude_none=True).encode()
        yield escaped_json(text) + b"\n"


def _x12(records: Iterator[Record], intake: Intake) -> Iterator[bytes]:
    """One interchange with the claims that an 837 can hold; the others are set aside."""
    writer = module_of("ivpush.writers.x12", "format x12")

    def fit() -> Iterator[Encounter]:
        for record in records:
            if faults := writer.unfit(record.encounter):
                _refuse(record, InputError(faults), intake)
            else:
                yield record.encounter

    yield from writer.encounter_to_837(fit())


def _fhir(records: Iterator[Record], intake: Intake) -> Iterator[bytes]:
    """A bundle a line for each encounter that FHIR can hold; the others are set aside."""
    writer = module_of("ivpush.writers.fhir", "format fhir")
    for record in records:
        try:
            bundle = writer.encounter_to_bundle(record.encounter)
        except InputError as error:
            _refuse(record, error, intake)
        else:
            yield as_json(bundle) + b"\n"


_FORMATS: dict[str, Format] = {"ndjson": _ndjson, "x12": _x12, "fhir": _fhir}


def _refuse(record: Record, error: InputError, intake: Intake) -> None:
    """Set a record aside that was read, and that the format asked for cannot hold."""
    from ivpush.readers import SetAside

    # It was counted when it was read; in = written + set aside must stay true.
    intake.checked -= 1
    intake.put_aside(SetAside(record.place, error))
