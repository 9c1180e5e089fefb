"""``ivpush drugs``: what the drug table makes of a name, and of the names of a file.

The nearest known names are shown to whoever keeps the table, as something to add to a pack after
a look. No decision about an encounter ever uses them: there a name is found exactly, or unknown.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivpush.commands.options import BROKEN, CLEAN, add_pack, plain, read_pack, say
from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.pack.drugs import DrugNames, DrugRow, Found

__all__ = ["add"]

_WAYS = {
    "exact": "as it is written",
    "stripped": "after amounts, routes, forms, salts and notes were set aside",
    "carried": "after the fluid that carries it and what says nothing were set aside",
}
_WHY_NOT = {
    "empty": "no word in it names a drug",
    "too_long": "longer than any drug's name",
    "unknown_word": "a word that no list of the pack holds",
    "ambiguous": "it may mean more than one drug",
    "two_drugs": "it names more than one drug",
    "premixed": "this drug with a fluid may be hydration or a drug",
}
_NEAR = 0.78
"""How alike names must be to be shown: about one letter in five may differ."""


def add(commands: Any) -> None:
    """Add ``drugs`` and its actions to the commands."""
    parser = commands.add_parser("drugs", help="look drug names up, and check those of a file")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    find = actions.add_parser("find", help="which drug a name is, and how it was found")
    find.add_argument("name", metavar="NAME", nargs="+")
    find.set_defaults(run=_find)
    lint = actions.add_parser(
        "lint", help="which names of a file are not found; prints them",
        description="FILE is a table (.csv), or text with one name a line. Names are printed.",
    )  # fmt: skip
    lint.add_argument("file", metavar="FILE", type=Path)
    lint.add_argument("--column", help="the column of a table that holds the names")
    lint.add_argument("--format", choices=("text", "csv"), default="text",
                      help="csv: rows to complete for a pack's drug_names.csv")  # fmt: skip
    lint.set_defaults(run=_lint)
    for action in (find, lint):
        add_pack(action)


def _nearest(names: DrugNames, text: str, most: int = 3) -> list[str]:
    """Known names most like a text: for people to look at, never for a decision."""
    from difflib import get_close_matches

    from ivpush.pack.drugs import plain_name

    return get_close_matches(plain_name(text)[:80], names.known(), n=most, cutoff=_NEAR)


def _find(options: argparse.Namespace) -> int:
    names = read_pack(options).book(None).names
    text = " ".join(options.name)
    found = names.look_up(text)
    say(f"{plain(text)}\n")
    if found.row is not None:
        say("".join(f"  {line}\n" for line in _told(found, found.row)))
        return CLEAN
    say(f"  not found: {_reason(found)}\n")
    near = _near(names, text, found)
    if near:
        say("  nearest known names, for a person to judge:\n")
        say("".join(f"    {name} -> {row.name}\n" for name, row in near))
    say("  add it to the drug_names.csv of a pack, or state the drug's HCPCS code\n")
    return BROKEN


def _told(found: Found, row: DrugRow) -> Iterator[str]:
    injected = f"; by injection {row.category_injection}" if row.category_injection else ""
    code = row.hcpcs or "no HCPCS code"
    yield f"{row.name} ({code}): {row.category}{injected}"
    yield f"found {_WAYS[found.how]}: {', '.join(found.names)}"
    yield f"usual techniques: {', '.join(sorted(row.techniques))}"
    if row.unit_amount is not None:
        rule = "up to" if row.unit_rule == "up_to" else "per"
        yield f"billing unit: {rule} {row.unit_amount} {row.unit}"
    if row.ended is not None or row.successor is not None:
        ended = f"ended {row.ended}" if row.ended else "replaced"
        yield ended + (f"; successor {row.successor}" if row.successor else "")


def _reason(found: Found) -> str:
    word = f" ('{plain(found.word[:60])}')" if found.word else ""
    read = f"; it holds {', '.join(found.names)}" if found.names else ""
    return f"{_WHY_NOT[found.how]}{word}{read}"


def _near(names: DrugNames, text: str, found: Found) -> list[tuple[str, DrugRow]]:
    """Names near the whole text, else near the word that nobody knows; none near a vague name."""
    if found.how != "unknown_word":
        return []
    near = _nearest(names, text) or (_nearest(names, found.word) if len(found.word) > 3 else [])
    return [(name, row) for name in near if (row := names.exact(name)) is not None]


def _lint(options: argparse.Namespace) -> int:
    names = read_pack(options).book(None).names
    rows = Counter(_names(options.file, options.column))
    empty = rows.pop("", 0)
    unknown = {name: one for name in rows if (one := names.look_up(name)).row is None}
    missed = sum(rows[name] for name in unknown)
    ordered = sorted(unknown, key=lambda name: (-rows[name], name))
    if options.format == "csv":
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(["name", "drug", "kind", "source"])
        for name in ordered:
            near = _near(names, name, unknown[name])
            out.writerow([plain(name), f"? {near[0][1].name}" if near else "?", "?", "?"])
    else:
        for name in ordered:
            alike = _near(names, name, unknown[name])
            said = f"; near {alike[0][1].name}" if alike else ""
            say(f"{rows[name]:6} {plain(name)}: {_reason(unknown[name])}{said}\n")
    total = sum(rows.values())
    share = f"{100 * (total - missed) / total:.1f} %" if total else "none"
    print(f"{total} named row(s) = {total - missed} found + {missed} not found ({share} found); "
          f"{len(rows)} name(s), {len(unknown)} not found; {empty} row(s) without a name",
          file=sys.stderr)  # fmt: skip
    return BROKEN if unknown else CLEAN


def _names(path: Path, column: str | None) -> Iterator[str]:
    """The names of a file, row by row."""
    name = plain(str(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            if path.suffix.lower() != ".csv":
                yield from (line.strip() for line in lines)
                return
            reader = csv.DictReader(lines)
            header = list(reader.fieldnames or ())
            wanted = column if column is not None else "drug" if "drug" in header else None
            if wanted is None and len(header) == 1:
                wanted = header[0]
            if wanted is None or wanted not in header:
                meant = did_you_mean(wanted or "drug", header)
                raise UsageError(
                    Fault(f"{name}:1", "has no such column of names", f"--column: {meant}")
                )
            for row in reader:
                yield (row[wanted] or "").strip()
    except OSError as error:
        raise UsageError(Fault(name, error.strerror or "cannot be read", "name a file")) from None
    except UnicodeDecodeError:
        raise UsageError(Fault(name, "is not UTF-8", "save it as UTF-8")) from None
    except csv.Error:
        raise UsageError(Fault(f"{name}:{reader.line_num}", "is not CSV", "mend it")) from None
