"""FHIR's MedicationAdministration as administrations of the contract.

Shapes of STU3, R4 and R5 are read alike. Only what was given is charted: the status says so.
A stop that equals its start is no stop; one that a system fills in a minute later is marked so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ivpush.readers.builder import Case, ndc_form, text_form
from ivpush.readers.fhir.elements import Concept, Node, When
from ivpush.readers.fhir.links import key_of
from ivpush.readers.terms import Meaning, combined, plain

__all__ = [
    "administrations",
    "drug_of",
    "first_day",
]

Finder = Callable[[str], dict[str, Any] | None]

_GIVEN = frozenset({"completed", "in-progress", "on-hold", "stopped"})
_NEVER = frozenset({"not-done", "entered-in-error"})
_LIVE = ("active", "completed", "stopped", "on-hold")
_CODE = re.compile(r"[A-Z0-9]{5}", re.ASCII)
_PERIOD = ("effectivePeriod", "occurencePeriod", "occurrencePeriod")
_INSTANT = ("effectiveDateTime", "occurenceDateTime", "occurrenceDateTime")
_MOST_TEXT = 2_000
_LASTING = re.compile(r"\bover\s+[0-9]+(\.[0-9]+)?(\s*(-|to)\s*([0-9]+(\.[0-9]+)?))?\s*"
                      r"(?P<unit>min|h)", re.IGNORECASE | re.ASCII)  # fmt: skip
_FIGURE = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "h": 3600, "d": 86_400, "day": 86_400}
_MILLILITRES = {"ml": Decimal(1), "l": Decimal(1000), "cc": Decimal(1), "cm3": Decimal(1)}
_MINUTE = timedelta(minutes=1)


def administrations(node: Node, number: int, find: Finder) -> list[dict[str, Any]]:
    """The administrations of one resource: none where it was never given, several for a mixture."""
    case = node.case
    if not _was_given(node):
        return []
    made: dict[str, Any] = {"id": _id_of(node, number)}
    dosage = node.child("dosage") or Node({}, f"{node.path}.dosage", case)
    meaning, systems = _terms(node, dosage)
    if meaning.given == "no":
        case.note("an administration was never given, as its method says")
        return []
    for name in ("route", "method", "purpose", "access", "device"):
        made[name] = getattr(meaning, name)
    _times(node, made, defaults=bool(systems & case.terms.defaulting))
    _amounts(dosage, made)
    _compare(dosage, made)
    site = dosage.concept("site")
    if site.named is not None:
        made["site"] = text_form(site.named)
    made["performer"] = _performer(node)
    made["ordered"] = _ordered(node, find)
    drugs = _drugs(node, find) or [{}]
    made.update(drugs[0])
    every = [made]
    for n, more in enumerate(drugs[1:], 2):
        shared = ("route", "method", "access", "device", "start", "stop", "minutes", "site")
        also = {name: made[name] for name in shared if name in made}
        every.append({"id": f"{made['id']}/{n}", **also, **more, "mixed_with": made["id"]})
    return [{key: value for key, value in one.items() if value is not None} for one in every]


def _was_given(node: Node) -> bool:
    status, case = node.text("status"), node.case
    if node.data.get("notGiven") is True or status in _NEVER:
        case.note("an administration was never given, as its status says")
        return False
    if status not in _GIVEN:
        node.wrong("status", "say whether it was given: " + ", ".join(sorted(_GIVEN | _NEVER)))
        return False
    if status != "completed" and _says_never(node):
        case.note("an administration was never given, as the reason of its status says")
        return False
    if status == "in-progress":
        case.note("an administration was still running when this was written")
    if status == "on-hold":
        case.note("an administration was on hold when this was written; it is read as begun")
    return True


def _says_never(node: Node) -> bool:
    reasons = [*node.children("statusReason"), *node.children("reasonNotGiven")]
    terms = node.case.terms
    return any(
        code and (found := terms.code(system, code)) is not None and found.given == "no"
        for one in reasons
        for system, code, _ in one.as_concept().codings
    )


def _id_of(node: Node, number: int) -> str:
    own = node.text("id")
    if own is not None:
        return own
    for one in node.children("identifier"):
        value = one.text("value")
        if value is not None:
            return value
    return f"administration-{number}"


def _terms(node: Node, dosage: Node) -> tuple[Meaning, set[str]]:
    """What route, method and reason say together; the route's own element wins over the method."""
    case, terms = node.case, node.case.terms
    systems: set[str] = set()
    said: dict[str, Meaning] = {}
    for name in ("route", "method"):
        concept = dosage.concept(name)
        meanings = [found for system, code, _ in concept.codings
                    if code and (found := terms.code(system, code)) is not None]  # fmt: skip
        systems |= {known for system, _, _ in concept.codings
                    if (known := terms.system(system)) is not None}  # fmt: skip
        if not meanings:
            words = (concept.text, *(word for _, *pair in concept.codings for word in pair))
            meanings = [found for word in words if word and (found := terms.text(word)) is not None]
        meaning, odd = combined(meanings)
        for one in odd:
            case.note(f"dosage.{name} says two things about the {one}, which is left unknown")
        if not meanings and (concept.codings or concept.text):
            case.note(f"dosage.{name} holds a term that rules/terms.yaml does not know")
        said[name] = meaning
    route, method = said["route"], said["method"]
    if route.route and method.route and route.route != method.route:
        case.note("dosage.route and dosage.method name two routes; the route's own element counts")
    mixed = {
        name: getattr(route, name) or getattr(method, name)
        for name in ("route", "purpose", "access", "device", "given")
    }
    mixed.update(_reason(node, mixed))
    return Meaning(method=method.method or route.method, **mixed), systems


