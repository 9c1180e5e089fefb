"""What the commands share: exit statuses, options, the pack, the engine, and how to print.

Every module of ``ivpush.commands`` calls it, and ``ivpush.__main__``. Nothing heavy is imported
before a function needs it: ``ivpush --version`` loads neither pydantic nor the pack.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.errors import Fault, IvpushError, UsageError

if TYPE_CHECKING:
    from ivpush.commands.parser import Parser
    from ivpush.engine import Engine
    from ivpush.pack.pack import Pack
    from ivpush.writers.text import Look

    Commands = argparse._SubParsersAction[Parser]
    """Where a command adds its parser; argparse gives this type no public name."""

__all__ = [
    "BROKEN",
    "CLEAN",
    "INTERNAL",
    "INTERRUPTED",
    "ORDER",
    "PACK",
    "UNREAD",
    "USAGE",
    "add_engine",
    "add_look",
    "add_pack",
    "add_selection",
    "cache_folder",
    "cache_of",
    "choose",
    "complain",
    "make_engine",
    "make_look",
    "plain",
    "read_pack",
    "say",
    "settle",
    "tell",
]

CLEAN, BROKEN, USAGE, PACK, UNREAD, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
ORDER = (INTERRUPTED, PACK, USAGE, INTERNAL, UNREAD, BROKEN, CLEAN)
"""Which exit status counts where several apply, first to last."""
_FLAGS = {
    "payer": "--payer",
    "setting": "--setting",
    "timezone": "--timezone",
    "from_": "--from",
    "select": "--select",
    "ignore": "--ignore",
    "outputs": "--output",
    "set_aside": "--set-aside",
    "workers": "--workers",
    "chunk": "--chunk",
    "resume": "--resume",
}
"""Settings of the library by the names of its options: here they are written as flags."""
_WIDTH, _LEAST_WIDTH, _MOST_WIDTH = 96, 40, 240


# Printing


def plain(text: str) -> str:
    """The text with what cannot be printed replaced, so that no control character gets out."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def say(text: str) -> int:
    """Write text to standard output in the encoding it has; gives the status of success."""
    encoding = sys.stdout.encoding or "ascii"
    # A sign that the terminal cannot show becomes a question mark, not a traceback.
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    return CLEAN


def tell(text: str) -> None:
    """Print a line about the run on standard error."""
    print(f"ivpush: {plain(text)}", file=sys.stderr)


def complain(error: IvpushError, place: str = "") -> None:
    """Print the faults of an error on standard error, each after the place if one is named."""
    for fault in error.faults:
        if isinstance(error, UsageError) and fault.place in _FLAGS:
            fault = replace(fault, place=_FLAGS[fault.place])
        # Faults of rows name their file themselves.
        named = place and not fault.place.startswith((place, place.rpartition(":")[0] + ":"))
        tell(f"{place}: {fault}" if named else str(fault))


# Options


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options that make an engine: payer, policies, packs."""
    group = parser.add_argument_group("payer and policies")
    group.add_argument(
        "--payer", help="payer of encounters that name none; ivpush docs payers lists them"
    )
    group.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a policy; may be repeated; ivpush docs vocabulary lists them",
    )
    add_pack(parser)


def add_pack(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the rule pack."""
    group = parser.add_argument_group("rules")
    group.add_argument(
        "--rules",
        action="append",
        default=[],
        metavar="DIR",
        type=Path,
        help="folder of further rules, on top of the shipped ones; may be repeated",
    )
    group.add_argument("--no-cache", action="store_true", help="read the pack without its cache")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the configuration and the rules that speak."""
    group = parser.add_argument_group("which rules speak")
    group.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="configuration file instead of the one found",
    )
    group.add_argument("--no-config", action="store_true", help="use no configuration file")
    group.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="RULE[,RULE]",
        help="let only these rules speak: ids, names or starts of ids",
    )
    group.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RULE[,RULE]",
        help="keep these rules silent in this run; what they explained is told instead",
    )


def add_look(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how text is printed."""
    group = parser.add_argument_group("how text looks")
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour the text (default auto: on a terminal)",
    )
    group.add_argument("--ascii", action="store_true", help="use plain ASCII only")
    group.add_argument(
        "--show-text",
        action="store_true",
        help="print the chart's own words, such as drug names",
    )


# From options to what they name


