"""``ivpush tables``: import what CMS publishes, and list what the pack holds."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivpush.commands.options import CLEAN, add_pack, read_pack, say
from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    from ivpush.authoring.cms.release import Imported

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``tables`` and its actions to the commands."""
    parser = commands.add_parser("tables", help="import CMS releases, and list those held")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    action = actions.add_parser("import", help="CMS's own files into dated tables of a pack")
    action.add_argument("files", metavar="FILE", nargs="+", type=Path,
                        help="a .csv, tabbed .txt, .xlsx or .zip as CMS publishes it")  # fmt: skip
    action.add_argument("--kind", help="the kind of the files, where they do not show it")
    action.add_argument("--release", metavar="YYYY-MM-DD",
                        help="the day from which they count, where they do not say it")  # fmt: skip
    action.add_argument("--into", metavar="DIR", type=Path,
                        help="the pack to write into; without it nothing is written")  # fmt: skip
    add_pack(action)
    action.set_defaults(run=_import)
    action = actions.add_parser("list", help="tables held, their release dates and quarters")
    action.add_argument("--on", metavar="YYYY-MM-DD",
                        help="say what is past its quarter on this date of service")  # fmt: skip
    add_pack(action)
    action.set_defaults(run=_list)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(Fault(option, "is no date", "write YYYY-MM-DD")) from None


def _import(options: argparse.Namespace) -> int:
    from ivpush.authoring.cms.release import import_files, wanted_of

    release = _day("--release", options.release)
    wanted = wanted_of(read_pack(options))
    made = import_files(options.files, wanted, options.kind, release)
    for one in made:
        _tell(one)
    if options.into is None:
        print("nothing written; add --into DIR", file=sys.stderr)
        return CLEAN
    for one in made:
        path = options.into / one.name
        had = path.is_file()
        same = had and path.read_bytes() == one.raw
        _write(path, one.raw)
        print(f"{one.name}: {'unchanged' if same else 'replaced' if had else 'written'}",
              file=sys.stderr)  # fmt: skip
    return CLEAN


def _tell(one: Imported) -> None:
    """Every row read, under the word that says what became of it."""
    total = sum(one.counts.values())
    parts = " + ".join(f"{count} {word}" for word, count in sorted(one.counts.items()))
    say(f"{one.name}: {total} rows read = {parts}; {one.rows} rows in the table, "
        f"from {len(one.files)} file(s)\n")  # fmt: skip
    for note in one.notes:
        say(f"  {note}\n")


def _write(path: Path, raw: bytes) -> None:
    """Write the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _list(options: argparse.Namespace) -> int:
    from ivpush.pack.releases import QUARTERLY, quarter_end

    on = _day("--on", options.on)
    pack = read_pack(options)
    count = 0
    for kind in sorted(pack.releases):
        held = sorted(pack.releases[kind], key=lambda one: (one.day, one.pack))
        for n, one in enumerate(held):
            count += 1
            words = [f"{kind:<10} {one.day}  {one.rows:>6} rows"]
            if kind in QUARTERLY:
                words.append(f"quarter ends {quarter_end(one.day)}")
            if one.pack:
                words.append(f"from pack {one.pack} of the stack")
            if n + 1 < len(held):
                words.append("superseded" if held[n + 1].day == one.day
                             else f"until {held[n + 1].day}")  # fmt: skip
            elif kind in QUARTERLY and on is not None and on > quarter_end(one.day):
                words.append(f"past its quarter on {on}")
            say("  ".join(words) + "\n")
    print(f"{count} tables", file=sys.stderr)
    return CLEAN
