"""Encounters from FHIR: a Bundle, one resource, or NDJSON as a bulk export writes it.

``readers.detect`` leads here; ``read`` and ``read_together`` are the two ways in. Read are
Encounter, MedicationAdministration, Medication, Claim and ExplanationOfBenefit, and of a
MedicationRequest whether it was an order in force, in the shapes of STU3, R4 and R5. How they join:

- An administration belongs to the encounter that its ``context`` (R5: ``encounter``) names, a claim
  to the one encounter that its items name. A name may be literal, a fullUrl or an identifier.
- A Bundle is one unit. Where it holds one encounter at most, resources without a name belong to it,
  unless it is a search's answer or a history, whose entries need not belong together.
- NDJSON is one unit as a whole, and so are several files given to ``read_together`` (a bulk export
  writes one file a type): resources of one encounter may stand anywhere in it. Every line is read
  twice, first for an index of numbers, then an encounter at a time; content is not kept.
- Pages of one search are put together (``pages``), and nothing of an answer is judged that is not
  all there; what cannot be read holds back the charts that it may belong to (``holds``).
- A claim without an encounter is an encounter of its own, with lines and no chart. Several claims
  of one encounter give one record each.

The setting is that of the claim's type, else ``options.setting``; it is never guessed.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import IO, Any, NamedTuple

from ivpush.errors import Fault, InputError
from ivpush.plural import counted
from ivpush.readers import Note, Reading, ReadOptions, SetAside
from ivpush.readers.fhir.elements import parse
from ivpush.readers.fhir.holds import Holds
from ivpush.readers.fhir.links import aliases, encounter_keys
from ivpush.readers.fhir.pages import Answer, Page, answers, page_of, shortfall
from ivpush.readers.fhir.units import CLAIMS, Part, encounters_of, name_of
from ivpush.readers.spool import Index, rewindable

__all__ = [
    "read",
    "read_together",
    "sniff",
]

MOST_LINE_BYTES = 32 * 1024 * 1024
MOST_DOCUMENT_BYTES = 128 * 1024 * 1024
_PARTS = frozenset({"Encounter", "MedicationAdministration", *CLAIMS})
_NAMED = frozenset({"Medication", "MedicationRequest"})
_NAMELESS = "Encounter #"
"""How the key of an encounter begins by which no other resource can name it."""
_SEARCH, _HISTORY = "searchset", "history"
_SPACE = b" \t\r\n\xef\xbb\xbf"  # with the bytes of UTF-8's byte order mark
_SNIFFED = re.compile(rb'"resourceType"\s*:\s*"[A-Z][A-Za-z]+"')
_NO_TYPE = Fault("", "is no FHIR resource", "write an object with its resourceType")


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is FHIR's JSON."""
    return head.lstrip(_SPACE)[:1] == b"{" and _SNIFFED.search(head) is not None


def read(name: str, stream: IO[bytes], options: ReadOptions | None = None) -> Iterator[Reading]:
    """The encounters of one stream; ``name`` begins every place."""
    yield from read_together([(name, stream)], options)


def read_together(
    inputs: Sequence[tuple[str, IO[bytes]]], options: ReadOptions | None = None
) -> Iterator[Reading]:
    """The encounters of several streams whose resources belong together, such as a bulk export.

    A Bundle among them stays a unit of its own.
    """
    options = options or ReadOptions()
    with ExitStack() as stack:
        files = _Files([(name, stack.enter_context(rewindable(stream))) for name, stream in inputs])
        unit = _Unit(files.resource, files.place, ", ".join(name for name, _ in inputs))
        pages: list[Page] = []
        for which in range(len(files.named)):
            for scanned in files.scan(which):
                if isinstance(scanned, SetAside):
                    unit.holds.add(scanned.place, scanned.raw or b"")
                    yield scanned
                elif scanned.resource.get("resourceType") != "Bundle":
                    unit.take(scanned.number, scanned.resource, None)
                elif _is_page(scanned.resource):
                    pages.append(page_of(scanned.number, scanned.resource))
                else:
                    yield from _bundle(files.place(scanned.number), scanned.resource, options)
        for answer in answers(pages):
            yield from _answer(files, answer, options)
        if unit.taken == 1 and not unit.parts:
            fault = Fault("", "is a resource of another type", "write a chart or a claim")
            yield SetAside(unit.where, InputError(fault))
        elif unit.taken:
            # A chart and a claim in one export need not belong together; one resource does.
            yield from unit.readings(options, loose=unit.parts > 1)


def _is_page(bundle: dict[str, Any]) -> bool:
    return bundle.get("type") == _SEARCH and _entries_of(bundle) is not None


