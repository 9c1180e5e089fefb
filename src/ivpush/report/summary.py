"""The totals of the report: what is wrong, for whom, what is at stake, and what was not checked.

``page`` puts it at the head of the file. Words that stand in a button show the encounters behind
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ivpush.pack.releases import TITLES
from ivpush.plural import counted
from ivpush.report.markup import Markup, badge, element, safe, table
from ivpush.report.totals import dollars
from ivpush.report.weeks import weeks_of

if TYPE_CHECKING:
    from ivpush.report.totals import Group, Totals

__all__ = ["ground_of", "summary_of"]

_STATUSES = {
    "violations": "with errors",
    "needs_chart": "waiting for an answer or a chart",
    "clean": "clean",
}
_SEVERITIES = ("error", "warning", "info")
_SIDES = {
    "missed": "Missed: the chart supports it, the claim lacks it",
    "unsupported": "Unsupported: billed, but the chart does not support it",
}
_MOST_ROWS = 25


def summary_of(totals: Totals) -> Iterator[Markup]:
    """What was found, most telling first."""
    yield _section("At a glance", _cards(totals))
    yield _section("Rules", _rules(totals), _denials(totals))
    yield _section(
        "Payers and settings",
        _groups("By payer", "payer", totals.payers),
        _groups("By setting", "setting", totals.settings),
    )
    if len(totals.weeks) > 1:
        yield _section("Weeks of service", *weeks_of(totals.weeks))
    if totals.whos:
        yield _section("Questions, by who can answer them", _whos(totals), _asked(totals))


def ground_of(totals: Totals, names: Mapping[str, str]) -> Iterator[Markup]:
    """By what it was judged, and what was not checked."""
    yield _section("By what it was judged", *_stamp(totals))
    yield _section("What was not checked", *_unchecked(totals, names))


def _section(title: str, *parts: Markup) -> Markup:
    wide = [element("div", each, class_="wide") for each in parts if each]
    return element("section", element("h2", title), element("div", *wide, class_="tables"))


def filter_button(name: str, value: str, text: object = "") -> Markup:
    """A button that shows the encounters of one rule, payer and so on."""
    shown = text or value
    return element(
        "button", shown, type="button", class_="only", data_name=name, data_value=safe(value)
    )


def _cards(totals: Totals) -> Markup:
    statistics = totals.statistics
    cards = [
        _card(statistics.statuses[status], filter_button("status", status, words))
        for status, words in _STATUSES.items()
    ]
    for severity in _SEVERITIES:
        count = statistics.severities[severity]
        cards.append(_card(count, Markup(badge(severity) + safe(" findings"))))
    cards += [_charge_card(totals, side) for side in _SIDES]
    return element("ul", *cards, class_="cards")


def _card(count: int, label: Markup) -> Markup:
    return element("li", element("b", f"{count:,}"), element("span", label))


def _charge_card(totals: Totals, side: str) -> Markup:
    """Money where charges are known, else units."""
    statistics = totals.statistics
    units, amount = statistics.units[side], statistics.amounts.get(side)
    without = statistics.units[f"{side} without charge"]
    parts = [counted(units, "unit")]
    if without and amount is not None:
        parts.append(f"{counted(without, 'unit')} without a known charge")
    head = f"{units:,}" if amount is None else f"${dollars(amount)}"
    label = f"{_SIDES[side]} ({', '.join(parts)})"
    return element("li", element("b", head), element("span", label))


def _rules(totals: Totals) -> Markup:
    ranked = sorted(totals.rules.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        (
            filter_button("rule", key[0]),
            key[1],
            badge(key[2]),
            f"{count:,}",
            f"{totals.broken[key]:,}",
        )
        for key, count in ranked
    ]
    heads = ("rule", "name", "severity", "findings", "encounters")
    return table("Findings by rule", heads, rows, numbers="tttnn")


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first; of equal counts in order of their names."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _denials(totals: Totals) -> Markup:
    ranked = sorted(totals.denials.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        (filter_button("denial", carc), rarc, f"{count:,}")
        for (carc, rarc), count in ranked[:_MOST_ROWS]
    ]
    if not rows:
        return Markup("")
    heads = ("CARC", "RARC", "findings")
    return table(
        "Denial codes that a payer would give, most frequent first", heads, rows, numbers="ttn"
    )


def _groups(caption: str, name: str, groups: Mapping[str, Group]) -> Markup:
    ranked = sorted(groups.items(), key=lambda item: (-item[1].encounters, item[0]))
    rows = [(filter_button(name, key), *group_cells(group)) for key, group in ranked]
    # Columns of money only where any charge is known.
    priced = any(group.amounts for group in groups.values())
    rows = [(first, *(cells if priced else cells[:-2])) for first, *cells in rows]
    heads = [name, "encounters", "errors", "warnings", "notes", "questions"]
    heads += ["missed $", "unsupported $"] if priced else []
    return table(caption, heads, rows, numbers="tnnnnnnn"[: len(heads)])


def group_cells(group: Group) -> tuple[str, ...]:
    """What the encounters of one kind come to, a cell a column."""
    counts = [group.encounters, *(group.severities[each] for each in _SEVERITIES), group.questions]
    amounts = [dollars(group.amounts.get(side)) for side in _SIDES]
    return (*(f"{count:,}" for count in counts), *amounts)


def _whos(totals: Totals) -> Markup:
    rows = [(filter_button("who", who), f"{count:,}") for who, count in _ranked(totals.whos)]
    return table("Questions by who can answer", ("ask", "questions"), rows, numbers="tn")


def _asked(totals: Totals) -> Markup:
    ranked = sorted(totals.asked.items(), key=lambda item: (-item[1], item[0]))
    rows = [(who, field, f"{count:,}") for (who, field), count in ranked[:_MOST_ROWS]]
    return table("What is asked most", ("ask", "for", "questions"), rows, numbers="ttn")


# The stamp


def _stamp(totals: Totals) -> Iterator[Markup]:
    rows = [
        (name, version or "not stated", hash_[:12], f"{count:,}")
        for (name, version, hash_), count in sorted(totals.layers.items())
    ]
    rows += [
        ("ivpush", version, "", f"{count:,}") for version, count in sorted(totals.programs.items())
    ]
    yield table("Rules", ("pack", "version", "hash", "encounters"), rows, numbers="tttn")
    editions = [
        (TITLES.get(kind, kind), str(release), f"{count:,}")
        for kind, releases in sorted(totals.tables.items())
        for release, count in sorted(releases.items())
    ]
    if editions:
        yield table(
            "Editions of tables", ("table", "edition", "encounters"), editions, numbers="ttn"
        )
    else:
        yield _paragraph("These results do not say by which editions of tables they were judged.")
    if totals.policies:
        policies = [(name, f"{count:,}") for name, count in sorted(totals.policies.items())]
        yield table(
            "Policies set otherwise than by default",
            ("policy", "encounters"),
            policies,
            numbers="tn",
        )


def _paragraph(text: str) -> Markup:
    return element("p", text)


def _unchecked(totals: Totals, names: Mapping[str, str]) -> Iterator[Markup]:
    yield element("ul", *map(_item, _gaps(totals)))
    rows = []
    for rule, count in _ranked(totals.unjudged)[:_MOST_ROWS]:
        lacks = [field.replace("_", " ") for field, _ in totals.lacks[rule].most_common(3)]
        rows.append((rule, names.get(rule, ""), ", ".join(sorted(lacks)), f"{count:,}"))
    if rows:
        heads = ("rule", "name", "lacks", "encounters")
        yield table(
            "Rules that could not be judged, most frequent first", heads, rows, numbers="tttn"
        )


def _item(text: str) -> Markup:
    return element("li", text)


def _gaps(totals: Totals) -> Iterable[str]:
    """What was not checked, or by what is out of date, a sentence each."""
    aside = totals.set_aside
    yield f"{counted(aside.total(), 'record')} could not be read, and so left out of this report."
    for reason, count in aside.most_common():
        yield f"{counted(count, 'record')} set aside: {reason}"
    if totals.without_chart:
        yield f"{counted(totals.without_chart, 'encounter')} came without a chart."
    if totals.without_visit:
        results = counted(totals.without_visit, "result")
        yield f"{results} came without the visit: no drawing, no setting, and no charges of these."
    for edition, count in sorted(totals.statistics.outdated.items()):
        kind, _, last = edition.partition(" ")
        encounters = counted(count, "encounter")
        yield f"{TITLES.get(kind, kind)}, {last}: {encounters} of a later date judged by it."
    if totals.silent:
        yield f"Rules that were not to speak: {', '.join(totals.silent)}."
    for because, count in _ranked(totals.unchecked):
        yield f"{because} ({counted(count, 'encounter')})"
    yield "ivpush checks documentation against published rules; a coder decides."
