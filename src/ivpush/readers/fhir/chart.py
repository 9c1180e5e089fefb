"""FHIR's MedicationAdministration as administrations of the contract.

``units`` hands in the resources of one encounter. Shapes of STU3, R4 and R5 are read alike. Only
what was given is charted: the status says so. A stop that equals its start is no stop; one that a
system fills in a minute later is marked so.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from ivpush.readers.builder import text_form
from ivpush.readers.fhir.amounts import amounts, comparable, note_other_durations
from ivpush.readers.fhir.drugs import Finder, drugs_of
from ivpush.readers.fhir.elements import Concept, Node, When
from ivpush.readers.fhir.links import key_of
from ivpush.readers.terms import Meaning, combined

__all__ = [
    "Charted",
    "administrations",
]

_GIVEN = frozenset({"completed", "in-progress", "on-hold", "stopped"})
_NEVER = frozenset({"not-done", "entered-in-error"})
_NOT_KNOWN = "unknown"
_LIVE = ("active", "completed", "stopped", "on-hold")
# Up to R4 the name is effective; R5 published occurence, misspelt, and later builds occurrence.
_PERIODS = ("effectivePeriod", "occurencePeriod", "occurrencePeriod")
_INSTANTS = ("effectiveDateTime", "occurenceDateTime", "occurrenceDateTime")
_MINUTE = timedelta(minutes=1)
_SHARED = ("route", "method", "access", "device", "start", "stop", "minutes", "site")
"""What every drug of a mixture has in common."""


class Charted(NamedTuple):
    """The administrations of one resource, and its date where no time of day is known."""

    administrations: list[dict[str, Any]]
    day: date | None = None


class _Technique(NamedTuple):
    """What the dosage's terms mean, and whether their system fills in stop times."""

    meaning: Meaning
    fills_in_stops: bool


class _Times(NamedTuple):
    """When it ran; ``day`` is a date whose time of day is unknown."""

    start: datetime | None
    stop: datetime | None
    filled_in: bool
    day: date | None


def administrations(node: Node, number: int, find: Finder) -> Charted:
    """The administrations of one resource: none where it was never given, several for a mixture."""
    case = node.case
    if not _was_given(node):
        return Charted([])
    own_id = _id_of(node, number)
    dosage = node.child("dosage") or Node({}, f"{node.path}.dosage", case)
    technique = _technique(node, dosage)
    meaning = technique.meaning
    if meaning.given == "no":
        case.note("an administration was never given, as its method says")
        return Charted([])
    times = _times(node, fills_in_stops=technique.fills_in_stops)
    measured = amounts(dosage)
    note_other_durations(dosage, times.start, times.stop, measured.get("minutes"))
    site = dosage.concept("site").named
    stated = {
        "id": own_id,
        "route": meaning.route,
        "method": meaning.method,
        "purpose": meaning.purpose,
        "access": meaning.access,
        "device": meaning.device,
        "start": times.start,
        "stop": times.stop,
        "times_from": "defaulted" if times.filled_in else None,
        **measured,
        "site": text_form(site) if site is not None else None,
        "performer": _performer(node),
        "ordered": _ordered(node, find),
    }
    return Charted(_by_drug(stated, drugs_of(node, find)), times.day)


