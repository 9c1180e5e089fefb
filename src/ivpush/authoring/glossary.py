"""Pages of all else that a result or a rule names: sources, policies, limits, payers and facts.

``ivpush explain`` prints them; rules and codes have pages in ``catalogue``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ivpush.authoring.catalogue import payer_changes, sources_of
from ivpush.authoring.numbers import readers_of
from ivpush.authoring.pages import values_of
from ivpush.language.vocabulary import SCOPES, facts_of

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack

__all__ = ["glossary_page", "words_explained"]


def words_explained(pack: Pack) -> list[str]:
    """Every name that has a page here, for a did-you-mean."""
    facts = [f"{scope}.{name}" for scope, record in SCOPES.items() for name in facts_of(record)]
    return [*pack.sources, *pack.policies, *pack.limits, *pack.payers, *facts]


def glossary_page(name: str, pack: Pack) -> str | None:
    """The page of a source, policy, limit, payer or fact; None for another name."""
    plain = name.removeprefix("policy.").removeprefix("limits.")
    if name in pack.sources:
        return _source_page(name, pack)
    if plain in pack.policies:
        return _policy_page(plain, pack)
    if plain in pack.limits:
        return _limit_page(plain, pack)
    if name in pack.payers:
        return _payer_page(name, pack)
    return _fact_page(name, pack)


def _source_page(name: str, pack: Pack) -> str:
    row = pack.sources[name]
    rules = [rule.id for rule in pack.every_rule if name in rule.cites]
    payers = [payer.id for payer in pack.payers.values() if name in payer.cites]
    facts = [
        ("Title", row.title),
        ("Publisher", row.publisher),
        ("Edition", row.edition or ""),
        ("Address", row.url or ""),
        ("Checked", str(row.checked)),
        ("Cited by rules", ", ".join(sorted(rules))),
        ("Cited by payers", ", ".join(sorted(payers))),
    ]
    return _page(f"{name}, a source", "", facts)


def _policy_page(name: str, pack: Pack) -> str:
    policy = pack.policies[name]
    set_by = [payer.id for payer in pack.payers.values() if name in payer.policies]
    facts = [
        ("Values, default first", values_of(policy)),
        ("Decides", policy.touches),
        ("Set by payers", ", ".join(sorted(set_by))),
        ("Read by", ", ".join(readers_of(pack).get(f"policy.{name}", ()))),
    ]
    return _page(f"{name}, a policy", policy.why, facts, sources_of(policy.cites, pack))


def _limit_page(name: str, pack: Pack) -> str:
    value = getattr(pack.book(pack.checked).limits, name)
    readers = ", ".join(readers_of(pack).get(f"limits.{name}", ()))
    facts = [(f"Value on {pack.checked}", str(value)), ("Read by", readers)]
    return _page(f"{name}, a limit", "A dated number of limits.yaml.", facts)


def _payer_page(name: str, pack: Pack) -> str:
    payer = pack.payers[name]
    changes = "\n".join(payer_changes(payer, pack)) or "It changes nothing."
    sources = "\n".join(sources_of(payer.cites, pack))
    return f"# {name}, a payer\n\n{payer.title}\n\n{changes}\n\n## Sources\n\n{sources}\n"


def _fact_page(name: str, pack: Pack) -> str | None:
    scope, _, short = name.partition(".")
    record = SCOPES.get(scope)
    fact = facts_of(record).get(short) if record is not None else None
    if fact is None:
        return None
    known = pack.names.scopes[scope][short].kind
    rules = [
        rule.id
        for rule in pack.every_rule
        if any(f".{short}" in (rule.texts.get(part) or "") for part in ("when", "require"))
    ]
    facts = [
        ("Kind", known.name),
        ("Words", ", ".join(sorted(known.words or ()))),
        ("May be unknown", "yes" if known.nullable else "no"),
        ("Rests on", ", ".join(fact.rests_on)),
        ("Named in rules", ", ".join(sorted(rules))),
    ]
    return _page(f"{name}, a fact", fact.meaning, facts)


def _page(
    title: str, text: str, facts: Iterable[tuple[str, str]], sources: Iterator[str] | None = None
) -> str:
    lines = [f"# {title}\n"]
    if text:
        lines.append(f"{text}\n")
    lines += [f"- **{head}:** {stated}" for head, stated in facts if stated]
    if sources is not None:
        lines += ["\n## Sources\n", *sources]
    return "\n".join(lines) + "\n"
