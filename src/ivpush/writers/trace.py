"""The trace of one result: fact, rule or policy, source and decision.

``ivpush check --explain`` prints it through ``writers.text``. Nothing here is built while
encounters are checked; ``trace`` reads what the engine worked with. What a chart writes in its own
words is not repeated: drugs are named by the drug table or by id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush.coding.suggestions import named
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.contract.facts import AdministrationFacts, ServiceFacts
    from ivpush.engine import Worked
    from ivpush.pack.book import Book

__all__ = ["Step", "drug_name", "trace"]


@dataclass(frozen=True, slots=True)
class Step:
    """One decision about one administration: the fact, what decided, and its sources.

    ::

        for step in trace(engine.work(encounter)):
            print(step.about, step.fact, "->", step.decision)
    """

    administration: str
    """Its id; empty where the decision is about the encounter."""
    about: str
    fact: str
    decided_by: str
    decision: str
    cites: tuple[str, ...] = ()
    """Ids of ``rules/sources.yaml``."""


def drug_name(administration: AdministrationFacts) -> str:
    """The drug table's name, or the administration's id where no table holds the drug."""
    row = administration.drug.row
    return row.name if row is not None else f"drug of {administration.given.id}"


def trace(work: Worked) -> list[Step]:
    """Every decision of one encounter, administration by administration."""
    steps: list[Step] = []
    denied = work.standing.denied
    if denied is not None:
        _, cites = work.book.reason(denied)
        step = Step(
            administration="",
            about="who may bill",
            fact=denied,
            decided_by="step 0",
            decision="nothing is billable",
            cites=cites,
        )
        steps.append(step)
    service_of = work.derived.service_of()
    for administration in work.derived.administrations:
        steps += _steps(administration, service_of.get(administration.index), work.book)
    return steps


def _steps(
    administration: AdministrationFacts, service: ServiceFacts | None, book: Book
) -> Iterator[Step]:
    """The decisions about one administration, in the order in which they are taken."""
    yield _category(administration, book)
    if administration.drug.category == "complex_biologic":
        yield _family(administration, book)
    yield _minutes(administration, book)
    yield _technique(administration, book)
    if not administration.billable or service is None:
        yield _not_billable(administration, book)
        return
    yield _chain(administration, book)
    if administration.gap_minutes is not None:
        yield _gap(administration, service, book)
    yield _role(administration, service, book)


def _category(administration: AdministrationFacts, book: Book) -> Step:
    decided_by = "the default"
    if administration.drug.stated_category:
        decided_by = "the chart"
    elif administration.drug.row:
        decided_by = "the drug table"
    about, cites = book.reason("category_step")
    return Step(
        administration=administration.given.id,
        about=about,
        fact=f"route {administration.given.route or 'not stated'}",
        decided_by=decided_by,
        decision=administration.drug.category,
        cites=cites,
    )


def _family(administration: AdministrationFacts, book: Book) -> Step:
    about, cites = book.reason("family_step")
    return Step(
        administration=administration.given.id,
        about=about,
        fact="complex biologic",
        decided_by=f"policy complex_biologic_mode={book.policy.complex_biologic_mode}",
        decision=administration.family or "none",
        cites=cites,
    )


def _minutes(administration: AdministrationFacts, book: Book) -> Step:
    # Minutes that nobody charted are worked out only where the policy lets them count.
    by_policy = f"policy missing_stop_time={book.policy.missing_stop_time}"
    decided_by = {
        "clock": "start and stop",
        "stated": "stated minutes",
        "volume_and_rate": by_policy,
        "last_seen_running": by_policy,
    }
    return Step(
        administration=administration.given.id,
        about="minutes",
        fact=f"times from {administration.given.times_from or 'the chart'}",
        decided_by=decided_by.get(administration.minutes_from or "", "nothing charted"),
        decision=_length(administration),
    )


def _length(administration: AdministrationFacts) -> str:
    minutes = administration.running_minutes
    return "not known" if minutes is None else f"{minutes} min"


def _technique(administration: AdministrationFacts, book: Book) -> Step:
    method = administration.given.method or "not stated"
    longest, long_push = book.limits.push_max_minutes, book.policy.long_push
    about, cites = book.reason("technique_step")
    return Step(
        administration=administration.given.id,
        about=about,
        fact=f"method {method}, {_length(administration)}",
        decided_by=f"limit push_max_minutes={longest}, policy long_push={long_push}",
        decision=administration.technique or "none",
        cites=cites,
    )


def _not_billable(administration: AdministrationFacts, book: Book) -> Step:
    reason = administration.reason or "no_code"
    text, cites = book.reason(
        reason, what=drug_name(administration), beside=administration.beside or ""
    )
    return Step(
        administration=administration.given.id,
        about="not billable",
        fact=reason,
        decided_by="rules/reasons.yaml",
        decision=text,
        cites=cites,
    )


def _chain(administration: AdministrationFacts, book: Book) -> Step:
    about, cites = book.reason("chain_step")
    needs_reason = book.policy.second_site_requires_reason
    return Step(
        administration=administration.given.id,
        about=about,
        fact=f"visit {administration.visit}",
        decided_by=f"policy second_site_requires_reason={needs_reason}",
        # Chains count from 0 in the derivation, from 1 for people.
        decision=f"chain {administration.chain + 1}",
        cites=cites,
    )


def _gap(administration: AdministrationFacts, service: ServiceFacts, book: Book) -> Step:
    about, cites = book.reason("gap_step")
    least = book.policy.same_drug_push_gap_minutes
    return Step(
        administration=administration.given.id,
        about=about,
        fact=f"{administration.gap_minutes} min since the last reported push",
        decided_by=f"policy same_drug_push_gap_minutes={least}",
        decision="repeat" if service.role == "repeat" else "none",
        cites=cites,
    )


def _role(administration: AdministrationFacts, service: ServiceFacts, book: Book) -> Step:
    _, cites = book.reason(service.because)
    # A service that only adds hours to another is itself the first of them.
    hours = service.further + (service.role == "further_hour")
    further = f" and {counted(hours, 'further hour')}" if hours else ""
    return Step(
        administration=administration.given.id,
        about="role",
        fact=named(service),
        decided_by=f"rank {service.rank}",
        decision=f"{service.role}: {service.code}{further}",
        cites=cites,
    )
