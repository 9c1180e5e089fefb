"""``ivpush convert``: what was understood of an input, as encounters of our own or another format.

Nothing is judged. A record that cannot be read is set aside with its file, position and reason,
and the counts are printed.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from ivpush.commands.common import INTERRUPTED, add_look
from ivpush.commands.inputs import Intake, add_inputs, input_names
from ivpush.commands.outputs import Guard, Out, Shield, module_of
from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ivpush.models import Encounter

__all__ = ["add"]

_MAKERS = {
    "x12": ("ivpush.writers.x12", "encounter_to_837"),
    "fhir": ("ivpush.writers.fhir", "encounter_to_bundle"),
}
"""Formats other than our own: module, and its function from an encounter to a document."""


def add(commands: Any) -> None:
    """Add ``convert`` to the commands."""
    parser = commands.add_parser("convert", help="show what was understood of an input")
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="encounters, charts or claims; - reads standard input")  # fmt: skip
    add_inputs(parser)
    parser.add_argument("--format", choices=("ndjson", *_MAKERS), default="ndjson",
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
                for record in intake.records():
                    with shield.held():
                        outs[0].stream.write(made(record.encounter))
            except KeyboardInterrupt:
                intake.statuses.add(INTERRUPTED)
            for out in outs:
                out.leave() if INTERRUPTED in intake.statuses else out.finish()
    except UsageError as error:
        for out in outs:
            out.drop()
        intake.refused(error)
    return intake.close()


def _maker(format_: str) -> Callable[[Encounter], bytes]:
    if format_ == "ndjson":
        return _line
    name, function = _MAKERS[format_]
    make = getattr(module_of(name, f"format {format_}"), function, None)
    if make is None:
        raise UsageError(Fault(f"format {format_}", "is not in this installation",
                               "install a release that has it"))  # fmt: skip

    def made(encounter: Encounter) -> bytes:
        document = make(encounter)
        if isinstance(document, bytes):
            return document
        if isinstance(document, str):
            return document.encode()
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    return made


def _line(encounter: Encounter) -> bytes:
    return encounter.model_dump_json(exclude_none=True).encode() + b"\n"
