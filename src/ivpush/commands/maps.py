"""``ivpush maps``: the column maps that are shipped, one proposed for a file, one tried on a file.

``ivpush.__main__`` adds it. Maps are read by ``ivpush.readers.tables.maps``; ``readers.mapping``
proposes and tries them.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import TYPE_CHECKING

from ivpush.commands.inputs import read_options, tell_note
from ivpush.commands.options import CLEAN, UNREAD, complain, plain, say
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.commands.options import Commands
    from ivpush.readers.mapping import Trial

__all__ = ["add"]

_MOST_ROWS = 40
"""Rows whose fates are printed one by one unless all are asked for."""


def add(commands: Commands) -> None:
    """Add ``maps`` and its actions to the commands."""
    parser = commands.add_parser("maps", help="column maps of tables: list, show, propose, try")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the maps that are shipped")
    listed.set_defaults(run=_list)
    show = actions.add_parser("show", help="a map as it stands in its file")
    show.add_argument("map", metavar="MAP", help="a name or a file")
    show.set_defaults(run=_show)
    new = actions.add_parser("new", help="a map proposed from the header and first rows of a file")
    new.add_argument("file", metavar="FILE", help="a table: CSV, a workbook, Parquet")
    new.set_defaults(run=_new)
    check = actions.add_parser("check", help="what each row of a file becomes by a map")
    check.add_argument("file", metavar="FILE", help="a table: CSV, a workbook, Parquet")
    check.add_argument("--map", metavar="MAP", required=True, help="a name or a file")
    check.add_argument("--join", action="append", default=[], metavar="FILE", help="a joined table")
    check.add_argument(
        "--setting",
        choices=("facility", "professional"),
        default="facility",
        help="setting of records that state none",
    )
    check.add_argument("--timezone", metavar="ZONE", help="zone of times without an offset")
    check.add_argument("--all", action="store_true", help="name every row")
    check.set_defaults(run=_check, separators=None)


def _list(_options: argparse.Namespace) -> int:
    from ivpush.readers.tables.maps import load_map, map_names

    for name in map_names():
        shipped = load_map(name)
        kind = "claim lines" if shipped.table == "lines" else f"a row {_an(shipped.shape)}"
        say(f"{name:<26} {kind:<13} {shipped.confidence:<7} {shipped.title}\n")
    return CLEAN


def _an(shape: str) -> str:
    return "an event" if shape == "event" else "a dose"


def _show(options: argparse.Namespace) -> int:
    from ivpush.readers.tables.maps import load_map, map_path

    load_map(options.map)
    say(map_path(options.map).read_text("utf-8"))
    return CLEAN


def _new(options: argparse.Namespace) -> int:
    from ivpush.readers import ReadOptions
    from ivpush.readers.detect import open_source
    from ivpush.readers.mapping import known_names, propose
    from ivpush.readers.tables.opening import open_table

    with open_source(options.file, ReadOptions(), "csv") as source:
        proposal = propose(open_table(options.file, source.stream, known=known_names()))
    say(proposal.text)
    todo = f"{counted(proposal.open, 'line')} to complete (TODO)" if proposal.open else "complete"
    print(f"{todo}; then: ivpush maps check FILE --map MAP.yaml", file=sys.stderr)
    return CLEAN


def _check(options: argparse.Namespace) -> int:
    from ivpush.readers.detect import open_source
    from ivpush.readers.mapping import try_map

    read = read_options(options)
    with (
        open_source(options.file, read, "csv") as first,
        open_source(options.file, read, "csv") as again,
    ):
        trial = try_map(options.file, first.stream, again.stream, read)
    _say_rows(trial, every=options.all)
    _say_unknown(trial)
    for note in trial.notes:
        tell_note(note)
    for aside in trial.aside:
        complain(aside.error, aside.place)
    encounters = counted(trial.encounters, "encounter")
    print(f"{encounters} read, {len(trial.aside)} set aside", file=sys.stderr)
    return UNREAD if trial.aside else CLEAN


def _say_rows(trial: Trial, *, every: bool) -> None:
    rows = list(trial.rows.items())
    shown = rows if every else rows[:_MOST_ROWS]
    for number, fate in shown:
        say(f"row {number}: {fate}\n")
    if len(rows) > len(shown):
        say(f"… {len(rows) - len(shown):,} more rows (--all names them)\n")
    for fate, count in Counter(trial.rows.values()).most_common():
        say(f"{count:,} x {fate}\n")


def _say_unknown(trial: Trial) -> None:
    """What nobody understood: the words, which belong under ``values`` of the map."""
    for fact, words in trial.words.items():
        say(f"not understood, {fact}:\n")
        for word, count in words.most_common(_MOST_ROWS):
            say(f"  {count:,} x {plain(word)}\n")
    for problem, remedies in trial.times.items():
        say(f"not understood, {problem}; {next(iter(remedies))}\n")
