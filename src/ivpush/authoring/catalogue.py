"""The catalogue of a pack: its rules room by room, its codes, and what each payer changes.

Everything here is drawn from the pack; a case of a rule becomes one row of a small table that a
biller can read without knowing the rule's file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ivpush.pack.rule import ROOMS

if TYPE_CHECKING:
    from ivpush.pack.codes import CodeRow
    from ivpush.pack.pack import Pack
    from ivpush.pack.payers import Payer
    from ivpush.pack.rule import Rule

__all__ = [
    "WRITTEN",
    "code_page",
    "payers_page",
    "room_page",
    "rule_page",
    "rules_page",
    "sources_of",
    "table_row",
]

WRITTEN = "<!-- Written by `ivpush rules docs`; change its source instead. -->\n"
_SUBJECTS = {
    "line": "each billed line",
    "administration": "each administration",
    "service": "each service derived from the chart",
    "suggestion": "each suggested line",
    "encounter": "the encounter as a whole",
}
_ROOMS = {
    "roles": "Initial services, add-ons, repeats and concurrent infusions",
    "time": "Minutes: push or infusion, further hours, floors and gaps",
    "category": "Which family of codes a drug belongs to",
    "supervision": "Who supervises, who gives, and who bills",
    "sites": "Access sites, visits and the modifiers that set services apart",
    "edits": "Edits of CMS and payers: pairs, units, validity, claim fields",
    "record": "What the record must show, and charts that cannot be true",
    "drug": "Drug lines: codes, billing units, discarded amounts, NDC",
    "capture": "What the chart supports against what was billed",
}
_APART = frozenset({"name", "expect", "unjudged", "lines", "administrations"})


def table_row(*cells: str) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def room_of(rule: Rule) -> str:
    """The room a rule stands in, by the digit of its id."""
    return next(room for room, digit in ROOMS.items() if rule.id[3] == digit)


def rules_page(pack: Pack) -> str:
    """The way into the catalogue: rooms, and one row a rule."""
    out = ["# Rules\n", WRITTEN, f"{pack.name} {pack.version}: {len(pack.rules)} rules, "
           f"{sum(len(rule.cases) for rule in pack.rules)} cases.\n"]  # fmt: skip
    rules = sorted(pack.rules, key=lambda one: one.id)
    for room, title in _ROOMS.items():
        those = [one for one in rules if room_of(one) == room]
        out += [f"## [{title}]({room}.md)\n", "| rule | name | severity | disposition | says |"]
        out.append("|---|---|---|---|---|")
        out += [table_row(f"[{one.id}]({room}.md#{_anchor(one)})", one.name, one.severity,
                          one.disposition, one.title).rstrip() for one in those]  # fmt: skip
        out.append("")
    return "\n".join(out).rstrip("\n") + "\n"


def room_page(room: str, pack: Pack) -> str:
    """One room: a section a rule, in the order of ids."""
    rules = sorted(pack.rules, key=lambda one: one.id)
    those = [rule_page(one, pack, level=2) for one in rules if room_of(one) == room]
    return "\n".join([f"# {_ROOMS[room]}\n", WRITTEN, *those])


def _anchor(rule: Rule) -> str:
    return f"{rule.id}-{rule.name}".lower()


def rule_page(rule: Rule, pack: Pack, *, level: int = 1) -> str:
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
    mark = "#" * level
    out = [f"{mark} {rule.id} {rule.name}\n", f"{rule.title}\n"]
    out += [f"- **{title}:** {text}" for title, text in facts if text]
    out += [f"\n{mark}# Sources\n", *sources_of(rule.cites, pack), f"\n{mark}# Cases\n"]
    return "\n".join(out) + "\n" + _cases(rule)


def sources_of(cites: Iterable[str], pack: Pack) -> Iterator[str]:
    """One list item a source: title, publisher, edition, address, and when it was checked."""
    for one in cites:
        row = pack.sources.get(one, {})
        shown = [row.get("title"), row.get("publisher"), row.get("edition"), row.get("url")]
        checked = f"checked {row['checked']}" if row.get("checked") else None
        yield f"- `{one}`: " + ", ".join(str(text) for text in (*shown, checked) if text)


def _cases(rule: Rule) -> str:
    columns = {
        "case": [str(case["name"]) for case in rule.cases],
        "facts": ["; ".join(_facts(case)) for case in rule.cases],
        "chart": ["<br>".join(_given(one) for one in case.get("administrations") or ())
                  for case in rule.cases],
        "billed": [", ".join(_billed(one) for one in case.get("lines") or ())
                   for case in rule.cases],
        "verdict": [_verdict(case) for case in rule.cases],
    }  # fmt: skip
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    rows = [table_row(*shown), "|" + "---|" * len(shown) + "\n"]
    rows += [table_row(*cells) for cells in zip(*shown.values(), strict=True)]
    return "".join(rows)


def _verdict(case: Mapping[str, Any]) -> str:
    fires = ", ".join(
        " ".join(f"{key} {value}" for key, value in one.items() if key not in {"message", "fix"})
        for one in case.get("expect") or ()
    )
    if fires:
        return f"breaks it: {fires}"
    return "unjudged" if "unjudged" in case else "holds"


def _facts(case: Mapping[str, Any]) -> Iterator[str]:
    for key, value in case.items():
        if key in _APART:
            continue
        if isinstance(value, dict):
            yield from (f"{name} {_plain(one)}" for name, one in value.items())
        else:
            yield f"{key} {_plain(value)}"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _given(one: Mapping[str, Any]) -> str:
    """An administration in one line: drug, route and technique, time, and what else it states."""
    start, stop, minutes = one.get("start"), one.get("stop"), one.get("minutes")
    time = "-".join(str(at) for at in (start, stop) if at)
    parts = [one.get("drug") or one.get("hcpcs") or one.get("category") or "a drug",
             one.get("route"), one.get("method"), time, f"{minutes} min" if minutes else None,
             f"at {one['site']}" if one.get("site") else None]  # fmt: skip
    told = {"drug", "route", "method", "start", "stop", "minutes", "site"}
    rest = [f"{key} {_plain(value)}" for key, value in one.items() if key not in told]
    return ", ".join([" ".join(str(part) for part in parts if part), *rest])


def _billed(one: Any) -> str:
    if isinstance(one, str):
        return one
    code = "-".join([str(one.get("code")), *map(str, one.get("modifiers") or ())])
    rest = [f"{key} {_plain(value)}" for key, value in one.items()
            if key not in {"code", "units", "modifiers"}]  # fmt: skip
    units = f" x{one['units']}" if str(one.get("units", 1)) != "1" else ""
    return code + units + (f" ({'; '.join(rest)})" if rest else "")


def payers_page(pack: Pack) -> str:
    """What each payer's overlay changes: policies beside their defaults, severities, own rules."""
    out = ["# Payers\n", WRITTEN, "An overlay is one page of YAML in `rules/payers/`. What it does "
           "not name stays as the pack has it.\n"]  # fmt: skip
    for payer in sorted(pack.payers.values(), key=lambda one: one.id):
        out += [f"## {payer.id}\n", f"{payer.title}\n", *payer_changes(payer, pack)]
        out += ["\nSources:\n", *sources_of(payer.cites, pack), ""]
    return "\n".join(out).rstrip("\n") + "\n"


def payer_changes(payer: Payer, pack: Pack) -> Iterator[str]:
    """One list item a change that an overlay makes."""
    if payer.base is not None:
        yield f"- all that `{payer.base}` says, where this page says nothing else"
    for name, value in payer.policies.items():
        policy = pack.policies[name]
        yield f"- policy `{name}`: {_value(value)} (default {_value(policy.default)})"
    names = {rule.id: rule.name for rule in pack.every_rule}
    for rule, severity in payer.severity.items():
        yield f"- {rule} {names[rule]}: severity {severity}"
    for rule, why in payer.off.items():
        yield f"- {rule} {names[rule]}: off ({why})"
    for own in payer.rules:
        yield f"- its own {own.id} {own.name} ({own.severity}): {own.title}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one}" for key, one in sorted(value.items())) or "none"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


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
