"""From the chart to services: category, technique and minutes of each administration.

The first step of the derivation (DESIGN section 3, step 1). Everything that differs by source is
read from the book's policies; every number from its limits.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from operator import attrgetter
from typing import TYPE_CHECKING

from dateutil import tz

from ivpush import clock
from ivpush.contract.encounter import plain
from ivpush.contract.facts import AdministrationFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Administration, Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow

__all__ = ["by_time", "in_time", "read_chart", "zone_of"]

_INJECTED = frozenset({"IM", "SC"})
_NOT_PARENTERAL = frozenset(
    {"PO", "SL", "PR", "TOP", "INH", "NASAL", "OPH", "OTIC", "TUBE", "OTHER", "IVES"}
)
_CAVITY = {"IL": "intralesional", "IPL": "pleural", "IP": "peritoneal", "IT": "intrathecal",
           "ICV": "reservoir"}  # fmt: skip
_BY_PURPOSE = {"keep_open": "keep_open", "flush": "flush", "imaging": "imaging"}
_BY_CATEGORY = {"contrast": "contrast", "flush": "flush", "blood": "blood", "vaccine": "vaccine",
                "anesthesia": "anesthesia"}  # fmt: skip
_OWN_FAMILY = frozenset({"therapeutic", "chemotherapy", "hydration"})
_WHOLE_CLAIM = frozenset({"no_supervision", "packaged", "professional_in_facility"})
_INVENTED = frozenset({"ordered", "defaulted"})
_PUMPS = frozenset({"ambulatory_pump", "implanted_pump"})


def zone_of(encounter: Encounter) -> tzinfo | None:
    """The time zone of the encounter's naive times; None where times stand as they are."""
    if encounter.timezone is not None:
        return tz.gettz(encounter.timezone)
    for one in encounter.administrations or ():
        if one.start is not None:
            return one.start.tzinfo
    return None


def read_chart(encounter: Encounter, book: Book, denied: str | None) -> list[AdministrationFacts]:
    """One record an administration, in chart order.

    ``denied`` is the reason for which nothing of this encounter is billable, if there is one.
    """
    zone = tz.gettz(encounter.timezone) if encounter.timezone is not None else None
    charted = encounter.administrations or ()
    transfused = _transfused(encounter, book)
    facts = []
    for index, given in enumerate(map(plain, charted)):
        one = _blank(given, index)
        _read_times(one, zone, encounter)
        _read_drug(one, book)
        if denied is not None or given.purpose is not None:
            one.reason = denied or _reason_by_purpose(one, book, transfused)  # type: ignore[assignment]
        else:
            one.reason = _BY_CATEGORY.get(one.category)  # type: ignore[assignment]
        category = one.category
        own = category in _OWN_FAMILY
        one.family = category if own else _family(one, encounter, book)  # type: ignore[assignment]
        facts.append(one)
    if len(facts) > 1:
        _join_runs(facts)
        _mark_attended(facts)
    for one in facts:
        _classify(one, book)
    return facts


def _blank(given: Administration, index: int) -> AdministrationFacts:
    one = AdministrationFacts()
    one.given, one.index = given, index
    one.billable = one.separate_site = one.reason_is_convenience = False
    one.same_drug_infused = one.repeat = one.overlaps_attended = False
    one.continues_other_drug = False
    one.gap_minutes = one.hydration_minutes = one.required_level = None
    one.service = one.technique = None
    one.site, one.site_named, one.why = given.site or "", given.site is not None, ""
    one.visit, one.run, one.chain = given.visit or 1, index, 0
    return one


def _seconds(at: datetime, zone: tzinfo | None) -> int:
    return clock.moment(at, zone).seconds


def _read_times(one: AdministrationFacts, zone: tzinfo | None, encounter: Encounter) -> None:
    given = one.given
    source, start, stop = given.times_from, given.start, given.stop
    one.clock_minutes = one.start_seconds = one.span = one.outside_encounter = None
    one.time_nonexistent = one.time_ambiguous = one.stop_before_start = False
    naive_start = start is not None and start.tzinfo is None
    one.time_naive = zone is None and (naive_start or (stop is not None and stop.tzinfo is None))
    # Systems invent stops and orders hold plans: neither says what happened (DESIGN section 2).
    one.start_usable = start is not None and source != "ordered"
    one.stop_usable = stop is not None and source not in _INVENTED
    begun = ended = None
    if start is not None:
        begun = clock.seconds_of(start) if zone is None else _read_moment(one, start, zone)
        if one.start_usable:
            one.start_seconds = begun
    if stop is not None:
        ended = clock.seconds_of(stop) if zone is None else _read_moment(one, stop, zone, begun)
    if begun is not None and ended is not None:
        if ended < begun:
            one.stop_before_start, one.stop_usable = True, False
        elif one.start_usable and one.stop_usable:
            one.clock_minutes = (ended - begun) // 60
            one.span = (begun, ended)
    seen = given.last_seen_running
    one.seen_seconds = None if seen is None else clock.moment(seen, zone, begun).seconds
    _read_minutes(one)
    one.order = in_time(one)
    if encounter.start is not None and encounter.end is not None and one.start_usable:
        low, high = _seconds(encounter.start, zone), _seconds(encounter.end, zone)
        last = ended if ended is not None and one.stop_usable else one.start_seconds
        assert one.start_seconds is not None and last is not None
        one.outside_encounter = one.start_seconds < low or last > high


