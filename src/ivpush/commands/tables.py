"""``ivpush tables``: import what CMS publishes, and list what the pack holds.

``ivpush.__main__`` adds it. Published files are read by ``ivpush.authoring.cms``; here the counts
of the tables are printed, and the tables are written into a pack where one is named.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.commands.options import CLEAN, add_pack, read_pack, say
from ivpush.errors import Fault, UsageError
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.authoring.cms.release import Imported
    from ivpush.commands.options import Commands
    from ivpush.pack.releases import Release

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add ``tables`` and its actions to the commands."""
    parser = commands.add_parser("tables", help="import CMS releases, and list those held")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _import_options(
        actions.add_parser("import", help="CMS's own files into dated tables of a pack")
    )
    _list_options(actions.add_parser("list", help="tables held, their release dates and quarters"))


def _import_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="a .csv, tabbed .txt, .xlsx or .zip as CMS publishes it",
    )
    parser.add_argument("--kind", help="the kind of the files, where they do not show it")
    parser.add_argument(
        "--release",
        metavar="YYYY-MM-DD",
        help="the day from which they count, where they do not say it",
    )
    parser.add_argument(
        "--into",
        metavar="DIR",
        type=Path,
        help="the pack to write into; without it nothing is written",
    )
    add_pack(parser)
    parser.set_defaults(run=_import)


def _list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--on",
        metavar="YYYY-MM-DD",
        help="say what is past its quarter on this date of service",
    )
    add_pack(parser)
    parser.set_defaults(run=_list)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(Fault(option, "is no date", "write YYYY-MM-DD")) from None


# Importing


def _import(options: argparse.Namespace) -> int:
    from ivpush.authoring.cms.held import changes, held_in
    from ivpush.authoring.cms.release import import_files, wanted_of

    release = _day("--release", options.release)
    pack = _pack_folder(options)
    wanted = wanted_of(read_pack(options))
    tables = import_files(options.files, wanted, options.kind, release, pack)
    for table in tables:
        _say_table(table)
        held = held_in(pack, table.kind, table.release)
        for change in changes(table.kind, table.cells, held) if held is not None else ():
            say(f"  {change}\n")
    if options.into is None:
        print("nothing written; add --into DIR", file=sys.stderr)
        return CLEAN
    for table in tables:
        print(f"{table.name}: {_write_table(options.into, table)}", file=sys.stderr)
    return CLEAN


def _pack_folder(options: argparse.Namespace) -> Path:
    """The folder of the pack that the tables go into; raises UsageError for one within it."""
    from ivpush.pack.folder import rules_folder

    into: Path | None = options.into
    if into is None:
        return rules_folder()
    # What is written below a folder of tables, no pack would ever read.
    if not (into / "pack.yaml").is_file() and (into.resolve().parent / "pack.yaml").is_file():
        problem = "is a folder within a pack, and not the pack"
        raise UsageError(Fault("--into", problem, f"name the pack: --into {into.parent}"))
    return into


def _say_table(table: Imported) -> None:
    """Every row read, under the word that says what became of it."""
    total = sum(table.counts.values())
    parts = " + ".join(f"{count:,} {word}" for word, count in sorted(table.counts.items()))
    say(
        f"{table.name}: {counted(total, 'row')} read = {parts}; "
        f"{counted(table.rows, 'row')} in the table, from {counted(len(table.files), 'file')}\n"
    )
    for note in table.notes:
        say(f"  {note}\n")


def _write_table(folder: Path, table: Imported) -> str:
    """Write a table into a pack; gives the word for what became of the file."""
    path = folder / table.name
    before = path.read_bytes() if path.is_file() else None
    _write(path, table.raw)
    if before is None:
        return "written"
    return "unchanged" if before == table.raw else "replaced"


def _write(path: Path, raw: bytes) -> None:
    """Write the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        # mkstemp lets only its owner read; a pack is for everybody.
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# Listing


def _list(options: argparse.Namespace) -> int:
    on = _day("--on", options.on)
    pack = read_pack(options)
    count = 0
    for kind in sorted(pack.releases):
        releases = sorted(pack.releases[kind], key=lambda release: (release.day, release.pack))
        for line in _release_lines(kind, releases, on):
            count += 1
            say(f"{line}\n")
    print(f"{count} tables", file=sys.stderr)
    return CLEAN


def _release_lines(
    kind: str, releases: Sequence[Release[object]], on: date | None
) -> Iterator[str]:
    """A line a release of one kind, oldest first: how long it counts, and where it is from."""
    from ivpush.pack.releases import QUARTERLY, quarter_end

    for release, later in zip(releases, [*releases[1:], None], strict=True):
        words = [f"{kind:<10} {release.day}  {counted(release.rows, 'row'):>12}"]
        if kind in QUARTERLY:
            words.append(f"quarter ends {quarter_end(release.day)}")
        if release.pack:
            words.append(f"from pack {release.pack} of the stack")
        if later is not None:
            # Of two releases of one day, the pack that was stacked later counts alone.
            ended = later.day == release.day
            words.append("superseded" if ended else f"until {later.day}")
        elif kind in QUARTERLY and on is not None and on > quarter_end(release.day):
            words.append(f"past its quarter on {on}")
        yield "  ".join(words)
