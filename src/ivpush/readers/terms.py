"""What codings and texts of charts mean in the words of the contract, from ``rules/terms.yaml``.

A coding is a system and a code; a system goes by any of the names that formats give it. A term that
stands nowhere in the table has no meaning here, and it is for the reader to say so. Readers of HL7
and FHIR look terms up here, and the FHIR writer looks up the codings to write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_args

from ivpush.contract.fields import Access, Device, Method, Purpose, Route
from ivpush.errors import Fault, PackError, did_you_mean
from ivpush.pack.files import Sheet, read_yaml

__all__ = ["Coding", "Meaning", "Terms", "combined", "plain", "read_terms", "shipped_terms"]

_WORDS: dict[str, tuple[str, ...]] = {
    "route": get_args(Route),
    "method": get_args(Method),
    "purpose": get_args(Purpose),
    "access": get_args(Access),
    "device": get_args(Device),
    "given": ("yes", "no"),
}
_TOP = frozenset({"cites", "systems", "codes", "texts"})
_SYSTEM_KEYS = frozenset({"names", "defaults_stop"})
_CODE_KEYS = frozenset({"system", "code", "label", *_WORDS})
_TEXT_KEYS = frozenset({"texts", *_WORDS})
_Say = Callable[[Fault], None]
_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one term says; None where it says nothing. ``given`` "no": the drug never was."""

    route: str | None = None
    method: str | None = None
    purpose: str | None = None
    access: str | None = None
    device: str | None = None
    given: str | None = None


_FACTS = tuple(field.name for field in fields(Meaning))


@dataclass(frozen=True, slots=True)
class Coding:
    """A code as a format writes it: the system's own name, the code, and our own label."""

    system: str
    code: str
    label: str


def plain(text: str) -> str:
    """A term in lower case, without punctuation or doubled spaces."""
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip()


def combined(meanings: Iterable[Meaning]) -> tuple[Meaning, tuple[str, ...]]:
    """Several terms as one, and the facts on which they contradict each other (left unknown)."""
    said: dict[str, set[str]] = {}
    for meaning in meanings:
        for name in _FACTS:
            word = getattr(meaning, name)
            if word is not None:
                said.setdefault(name, set()).add(word)
    # One word from several terms is no contradiction; two words leave the fact unknown.
    clear = {name: next(iter(words)) for name, words in said.items() if len(words) == 1}
    return Meaning(**clear), tuple(sorted(said.keys() - clear))


@dataclass(frozen=True, slots=True)
class Terms:
    """The table: systems by name, meanings by coding and by text.

    ::

        terms = shipped_terms()
        terms.code("HL70162", "IV")     # what the code IV of HL7's table of routes says
        terms.text("IV push")           # what the words say
    """

    systems: Mapping[str, str]
    """The table's own name of a system, by each name that it goes by, in lower case."""
    defaulting: frozenset[str]
    """Systems whose stop times are filled in one minute after the start."""
    codes: Mapping[tuple[str, str], Meaning]
    """Meanings by the table's own name of the system, and the code in lower case."""
    texts: Mapping[str, Meaning]
    """Meanings by words, as ``plain`` writes them."""
    codings: Mapping[tuple[str, str], Coding]
    """The coding to write for a fact, such as ("route", "IM")."""
    uris: Mapping[str, str]
    """The name to write for a system."""
    cites: tuple[str, ...] = ()

    def system(self, name: str | None) -> str | None:
        """The table's name of a system, or None where it does not know it."""
        return None if name is None else self.systems.get(name.strip().casefold())

    def code(self, system: str | None, code: str) -> Meaning | None:
        """What a coding says; codes are matched in any case."""
        known = self.system(system)
        return None if known is None else self.codes.get((known, code.strip().casefold()))

    def text(self, text: str) -> Meaning | None:
        """What a text says."""
        return self.texts.get(plain(text))


@cache
def shipped_terms() -> Terms:
    """The table that ships with ivpush; raises PackError where it is not fit to be used."""
    # Late, for only the shipped table needs to know where the rules lie.
    from ivpush.pack.folder import rules_folder

    path = rules_folder() / "terms.yaml"
    return read_terms(read_yaml("terms.yaml", path.read_bytes()))


def read_terms(sheet: Sheet) -> Terms:
    """The table of a sheet, checked whole; raises PackError with every fault and its place."""
    faults: list[Fault] = []
    data = sheet.data if isinstance(sheet.data, dict) else {}
    if not data:
        raise PackError(Fault(sheet.place(), "is no mapping", "write systems, codes and texts"))
    _unknown_keys(sheet, (), data, _TOP, faults.append)
    names, defaulting, uris = _systems(sheet, data.get("systems"), faults.append)
    codes, codings = _codes(sheet, data.get("codes"), uris, faults.append)
    texts = _texts(sheet, data.get("texts"), faults.append)
    if faults:
        raise PackError(faults)
    cites = data.get("cites")
    return Terms(names, defaulting, codes, texts, codings, uris,
                 tuple(cites) if isinstance(cites, list) else ())  # fmt: skip