def _reason(node: Node, mixed: dict[str, str | None]) -> dict[str, str]:
    if mixed["purpose"]:
        return {}
    for one in node.children("reasonCode") if "reasonCode" in node.data else ():
        concept = one.as_concept()
        for word in (concept.text, *(display for _, _, display in concept.codings)):
            found = node.case.terms.text(word) if word else None
            if found is not None and found.purpose:
                return {"purpose": found.purpose}
    return {}


def _times(node: Node, made: dict[str, Any], *, defaults: bool) -> None:
    case = node.case
    start: When | None = None
    stop: When | None = None
    for name in _PERIOD:
        period = node.child(name)
        if period is not None:
            start, stop = period.when("start"), period.when("end")
    for name in _INSTANT:
        start = start or node.when(name)
    if start is not None and start.at is None and start.day is not None:
        case.note("an administration has a date without a time, so that its start is unknown")
        made["_day"] = start.day
    at, ended = start.at if start else None, stop.at if stop else None
    if at is not None and ended is not None and _comparable(at, ended):
        if ended == at:
            case.note("an administration ends when it starts, so that its stop is unknown")
            ended = None
        elif defaults and ended - at in {_MINUTE, -_MINUTE}:
            case.note("a stop one minute from its start was filled in by the system")
            made["times_from"] = "defaulted"
    made["start"], made["stop"] = at, ended


def _comparable(one: datetime, other: datetime) -> bool:
    return (one.tzinfo is None) == (other.tzinfo is None)


def first_day(given: list[dict[str, Any]]) -> Any:
    """The earliest date of administrations whose time of day is unknown, taken out of them."""
    days = [one.pop("_day") for one in given if "_day" in one]
    return min(days, default=None)


def _amounts(dosage: Node, made: dict[str, Any]) -> None:
    dose = dosage.child("dose") or dosage.child("simpleDose")
    if dose is not None and (amount := dose.number("value")) is not None:
        unit = dose.text("unit") or dose.text("code")
        made["dose"], made["dose_unit"] = amount, text_form(unit) if unit else None
        factor = _MILLILITRES.get((unit or "").casefold())
        if factor is not None:
            made["volume_ml"] = amount * factor
    ratio = dosage.child("rateRatio")
    if ratio is not None:
        above, below = ratio.child("numerator"), ratio.child("denominator")
        if above is not None and below is not None:
            _rate(dosage, made, above, _unit(below), below.number("value"))
    for name in ("rateQuantity", "rateSimpleQuantity"):
        rate = dosage.child(name)
        if rate is None:
            continue
        unit = _unit(rate)
        time = _SECONDS.get(unit or "")
        if time is not None:
            # A time alone is how long it ran, whatever the element is called.
            _lasted(dosage, made, rate.number("value"), time)
        elif unit is not None:
            _rate(dosage, made, rate, unit.partition("/")[2] or None, Decimal(1))


def _unit(quantity: Node) -> str | None:
    """The unit in lower case; None where its code and its text disagree or both are absent."""
    code, unit = quantity.text("code"), quantity.text("unit")
    if code and unit and _plain_unit(code) != _plain_unit(unit):
        quantity.case.note("a rate's unit and its code disagree, so that the rate is unknown")
        return None
    return _plain_unit(code or unit or "") or None


def _plain_unit(unit: str) -> str:
    flat = unit.casefold().replace(" ", "").replace("hour", "h").replace("hr", "h")
    flat = flat.replace("minute", "min")
    return flat.removesuffix("s") or flat


def _rate(
    dosage: Node, made: dict[str, Any], above: Node, per: str | None, count: Decimal | None
) -> None:
    """A rate in millilitres an hour; a rate of another kind, such as mg/h, has no field."""
    unit, amount = _unit(above), above.number("value")
    volume = _MILLILITRES.get((unit or "").partition("/")[0])
    time = _SECONDS.get(per or "")
    if volume is None or time is None or amount is None or not count:
        dosage.case.note("a rate is not a volume in a time, so that it is left out")
        return
    hourly = amount * volume * 3600 / (time * count)
    if hourly >= 1_000_000:
        dosage.case.note("a rate is larger than any pump's, and is left out")
        return
    made["rate_ml_per_hour"] = hourly.quantize(Decimal("0.000001")).normalize()


