"""``ivpush check``: suggest codes, find what is wrong, mend the claim."""

from __future__ import annotations

import argparse
from typing import Any

from ivpush.commands import check_batch
from ivpush.commands.check_fix import fix
from ivpush.commands.check_run import FIXED, LEVELS, Run
from ivpush.commands.inputs import Intake, add_inputs, input_names
from ivpush.commands.options import add_engine, add_look, add_selection, choose, make_engine, settle
from ivpush.commands.outputs import FORMATS, Guard, parse_target

__all__ = ["add", "check"]


def add(commands: Any) -> None:
    """Add ``check`` to the commands."""
    parser = commands.add_parser("check", help="suggest codes, find what is wrong, mend the claim")
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="encounters, charts or claims; - reads standard input")  # fmt: skip
    add_inputs(parser)
    parser.add_argument("--format", choices=tuple(FORMATS),
                        help="format on standard output (default text)")  # fmt: skip
    parser.add_argument("--output", action="append", default=[], metavar="FORMAT:FILE",
                        help="write results to a file; may be repeated")  # fmt: skip
    parser.add_argument("--fix", action="store_true",
                        help="write the corrected claims: an 837 as an 837, else encounters, "
                             "one a line")  # fmt: skip
    parser.add_argument("--diff", action="store_true",
                        help="show what --fix would change, and write nothing else")  # fmt: skip
    parser.add_argument("--fail-on", choices=tuple(LEVELS), default="error",
                        help="lowest severity that makes the exit status 1")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="violations leave the status 0")
    parser.add_argument("--explain", action="store_true", help="text: tell why, step by step")
    add_selection(parser)
    add_engine(parser)
    add_look(parser)
    check_batch.add_options(parser)
    parser.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    """Check the files of the options; gives the exit status."""
    settle(options)
    if check_batch.wanted(options):
        return check_batch.run(options)
    names = input_names(options)
    engine = make_engine(options)
    selection = choose(options, engine.pack)
    guard = Guard([*names, *filter(None, (options.map, options.config))])
    targets = _targets(options)
    for name, path in targets:
        guard.take(path, f"--output {name}:" if path != "-" else "--output")
    if options.set_aside is not None:
        guard.take(options.set_aside, "--set-aside")
    fixes = options.fix or options.diff
    return Run(options, engine, selection).go(targets, fix if fixes else _judge)


def _judge(run: Run, intake: Intake) -> None:
    for record in intake.records():
        run.take(record, intake)


def _targets(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Formats and files to write; standard output gets text where nothing else is asked for."""
    fix = options.fix or options.diff
    known = (*FORMATS, FIXED) if fix else tuple(FORMATS)
    made = [parse_target(one, known) for one in options.output]
    if options.format is not None and not fix:
        made.append((options.format, "-"))
    if fix and not options.diff and FIXED not in {name for name, _ in made}:
        made.append((FIXED, "-"))
    if not made and not fix:
        made.append(("text", "-"))
    return made
