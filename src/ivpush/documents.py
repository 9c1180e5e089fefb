"""Pages written from the code and the pack: vocabulary, schemas, rules and codes.

``pages`` gives every generated page of ``docs/`` by its path; ``ivpush rules docs`` writes
them, and a test holds them fresh.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ivpush.language import kind_of
from ivpush.models import Encounter
from ivpush.result import result_adapter
from ivpush.vocabulary import SCOPES, facts_of

if TYPE_CHECKING:
    from ivpush.pack import Pack
    from ivpush.rows import CodeRow
    from ivpush.rulefile import Rule

__all__ = ["code_page", "encounter_schema", "pages", "result_schema", "rule_page", "rules_page",
           "vocabulary_page"]  # fmt: skip

_WRITTEN = "<!-- Written by `ivpush rules docs`; change its source instead. -->\n"
_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_CALLS = {
    "any(test for x in rows)": "some row passes; `all` asks it of every row",
    "count(test for x in rows)": "how many rows pass; loops go at most two deep",
    "sum(value for x in rows if test)": "sum of a number; `min` and `max` in the same way",
    "known(fact)": "somebody stated it, or it could be worked out",
    "overlaps(a, b)": "two sets share a member",
    "subset(a, b)": "every member of the first is in the second",
    "empty(set)": "it has no members; `size` counts them",
}
_SUBJECTS = {
    "line": "each billed line",
    "administration": "each administration",
    "service": "each service derived from the chart",
    "suggestion": "each suggested line",
    "encounter": "the encounter as a whole",
}


def pages(pack: Pack) -> dict[str, str]:
    """Every generated page: path below ``docs/`` to text."""
    made = {
        "vocabulary.md": vocabulary_page(pack),
        "schemas/encounter.json": _as_json(encounter_schema()),
        "schemas/result.json": _as_json(result_schema()),
        "rules/README.md": rules_page(pack),
    }
    for rule in pack.rules:
        made[f"rules/{rule.id}.md"] = _WRITTEN + "\n" + rule_page(rule, pack)
    return made


def encounter_schema() -> dict[str, Any]:
    """JSON Schema of an encounter."""
    return {"$schema": _SCHEMA, **Encounter.model_json_schema()}


def result_schema() -> dict[str, Any]:
    """JSON Schema of a result."""
    schema = result_adapter().json_schema(by_alias=True, mode="serialization")
    return {"$schema": _SCHEMA, **schema}


def _as_json(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def vocabulary_page(pack: Pack) -> str:
    """The facts, functions, policies and limits that a rule may name."""
    out = [
        "# The vocabulary of rules\n", _WRITTEN,
        "A rule names facts by path: `line.units`, `line.service.technique`. What may be",
        "unknown is worth neither true nor false where nobody stated it, and a rule that depends",
        "on it is unjudged. Beside these stand `policy.NAME` and `limits.NAME`.\n",
    ]  # fmt: skip
    for scope, cls in SCOPES.items():
        out += [f"## {scope}\n", "| fact | kind | may be unknown | meaning |\n|---|---|---|---|"]
        for name, fact in sorted(facts_of(cls).items()):
            kind = kind_of(fact.type)
            if kind.name == "other":
                continue
            words = ": " + ", ".join(sorted(kind.words)) if kind.words else ""
            unknown = "yes" if kind.nullable else "no"
            out.append(_row(f"`{scope}.{name}`", kind.name + words, unknown, fact.meaning).rstrip())
        out.append("")
    out += ["## Functions\n", "| function | meaning |\n|---|---|"]
    out += [_row(f"`{shape}`", meaning).rstrip() for shape, meaning in _CALLS.items()]
    out += [
        "\n## Policies\n",
        "| policy | values (default first) | touches | why |\n|---|---|---|---|",
    ]
    for policy in pack.policies.values():
        values = ", ".join(dict.fromkeys([str(policy.default), *policy.values]))
        if policy.form == "words":
            values = "words: " + (", ".join(sorted(policy.default)) or "none")
        if policy.form == "number":
            values = f"{policy.default}, from {policy.low} to {policy.high}"
        out.append(_row(f"`policy.{policy.name}`", values, policy.touches, policy.why).rstrip())
    out += ["\n## Limits\n", "| limit | value today |\n|---|---|"]
    book = pack.book(pack.checked)
    out += [_row(f"`limits.{name}`", str(getattr(book.limits, name))).rstrip()
            for name in sorted(pack.limits)]  # fmt: skip
    return "\n".join(out) + "\n"


def rules_page(pack: Pack) -> str:
    """The catalogue: one row a rule, room by room."""
    out = ["# Rules\n", _WRITTEN, f"{pack.name} {pack.version}: {len(pack.rules)} rules.\n",
           "| rule | name | severity | disposition | says |\n|---|---|---|---|---|"]  # fmt: skip
    rules = sorted(pack.rules, key=lambda one: one.id)
    out += [_row(f"[{one.id}]({one.id}.md)", one.name, one.severity, one.disposition,
                 one.title).rstrip() for one in rules]  # fmt: skip
    return "\n".join(out) + "\n"


def rule_page(rule: Rule, pack: Pack) -> str:
    """One rule: what it says, when, why, its sources and its cases."""
    until = f" to {rule.valid_to}" if rule.valid_to else ""
    denial = ", ".join(
        f"{kind} {code}" for kind, code in (("CARC", rule.carc), ("RARC", rule.rarc)) if code
    )
    facts = [
        ("Severity", f"{rule.severity}, {rule.disposition}"),
        ("In force", f"from {rule.valid_from}{until}"),
        ("Looks at", _SUBJECTS[rule.for_each]),
        ("Codes", ", ".join(sorted(rule.codes)) if rule.codes else ""),
        ("When", f"`{rule.texts['when']}`" if rule.texts.get("when") else ""),
        ("Must hold", f"`{rule.texts['require']}`"),
        ("Says", rule.texts["message"]),
        ("Mend", rule.texts["fix"]),
        ("Denied as", denial),
        ("Why", rule.why),
        ("Not covered", rule.not_covered),
    ]
    out = [f"# {rule.id} {rule.name}\n", f"{rule.title}\n"]
    out += [f"- **{title}:** {text}" for title, text in facts if text]
    out += ["\n## Sources\n", *sources_of(rule.cites, pack), "\n## Cases\n"]
    out += [_case(case) for case in rule.cases]
    return "\n".join(out) + "\n"


def sources_of(cites: Iterable[str], pack: Pack) -> Iterator[str]:
    """One list item a source: title, publisher, edition, address, and when it was checked."""
    for one in cites:
        row = pack.sources.get(one, {})
        shown = [row.get("title"), row.get("publisher"), row.get("edition"), row.get("url")]
        checked = f"checked {row['checked']}" if row.get("checked") else None
        yield f"- `{one}`: " + ", ".join(str(text) for text in (*shown, checked) if text)


def _case(case: Mapping[str, Any]) -> str:
    wanted = case.get("expect") or ()
    fires = ", ".join(
        " ".join(f"{key} {value}" for key, value in one.items() if key != "message")
        for one in wanted
    )
    verdict = f"breaks it ({fires})" if wanted else "unjudged" if "unjudged" in case else "holds"
    lines = ", ".join(
        one if isinstance(one, str) else str(one.get("code")) for one in case.get("lines") or ()
    )
    billed = f"; billed {lines}" if lines else ""
    return f"- {case['name']}{billed}: {verdict}"


def code_page(row: CodeRow, pack: Pack) -> str:
    """One code: what it is here, its neighbours, limits and rules on the day of the pack."""
    book = pack.book(pack.checked)
    until = f" to {row.valid_to}" if row.valid_to else ""
    mues = {setting: book.mue(row.code, setting) for setting in sorted(row.settings)}
    limits = ", ".join(f"{setting} {found[0]} (MAI {found[1]})" for setting, found in mues.items()
                       if found)  # fmt: skip
    facts = [
        ("Family", f"{row.family}, {row.technique}, {row.role}".strip(", ")),
        ("Settings", ", ".join(sorted(row.settings))),
        ("Valid", f"from {row.valid_from}{until}"),
        ("Further hours", row.further or ""),
        ("Replaced by", ", ".join(row.succeeded_by)),
        ("Primaries", ", ".join(sorted(book.primaries(row.code)))),
        ("Units a day (MUE)", limits),
    ]
    out = [f"# {row.code} {row.label}\n"]
    out += [f"- **{title}:** {text}" for title, text in facts if text]
    rules = [one for one in pack.rules if one.codes and row.code in one.codes]
    rules.sort(key=lambda one: one.id)
    out += ["\n## Rules\n", *(f"- {one.id} {one.name}: {one.title}" for one in rules)]
    out += ["\n## Sources\n", *sources_of(row.cites, pack)]
    return "\n".join(out) + "\n"
