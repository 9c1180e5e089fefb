"""Push, infusion or injection: the technique of an administration, by route, minutes and chart.

Step 1 of DESIGN section 3. ``administrations`` asks for each; a technique may be None, with the
reason why the administration earns nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ivpush.coding.times import minutes_by_last_look, minutes_by_rate

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import AdministrationFacts, Reason, Technique
    from ivpush.pack.book import Book

__all__ = ["BY_VEIN", "DRIPS", "INJECTED_ROUTES", "PARENTERAL_ROUTES", "set_technique"]

BY_VEIN = frozenset({"push", "infusion"})
"""Techniques of what is given into a vein and hangs on a chain's initial service."""

DRIPS = frozenset({"infusion", "sc_infusion", "ia_infusion", "pump", "ia_pump"})
"""Techniques of what lasts."""

INJECTED_ROUTES = frozenset({"IM", "SC"})
PARENTERAL_ROUTES = INJECTED_ROUTES | {"IV", "IA"}

_NOT_PARENTERAL = frozenset(
    {"PO", "SL", "PR", "TOP", "INH", "NASAL", "OPH", "OTIC", "TUBE", "OTHER", "IVES"}
)
_CAVITIES: dict[str, Technique] = {
    "IL": "intralesional",
    "IPL": "pleural",
    "IP": "peritoneal",
    "IT": "intrathecal",
    "ICV": "reservoir",
}
_WHOLE_CLAIM = frozenset({"packaged"})
"""Reasons that void the claim and say nothing of how a drug was given."""

_PUMPS = frozenset({"ambulatory_pump", "implanted_pump"})
_ARTERIAL: dict[str, Technique] = {
    "push": "ia_push",
    "infusion": "ia_infusion",
    "pump": "ia_pump",
}


class _Given(NamedTuple):
    """How a drug was given, or why that earns nothing."""

    technique: Technique | None
    reason: Reason | None = None


def set_technique(administration: AdministrationFacts, book: Book) -> None:
    """Set the technique of an administration, or the reason why it earns nothing."""
    reason = administration.reason
    # Only a port's flush has a code; others are part of care.
    if reason == "flush" and administration.given.access == "port":
        administration.technique = "port_flush"
    elif reason is not None and reason not in _WHOLE_CLAIM:
        administration.technique = _charted(administration)
    else:
        administration.technique, earns_nothing = _given(administration, book)
        # The first reason stays: why the whole claim earns nothing beats how a drug was given.
        if reason is None:
            administration.reason = earns_nothing


def _charted(administration: AdministrationFacts) -> Technique | None:
    """Technique of what is not billable, for the record only."""
    given = administration.given
    if given.route in INJECTED_ROUTES:
        return "injection"
    if given.method is None or given.route != "IV":
        return None
    return "infusion" if given.method == "infusion" else "push"


def _given(administration: AdministrationFacts, book: Book) -> _Given:
    purpose = administration.given.purpose
    # By purpose, before the route: both are the same whatever way the drug went in.
    if purpose == "declotting":
        return _Given("declotting")
    if purpose == "pump_refill":
        return _Given("pump_refill")
    return _by_route(administration, book)


def _by_route(administration: AdministrationFacts, book: Book) -> _Given:
    route = administration.given.route
    if route == "IV":
        return _by_vein(administration, book)
    if route is None:
        return _Given(None, "route_missing")
    if route in _NOT_PARENTERAL:
        return _Given(None, "not_parenteral")
    if route == "IM":
        return _Given("injection")
    if route == "SC":
        return _under_skin(administration, book)
    if route == "IA":
        return _by_artery(administration, book)
    # CPT has codes for these ways for chemotherapy alone.
    if route in _CAVITIES and administration.family == "chemotherapy":
        return _Given(_CAVITIES[route])
    return _Given(None, "no_code")


def _under_skin(administration: AdministrationFacts, book: Book) -> _Given:
    given, minutes = administration.given, administration.total_minutes
    if administration.delivered_by == "on_body_injector":
        return _Given("on_body_injector")
    long = minutes is not None and not _short(minutes, book)
    if long and given.method != "injection" and administration.family != "chemotherapy":
        return _Given("sc_infusion")
    return _Given("injection")


