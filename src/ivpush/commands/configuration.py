"""The configuration: ``[tool.ivpush]`` of ``pyproject.toml``, or ``ivpush.toml``.

It says which payer, packs and policies hold and which rules speak. Ignoring a rule needs a reason
and may expire; an expired one no longer holds, and is named. Rules are chosen after the engine has
judged, so that the engine stays pure: the corrected claim is the same with and without.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ivpush.claim.selection import Ignore
from ivpush.errors import Fault, UsageError, did_you_mean

__all__ = [
    "Configuration",
    "find_configuration",
    "read_configuration",
]

_KEYS = ("ignore", "packs", "payer", "policies", "select")
_IGNORE_KEYS = ("reason", "rule", "until")


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
    faults = [Fault(str(path), f"'{key[:60]}' is no key", did_you_mean(key, _KEYS))
              for key in table if key not in _KEYS]  # fmt: skip
    payer = table.get("payer")
    if payer is not None and not isinstance(payer, str):
        faults.append(Fault(f"{path}: payer", "is no text", "write the id of an overlay"))
    made = Configuration(
        payer if isinstance(payer, str) else None,
        tuple(path.parent / one for one in _texts(table, "packs", path, faults)),
        _policies(table.get("policies", {}), path, faults),
        _texts(table, "select", path, faults),
        tuple(_ignores(table.get("ignore", []), path, faults)),
        str(path),
    )
    if faults:
        raise UsageError(faults)
    return made


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(Fault(str(path), error.strerror or "cannot be read",
                               "name a file that can be read")) from None  # fmt: skip
    except UnicodeDecodeError:
        raise UsageError(Fault(str(path), "is not UTF-8", "save it as UTF-8")) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(Fault(str(path), f"is not TOML: {error}", "mend it")) from None


def _table(path: Path, data: dict[str, Any]) -> dict[str, Any] | None:
    if path.name != "pyproject.toml":
        return data
    tools = data.get("tool")
    found = tools.get("ivpush") if isinstance(tools, dict) else None
    return found if isinstance(found, dict) else None


def _texts(table: dict[str, Any], key: str, path: Path, faults: list[Fault]) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        faults.append(Fault(f"{path}: {key}", "is no list of texts", f'write {key} = ["…"]'))
        return ()
    return tuple(value)


def _policies(value: Any, path: Path, faults: list[Fault]) -> dict[str, str]:
    """Policies as text, the way that ``--policy NAME=VALUE`` gives them."""
    made: dict[str, str] = {}
    if not isinstance(value, dict):
        faults.append(Fault(f"{path}: policies", "is no table", "write [tool.ivpush.policies]"))
        return made
    for name, one in value.items():
        if isinstance(one, bool):
            made[name] = "true" if one else "false"
        elif isinstance(one, str | int):
            made[name] = str(one)
        else:
            faults.append(Fault(f"{path}: policies.{name[:60]}", "is no word or number",
                                "write one of the policy's values"))  # fmt: skip
    return made


def _ignores(value: Any, path: Path, faults: list[Fault]) -> Iterable[Ignore]:
    if not isinstance(value, list):
        faults.append(Fault(f"{path}: ignore", "is no list", _IGNORE_FORM))
        return
    for number, one in enumerate(value, 1):
        place = f"{path}: ignore[{number}]"
        if not isinstance(one, dict):
            faults.append(Fault(place, "gives no reason", _IGNORE_FORM))
            continue
        unknown = sorted(one.keys() - set(_IGNORE_KEYS))
        faults += [Fault(place, f"'{key[:60]}' is no key", did_you_mean(key, _IGNORE_KEYS))
                   for key in unknown]  # fmt: skip
        rule, reason, until = one.get("rule"), one.get("reason"), one.get("until")
        if not isinstance(rule, str) or not rule:
            faults.append(Fault(place, "names no rule", _IGNORE_FORM))
            continue
        if not isinstance(reason, str) or not reason.strip():
            faults.append(Fault(place, "gives no reason", _IGNORE_FORM))
            continue
        yield Ignore(rule, reason.strip(), _day(until, place, faults), place)


_IGNORE_FORM = 'write {rule = "…", reason = "…"}, and until = "YYYY-MM-DD" where it ends'


def _day(value: Any, place: str, faults: list[Fault]) -> date | None:
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        faults.append(Fault(f"{place}.until", "is no date", "write it as YYYY-MM-DD"))
        return None
