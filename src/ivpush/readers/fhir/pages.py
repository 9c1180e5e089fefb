"""Pages of one search put together: a server answers with a part, and a link to the next.

``reader`` hands in every Bundle of type searchset. Pages join by their links; where one did not
come, or the answer states more matches than are in it, nothing of it is a whole chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ivpush.errors import Fault

__all__ = ["Answer", "Page", "answers", "page_of", "shortfall"]

_BACK = ("previous", "prev")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its number among the resources, its links, and how many matches it has."""

    number: int
    own: str | None
    next: str | None
    previous: str | None
    total: int | None
    matches: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The pages of one search, in order; ``fault`` says why they are not all of it."""

    pages: list[Page]
    fault: Fault | None


def page_of(number: int, bundle: dict[str, Any]) -> Page:
    """What a Bundle says of itself as a page."""
    links, written = {}, bundle.get("link")
    for link in written if isinstance(written, list) else ():
        if isinstance(link, dict) and isinstance(link.get("url"), str):
            links[str(link.get("relation"))] = link["url"]
    total = bundle.get("total")
    entries = bundle.get("entry") or ()
    return Page(
        number=number,
        own=links.get("self"),
        next=links.get("next"),
        previous=next((links[name] for name in _BACK if name in links), None),
        total=total if type(total) is int else None,
        matches=sum(_is_match(entry) for entry in entries if isinstance(entry, dict)),
    )


def _is_match(entry: dict[str, Any]) -> bool:
    """Whether an entry counts in the total: what was included beside it does not."""
    search, resource = entry.get("search"), entry.get("resource")
    mode = search.get("mode") if isinstance(search, dict) else None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return mode in (None, "match") and kind != "OperationOutcome"


def answers(pages: Iterable[Page]) -> Iterator[Answer]:
    """The pages by search, in the order of their first one."""
    chains = _chained(list(pages))
    cut = [chain for chain in chains if _lacks_a_page(chain)]
    # Servers that name each page anew cannot be followed; then the total tells that all came.
    totals = {chain[0].total for chain in cut}
    whole = len(totals) == 1 and totals.pop() == sum(page.matches for ch in cut for page in ch)
    if len(cut) > 1 and whole:
        yield Answer([page for chain in cut for page in chain], None)
        chains = [chain for chain in chains if chain not in cut]
    for chain in chains:
        yield Answer(chain, _fault(chain))


def _chained(pages: list[Page]) -> list[list[Page]]:
    """Pages that follow one another by their links."""
    by_own = {page.own: page for page in pages if page.own is not None}
    targets = {page.next for page in pages}
    seen: set[int] = set()
    chains = []
    # Firsts before the rest, so that each chain is met at its beginning.
    for page in sorted(pages, key=lambda page: page.own in targets):
        chain: list[Page] = []
        step: Page | None = page
        while step is not None and step.number not in seen:
            seen.add(step.number)
            chain.append(step)
            step = by_own.get(step.next) if step.next is not None else None
        if chain:
            chains.append(chain)
    return chains


def _lacks_a_page(chain: list[Page]) -> bool:
    return chain[0].previous is not None or chain[-1].next is not None


def _fault(chain: list[Page]) -> Fault | None:
    """Why an answer is not whole."""
    matches, total = sum(page.matches for page in chain), chain[0].total
    remedy = "give all pages of the search together"
    if _lacks_a_page(chain):
        link = "next" if chain[-1].next is not None else "previous"
        stated = "" if total is None else f": {matches:,} of {total:,} matches came"
        problem = f"is not the whole answer, for the page behind its link '{link}' is not here"
        return Fault("Bundle.link", problem + stated, remedy)
    return _short(total, matches, remedy)


def shortfall(page: Page) -> Fault | None:
    """Why a Bundle that is no answer to a search is not whole."""
    return _short(page.total, page.matches, "give the whole Bundle")


def _short(total: int | None, came: int, remedy: str) -> Fault | None:
    if total is None or came >= total:
        return None
    return Fault("Bundle.total", f"states {total:,} matches, of which {came:,} came", remedy)