def _read_moment(
    one: AdministrationFacts, at: datetime, zone: tzinfo, after: int | None = None
) -> int:
    made = clock.moment(at, zone, after)
    one.time_nonexistent |= made.nonexistent
    one.time_ambiguous |= made.ambiguous
    return made.seconds


def _read_drug(one: AdministrationFacts, book: Book) -> None:
    given = one.given
    row: DrugRow | None = book.drugs.get(given.hcpcs)  # type: ignore[arg-type]
    if row is None:
        row = book.drug(given.hcpcs, given.ndc, given.drug)
    one.row, one.stated_category = row, given.category
    if row is None:
        named = given.drug is not None or given.hcpcs is not None or given.ndc is not None
        one.drug_known = False if named else None
        one.table_category = one.usual_techniques = one.hcpcs_successor = None
        one.ended_hcpcs = False
        written = " ".join((given.drug or "").casefold().split())
        one.drug_key = written or given.hcpcs or given.ndc or f"\0{given.id}"
        one.category = given.category or (
            "hydration" if given.purpose == "hydration" else "therapeutic"
        )
    else:
        one.drug_known, one.usual_techniques = True, row.techniques
        injected = row.category_injection and given.route in _INJECTED
        one.table_category = row.category_injection if injected else row.category
        one.ended_hcpcs = bool(
            row.ended is not None
            and given.hcpcs
            and book.date is not None
            and row.ended < book.date
        )
        one.hcpcs_successor = row.successor if one.ended_hcpcs else None
        by_code = book.policy.same_drug_formulation == "same_hcpcs" and given.hcpcs
        one.drug_key = given.hcpcs if by_code and given.hcpcs else row.key
        one.category = given.category or one.table_category  # type: ignore[assignment]
    one.drug_keys = frozenset((one.drug_key,))


def _transfused(encounter: Encounter, book: Book) -> bool:
    """Whether blood was given, by the chart or by a billed transfusion."""
    if "premedication" not in [one.purpose for one in encounter.administrations or ()]:
        return False
    if any(a.category == "blood" for a in encounter.administrations or ()):
        return True
    rows = (book.code_any(line.code) for line in encounter.lines or ())
    return any(row is not None and row.family == "transfusion" for row in rows)


def _reason_by_purpose(one: AdministrationFacts, book: Book, transfused: bool) -> str | None:
    given, policy = one.given, book.policy
    purpose = given.purpose
    if purpose is not None:
        if purpose == "drug_carrier":
            fine = policy.hydration_facilitates_drug == "billable_with_order"
            return None if fine and given.ordered else "drug_carrier"
        if purpose == "procedure":
            sedated = one.category == "anesthesia"
            rule = policy.sedation_drug_push if sedated else policy.postop_pain_push
            return "procedure" if rule == "not_billable" else None
        if purpose == "premedication" and transfused:
            return "transfusion" if policy.transfusion_premed == "not_billable" else None
        if purpose in _BY_PURPOSE:
            return _BY_PURPOSE[purpose]
        if purpose == "declotting":
            return None
    return _BY_CATEGORY.get(one.category)


def _join_runs(facts: list[AdministrationFacts]) -> None:
    """Give runs of one bag a common number and their minutes together.

    A run that continues another, or starts when a run of the same drug on the same access stops,
    is one infusion with it; a charted push never is.
    """
    by_id = {one.given.id: one for one in facts}
    latest: dict[tuple[str, str | None, str], AdministrationFacts] = {}
    joined = False
    for one in sorted(facts, key=by_time):
        given = one.given
        if given.continues is not None and given.continues != given.id:
            earlier = by_id[given.continues]
            one.run, joined = earlier.run, True
            one.continues_other_drug = one.drug_key != earlier.drug_key
        if given.method not in {"push", "injection"} and one.span is not None:
            bag = (one.drug_key, one.family, one.site)
            before = latest.get(bag)
            if before is not None and before.span is not None and one.span[0] <= before.span[1]:
                _renumber(facts, one.run, before.run)
                joined = True
            if before is None or before.span is None or one.span[1] >= before.span[1]:
                latest[bag] = one
    if joined:
        _add_minutes(facts)


def _renumber(facts: list[AdministrationFacts], old: int, new: int) -> None:
    for one in facts:
        if one.run == old:
            one.run = new


