"""``ivpush convert``: what was understood of an input, as encounters of our own or another format.

Nothing is judged. A record that cannot be read is set aside with its file, position and reason,
and the counts are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ivpush.commands.inputs import Intake, add_inputs, input_names
from ivpush.commands.options import INTERRUPTED, add_look
from ivpush.commands.outputs import Guard, Out, Shield, module_of
from ivpush.errors import InputError, IvpushError, UsageError
from ivpush.writers.safe import as_json, escaped_json

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.readers import Record

__all__ = ["add"]

Maker = Callable[[Iterator["Record"], Intake], Iterator[bytes]]
"""Writes records in a format, and sets aside what the format cannot hold."""
_FORMATS = ("ndjson", "x12", "fhir")


def add(commands: Any) -> None:
    """Add ``convert`` to the commands."""
    parser = commands.add_parser("convert", help="show what was understood of an input")
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="encounters, charts or claims; - reads standard input")  # fmt: skip
    add_inputs(parser)
    parser.add_argument("--format", choices=_FORMATS, default="ndjson",
                        help="our JSON, one encounter a line, or another format")  # fmt: skip
    parser.add_argument("--output", metavar="FILE", default="-",
                        help="write to a file instead of standard output")  # fmt: skip
    parser.add_argument("--payer", help="overlay of encounters that name no payer")
    add_look(parser)
    parser.set_defaults(run=_convert)


def _convert(options: argparse.Namespace) -> int:
    guard = Guard([*input_names(options), *filter(None, (options.map,))])
    guard.take(options.output, "--output")
    if options.set_aside is not None:
        guard.take(options.set_aside, "--set-aside")
    made, intake, shield = _maker(options.format), Intake(options), Shield()
    outs: list[Out] = []
    try:
        with shield:
            outs.append(Out(options.output))
            if options.set_aside is not None:
                outs.append(Out(options.set_aside))
                intake.aside = outs[1].stream
            try:
                for text in made(intake.records(), intake):
                    outs[0].stream.write(text)
            except KeyboardInterrupt:
                intake.statuses.add(INTERRUPTED)
            for out in outs:
                out.leave() if INTERRUPTED in intake.statuses else out.finish()
    except UsageError as error:
        for out in outs:
            out.drop()
        intake.refused(error)
    except (BrokenPipeError, IvpushError):
        for out in outs:
            out.drop()
        raise
    return intake.close(done="written")


def _maker(format_: str) -> Maker:
    return {"ndjson": _ndjson, "x12": _x12, "fhir": _fhir}[format_]


def _ndjson(records: Iterator[Record], _intake: Intake) -> Iterator[bytes]:
    for one in records:
        text = one.encounter.model_dump_json(exclude_none=True).encode()
        yield escaped_json(text) + b"\n"


def _x12(records: Iterator[Record], intake: Intake) -> Iterator[bytes]:
    """One interchange with the claims that an 837 can hold; the others are set aside."""
    writer = module_of("ivpush.writers.x12", "format x12")

    def fit() -> Iterator[Encounter]:
        for one in records:
            if faults := writer.unfit(one.encounter):
                _refuse(one, InputError(faults), intake)
            else:
                yield one.encounter

    yield from writer.encounter_to_837(fit())


def _fhir(records: Iterator[Record], intake: Intake) -> Iterator[bytes]:
    """A bundle a line for each encounter that FHIR can hold; the others are set aside."""
    writer = module_of("ivpush.writers.fhir", "format fhir")
    for one in records:
        try:
            bundle = writer.encounter_to_bundle(one.encounter)
        except InputError as error:
            _refuse(one, error, intake)
        else:
            yield as_json(bundle) + b"\n"


def _refuse(one: Record, error: InputError, intake: Intake) -> None:
    """Set a record aside that was read, and that the format asked for cannot hold."""
    from ivpush.readers import SetAside

    intake.checked -= 1
    intake.put_aside(SetAside(one.place, error))