def _unknown_keys(
    sheet: Sheet, path: tuple[int | str, ...], row: Mapping[str, Any], known: frozenset[str],
    say: _Say,
) -> None:  # fmt: skip
    for key in row:
        if key not in known:
            say(Fault(sheet.place((*path, key), key=True), f"unknown key '{key[:60]}'",
                      did_you_mean(key, known)))  # fmt: skip


def _systems(
    sheet: Sheet, rows: Any, say: _Say
) -> tuple[dict[str, str], frozenset[str], dict[str, str]]:
    names: dict[str, str] = {}
    defaulting: set[str] = set()
    uris: dict[str, str] = {}
    if not isinstance(rows, dict):
        say(Fault(sheet.place(), "names no systems", "write systems:"))
        return names, frozenset(), uris
    for key, row in rows.items():
        path = ("systems", key)
        listed = _listed(row.get("names") if isinstance(row, dict) else None)
        if not listed:
            say(Fault(sheet.place(path), "names no system", "write names: [...]"))
            continue
        _unknown_keys(sheet, path, row, _SYSTEM_KEYS, say)
        uris[key] = listed[0]
        for n, name in enumerate(listed):
            if names.setdefault(name.casefold(), key) != key:
                say(Fault(sheet.place((*path, "names", n)), "is taken by another system",
                          "keep one of them"))  # fmt: skip
        if row.get("defaults_stop", "no") not in {"yes", "no"}:
            say(Fault(sheet.place((*path, "defaults_stop")), "is neither yes nor no", "write one"))
        elif row.get("defaults_stop") == "yes":
            defaulting.add(key)
    return names, frozenset(defaulting), uris


def _listed(value: Any) -> list[str]:
    """A list of texts, or an empty one where it is anything else."""
    whole = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return value if whole else []


def _meaning(
    sheet: Sheet, path: tuple[int | str, ...], row: Mapping[str, Any], say: _Say
) -> Meaning | None:
    said: dict[str, str] = {}
    for name, words in _WORDS.items():
        word = row.get(name)
        if word is None:
            continue
        if word not in words:
            say(Fault(sheet.place((*path, name)), f"{name} has no word '{str(word)[:60]}'",
                      did_you_mean(str(word), words)))  # fmt: skip
            continue
        said[name] = word
    if not said:
        say(Fault(sheet.place(path), "says nothing", did_you_mean("", _WORDS)))
        return None
    return Meaning(**said)


def _rows(sheet: Sheet, name: str, rows: Any, known: frozenset[str], say: _Say) -> Iterable[Any]:
    if not isinstance(rows, list):
        say(Fault(sheet.place((name,)), f"lists no {name}", f"write {name}:"))
        return
    for n, row in enumerate(rows):
        if not isinstance(row, dict):
            say(Fault(sheet.place((name, n)), "is no row", "write {…}"))
            continue
        _unknown_keys(sheet, (name, n), row, known, say)
        yield (name, n), row


def _codes(
    sheet: Sheet, rows: Any, uris: Mapping[str, str], say: _Say
) -> tuple[dict[tuple[str, str], Meaning], dict[tuple[str, str], Coding]]:
    codes: dict[tuple[str, str], Meaning] = {}
    codings: dict[tuple[str, str], Coding] = {}
    for path, row in _rows(sheet, "codes", rows, _CODE_KEYS, say):
        system, code = row.get("system"), row.get("code")
        if system not in uris:
            say(Fault(sheet.place((*path, "system")), "names no system of this file",
                      did_you_mean(str(system), uris)))  # fmt: skip
            continue
        if not isinstance(code, str) or not code:
            say(Fault(sheet.place(path), "has no code", "write code:"))
            continue
        meaning = _meaning(sheet, path, row, say)
        if meaning is None:
            continue
        key = (system, code.casefold())
        if key in codes:
            say(Fault(sheet.place((*path, "code")), "is listed twice", "keep one of them"))
        codes[key] = meaning
        said = [(name, row[name]) for name in _WORDS if name in row]
        if len(said) == 1 and isinstance(row.get("label"), str):
            codings.setdefault(said[0], Coding(uris[system], code, row["label"]))
    return codes, codings


def _texts(sheet: Sheet, rows: Any, say: _Say) -> dict[str, Meaning]:
    texts: dict[str, Meaning] = {}
    for path, row in _rows(sheet, "texts", rows, _TEXT_KEYS, say):
        listed = _listed(row.get("texts"))
        meaning = _meaning(sheet, path, row, say)
        if not listed:
            say(Fault(sheet.place(path), "lists no texts", "write texts: [...]"))
            continue
        for n, text in enumerate(listed):
            place = sheet.place((*path, "texts", n))
            if plain(text) != text:
                say(Fault(place, "is not written plainly", "write small letters and digits only"))
            elif text in texts:
                say(Fault(place, "is listed twice", "keep one of them"))
            elif meaning is not None:
                texts[text] = meaning
    return texts