def _entries_of(bundle: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The entries of a Bundle; None where they are no list of objects."""
    entries = bundle.get("entry") or []
    plain = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    return entries if plain else None


def _bundle(place: str, bundle: dict[str, Any], options: ReadOptions) -> Iterator[Reading]:
    entries = _entries_of(bundle)
    if entries is None:
        fault = Fault("Bundle.entry", "is no list of entries", "write one, as FHIR does")
        yield SetAside(place, InputError(fault))
        return
    unit = _Unit(
        lambda n: entries[n]["resource"],
        lambda n: f"{place} entry[{n}]",
        place,
        fault=shortfall(page_of(0, bundle)),
    )
    for number, entry in enumerate(entries):
        yield from unit.take_entry(number, entry)
    yield from unit.readings(options, loose=bundle.get("type") in (_SEARCH, _HISTORY))


def _answer(files: _Files, answer: Answer, options: ReadOptions) -> Iterator[Reading]:
    """The encounters of a search, whose entries may stand on several pages."""
    spots: list[tuple[int, int]] = []
    # Of a page few resources are asked for at a time, and often one after another.
    load = lru_cache(2)(files.resource)

    def fetch(spot: int) -> dict[str, Any]:
        page, entry = spots[spot]
        resource: dict[str, Any] = load(page)["entry"][entry]["resource"]
        return resource

    def place(spot: int) -> str:
        page, entry = spots[spot]
        return f"{files.place(page)} entry[{entry}]"

    where = ", ".join(files.place(page.number) for page in answer.pages)
    unit = _Unit(fetch, place, where, fault=answer.fault)
    for page in answer.pages:
        for entry, content in enumerate(_entries_of(load(page.number)) or ()):
            spots.append((page.number, entry))
            yield from unit.take_entry(len(spots) - 1, content)
    yield from unit.readings(options, loose=True)


class _Scanned(NamedTuple):
    """A resource as it was first seen, and the number by which it is read again."""

    number: int
    resource: dict[str, Any]


class _Files:
    """Streams read line by line, and any resource of them again by its number.

    Of a resource only three numbers are kept (its line, its offset, its stream), in arrays, so that
    an export of millions needs some megabytes. Line 0 stands for a document that is read whole.
    """

    def __init__(self, named: Sequence[tuple[str, IO[bytes]]]) -> None:
        self.named = named
        self._bases = [stream.tell() for _, stream in named]
        self._lines, self._offsets, self._streams = array("q"), array("q"), array("q")

    def place(self, number: int) -> str:
        """``file:line`` of a resource; the file alone where it is a document."""
        return self._place(self._streams[number], self._lines[number])

    def _place(self, which: int, line: int) -> str:
        name = self.named[which][0]
        return f"{name}:{line}" if line else name

    def resource(self, number: int) -> dict[str, Any]:
        """The resource with this number, read again."""
        _, stream = self.named[self._streams[number]]
        stream.seek(self._offsets[number])
        text = stream.readline() if self._lines[number] else stream.read()
        resource: dict[str, Any] = parse(text.strip(_SPACE))
        return resource

    def scan(self, which: int) -> Iterator[_Scanned | SetAside]:
        """Every resource of a stream with its number."""
        _, stream = self.named[which]
        stream.seek(self._bases[which])
        line, offset = 1, self._bases[which]
        first = stream.readline(MOST_LINE_BYTES + 1)
        while first and not first.strip(_SPACE):
            line, offset = line + 1, stream.tell()
            first = stream.readline(MOST_LINE_BYTES + 1)
        if not first:
            return
        # A line with nothing after it may be a document; only a whole one with more is NDJSON.
        alone = not stream.read(1)
        stream.seek(offset)
        if alone or not _whole(first):
            yield self._parsed(which, offset, 0, stream.read(MOST_DOCUMENT_BYTES + 1))
        else:
            yield from self._scan_lines(which, offset, line)

    def _scan_lines(self, which: int, offset: int, line: int) -> Iterator[_Scanned | SetAside]:
        _, stream = self.named[which]
        while text := stream.readline(MOST_LINE_BYTES + 1):
            if text.strip(_SPACE):
                yield self._parsed(which, offset, line, text)
            while len(text) > MOST_LINE_BYTES and not text.endswith(b"\n"):
                text = stream.readline(MOST_LINE_BYTES + 1)  # the rest of a line set aside whole
            line, offset = line + 1, stream.tell()

    def _parsed(self, which: int, offset: int, line: int, text: bytes) -> _Scanned | SetAside:
        place = self._place(which, line)
        if len(text) > (MOST_LINE_BYTES if line else MOST_DOCUMENT_BYTES):
            fault = Fault("", "the resource is too large", "split it, or write one a line")
            return SetAside(place, InputError(fault))
        try:
            resource = parse(text.strip(_SPACE))
        except InputError as error:
            return SetAside(place, error, text)
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            return SetAside(place, InputError(_NO_TYPE), text)
        self._lines.append(line)
        self._offsets.append(offset)
        self._streams.append(which)
        return _Scanned(len(self._lines) - 1, resource)


def _whole(line: bytes) -> bool:
    """Whether a line holds a JSON text of its own, good or bad, rather than the start of one."""
    text = line.strip(_SPACE)
    try:
        json.loads(text)
    except RecursionError:
        return True
    except ValueError:
        return text[:1] == b"{" and text[-1:] == b"}"
    return True


@dataclass(slots=True)
class _Unit:
    """Resources that may belong together, by number; what they hold is fetched when needed.

    Take them all first, for resources of one encounter may stand anywhere::

        unit = _Unit(fetch, place, "export.ndjson")
        unit.take(0, resource, None)
        yield from unit.readings(options, loose=True)
    """

    fetch: Callable[[int], dict[str, Any]]
    place: Callable[[int], str]
    where: str
    fault: Fault | None = None
    """Why nothing of it is whole."""
    holds: Holds = field(default_factory=Holds)
    """What could not be read, and may belong to a chart."""
    index: Index = field(default_factory=Index)
    named: dict[str, int] = field(default_factory=dict)
    """Medications and requests by every key that may name them."""
    unnamed: list[int] = field(default_factory=list)
    """Charts and claims that name no encounter."""
    claims_alone: int = 0
    """How many of these are claims."""
    several: list[int] = field(default_factory=list)
    """Claims that name more than one."""
    parts: int = 0
    taken: int = 0
    others: int = 0

    def take(self, number: int, resource: dict[str, Any], full_url: Any) -> None:
        """Put a resource where it belongs, by its keys alone."""
        kind = resource["resourceType"]
        self.taken += 1
        if kind in _NAMED:
            for key in aliases(resource, full_url):
                self.named.setdefault(key, number)
            return
        if kind not in _PARTS:
            self.others += 1
            return
        self.parts += 1
        if kind == "Encounter":
            # Charts name it in different ways, so that all its names are one group.
            names = aliases(resource, full_url) or [f"{_NAMELESS}{number}"]
            self.index.alike(names)
            self.index.add(names[0], number)
            return
        keys = encounter_keys(resource)
        if not keys:
            self.unnamed.append(number)
            self.claims_alone += kind in CLAIMS
        elif len(keys) > 1 and kind in CLAIMS:
            self.several.append(number)
        else:
            self.index.add(keys[0], number)

    def take_entry(self, number: int, entry: dict[str, Any]) -> Iterator[SetAside]:
        """Put the resource of a Bundle's entry where it belongs."""
        resource = entry.get("resource")
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            self.take(number, resource, entry.get("fullUrl"))
        elif resource is None:  # an entry of a history that tells of a deletion
            self.others += 1
        else:
            place = self.place(number)
            self.holds.add(place, json.dumps(resource, default=str).encode())
            yield SetAside(place, InputError(_NO_TYPE))

    def readings(self, options: ReadOptions, *, loose: bool) -> Iterator[Reading]:
        """A record, or what stands in its way, of each encounter and of each claim without one.

        ``loose``: resources that name no encounter need not belong together.
        """
        groups = self.index.groups()
        ahead = list(islice(groups, 2))
        alone = self.unnamed
        self._hold_for_unnamed(loose=loose and len(ahead) > 0)
        if alone and not loose and len(ahead) < 2:
            key, numbers = ahead[0] if ahead else ("", [])
            yield from self._read(key, sorted([*numbers, *alone]), options)
            alone = []
        else:
            for key, numbers in chain(ahead, groups):
                yield from self._read(key, numbers, options)
        for number in self.several:
            yield Note(self.place(number), "a claim names several encounters; no chart is joined")
            yield from self._read("", [number], options)
        for number in alone:
            yield from self._read_alone(number, options)
        if alone and ahead and self.claims_alone:
            claims = counted(self.claims_alone, "claim")
            yield Note(self.where, f"without the name of an encounter, and so of a chart: {claims}")
        if not self.parts:
            yield Note(self.where, "there is no chart and no claim in it")
        if self.others:
            yield Note(self.where, f"nothing is read from {counted(self.others, 'other resource')}")

    def _read(self, key: str, numbers: list[int], options: ReadOptions) -> Iterator[Reading]:
        parts = [Part(self.place(number), self.fetch(number)) for number in numbers]
        if key.startswith(_NAMELESS) and self.parts > 1:
            yield Note(parts[0].place, "an Encounter has no id, so that no chart can name it")
        fault = self.fault or self.holds.why(key, (part.resource for part in parts))
        if fault is None:
            yield from encounters_of(key, parts, self._find, options)
        else:
            yield SetAside(parts[0].place, InputError(fault), encounter=name_of(key, parts))

    def _hold_for_unnamed(self, *, loose: bool) -> None:
        """An administration that names no encounter may belong to any of its patient."""
        for number in self.unnamed if loose else ():
            resource = self.fetch(number)
            if resource["resourceType"] not in CLAIMS:
                self.holds.add_unnamed(self.place(number), resource)

    def _read_alone(self, number: int, options: ReadOptions) -> Iterator[Reading]:
        """A claim may stand without an encounter; a chart, only where it is all there is."""
        if self.parts > 1 and self.fetch(number)["resourceType"] not in CLAIMS:
            fault = Fault(
                "MedicationAdministration.context",
                "names no encounter",
                "name the encounter in which it was given",
            )
            yield SetAside(self.place(number), InputError(fault))
        else:
            yield from self._read("", [number], options)

    def _find(self, key: str) -> dict[str, Any] | None:
        number = self.named.get(key)
        return None if number is None else self.fetch(number)