def _by_artery(administration: AdministrationFacts, book: Book) -> _Given:
    technique, reason = _by_vein(administration, book)
    assert technique is not None  # whatever is given by vein is a push or runs
    if administration.family == "chemotherapy":
        return _Given(_ARTERIAL[technique], reason)
    # Only chemotherapy has codes for a drip into an artery; other drugs are injected.
    return _Given("ia_injection") if technique == "push" else _Given(None, "no_code")


def _short(minutes: int, book: Book) -> bool:
    """Whether so many minutes are a push; the exact limit goes by policy."""
    limit = book.limits.push_max_minutes
    # CPT bounds a push by its minutes; sources differ on the exact limit.
    return minutes < limit or (minutes == limit and book.policy.exact_15_minutes == "push")


def _is_push(administration: AdministrationFacts, minutes: int, book: Book) -> bool:
    """Whether so many minutes are a push; of an infusion that was stopped early a policy says."""
    if not _short(minutes, book):
        return False
    given = administration.given
    if given.stopped_early is None or given.method in {"push", "injection"}:
        return True
    # Noted even where the policy decides: a question may be asked about it.
    administration.stopped_short = True
    return book.policy.infusion_stopped_early == "by_minutes"


def _by_vein(administration: AdministrationFacts, book: Book) -> _Given:
    if administration.family == "hydration":
        return _fluid(administration, book)
    given, minutes = administration.given, administration.total_minutes
    as_push = given.method in {"push", "injection"}
    # Without minutes the charted method is all there is.
    if minutes is None:
        if as_push:
            return _Given("push")
        if administration.delivered_by in _PUMPS and administration.family == "chemotherapy":
            return _Given("pump")
        return _without_stop(administration, book)
    # CPT: a push is also one whose giver stays and watches throughout.
    attended = given.continuously_attended and book.policy.long_push != "infusion"
    if (as_push and attended) or _is_push(administration, minutes, book):
        return _Given("push")
    return _Given(_long(administration, book))


def _long(administration: AdministrationFacts, book: Book) -> Technique:
    """Infusion, or the start of a prolonged one by pump, where the family has a code for it."""
    family, minutes = administration.family, administration.total_minutes
    if minutes is None or minutes <= book.limits.prolonged_minutes:
        return "infusion"
    if administration.delivered_by not in _PUMPS and not _outlasts_the_chair(administration, book):
        return "infusion"  # held by the pump at the chair, or nobody named one: by the hour
    row = book.pick(family, "pump", "pump_start")
    return "pump" if row is not None and administration.setting in row.settings else "infusion"


def _outlasts_the_chair(administration: AdministrationFacts, book: Book) -> bool:
    """Chemotherapy of an office, of no named device, that runs on when the office is closed."""
    return (
        administration.delivered_by is None
        and administration.setting == "professional"
        and administration.family == "chemotherapy"
        and (administration.total_minutes or 0) > book.limits.office_day_minutes
    )


def _fluid(administration: AdministrationFacts, book: Book) -> _Given:
    minutes = administration.total_minutes
    if book.policy.hydration_short_as_push and minutes is not None and _short(minutes, book):
        administration.family = "therapeutic"
        return _Given("push")
    if book.policy.missing_stop_time_hydration == "compute_only":
        minutes_by_rate(administration)
    if administration.running_minutes is None:
        return _Given("infusion", "stop_missing")
    return _Given("infusion")


def _without_stop(administration: AdministrationFacts, book: Book) -> _Given:
    """A drip whose end nobody charted, as the policy missing_stop_time reads it."""
    mode = book.policy.missing_stop_time
    if mode == "push":
        return _Given("push")
    if mode in {"compute_then_push_if_drug_allows", "compute_only"}:
        minutes_by_rate(administration)
    # The last look comes after the rate: it is a floor of the minutes, not their length.
    if mode in {"compute_then_push_if_drug_allows", "last_charted_time"}:
        minutes_by_last_look(administration)
    minutes = administration.total_minutes
    if minutes is not None:
        pushed = _is_push(administration, minutes, book)
        return _Given("push" if pushed else _long(administration, book))
    usual = administration.drug.usual_techniques
    if mode == "compute_then_push_if_drug_allows" and usual is not None and "push" in usual:
        return _Given("push")
    return _Given("infusion", "stop_missing")
