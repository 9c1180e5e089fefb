"""Small pieces of HTML: escaped text, tables, lists. Every page of the report is made of them.

``Markup`` is text that is HTML already; all other text is foreign and is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ivpush.printable import visible

__all__ = ["Markup", "badge", "element", "safe", "table"]


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def safe(text: object) -> Markup:
    """Foreign text as HTML; what is HTML already stays as it is."""
    return text if isinstance(text, Markup) else Markup(escape(visible(str(text))))


def element(name: str, *parts: object, **attributes: str) -> Markup:
    """One element with its parts; ``class_`` and ``for_`` are written without the underscore."""
    # Names of attributes have a hyphen where Python has none.
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{safe(value)}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{''.join(map(safe, parts))}</{name}>")


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: str = ""
) -> Markup:
    """A table whose first cells name their rows.

    ``numbers`` has a letter a column: ``n`` for one of numbers, which are set to the right.
    """
    looks = numbers.ljust(len(heads), "t")

    def cell(name: str, look: str, part: object, **more: str) -> Markup:
        return element(name, part, **({"class_": "n"} if look == "n" else {}), **more)

    head = [cell("th", look, text, scope="col") for look, text in zip(looks, heads, strict=True)]
    body = []
    for first, *rest in rows:
        cells = [cell("td", look, part) for look, part in zip(looks[1:], rest, strict=True)]
        body.append(element("tr", cell("th", looks[0], first, scope="row"), *cells))
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )


def badge(severity: str) -> Markup:
    """The word of a severity, in its colour."""
    word = {"info": "note"}.get(severity, severity)
    return element("span", word, class_=f"badge {word}")
