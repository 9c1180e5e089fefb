"""One encounter drawn against the clock: as SVG, as a table, as HTML and as text.

``Result.timeline`` gives a ``Timeline``; the report and the text writer draw with it too. A drawing
is made of numbers and of escaped text alone, needs no other library, and is the same bytes for the
same chart. Every result knows this module, so what draws is loaded with the first drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

from ivpush.timeline.records import Drawing, Given, Mark, Shape, Stretch

__all__ = ["Drawing", "Given", "Mark", "Shape", "Stretch", "Timeline"]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing of one encounter.

    In use::

        timeline = Engine().check(encounter).timeline()
        Path("visit.svg").write_text(timeline.svg(), "utf-8")
        print(timeline)
    """

    drawing: Drawing

    def svg(self, *, styled: bool = True) -> str:
        """The drawing as one SVG element, with a title and a description.

        Without ``styled`` it holds no style and no patterns; the page around it has them, as
        ``svg.STYLE`` and ``svg.PATTERNS``.
        """
        from ivpush.timeline.svg import svg_of

        return svg_of(self.drawing, styled=styled)

    def table(self) -> str:
        """The same as an HTML table, for who does not see the drawing."""
        from ivpush.timeline.table import table_of

        return table_of(self.drawing)

    def html(self) -> str:
        """The drawing with its table folded away below, as an HTML figure."""
        from ivpush.timeline.table import figure_of

        return figure_of(self.drawing)

    def text(self, width: int = 96, *, plain: bool = False) -> str:
        """The drawing for a terminal of so many columns; ``plain`` draws in ASCII."""
        from ivpush.timeline.text import text_of

        return "\n".join(text_of(self.drawing, width, plain=plain))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return self.html()