def _add_minutes(facts: list[AdministrationFacts]) -> None:
    runs: dict[int, list[AdministrationFacts]] = {}
    for one in facts:
        if one.running_minutes is not None:
            runs.setdefault(one.run, []).append(one)
    for members in runs.values():
        spans = clock.unite(one.span for one in members if one.span is not None)
        loose = sum(one.running_minutes or 0 for one in members if one.span is None)
        for one in members:
            one.total_minutes = clock.covered(spans) // 60 + loose


def in_time(one: AdministrationFacts) -> tuple[bool, int, int, str]:
    """Order of administrations: start, stop, id; without a usable start last."""
    start = one.start_seconds
    return (start is None, start or 0, one.span[1] if one.span else start or 0, one.given.id)


by_time = attrgetter("order")
"""The key that sorts administrations, or services, in time."""


def _classify(one: AdministrationFacts, book: Book) -> None:
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


def _family(one: AdministrationFacts, encounter: Encounter, book: Book) -> str | None:
    category = one.category
    if category == "complex_biologic":
        mode = book.policy.complex_biologic_mode
        if mode == "always_simple":
            return "therapeutic"
        if mode == "drug_list":
            listed = one.table_category == "complex_biologic"
            return "chemotherapy" if listed else "therapeutic"
        if mode == "documented_factors" and encounter.complexity_documented is False:
            return "therapeutic"
        return "chemotherapy"
    if category == "anesthesia":
        return "therapeutic"
    return None


def _read_minutes(one: AdministrationFacts) -> None:
    given = one.given
    if one.clock_minutes is not None:
        one.running_minutes = one.total_minutes = one.clock_minutes
        one.minutes_from = "clock"
    elif given.minutes is not None and given.times_from not in _INVENTED:
        one.running_minutes = one.total_minutes = given.minutes
        one.minutes_from = "stated"
        if one.start_seconds is not None:
            one.span = (one.start_seconds, one.start_seconds + 60 * given.minutes)
    else:
        one.running_minutes = one.total_minutes = one.minutes_from = None


def _charted(one: AdministrationFacts) -> str | None:
    """Technique of what is not billable, for the record only."""
    method = one.given.method
    if one.given.route in _INJECTED:
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
            _compute(one)
        if one.running_minutes is None:
            return "infusion", "stop_missing"
    return "infusion", None


def _without_stop(one: AdministrationFacts, book: Book) -> tuple[str | None, str | None]:
    """A drip whose end nobody charted, as the policy missing_stop_time reads it."""
    mode = book.policy.missing_stop_time
    if mode == "push":
        return "push", None
    if mode in {"compute_then_push_if_drug_allows", "compute_only"}:
        _compute(one)
    if mode in {"compute_then_push_if_drug_allows", "last_charted_time"}:
        _last_seen(one)
    if one.total_minutes is not None:
        return ("push" if _short(one.total_minutes, book) else _long(one, book)), None
    ever_pushed = one.usual_techniques is not None and "push" in one.usual_techniques
    if mode == "compute_then_push_if_drug_allows" and ever_pushed:
        return "push", None
    return "infusion", "stop_missing"


def _compute(one: AdministrationFacts) -> None:
    volume, rate = one.given.volume_ml, one.given.rate_ml_per_hour
    if one.running_minutes is None and volume and rate and one.given.times_from != "ordered":
        _settle(one, int(volume * 60 / rate))
        one.minutes_from = "volume_and_rate"


def _last_seen(one: AdministrationFacts) -> None:
    seen, start = one.seen_seconds, one.start_seconds
    if one.running_minutes is None and seen is not None and start is not None and seen >= start:
        _settle(one, (seen - start) // 60)
        one.minutes_from = "last_seen_running"


def _settle(one: AdministrationFacts, minutes: int) -> None:
    one.running_minutes = one.total_minutes = minutes
    if one.start_seconds is not None:
        one.span = (one.start_seconds, one.start_seconds + 60 * minutes)
        one.order = in_time(one)


def _mark_attended(facts: list[AdministrationFacts]) -> None:
    """Mark attended pushes of one performer that overlap: nobody stands at two beds."""
    held: dict[str, list[AdministrationFacts]] = {}
    for one in facts:
        given = one.given
        if given.performer is not None and given.continuously_attended and one.span is not None:
            held.setdefault(given.performer, []).append(one)
    for theirs in held.values():
        theirs.sort(key=lambda one: one.span or (0, 0))
        latest: AdministrationFacts | None = None
        for one in theirs:
            assert one.span is not None
            if latest is not None and latest.span is not None:
                if latest.span[1] - one.span[0] >= 60 and one.span[1] - one.span[0] >= 60:
                    one.overlaps_attended = latest.overlaps_attended = True
            if latest is None or latest.span is None or one.span[1] > latest.span[1]:
                latest = one