def _by_drug(stated: dict[str, Any], drugs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An administration a drug: the first with all that is stated, the others mixed with it."""
    first = {**stated, **(drugs[0] if drugs else {})}
    shared = {name: first.get(name) for name in _SHARED}
    others = [
        {"id": f"{first['id']}/{n}", **shared, **drug, "mixed_with": first["id"]}
        for n, drug in enumerate(drugs[1:], 2)
    ]
    return [
        {name: value for name, value in administration.items() if value is not None}
        for administration in (first, *others)
    ]


def _was_given(node: Node) -> bool:
    status, case = node.text("status"), node.case
    if node.data.get("notGiven") is True or status in _NEVER:  # notGiven: STU3
        case.note("an administration was never given, as its status says")
        return False
    if status not in _GIVEN:
        written = "is 'unknown'" if status == _NOT_KNOWN else "is none that FHIR has"
        problem = f"{written}, so that nobody can tell whether it was given"
        known = ", ".join(sorted(_GIVEN | _NEVER))
        node.wrong("status", f"write one of: {known}", problem if status else "is missing")
        return False
    # Beside "completed" a reason tells why it was given, and cannot undo that.
    if status != "completed" and _reason_says_never(node):
        case.note("an administration was never given, as the reason of its status says")
        return False
    if status == "in-progress":
        case.note("an administration was still running when this was written")
    if status == "on-hold":
        case.note("an administration was on hold when this was written; it is read as begun")
    return True


def _reason_says_never(node: Node) -> bool:
    reasons = [*node.children("statusReason"), *node.children("reasonNotGiven")]
    terms = node.case.terms
    return any(
        coding.code
        and (meaning := terms.code(coding.system, coding.code)) is not None
        and meaning.given == "no"
        for reason in reasons
        for coding in reason.as_concept().codings
    )


def _id_of(node: Node, number: int) -> str:
    own_id = node.text("id")
    if own_id is not None:
        return own_id
    for identifier in node.children("identifier"):
        value = identifier.text("value")
        if value is not None:
            return value
    return f"administration-{number}"


def _technique(node: Node, dosage: Node) -> _Technique:
    """What route, method and reason say together; the route's own element wins over the method."""
    terms = node.case.terms
    concepts = {name: dosage.concept(name) for name in ("route", "method")}
    meanings = {name: _meaning(dosage, name, concept) for name, concept in concepts.items()}
    route, method = meanings["route"], meanings["method"]
    if route.route and method.route and route.route != method.route:
        node.case.note(
            "dosage.route and dosage.method name two routes; the route's own element counts"
        )
    meaning = Meaning(
        route=route.route or method.route,
        method=method.method or route.method,
        purpose=route.purpose or method.purpose or _purpose(node),
        access=route.access or method.access,
        device=route.device or method.device,
        given=route.given or method.given,
    )
    fills_in_stops = any(
        terms.system(coding.system) in terms.defaulting
        for concept in concepts.values()
        for coding in concept.codings
    )
    return _Technique(meaning, fills_in_stops)


def _meaning(dosage: Node, name: str, concept: Concept) -> Meaning:
    """What one concept says: by its codes, and only where none is known, by its words."""
    case, terms = dosage.case, dosage.case.terms
    meanings = [
        meaning
        for coding in concept.codings
        if coding.code and (meaning := terms.code(coding.system, coding.code)) is not None
    ]
    if not meanings:
        words = [concept.text]
        for coding in concept.codings:
            words += (coding.code, coding.display)
        meanings = [meaning for word in words if word and (meaning := terms.text(word)) is not None]
    together, contradicted = combined(meanings)
    for fact in contradicted:
        case.note(f"dosage.{name} says two things about the {fact}, which is left unknown")
    if not meanings and (concept.codings or concept.text):
        case.note(f"dosage.{name} holds a term that rules/terms.yaml does not know")
    return together


def _purpose(node: Node) -> str | None:
    """The purpose that a reason names in words."""
    terms = node.case.terms
    for reason in node.children("reasonCode"):
        concept = reason.as_concept()
        for word in (concept.text, *(coding.display for coding in concept.codings)):
            meaning = terms.text(word) if word else None
            if meaning is not None and meaning.purpose:
                return meaning.purpose
    return None


def _times(node: Node, *, fills_in_stops: bool) -> _Times:
    case = node.case
    begun, ended = _written_times(node)
    day = begun.day if begun is not None and begun.at is None else None
    if day is not None:
        case.note("an administration has a date without a time, so that its start is unknown")
    start, stop = begun.at if begun else None, ended.at if ended else None
    if start is None or stop is None or not comparable(start, stop):
        return _Times(start, stop, filled_in=False, day=day)
    if stop == start:
        case.note("an administration ends when it starts, so that its stop is unknown")
        return _Times(start, None, filled_in=False, day=day)
    # Such a system ends every push a minute from its start, whatever was charted.
    filled_in = fills_in_stops and stop - start in {_MINUTE, -_MINUTE}
    if filled_in:
        case.note("a stop one minute from its start was filled in by the system")
    return _Times(start, stop, filled_in=filled_in, day=day)


def _written_times(node: Node) -> tuple[When | None, When | None]:
    start: When | None = None
    stop: When | None = None
    for name in _PERIODS:
        period = node.child(name)
        if period is not None:
            start, stop = period.when("start"), period.when("end")
    for name in _INSTANTS:
        start = start or node.when(name)
    return start, stop


def _ordered(node: Node, find: Finder) -> bool | None:
    """Whether the request is here itself and was put in force; its mere name proves nothing."""
    for name in ("request", "prescription"):  # prescription: STU3
        key = key_of(node.data.get(name), "MedicationRequest")
        request = find(key) if key is not None else None
        if request is not None:
            live = request.get("status") in _LIVE and "order" in str(request.get("intent"))
            return True if live else None
    return None


def _performer(node: Node) -> str | None:
    """The id of who gave it, never a name."""
    for performer in node.children("performer"):
        actor = performer.child("actor")
        literal = actor.data.get("reference") if actor is not None else None
        if isinstance(literal, dict):  # R5: a CodeableReference
            literal = literal.get("reference")
        if isinstance(literal, str) and not literal.startswith("#"):
            return text_form(literal.split("/_history/", maxsplit=1)[0].rpartition("/")[2], 200)
    return None
