"""The looks of a drawing: colours for light and dark, patterns for those who see no colour.

Families differ in lightness as well as in hue, and what is not billable or open in its pattern, so
that a grey print tells them apart. Paper is always light.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["PATTERNS", "STYLE"]

_LIGHT = {
    "paper": "#ffffff",
    "lane": "#f3f5f7",
    "ink": "#17212b",
    "soft": "#52606d",
    "rule": "#d5dbe1",
    "day": "#7b8794",
    "overlap": "#fae7bd",
    "hydration": "#9cc7e4",
    "therapeutic": "#2f6fb3",
    "chemotherapy": "#512663",
    "other": "#6b7785",
    "on": "#ffffff",
    "on-pale": "#17212b",
}
_DARK = {
    "paper": "#14191f",
    "lane": "#1d242c",
    "ink": "#e8edf2",
    "soft": "#a9b5c1",
    "rule": "#3a4550",
    "day": "#8593a0",
    "overlap": "#463a1c",
    "hydration": "#2e5c7a",
    "therapeutic": "#6fb0ee",
    "chemotherapy": "#d9b3ea",
    "other": "#9aa7b4",
    "on": "#10151a",
    "on-pale": "#ffffff",
}
_FAMILIES = ("hydration", "therapeutic", "chemotherapy", "other")


def _colours(theme: Mapping[str, str]) -> str:
    """The rules of one theme, each colour where it belongs."""
    fills = {
        "paper": ".p",
        "lane": ".l",
        "ink": ".n,.c,.h",
        "soft": ".s,.x,.m",
        "overlap": ".o",
        "on": ".w",
        "on-pale": ".wh",
    }
    strokes = {"rule": ".t", "day": ".d,.b", "ink": ".k", "soft": ".g,.v"}
    rules = [f"{_within(names)}{{fill:{theme[name]}}}" for name, names in fills.items()]
    rules += [f"{_within(names)}{{stroke:{theme[name]}}}" for name, names in strokes.items()]
    for family in _FAMILIES:
        colour = theme[family]
        # Filled where it counts; else an outline, with the pattern of what is not billable.
        rules.append(f".ivp .{family[0]}f{{fill:{colour}}}")
        rules.append(f".ivp .{family[0]}s{{stroke:{colour}}}")
    return "".join(rules)


def _within(names: str) -> str:
    return ",".join(f".ivp {name}" for name in names.split(","))


STYLE = (
    ".ivp{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    ".ivp .c,.ivp .h{font-weight:600}"
    ".ivp .s,.ivp .x{font-size:11px}"
    ".ivp .m{font-size:10px;text-anchor:middle}"
    ".ivp .x{text-anchor:middle}"
    ".ivp .w,.ivp .wh{font-size:11px;font-weight:600;text-anchor:middle}"
    ".ivp .t,.ivp .g,.ivp .k{stroke-width:1;fill:none}"
    ".ivp .d{stroke-width:1.5;fill:none}"
    ".ivp .b{stroke-width:1;fill:none;stroke-dasharray:2 3}"
    ".ivp .k{stroke-width:1.5}"
    ".ivp .e{stroke-dasharray:3 2}"
    ".ivp .v{stroke-width:1.5}"
    ".ivp .z{fill:url(#ivp-hatch);stroke-width:1.5}"
    ".ivp .q{fill:none;stroke-width:1.75;stroke-dasharray:5 3}"
    ".ivp .y{stroke-width:2.5;fill:none}"
    f"{_colours(_LIGHT)}@media screen and (prefers-color-scheme:dark){{{_colours(_DARK)}}}"
)
"""The style sheet of all drawings; every rule is bound to their class."""

PATTERNS = (
    '<defs><pattern id="ivp-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="v" d="M0 0V6"/></pattern></defs>'
)
"""What the style refers to by name; once in a document is enough."""
