"""``ivpush docs``: the pages of documentation that are installed with ivpush.

``ivpush.__main__`` adds it. The pages stand in the package as they stand in the repository, so that
their links lead from one to the other; in a checkout they are those of the repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.commands.options import plain, say
from ivpush.commands.terminal import for_terminal
from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.commands.options import Commands

__all__ = ["add"]

_GLOBS = ("README.md", "docs/*.md", "examples/README.md", "docs/*/*.md", "*.md")
"""Where pages stand, in the order in which they are listed."""


def add(commands: Commands) -> None:
    """Add ``docs`` to the commands."""
    parser = commands.add_parser("docs", help="list the pages of documentation, or print one")
    parser.add_argument("page", metavar="PAGE", nargs="?", help="its name, as the list has it")
    parser.add_argument(
        "--path", action="store_true", help="print where the page, or the folder of all, stands"
    )
    parser.set_defaults(run=_docs)


def _docs(options: argparse.Namespace) -> int:
    from ivpush.pack.folder import rules_folder

    # The folder that the links start from holds the rules as well, installed or not.
    home = rules_folder().parent
    if options.page is None:
        return say(f"{home}\n" if options.path else _list(home))
    file = _page(options.page, _pages(home))
    return say(f"{file}\n" if options.path else for_terminal(file.read_text("utf-8")))


def _pages(home: Path) -> dict[str, Path]:
    """The pages by name: their path below ``docs``; that of a folder's own page is the folder's."""
    pages: dict[str, Path] = {}
    for pattern in _GLOBS:
        for file in sorted(home.glob(pattern)):
            name = file.relative_to(home).with_suffix("").as_posix().lower()
            name = name.removeprefix("docs/").removesuffix("/readme")
            pages.setdefault(name, file)
    if not pages:
        remedy = "install ivpush from its wheel"
        raise UsageError(Fault("the pages", "are not beside this copy of ivpush", remedy))
    return pages


def _list(home: Path) -> str:
    pages = _pages(home)
    width = max(map(len, pages))
    rows = [f"{name:{width}}  {_title(file)}" for name, file in pages.items()]
    return "\n".join([*rows, "", "Print one: ivpush docs PAGE", ""])


def _title(file: Path) -> str:
    """The heading of a page."""
    lines = file.read_text("utf-8").splitlines()
    return next((line[2:] for line in lines if line.startswith("# ")), "")


def _page(name: str, pages: dict[str, Path]) -> Path:
    """The page of a name, or of its path as a link has it; raises UsageError where it is none."""
    short = name.lower().removeprefix("docs/").removesuffix(".md").removesuffix("/readme")
    if short not in pages:
        remedy = did_you_mean(short, pages)
        raise UsageError(Fault(f"'{plain(name[:60])}'", "is no page", remedy))
    return pages[short]