def settle(options: argparse.Namespace) -> None:
    """Take the configuration into the options; what the command line says comes on top.

    Sets ``options.settled`` to the configuration and ``options.config`` to its file. Raises
    UsageError where the file cannot be read or is faulty.
    """
    from ivpush.commands.configuration import Configuration, find_configuration, read_configuration

    path = None if options.no_config else options.config or find_configuration(Path())
    settled = read_configuration(path) if path is not None else Configuration()
    options.settled = settled
    options.config = path
    if options.payer is None:
        options.payer = settled.payer
    # The later of two policies or packs counts, so those of the command line stand last.
    options.rules = [*settled.packs, *options.rules]
    policies = [f"{name}={value}" for name, value in settled.policies.items()]
    options.policy = [*policies, *options.policy]


def choose(options: argparse.Namespace, pack: Pack) -> frozenset[str]:
    """The rules that must not speak; an ignore that has ended no longer counts, and is named."""
    from ivpush.claim.selection import Ignore, select_rules

    select = _names(options.select) or options.settled.select
    ignore = [*options.settled.ignore, *(Ignore(name, "") for name in _names(options.ignore))]
    silent, ended = select_rules(pack.every_rule, select, ignore, date.today())
    for fault in ended:
        tell(str(fault))
    return silent


def _names(lists: Iterable[str]) -> list[str]:
    """The names in lists that are separated by commas."""
    names = (name.strip() for text in lists for name in text.split(","))
    return [name for name in names if name]


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where parsed packs are kept between runs; None where no folder can be named."""
    # XDG_CACHE_HOME on Linux and where somebody set it, LOCALAPPDATA on Windows.
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    if base:
        return Path(base) / "ivpush"
    home = environ.get("HOME")
    return Path(home) / ".cache" / "ivpush" if home else None


def read_pack(options: argparse.Namespace) -> Pack:
    """The pack that the options name; raises PackError where it is not fit to be used."""
    from ivpush.pack.pack import Pack

    return Pack.load(extra=tuple(options.rules), cache=cache_of(options))


def cache_of(options: argparse.Namespace) -> Path | None:
    """The folder for parsed packs; None where there is none, or where it is refused."""
    return None if options.no_cache else cache_folder(os.environ)


def make_engine(options: argparse.Namespace) -> Engine:
    """The engine that the options describe; raises UsageError for what does not exist."""
    from ivpush.engine import Engine
    from ivpush.pack.pack import Pack

    policies = {}
    for setting in options.policy:
        name, sign, value = setting.partition("=")
        if not sign:
            raise UsageError(Fault("--policy", "has no value", "write --policy NAME=VALUE"))
        policies[name] = value
    pack = Pack.shipped(tuple(options.rules), cache_of(options))
    try:
        return Engine(options.payer, policies=policies, pack=pack)
    except UsageError as error:
        raise _where_written(error, options) from None


def _where_written(error: UsageError, options: argparse.Namespace) -> UsageError:
    """The error with the configuration's place where it set what does not exist."""
    settled = getattr(options, "settled", None)
    if settled is None:  # a command without a configuration
        return error
    written = {f"policy {name}": f"policies.{name}" for name in settled.policies}
    if options.payer == settled.payer:
        written["payer"] = "payer"
    return UsageError(
        [
            replace(fault, place=f"{settled.place}: {written[fault.place]}")
            if fault.place in written
            else fault
            for fault in error.faults
        ]
    )


def make_look(options: argparse.Namespace) -> Look:
    """How to print on this terminal, as the options, NO_COLOR and the width say."""
    from ivpush.writers.text import Look

    return Look(
        width=max(_LEAST_WIDTH, min(_width(), _MOST_WIDTH)),
        colour=_coloured(options.color),
        ascii=options.ascii or not _prints_signs(sys.stdout.encoding or "ascii"),
        show_text=options.show_text,
    )


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit():
        return int(columns)
    if not sys.stdout.isatty():
        return _WIDTH
    return shutil.get_terminal_size((_WIDTH, 24)).columns


def _coloured(color: str) -> bool:
    """Whether text is coloured: no-color.org's NO_COLOR comes before FORCE_COLOR."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    )


def _prints_signs(encoding: str) -> bool:
    """Whether an encoding has the signs that the text writer draws with."""
    try:
        "→…—▏█".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
