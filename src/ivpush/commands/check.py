"""``ivpush check``: suggest codes, find what is wrong, correct the claim.

``ivpush.__main__`` adds it, and ``explain`` runs it on a file. This module holds the options and
says what is written where; ``check_run`` does a run, ``check_fix`` the corrected claims, and
``check_batch`` a run in several processes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.commands import check_batch
from ivpush.commands.check_fix import fix
from ivpush.commands.check_run import FIXED, LEVELS, Run, totals_format
from ivpush.commands.inputs import Intake, add_files, add_inputs, input_names
from ivpush.commands.options import add_engine, add_look, add_selection, choose, make_engine, settle
from ivpush.commands.outputs import (
    FORMATS,
    Guard,
    Target,
    format_name,
    parse_target,
    require_whole,
)

if TYPE_CHECKING:
    from ivpush.commands.options import Commands

__all__ = ["add", "check"]


def add(commands: Commands) -> None:
    """Add ``check`` to the commands."""
    parser = commands.add_parser(
        "check", help="suggest codes, find what is wrong, correct the claim"
    )
    add_files(parser)
    add_inputs(parser)
    _add_outputs(parser)
    parser.add_argument(
        "--fail-on",
        choices=tuple(LEVELS),
        default="error",
        help="lowest severity that makes the exit status 1 (default error)",
    )
    parser.add_argument(
        "--mask-ids",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="in results of every format, write names that tell nothing for the ids of encounters, "
        "administrations and staff (default: in github only, which stands in the log of a build)",
    )
    parser.add_argument(
        "--mask-key",
        metavar="FILE",
        type=Path,
        help="secret that makes these names, so that they are the same in every run "
        "(default: a new one each run)",
    )
    parser.add_argument("--exit-zero", action="store_true", help="violations leave the status 0")
    parser.add_argument(
        "--statistics",
        action="store_true",
        help="print totals by rule and payer instead of results: --format text, json or csv",
    )
    parser.add_argument("--explain", action="store_true", help="text: tell why, step by step")
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="text, json, ndjson: add what was checked against which table, and what was not",
    )
    parser.add_argument(
        "--visit",
        action="store_true",
        help="json, ndjson: add the claim's lines and the chart as coded, for ivpush report",
    )
    add_selection(parser)
    add_engine(parser)
    add_look(parser)
    check_batch.add_options(parser)
    parser.set_defaults(run=check)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is written")
    group.add_argument(
        "--format",
        type=format_name,
        choices=tuple(FORMATS),
        help="format on standard output (default text); jsonl is ndjson",
    )
    group.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="FORMAT:FILE",
        help="write results to a file; may be repeated",
    )
    group.add_argument(
        "--fix",
        action="store_const",
        const="safe",
        help="write the corrected claims: an 837 as an 837, else encounters, one a line",
    )
    # A value of its own would swallow the file behind a bare --fix.
    group.add_argument(
        "--fix=all",
        dest="fix",
        action="store_const",
        const="all",
        help="the same, with the edits that only a person can vouch for; each is named",
    )
    group.add_argument(
        "--diff",
        action="store_true",
        help="show what --fix would change, and write nothing else",
    )


def check(options: argparse.Namespace) -> int:
    """Check the files of the options; gives the exit status."""
    # The configuration first: it may name the payer, packs and policies of either kind of run.
    settle(options)
    if check_batch.wanted(options):
        return check_batch.run(options)
    inputs = input_names(options)
    engine = make_engine(options)
    silent = choose(options, engine.pack)
    targets = _targets(options)
    # Everything is looked at before anything is opened, so that a refusal leaves no file behind.
    guard = Guard([*inputs, *filter(None, (options.map, options.config, options.mask_key))])
    for target in targets:
        option = "--output" if target.path == "-" else f"--output {target.format}:"
        guard.take(target.path, option)
    if options.statistics:
        guard.take("-", "--statistics")
    if options.set_aside is not None:
        guard.take(options.set_aside, "--set-aside")
    judge = fix if options.fix or options.diff else _judge
    return Run(options, engine, silent).go(targets, judge)


def _judge(run: Run, intake: Intake) -> None:
    for record in intake.records():
        run.take(record, intake)


def _targets(options: argparse.Namespace) -> list[Target]:
    """What is written where; standard output gets text where nothing else is asked for.

    With --fix standard output is for the claims, with --diff for what would change, and with
    --statistics for the totals.
    """
    fixes = options.fix or options.diff
    known = (*FORMATS, FIXED) if fixes else tuple(FORMATS)
    targets = [parse_target(text, known) for text in options.output]
    if options.statistics:
        totals_format(options)
    elif not fixes:
        if options.format is not None or not targets:
            targets.append(Target(options.format or "text", "-"))
    if fixes and not options.diff and all(target.format != FIXED for target in targets):
        targets.append(Target(FIXED, "-"))
    require_whole(targets, coverage=options.coverage, visit=options.visit)
    return targets
