"""The configuration: ``[tool.ivpush]`` of ``pyproject.toml``, or ``ivpush.toml``.

It says which payer, packs and policies hold and which rules speak. Ignoring a rule needs a reason
and may expire; an expired one no longer holds, and is named. Rules are chosen after the engine has
judged, so that the engine stays pure: the corrected claim is the same with and without.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ivpush.claim.selection import Ignore
from ivpush.errors import Fault, PackError, UsageError
from ivpush.pack.checked import read_shape
from ivpush.pack.files import MOST_BYTES, Faults, KeyPath
from ivpush.pack.shapes.words import Day, Rows, Shape, Text, wrong

__all__ = [
    "Configuration",
    "find_configuration",
    "read_configuration",
]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a project has settled for every run; ``packs`` are paths seen from the file."""

    payer: str | None = None
    packs: tuple[Path, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    ignore: tuple[Ignore, ...] = ()
    place: str = ""


def find_configuration(folder: Path) -> Path | None:
    """The file that speaks for a folder: its own, or the nearest above within its repository.

    ``ivpush.toml`` wins over ``pyproject.toml`` beside it. Outside a repository only the folder
    itself is looked at, so that nobody else's file further up is obeyed.
    """
    here = folder.resolve()
    above = [here, *here.parents]
    root = next((n for n, one in enumerate(above) if (one / ".git").exists()), 0)
    for one in above[: root + 1]:
        own, project = one / "ivpush.toml", one / "pyproject.toml"
        if own.is_file():
            return own
        if project.is_file() and _table(project, _load(project)) is not None:
            return project
    return None


def read_configuration(path: Path) -> Configuration:
    """The configuration in a file; raises UsageError with every fault found at once."""
    table = _table(path, _load(path))
    if table is None:
        raise UsageError(Fault(str(path), "has no table [tool.ivpush]", "write one"))
    faults = Faults()
    sheet = _Toml(path, table)
    try:
        shape = read_shape(sheet, ConfigurationFile, faults.say)
    except PackError as error:
        raise UsageError(error.faults) from None
    if shape is None or faults.found:
        raise UsageError(faults.found)
    return Configuration(
        payer=shape.payer,
        packs=tuple(path.parent / pack for pack in shape.packs),
        policies=shape.policies,
        select=shape.select,
        ignore=tuple(
            Ignore(row.rule, row.reason, row.until, sheet.place(("ignore", n)))
            for n, row in shape.ignore.items()
        ),
        place=str(path),
    )


@dataclass(frozen=True, slots=True)
class _Toml:
    """A table of TOML, which knows no lines; a place names the file and the row of a list."""

    path: Path
    data: dict[str, Any]

    def place(self, path: KeyPath = (), *, key: bool = False) -> str:
        """The file, and the steps down to the value's own key, which the fault itself names."""
        if path and isinstance(path[-1], str):
            path = path[:-1]
        steps = ""
        for step in path:
            steps += f"[{step + 1}]" if isinstance(step, int) else f".{step[:60]}"
        return f"{self.path}: {steps[1:]}" if steps else str(self.path)


def _policy_text(value: Any) -> str:
    """A policy's value as text, the way that ``--policy NAME=VALUE`` gives it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) or (isinstance(value, int) and abs(value) < _TOO_LARGE):
        return str(value)
    raise wrong("is no word or number", "write one of the policy's values")


def _until(value: Any) -> Any:
    """A date of TOML as the text that other dates are."""
    return value.isoformat() if type(value) is date else value


_TOO_LARGE = 10**9


class IgnoreShape(Shape):
    """A rule that does not speak."""

    rule: Text
    """The rule's id or name, or the start of ids."""
    reason: Text
    """Why it does not speak."""
    until: Annotated[Day, BeforeValidator(_until)] | None = None
    """The last day on which it does not speak, as YYYY-MM-DD."""


class ConfigurationFile(Shape):
    """``[tool.ivpush]`` of ``pyproject.toml``, or ``ivpush.toml``."""

    payer: Text | None = None
    """The overlay that holds where an encounter names no payer."""
    packs: tuple[Text, ...] = ()
    """Folders of further packs, seen from this file."""
    policies: dict[Text, Annotated[str, BeforeValidator(_policy_text)]] = Field(default={})
    """Policies and their values."""
    select: tuple[Text, ...] = ()
    """Rules that alone may speak, by id, name or start of ids."""
    ignore: Rows[IgnoreShape] = Field(default={})
    """Rules that do not speak, each with its reason."""


def _load(path: Path) -> dict[str, Any]:
    try:
        # A file that is found here may be of anybody; one that people write takes a few kilobytes.
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(Fault(str(path), f"is larger than {MOST_BYTES:,} bytes", "shorten it"))
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            Fault(str(path), error.strerror or "cannot be read", "name a file that can be read")
        ) from None
    except UnicodeDecodeError:
        raise UsageError(Fault(str(path), "is not UTF-8", "save it as UTF-8")) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(Fault(str(path), f"is not TOML: {error}", "mend it")) from None


def _table(path: Path, data: dict[str, Any]) -> dict[str, Any] | None:
    if path.name != "pyproject.toml":
        return data
    tools = data.get("tool")
    found = tools.get("ivpush") if isinstance(tools, dict) else None
    return found if isinstance(found, dict) else None
