"""A coded chart as what a drawing is made of: times, minutes that count, codes, what is open.

The engine calls ``drawing_of`` where a drawing is asked for, and ``writers.text`` for its own.
Which minutes decided follows from the limits and policies in force. A chart's own words are left
out unless they are asked for: drugs have the names of the drug table, sites are numbered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.roles import HOUR, further_hours
from ivpush.coding.techniques import BY_VEIN, DRIPS
from ivpush.contract.line_text import code_with_modifiers
from ivpush.timeline.records import Drawing, Given, Mark, Stretch

if TYPE_CHECKING:
    from datetime import datetime

    from ivpush.clock import Span
    from ivpush.coding.chart import CodedChart
    from ivpush.contract.facts import AdministrationFacts, ServiceFacts
    from ivpush.contract.result import Question, Result, SuggestedLine
    from ivpush.pack.book import Book
    from ivpush.timeline.records import Shape

__all__ = ["drawing_of", "site_names"]

_MOST_HOURS = 24
"""Further hours of which each is marked; of more only the last."""


def site_names(administrations: Iterable[AdministrationFacts]) -> dict[str, str]:
    """Labels S1, S2 … for the access sites, in order of the chart."""
    names: dict[str, str] = {}
    for administration in administrations:
        if administration.site_named and administration.site not in names:
            names[administration.site] = f"S{len(names) + 1}"
    return names


def drawing_of(
    coded: CodedChart, result: Result, book: Book, *, show_text: bool = False
) -> Drawing:
    """The chart of a coded encounter, administration by administration, in order of the chart.

    ``result`` is what was said of it; with ``show_text`` drugs and sites are named as charted.
    """
    if coded.encounter.administrations is None:
        return Drawing(None)
    administrations = coded.derived.administrations
    pen = _Pen(
        book=book,
        zone=coded.derived.zone,
        services=coded.derived.service_of(),
        codes=_codes(result.suggested),
        reasons={each.administration: each.because for each in result.not_billable},
        missing=_missing(result.questions),
        sites=site_names(administrations),
        show_text=show_text,
    )
    return Drawing(tuple([pen.given(each) for each in administrations]))


def _codes(suggested: Iterable[SuggestedLine]) -> dict[str, tuple[str, ...]]:
    """The suggested lines of each administration, as people write them."""
    codes: dict[str, tuple[str, ...]] = {}
    for line in suggested:
        code = code_with_modifiers(line)
        units = f" x {line.units}" if line.units > 1 else ""
        for administration in line.administrations:
            codes[administration] = (*codes.get(administration, ()), code + units)
    return codes


def _missing(questions: Iterable[Question]) -> dict[str, tuple[str, ...]]:
    """The fields that questions ask for, by administration."""
    missing: dict[str, tuple[str, ...]] = {}
    for question in questions:
        if question.administration is not None:
            field = question.missing.rpartition(".")[2].replace("_", " ")
            asked = missing.get(question.administration, ())
            missing[question.administration] = tuple(dict.fromkeys((*asked, field)))
    return missing


@dataclass(frozen=True, slots=True)
class _Pen:
    """What is known of the whole encounter while its administrations are written down."""

    book: Book
    zone: tzinfo | None
    services: Mapping[int, ServiceFacts]
    codes: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]
    missing: Mapping[str, tuple[str, ...]]
    sites: Mapping[str, str]
    show_text: bool

    def given(self, facts: AdministrationFacts) -> Given:
        """One administration."""
        charted = facts.given
        service = self.services.get(facts.index)
        extent, shape = self._extent(facts), self._shape(facts)
        counted = _counted(facts, service) if shape == "run" else []
        return Given(
            id=charted.id,
            name=self._name(facts),
            lane=self._lane(facts),
            shape=shape,
            start=None if extent is None else self._at(extent[0]),
            stop=None if extent is None or extent[1] is None else self._at(extent[1]),
            counted=tuple([Stretch(self._at(start), self._at(stop)) for start, stop in counted]),
            minutes=facts.running_minutes,
            technique=facts.technique,
            family=facts.family,
            role=service.role if service is not None and facts.billable else None,
            codes=self.codes.get(charted.id, ()),
            because=self.reasons.get(charted.id),
            missing=self.missing.get(charted.id, ()),
            marks=tuple(self._marks(facts, service, extent)),
            since=self._since(facts),
        )

    def _at(self, seconds: int) -> datetime:
        return clock.local_time(seconds, self.zone)

    def _name(self, facts: AdministrationFacts) -> str | None:
        if self.show_text and facts.given.drug:
            return facts.given.drug
        return None if facts.drug.row is None else facts.drug.row.name

    def _lane(self, facts: AdministrationFacts) -> str:
        """The access site, else the route where it is no vein."""
        if facts.site_named:
            return facts.site if self.show_text else f"access {self.sites[facts.site]}"
        route = facts.given.route
        if route is None or facts.technique in BY_VEIN:
            return "access not charted"
        return f"route {route}"

    def _shape(self, facts: AdministrationFacts) -> Shape:
        """A tick for what is given at once; what earns nothing is drawn as long as it took."""
        # Without its stop it is billed as a push for now, but it is an infusion that waits.
        if facts.given.method == "infusion" and "stop" in self.missing.get(facts.given.id, ()):
            return "run"
        if facts.technique is not None:
            return "run" if facts.technique in DRIPS else "dose"
        minutes, longest = facts.running_minutes, self.book.limits.push_max_minutes
        return "run" if minutes is not None and minutes > longest else "dose"

    def _extent(self, facts: AdministrationFacts) -> tuple[int, int | None] | None:
        """Start and stop in seconds, as charted where both count, else as worked out."""
        charted = facts.given
        # An order's start counts no more than its stop does.
        if facts.times.stop_usable and charted.start is not None and charted.stop is not None:
            start = clock.moment(charted.start, self.zone).seconds
            return start, clock.moment(charted.stop, self.zone, start).seconds
        if facts.span is not None:
            return facts.span
        return None if facts.start_seconds is None else (facts.start_seconds, None)

    def _marks(
        self,
        facts: AdministrationFacts,
        service: ServiceFacts | None,
        extent: tuple[int, int | None] | None,
    ) -> Iterator[Mark]:
        """The minutes that decided what this administration is billed as."""
        if extent is None:
            return
        first, last = extent
        if facts.gap_minutes is not None:
            yield self._repeat_mark(first - 60 * facts.gap_minutes)
        # Without a service no number of minutes would have earned anything.
        if service is None or last is None:
            return
        for minutes, text in self._deciding(facts, service):
            at = _reached(service.spans, 60 * minutes, end=last)
            # Of a run of several bags each mark stands on the bag that it falls into.
            if at is not None and first < at:
                yield Mark(self._at(at), minutes, text)

    def _deciding(
        self, facts: AdministrationFacts, service: ServiceFacts
    ) -> Iterator[tuple[int, str]]:
        """Minutes after which something else is billed, and what that is."""
        minutes = service.minutes
        if minutes is None or facts.given.method == "push":
            return
        if facts.family == "hydration":
            floor = self.book.policy.hydration_floor_minutes
            yield floor - 1, f"hydration counts from {floor} minutes"
        elif facts.technique in BY_VEIN:
            longest = self.book.limits.push_max_minutes
            yield longest, f"an infusion runs longer than {longest} minutes"
        if _earns_hours(service):
            yield from self._hours(minutes)

    def _hours(self, minutes: int) -> Iterator[tuple[int, str]]:
        """The end of the first hour, and the last minute before each further hour counts."""
        if minutes <= HOUR:
            return
        yield self.book.limits.first_hour_minutes, "the first hour ends"
        over = self.book.policy.additional_hour_minutes
        hours = further_hours(minutes, self.book)
        # The next hour decided too where the run ended on the way to it.
        last = hours + 1 if hours < minutes // HOUR and minutes % HOUR else hours
        # A pump may run for weeks, and nobody counts a hundred marks.
        shown = range(1, last + 1) if last <= _MOST_HOURS else (last,)
        for hour in shown:
            past = HOUR * hour + over
            yield past - 1, f"further hour {hour} counts from {past} minutes"

    def _repeat_mark(self, since: int) -> Mark:
        least = self.book.policy.same_drug_push_gap_minutes
        text = f"a repeat push counts {least} minutes after the last reported one"
        return Mark(self._at(since + 60 * (least - 1)), least - 1, text)

    def _since(self, facts: AdministrationFacts) -> datetime | None:
        if facts.gap_minutes is None or facts.start_seconds is None:
            return None
        return self._at(facts.start_seconds - 60 * facts.gap_minutes)


def _earns_hours(service: ServiceFacts) -> bool:
    row = service.row  # None of what was refused
    return row is not None and (row.further is not None or service.role == "further_hour")


def _reached(spans: list[Span], seconds: int, *, end: int) -> int | None:
    """When so much running time had passed before an end, or would have, had the last run gone on.

    None after the end: on another bag of the run, or in a fluid whose time no longer counted.
    """
    rest = seconds - clock.covered(spans)
    if rest > 0:
        return end + rest if spans and spans[-1][1] == end else None
    at = clock.when_reached(spans, seconds)
    return at if at is not None and at <= end else None


def _counted(facts: AdministrationFacts, service: ServiceFacts | None) -> list[Span]:
    """The stretches of one administration whose minutes count."""
    if not facts.billable or facts.span is None or service is None:
        return []
    # A fluid counts only where no drug runs beside it; what else runs counts throughout.
    return clock.without([facts.span], clock.without([facts.span], service.spans))
