"""Push, infusion or injection: the technique of an administration, by route, minutes and chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivpush.coding.times import minutes_by_last_look, minutes_by_rate
from ivpush.contract.facts import AdministrationFacts

if TYPE_CHECKING:
    from ivpush.pack.book import Book

__all__ = [
    "INJECTED_ROUTES",
    "set_technique",
]

INJECTED_ROUTES = frozenset({"IM", "SC"})


_NOT_PARENTERAL = frozenset(
    {"PO", "SL", "PR", "TOP", "INH", "NASAL", "OPH", "OTIC", "TUBE", "OTHER", "IVES"}
)
_CAVITY = {"IL": "intralesional", "IPL": "pleural", "IP": "peritoneal", "IT": "intrathecal",
           "ICV": "reservoir"}  # fmt: skip


_WHOLE_CLAIM = frozenset({"no_supervision", "packaged", "professional_in_facility"})


_PUMPS = frozenset({"ambulatory_pump", "implanted_pump"})


def set_technique(one: AdministrationFacts, book: Book) -> None:
    """Set the technique of an administration, or the reason why it earns nothing."""
    given = one.given
    if one.reason == "flush" and given.access == "port":
        one.technique = "port_flush"
        return
    if one.reason is not None and one.reason not in _WHOLE_CLAIM:
        one.technique = _charted(one)  # type: ignore[assignment]
        return
    simple = given.route == "IV" and given.purpose is None
    technique, reason = _by_vein(one, book) if simple else _technique(one, book)
    one.technique = technique  # type: ignore[assignment]
    if one.reason is None:
        one.reason = reason  # type: ignore[assignment]


def _charted(one: AdministrationFacts) -> str | None:
    """Technique of what is not billable, for the record only."""
    method = one.given.method
    if one.given.route in INJECTED_ROUTES:
        return "injection"
    if method is None or one.given.route != "IV":
        return None
    return "infusion" if method == "infusion" else "push"


def _technique(one: AdministrationFacts, book: Book) -> tuple[str | None, str | None]:
    """Technique, or None with the reason why the administration earns nothing."""
    given, route = one.given, one.given.route
    if given.purpose == "declotting":
        return "declotting", None
    if given.purpose == "pump_refill":
        return "pump_refill", None
    if route is None:
        return None, "route_missing"
    if route in _NOT_PARENTERAL:
        return None, "not_parenteral"
    if route == "IV":
        return _by_vein(one, book)
    if route == "IM":
        return "injection", None
    if route == "SC":
        return _under_skin(one, book)
    if route == "IA":
        return _by_artery(one, book)
    if route in _CAVITY and one.family == "chemotherapy":
        return _CAVITY[route], None
    return None, "no_code"


def _under_skin(one: AdministrationFacts, book: Book) -> tuple[str | None, str | None]:
    if one.given.device == "on_body_injector":
        return "on_body_injector", None
    long = one.total_minutes is not None and not _short(one.total_minutes, book)
    if long and one.given.method != "injection" and one.family != "chemotherapy":
        return "sc_infusion", None
    return "injection", None


def _by_artery(one: AdministrationFacts, book: Book) -> tuple[str | None, str | None]:
    technique, reason = _by_vein(one, book)
    if one.family == "chemotherapy" or technique is None:
        return (f"ia_{technique}" if technique else None), reason
    return ("ia_injection", None) if technique == "push" else (None, "no_code")


def _short(minutes: int, book: Book) -> bool:
    """Whether so many minutes are a push; the exact limit goes by policy."""
    limit = book.limits.push_max_minutes
    return bool(minutes < limit or (minutes == limit and book.policy.exact_15_minutes == "push"))


def _by_vein(one: AdministrationFacts, book: Book) -> tuple[str | None, str | None]:
    given, policy = one.given, book.policy
    if one.family == "hydration":
        return _fluid(one, book)
    minutes = one.total_minutes
    if minutes is None:
        if given.method in {"push", "injection"}:
            return "push", None
        if given.device in _PUMPS and one.family == "chemotherapy":
            return "pump", None
        return _without_stop(one, book)
    if _short(minutes, book):
        return "push", None
    if given.method in {"push", "injection"} and policy.long_push != "infusion":
        if given.continuously_attended:
            return "push", None
    return _long(one, book), None


def _long(one: AdministrationFacts, book: Book) -> str:
    """Infusion, or the start of a prolonged one by pump, where the family has a code for it."""
    device, minutes = one.given.device, one.total_minutes
    if minutes is None or minutes <= book.limits.prolonged_minutes:
        return "infusion"
    if one.family == "chemotherapy":
        return "pump"
    has_code = device in _PUMPS and book.pick(one.family, "pump", "pump_start") is not None
    return "pump" if has_code else "infusion"


def _fluid(one: AdministrationFacts, book: Book) -> tuple[str | None, str | None]:
    if book.policy.hydration_short_as_push and one.total_minutes is not None:
        if _short(one.total_minutes, book):
            one.family = "therapeutic"
            return "push", None
    if one.running_minutes is None:
        if book.policy.missing_stop_time_hydration == "compute_only":
            minutes_by_rate(one)
        if one.running_minutes is None:
            return "infusion", "stop_missing"
    return "infusion", None


def _without_stop(one: AdministrationFacts, book: Book) -> tuple[str | None, str | None]:
    """A drip whose end nobody charted, as the policy missing_stop_time reads it."""
    mode = book.policy.missing_stop_time
    if mode == "push":
        return "push", None
    if mode in {"compute_then_push_if_drug_allows", "compute_only"}:
        minutes_by_rate(one)
    if mode in {"compute_then_push_if_drug_allows", "last_charted_time"}:
        minutes_by_last_look(one)
    if one.total_minutes is not None:
        return ("push" if _short(one.total_minutes, book) else _long(one, book)), None
    ever_pushed = one.usual_techniques is not None and "push" in one.usual_techniques
    if mode == "compute_then_push_if_drug_allows" and ever_pushed:
        return "push", None
    return "infusion", "stop_missing"