def _lasted(dosage: Node, made: dict[str, Any], amount: Decimal | None, time: int) -> None:
    if amount is None:
        return
    minutes = int(amount * time) // 60
    if minutes > 1_000_000:
        dosage.wrong("rateQuantity", "write minutes up to a million")
        return
    made["minutes"] = minutes
    dosage.case.note("a rate is written as a time, and is read as running minutes")


def _compare(dosage: Node, made: dict[str, Any]) -> None:
    """Say where the period and what else is known of the duration tell different stories."""
    start, stop, case = made.get("start"), made.get("stop"), dosage.case
    if start is None or stop is None or not _comparable(start, stop):
        return
    ran = int((stop - start).total_seconds()) // 60
    if "minutes" in made and made["minutes"] != ran:
        case.note("a period differs from the charted minutes; both are kept, and clock times count")
    text = dosage.text("text")
    found = _LASTING.search(text[:_MOST_TEXT]) if text else None
    if found is not None:
        factor = 60 if found["unit"].casefold() == "h" else 1
        said = [float(one) * factor for one in _FIGURE.findall(found[0])]
        if not min(said) - 1 <= ran <= max(said) + 1:
            case.note("a dosage's text speaks of another duration than its period, which is kept")


def _ordered(node: Node, find: Finder) -> bool | None:
    """Whether the request is here itself and was put in force; its mere name proves nothing."""
    for name in ("request", "prescription"):
        key = key_of(node.data.get(name), "MedicationRequest")
        found = find(key) if key is not None else None
        if found is not None:
            live = found.get("status") in _LIVE and "order" in str(found.get("intent"))
            return True if live else None
    return None


def _performer(node: Node) -> str | None:
    """The id of who gave it, never a name."""
    for one in node.children("performer"):
        actor = one.child("actor")
        literal = actor.data.get("reference") if actor is not None else None
        if isinstance(literal, dict):  # R5: a CodeableReference
            literal = literal.get("reference")
        if isinstance(literal, str) and not literal.startswith("#"):
            return text_form(literal.split("/_history/", maxsplit=1)[0].rpartition("/")[2], 200)
    return None


def _drugs(node: Node, find: Finder) -> list[dict[str, Any]]:
    """The drug, or the ingredients of a mixture that has no name of its own."""
    if "medicationCodeableConcept" in node.data:
        return [drug_of(node.concept("medicationCodeableConcept"), node.case)]
    both = node.child("medication")  # R5: a CodeableReference
    if both is not None and both.data.get("concept") is not None:
        return [drug_of(both.concept("concept"), node.case)]
    reference = node.child("medicationReference")
    if both is not None and reference is None:
        reference = both.child("reference")
    if reference is None:
        return []
    medication = _medication(node, reference, find)
    if medication is None:
        shown = reference.text("display")
        node.case.note("an administration names a medication that is not in the input")
        return [{"drug": text_form(shown)}] if shown else []
    if medication.data.get("code") is not None:
        return [drug_of(medication.concept("code"), node.case)]
    parts = []
    for one in medication.children("ingredient"):
        item = one.child("item")
        named = one.concept("itemCodeableConcept") if item is None else item.concept("concept")
        if named.codings or named.text:
            parts.append(drug_of(named, node.case))
    return parts


def _medication(node: Node, reference: Node, find: Finder) -> Node | None:
    literal = reference.text("reference") or ""
    if literal.startswith("#"):
        for one in node.children("contained"):
            if one.data.get("id") == literal[1:]:
                return one
        return None
    key = key_of(reference.data, "Medication")
    found = find(key) if key is not None else None
    return None if found is None else Node(found, "Medication", node.case)


def drug_of(concept: Concept, case: Case) -> dict[str, Any]:
    """Name and codes of a drug; a code without words is named by its system and itself."""
    made: dict[str, Any] = {}
    unnamed: str | None = None
    for system, code, display in concept.codings:
        known = case.terms.system(system)
        if code is None:
            continue
        if known in {"hcpcs", "cpt"} and _CODE.fullmatch(code):
            made.setdefault("hcpcs", code)
        elif known == "ndc":
            written = ndc_form(code)
            if written is None:
                case.note("an NDC has not the form of one, and is left out")
            else:
                made.setdefault("ndc", written)
        elif display is None and unnamed is None and plain(code):
            unnamed = f"{known or 'code'} {code}"
    name = concept.named or (unnamed if not made else None)
    if name:
        made["drug"] = text_form(name)
    return made
