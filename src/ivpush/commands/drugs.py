"""``ivpush drugs``: what the drug table makes of a name, and of the names of a file.

``ivpush.__main__`` adds it. The nearest known names are shown to whoever keeps the table, as
something to add to a pack after a look. No decision about an encounter ever uses them: there a
name is found exactly, or unknown.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ivpush.commands.options import BROKEN, CLEAN, add_pack, plain, read_pack, say
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.commands.options import Commands
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


class _Name(NamedTuple):
    """A name of a file that is not found: how often it stands there, and why it is not found."""

    text: str
    rows: int
    answer: Found


def add(commands: Commands) -> None:
    """Add ``drugs`` and its actions to the commands."""
    parser = commands.add_parser("drugs", help="look drug names up, and check those of a file")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    find = actions.add_parser("find", help="which drug a name is, and how it was found")
    find.add_argument("name", metavar="NAME", nargs="+", help="a drug as it is charted")
    find.set_defaults(run=_find)
    lint = actions.add_parser(
        "lint",
        help="what is wrong in the pack's drug tables, or which names of a file are not found",
        description=(
            "FILE is a table (.csv), or text with one name a line. Names are printed. "
            "Without FILE the pack's own tables are held against each other."
        ),
    )
    lint.add_argument(
        "file", metavar="FILE", type=Path, nargs="?", help="names, one a line; or a table"
    )
    lint.add_argument("--column", help="the column of a table that holds the names")
    lint.add_argument(
        "--format",
        choices=("text", "csv"),
        default="text",
        help="csv: rows to complete for a pack's drug_names.csv",
    )
    lint.set_defaults(run=_lint)
    for action in (find, lint):
        add_pack(action)


def _read_names(options: argparse.Namespace) -> DrugNames:
    return read_pack(options).book(None).names


# One name


def _find(options: argparse.Namespace) -> int:
    names = _read_names(options)
    text = " ".join(options.name)
    answer = names.look_up(text)
    say(f"{plain(text)}\n")
    if answer.row is not None:
        for line in _drug_lines(answer, answer.row):
            say(f"  {line}\n")
        return CLEAN
    say(f"  not found: {_why_not(answer)}\n")
    if answer.offered:
        say("  it may be, for a person to judge:\n")
        say("".join(f"    {row.name}\n" for row in answer.offered))
    say("  add it to the drug_names.csv of a pack, or state the drug's HCPCS code\n")
    return BROKEN


def _drug_lines(answer: Found, row: DrugRow) -> Iterator[str]:
    """What the table says of a drug, and how its name was found."""
    injected = f"; by injection {row.category_injection}" if row.category_injection else ""
    code = row.hcpcs or "no HCPCS code"
    yield f"{row.name} ({code}): {row.category}{injected}"
    yield f"found {_WAYS[answer.how]}: {', '.join(answer.names)}"
    yield f"usual techniques: {', '.join(sorted(row.techniques))}"
    if row.unit_amount is not None:
        rule = "up to" if row.unit_rule == "up_to" else "per"
        yield f"billing unit: {rule} {row.unit_amount} {row.unit}"
    if row.ended is not None or row.successor is not None:
        ended = f"ended {row.ended}" if row.ended else "replaced"
        yield ended + (f"; successor {row.successor}" if row.successor else "")


def _why_not(answer: Found) -> str:
    """Why a name is not found, and what of it is known."""
    word = f" ('{plain(answer.word[:60])}')" if answer.word else ""
    names = f"; it holds {', '.join(answer.names)}" if answer.names else ""
    return f"{_WHY_NOT[answer.how]}{word}{names}"


# The names of a file


def _lint(options: argparse.Namespace) -> int:
    if options.file is None:
        return _lint_pack(options)
    names = _read_names(options)
    rows = Counter(_names_in(options.file, options.column))
    empty = rows.pop("", 0)
    unknown = _unknown(rows, names)
    if options.format == "csv":
        _print_rows(unknown)
    else:
        for name in unknown:
            may_be = f"; may be {_first_offered(name)}" if name.answer.offered else ""
            say(f"{name.rows:6} {plain(name.text)}: {_why_not(name.answer)}{may_be}\n")
    _print_counts(rows, unknown, empty)
    return BROKEN if unknown else CLEAN


def _lint_pack(options: argparse.Namespace) -> int:
    from ivpush.authoring.drug_lint import drug_faults

    pack = read_pack(options)
    faults = list(drug_faults(pack))
    for fault in faults:
        say(f"{plain(str(fault))}\n")
    print(
        f"{counted(len(pack.book(None).names), 'drug name')}: {counted(len(faults), 'finding')}",
        file=sys.stderr,
    )
    return BROKEN if faults else CLEAN


def _unknown(rows: Mapping[str, int], names: DrugNames) -> list[_Name]:
    """The names that are not found, the most frequent first."""
    answers = ((text, names.look_up(text)) for text in rows)
    unknown = [_Name(text, rows[text], answer) for text, answer in answers if answer.row is None]
    return sorted(unknown, key=lambda name: (-name.rows, name.text))


def _print_rows(unknown: Sequence[_Name]) -> None:
    """Rows to complete for a pack's drug_names.csv; ``?`` stands for what a person must say."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["name", "drug", "kind", "source"])
    for name in unknown:
        out.writerow([plain(name.text), f"? {_first_offered(name)}".rstrip(), "?", "?"])


def _first_offered(name: _Name) -> str:
    """The drug that a name may mean first; empty where it may mean anything."""
    return name.answer.offered[0].name if name.answer.offered else ""


def _print_counts(rows: Counter[str], unknown: Sequence[_Name], empty: int) -> None:
    total, missed = sum(rows.values()), sum(name.rows for name in unknown)
    share = f"{100 * (total - missed) / total:.1f} %" if total else "none"
    print(
        f"{counted(total, 'named row')} = {total - missed:,} found + {missed:,} not found "
        f"({share} found); {counted(len(rows), 'name')}, {len(unknown):,} not found; "
        f"{counted(empty, 'row')} without a name",
        file=sys.stderr,
    )


def _names_in(path: Path, column: str | None) -> Iterator[str]:
    """The names of a file, row by row; raises UsageError with the place of what is wrong."""
    name = plain(str(path))
    try:
        # utf-8-sig: spreadsheet programs put a mark before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as lines:
            if path.suffix.lower() != ".csv":
                yield from (line.strip() for line in lines)
                return
            reader = csv.DictReader(lines)
            key = _column(name, list(reader.fieldnames or ()), column)
            for row in reader:
                yield (row[key] or "").strip()
    except OSError as error:
        raise UsageError(Fault(name, error.strerror or "cannot be read", "name a file")) from None
    except UnicodeDecodeError:
        raise UsageError(Fault(name, "is not UTF-8", "save it as UTF-8")) from None
    except csv.Error:
        raise UsageError(Fault(f"{name}:{reader.line_num}", "is not CSV", "mend it")) from None


def _column(file: str, header: Sequence[str], asked: str | None) -> str:
    """The column asked for, else ``drug``, else the only one."""
    if asked is not None:
        column = asked
    elif len(header) == 1:
        column = header[0]
    else:
        column = "drug"
    if column not in header:
        remedy = f"--column: {did_you_mean(column, header)}"
        raise UsageError(Fault(f"{file}:1", "has no such column of names", remedy))
    return column
