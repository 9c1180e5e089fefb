"""What codings and texts of charts mean in the words of the contract, from ``rules/terms.yaml``.

A coding is a system and a code; a system goes by any of the names that formats give it. A term that
stands nowhere in the table has no meaning here, and it is for the reader to say so. Readers of HL7
and FHIR look terms up here, and the FHIR writer looks up the codings to write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Literal, Self

from pydantic import model_validator

from ivpush.contract.fields import Access, Device, Method, Purpose, Route
from ivpush.errors import Fault, PackError, did_you_mean
from ivpush.pack.checked import read_shape
from ivpush.pack.files import Say, Sheet, read_yaml
from ivpush.pack.shapes.words import Rows, Shape, Text, Texts, wrong

__all__ = ["Coding", "Meaning", "Terms", "combined", "plain", "read_terms", "shipped_terms"]

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
    shape = read_shape(sheet, TermsFile, faults.append)
    if shape is None:
        raise PackError(faults)
    systems = _names_of_systems(sheet, shape, faults.append)
    codes, codings = _codes(sheet, shape, faults.append)
    texts = _texts(sheet, shape, faults.append)
    if faults:
        raise PackError(faults)
    return Terms(
        systems=systems,
        defaulting=frozenset(
            key for key, system in shape.systems.items() if system.defaults_stop == "yes"
        ),
        codes=codes,
        texts=texts,
        codings=codings,
        uris={key: system.names[0] for key, system in shape.systems.items()},
        cites=shape.cites,
    )


def _names_of_systems(sheet: Sheet, shape: TermsFile, say: Say) -> dict[str, str]:
    """The table's own name of each system by the names that formats give it."""
    names: dict[str, str] = {}
    for key, system in shape.systems.items():
        for n, name in enumerate(system.names):
            if names.setdefault(name.casefold(), key) != key:
                place = sheet.place(("systems", key, "names", n))
                say(Fault(place, "is taken by another system", "keep one of them"))
    return names


def _codes(
    sheet: Sheet, shape: TermsFile, say: Say
) -> tuple[dict[tuple[str, str], Meaning], dict[tuple[str, str], Coding]]:
    """What each coding says, and the coding to write for a fact that it alone says."""
    codes: dict[tuple[str, str], Meaning] = {}
    codings: dict[tuple[str, str], Coding] = {}
    for n, row in shape.codes.items():
        system = shape.systems.get(row.system)
        if system is None:
            place = sheet.place(("codes", n, "system"))
            near = did_you_mean(row.system, shape.systems)
            say(Fault(place, "names no system of this file", near))
            continue
        key = (row.system, row.code.casefold())
        if key in codes:
            place = sheet.place(("codes", n, "code"))
            say(Fault(place, "is listed twice", "keep one of them"))
        codes[key] = _meaning(row)
        said = [(fact, word) for fact in _FACTS if (word := getattr(row, fact)) is not None]
        if len(said) == 1 and row.label is not None:
            codings.setdefault(said[0], Coding(system.names[0], row.code, row.label))
    return codes, codings


def _texts(sheet: Sheet, shape: TermsFile, say: Say) -> dict[str, Meaning]:
    """What each text says."""
    texts: dict[str, Meaning] = {}
    for n, row in shape.texts.items():
        for m, text in enumerate(row.texts):
            place = sheet.place(("texts", n, "texts", m))
            if plain(text) != text:
                say(Fault(place, "is not written plainly", "write small letters and digits only"))
            elif text in texts:
                say(Fault(place, "is listed twice", "keep one of them"))
            else:
                texts[text] = _meaning(row)
    return texts


def _meaning(row: MeaningShape) -> Meaning:
    return Meaning(**{fact: getattr(row, fact) for fact in _FACTS})


class SystemShape(Shape):
    """A system of codes."""

    names: Texts
    """Its names; the first is the one to write."""
    defaults_stop: Literal["yes", "no"] = "no"
    """Whether its stop times are filled in one minute after the start."""


class MeaningShape(Shape):
    """What a term says; at least one of the facts."""

    route: Route | None = None
    """The route that it says."""
    method: Method | None = None
    """The method that it says."""
    purpose: Purpose | None = None
    """The purpose that it says."""
    access: Access | None = None
    """The kind of access that it says."""
    device: Device | None = None
    """The device that it says."""
    given: Literal["yes", "no"] | None = None
    """Whether the drug was given at all."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if all(getattr(self, fact) is None for fact in _FACTS):
            raise wrong("says nothing", did_you_mean("", _FACTS))
        return self


class CodeMeaning(MeaningShape):
    """What a coding says."""

    system: Text
    """A system of this file."""
    code: Text
    """The code, in any case."""
    label: Text | None = None
    """What it stands for, in our own words; with one, the coding is also written."""


class TextMeaning(MeaningShape):
    """What texts say."""

    texts: Texts
    """Texts in small letters and digits."""


class TermsFile(Shape):
    """``terms.yaml``: what codings and texts of charts mean."""

    cites: tuple[Text, ...] = ()
    """Sources of the table."""
    systems: dict[Text, SystemShape]
    """Systems by the table's own name."""
    codes: Rows[CodeMeaning]
    """Codings."""
    texts: Rows[TextMeaning]
    """Texts."""
