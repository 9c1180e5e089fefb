"""The catalogue of a pack: its rules room by room, its codes, and what each payer changes.

``authoring.pages`` writes it to ``docs/``, and ``ivpush explain`` prints the page of one rule or
code. Everything here is drawn from the pack; a case of a rule becomes one row of a small table that
a biller can read without knowing the rule's file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ivpush.authoring.judging import expectations_of
from ivpush.pack.rule import ROOMS
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.pack.book import Book
    from ivpush.pack.codes import CodeRow
    from ivpush.pack.pack import Pack
    from ivpush.pack.payers import Payer
    from ivpush.pack.rule import Rule

__all__ = [
    "WRITTEN",
    "case_rows",
    "code_page",
    "payer_changes",
    "payers_page",
    "room_of",
    "room_page",
    "rule_page",
    "rules_page",
    "sources_of",
    "table_head",
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
_OWN_COLUMNS = frozenset({"name", "expect", "unjudged", "lines", "administrations"})
"""Keys of a case that have a column of their own, or none."""


def table_row(*cells: str) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table_head(*heads: str) -> tuple[str, str]:
    """The first two lines of a Markdown table."""
    return table_row(*heads), "|" + "---|" * len(heads)


def room_of(rule: Rule) -> str:
    """The room that a rule stands in, by the digit of its id."""
    # A payer's own rule stands in its overlay, and its id follows none of the rooms.
    return next((room for room, digit in ROOMS.items() if rule.id[3] == digit), "payers")


def rules_page(pack: Pack) -> str:
    """The way into the catalogue: rooms, and one row a rule."""
    cases = counted(sum(len(rule.cases) for rule in pack.rules), "case")
    heading = f"{pack.name} {pack.version}: {counted(len(pack.rules), 'rule')}, {cases}.\n"
    lines = ["# Rules\n", WRITTEN, heading]
    for room, title in _ROOMS.items():
        lines += [
            f"## [{title}]({room}.md)\n",
            *table_head("rule", "name", "severity", "disposition", "says"),
            *(_rule_row(rule, room) for rule in _rules_of(room, pack)),
            "",
        ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _rule_row(rule: Rule, room: str) -> str:
    link = f"[{rule.id}]({room}.md#{_anchor(rule)})"
    stated = (rule.name, rule.severity, rule.disposition, rule.title)
    return table_row(link, *stated)


def room_page(room: str, pack: Pack) -> str:
    """One room: a section a rule, in the order of ids."""
    sections = [rule_page(rule, pack, level=2) for rule in _rules_of(room, pack)]
    return "\n".join([f"# {_ROOMS[room]}\n", WRITTEN, *sections])


def _rules_of(room: str, pack: Pack) -> list[Rule]:
    rules = [rule for rule in pack.rules if room_of(rule) == room]
    return sorted(rules, key=lambda rule: rule.id)


def _anchor(rule: Rule) -> str:
    # Markdown makes the anchor of a heading so: lower case, hyphens for spaces.
    return f"{rule.id}-{rule.name}".lower()


def rule_page(rule: Rule, pack: Pack, *, level: int = 1) -> str:
    """One rule: what it says, when, why, its sources and its cases."""
    denial = ", ".join(
        f"{kind} {code}" for kind, code in (("CARC", rule.carc), ("RARC", rule.rarc)) if code
    )
    facts = [
        ("Severity", f"{rule.severity}, {rule.disposition}"),
        ("In force", _window(rule)),
        ("Looks at", _SUBJECTS[rule.for_each]),
        ("Codes", ", ".join(sorted(rule.codes)) if rule.codes else ""),
        ("When", f"`{rule.texts['when']}`" if rule.texts.get("when") else ""),
        ("Must hold", f"`{rule.texts['require']}`"),
        ("Says", rule.texts["message"]),
        ("Mend", rule.texts["fix"]),
        ("Edit", _edit(rule)),
        ("Folded into", ", ".join(rule.follows_from)),
        ("Denied as", denial),
        ("Why", rule.why),
        ("Not covered", rule.not_covered),
    ]
    marks = "#" * level
    lines = [
        f"{marks} {rule.id} {rule.name}\n",
        f"{rule.title}\n",
        *_listed(facts),
        f"\n{marks}# Sources\n",
        *sources_of(rule.cites, pack),
        f"\n{marks}# Cases\n",
    ]
    return "\n".join(lines) + "\n" + _cases(rule)


def _edit(rule: Rule) -> str:
    """How a finding is mended in the corrected claim, if at all."""
    if rule.edit is None:
        return ""
    if rule.safety == "attest":
        return "only on a person's word; `--fix=all` applies it"
    return "the record proves it; the corrected claim has it"


def _listed(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """One list item a fact; what a rule or code does not state is left out."""
    return (f"- **{title}:** {text}" for title, text in facts if text)


def sources_of(cites: Iterable[str], pack: Pack) -> Iterator[str]:
    """One list item a source: title, publisher, edition, address, and when it was checked."""
    for cite in cites:
        row = pack.sources[cite]
        stated = [row.title, row.publisher, row.edition, row.url, f"checked {row.checked}"]
        yield f"- `{cite}`: " + ", ".join(text for text in stated if text)


# Cases as a table


def case_rows(rule: Rule) -> list[dict[str, str]]:
    """The cases of a rule as rows of text; ``<br>`` stands between administrations."""
    return [_case_row(case) for case in rule.cases]


def _case_row(case: Mapping[str, Any]) -> dict[str, str]:
    return {
        "case": str(case["name"]),
        "facts": "; ".join(_facts(case)),
        "chart": "<br>".join(map(_administration, case.get("administrations") or ())),
        "billed": ", ".join(map(_billed, case.get("lines") or ())),
        "verdict": _verdict(case),
    }


def _cases(rule: Rule) -> str:
    rows = case_rows(rule)
    # A rule about charts alone would have an empty column "billed" in every row.
    shown = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    cells = (table_row(*(row[name] for name in shown)) for row in rows)
    return "\n".join([*table_head(*shown), *cells]) + "\n"


def _verdict(case: Mapping[str, Any]) -> str:
    subjects = ", ".join(expectation.subject for expectation in expectations_of(case))
    if subjects:
        return f"breaks it: {subjects}"
    return "unjudged" if "unjudged" in case else "holds"


def _facts(case: Mapping[str, Any]) -> Iterator[str]:
    for key, value in case.items():
        if key in _OWN_COLUMNS:
            continue
        if isinstance(value, dict):
            yield from (f"{name} {_plain(stated)}" for name, stated in value.items())
        else:
            yield f"{key} {_plain(value)}"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _administration(stated: Mapping[str, Any]) -> str:
    """An administration in one line: drug, route and technique, time, and what else it states."""
    minutes, site = stated.get("minutes"), stated.get("site")
    parts = [
        stated.get("drug") or stated.get("hcpcs") or stated.get("category") or "a drug",
        stated.get("route"),
        stated.get("method"),
        "-".join(str(stated[key]) for key in ("start", "stop") if stated.get(key)),
        f"{minutes} min" if minutes else None,
        f"at {site}" if site else None,
    ]
    shown = {"drug", "route", "method", "start", "stop", "minutes", "site"}
    sentence = " ".join(str(part) for part in parts if part)
    return ", ".join([sentence, *_others(stated, shown)])


def _billed(line: str | Mapping[str, Any]) -> str:
    """A line in short, such as a code with its modifiers and `` x2``, and what else it states."""
    if isinstance(line, str):
        return line
    code = "-".join([str(line.get("code")), *map(str, line.get("modifiers") or ())])
    units = f" x{line['units']}" if str(line.get("units", 1)) != "1" else ""
    others = "; ".join(_others(line, {"code", "units", "modifiers"}))
    return code + units + (f" ({others})" if others else "")


def _others(record: Mapping[str, Any], shown: Collection[str]) -> list[str]:
    """The fields that are not shown already."""
    return [f"{key} {_plain(value)}" for key, value in record.items() if key not in shown]


# Payers and codes


def payers_page(pack: Pack) -> str:
    """What each payer's overlay changes: policies beside their defaults, severities, own rules."""
    preface = (
        "An overlay is one page of YAML in `rules/payers/`. "
        "What it does not name stays as the pack has it.\n"
    )
    lines = ["# Payers\n", WRITTEN, preface]
    for payer in sorted(pack.payers.values(), key=lambda payer: payer.id):
        lines += [f"## {payer.id}\n", f"{payer.title}\n", *payer_changes(payer, pack)]
        lines += ["\nSources:\n", *sources_of(payer.cites, pack), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


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
        return ", ".join(f"{key} {value[key]}" for key in sorted(value)) or "none"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def code_page(row: CodeRow, pack: Pack) -> str:
    """One code: what it is here, its neighbours, limits and rules on the day of the pack."""
    book = pack.book(pack.checked)
    facts = [
        ("Family", f"{row.family}, {row.technique}, {row.role}".strip(", ")),
        ("Settings", ", ".join(sorted(row.settings))),
        ("Valid", _window(row)),
        ("Further hours", row.further or ""),
        ("Replaced by", ", ".join(row.succeeded_by)),
        ("Primaries", ", ".join(sorted(book.primaries(row.code)))),
        ("Units a day (MUE)", ", ".join(_units_a_day(row, book))),
    ]
    rules = [rule for rule in pack.rules if rule.codes and row.code in rule.codes]
    rules.sort(key=lambda rule: rule.id)
    lines = [
        f"# {row.code} {row.label}\n",
        *_listed(facts),
        "\n## Rules\n",
        *(f"- {rule.id} {rule.name}: {rule.title}" for rule in rules),
        "\n## Sources\n",
        *sources_of(row.cites, pack),
    ]
    return "\n".join(lines) + "\n"


def _window(row: CodeRow | Rule) -> str:
    until = f" to {row.valid_to}" if row.valid_to else ""
    return f"from {row.valid_from}{until}"


def _units_a_day(row: CodeRow, book: Book) -> Iterator[str]:
    """CMS's most units a day in each setting, with the indicator that says how it is applied."""
    for setting in sorted(row.settings):
        limit = book.mue(row.code, setting)
        if limit:
            yield f"{setting} {limit[0]} (MAI {limit[1]})"
