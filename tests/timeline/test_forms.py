"""The forms of a drawing: SVG, table and text say the same, safely, in the room they have."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from ivpush.errors import InputError
from ivpush.testing.samples import encounters as samples
from ivpush.timeline import Drawing, Timeline
from ivpush.timeline.style import PATTERNS, STYLE
from tests.shipped import ENGINE
from tests.timeline.pictures import drawn as pictures
from tests.timeline.visits import DAY, NEXT, NIGHT, OPEN, SIX, Record, given, long_stay, visit
from tests.writers.works import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"
MARKUP = (
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "&lt;b&gt; &#x3c;script&#x3e;",
    "\x00\x01\x1b[31m",
    "\ud800",
)


def timeline_of(record: Record) -> Timeline:
    return ENGINE.check(record).timeline()


def parsed(record: Record, **options: Any) -> ET.Element:
    return ET.fromstring(timeline_of(record).svg(**options))


def texts(root: ET.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


class Outline(HTMLParser):
    """The elements of a page, and every attribute's name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements, self.attributes = Counter[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize(
    ("file", "text"), list(pictures()), ids=lambda each: getattr(each, "stem", "")
)
def test_the_golden_picture_of_each_example_is_todays(file: Any, text: str) -> None:
    assert file.read_text("utf-8") == text, "python -m tests.timeline.pictures"


def test_a_drawing_is_small_even_of_a_long_stay() -> None:
    assert len(timeline_of(long_stay(450)).svg()) < 300_000


def test_every_part_lies_within_the_drawing() -> None:
    for record in [SIX, NIGHT, OPEN, long_stay(60), *samples(33, 30, engine=ENGINE)]:
        root = parsed(record)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for part in root.iter(f"{SVG}rect"):
            x, y = float(part.get("x", 0)), float(part.get("y", 0))
            if "patternUnits" in part.attrib:
                continue
            assert -1 <= x <= x + float(part.attrib["width"]) <= width + 1
            assert 0 <= y <= y + float(part.attrib["height"]) <= height + 1
        for part in root.iter(f"{SVG}path"):
            for x, y in re.findall(r"M([0-9.]+) ([0-9.]+)", part.attrib["d"]):
                assert 0 <= float(x) <= width and 0 <= float(y) <= height


def test_bars_are_as_long_as_what_they_show_on_one_scale() -> None:
    record = visit(
        given("a", "ceftriaxone", "infusion", "09:00", "10:00"),
        given("b", "vancomycin", "infusion", "10:00", "12:00"),
    )
    bars = [part for part in parsed(record).iter(f"{SVG}rect") if part.get("class") == "tf"]
    widths = sorted(float(bar.attrib["width"]) for bar in bars)[-2:]
    assert widths[1] / widths[0] == pytest.approx(2, abs=0.01)


def test_what_is_not_billed_is_hatched_and_what_is_open_dashed() -> None:
    def looks(record: Record) -> Counter[str]:
        root = parsed(record)
        return Counter(part.get("class", "").split(" ")[0] for part in root.iter(f"{SVG}rect"))

    plain = visit(given("a", "ceftriaxone", "infusion", "09:00", "10:00"))
    assert (looks(plain)["z"], looks(plain)["q"], looks(plain)["o"]) == (0, 0, 0)
    # Each once in the drawing and once in the legend.
    assert looks(SIX)["z"] == 2 and looks(SIX)["o"] == 2
    assert looks(OPEN)["q"] == 2


def test_runs_that_only_touch_do_not_overlap() -> None:
    one_after_another = visit(
        given("a", "ceftriaxone", "infusion", "09:00", "10:00"),
        given("b", "vancomycin", "infusion", "10:00", "11:00"),
    )
    assert not [part for part in parsed(one_after_another).iter() if part.get("class") == "o"]


def test_the_axis_names_both_days_of_a_night() -> None:
    shown = texts(parsed(NIGHT))
    assert shown.count(DAY) == 1 and shown.count(NEXT) == 1
    assert shown.index("23:00") < shown.index(NEXT) or "00:00" in shown
    assert timeline_of(NIGHT).text().count(NEXT) == 1


def test_days_without_anything_given_are_cut_out_of_the_axis() -> None:
    days = visit(
        given("a", "ceftriaxone", "infusion", f"{DAY}T09:00", f"{DAY}T09:40"),
        given("b", "ceftriaxone", "infusion", f"{NEXT}T09:00", f"{NEXT}T09:40"),
    )
    root = parsed(days)
    bars = [part for part in root.iter(f"{SVG}rect") if part.get("class") == "tf"]
    assert min(float(bar.attrib["width"]) for bar in bars if bar.get("width") != "22") > 100
    assert len([part for part in root.iter(f"{SVG}path") if part.get("class") == "b"]) == 2


@pytest.mark.parametrize("text", [*HOSTILE, *MARKUP])
def test_foreign_text_is_text_in_every_form(text: str) -> None:
    record = visit(
        given(text[:60], f"drug {text}", "infusion", "09:00", "09:40", site=f"site {text}"),
        given("b", "morphine", "push", "09:30", site="other"),
    )
    with suppress(InputError):
        # What the contract refuses never gets as far as a drawing, but names of a pack may.
        assert_harmless(ENGINE.check(record).timeline(show_text=True))
    every = timeline_of(SIX).drawing.given or ()
    renamed = [replace(each, id=text, name=text, lane=text, because=text) for each in every]
    assert_harmless(Timeline(Drawing(tuple(renamed))))


def assert_harmless(timeline: Timeline) -> None:
    root = ET.fromstring(timeline.svg())
    assert {part.tag.removeprefix(SVG) for part in root.iter()} <= {
        "svg", "title", "desc", "style", "defs", "pattern", "path", "rect", "text", "g",
    }  # fmt: off
    outline = Outline(timeline.html())
    assert outline.elements["script"] == outline.elements["img"] == 0
    assert not [name for name in outline.attributes if name.startswith("on") or name == "href"]
    assert all(row.isprintable() for row in timeline.text().split("\n"))


def test_the_table_says_all_that_is_drawn() -> None:
    for record in (SIX, NIGHT, OPEN):
        timeline = timeline_of(record)
        table = timeline.table()
        given_ = timeline.drawing.given or ()
        assert Outline(table).elements["tr"] == len(given_) + 1
        for each in given_:
            assert f">{each.id}<" in table and each.lane in table
            assert all(code in table for code in each.codes)
            assert all(field in table for field in each.missing)
            assert all(f"{mark.minutes} min" in table for mark in each.marks)
    assert "<table" in timeline_of(SIX).html() and "<svg" in timeline_of(SIX).html()


def test_a_drawing_has_a_name_and_a_description() -> None:
    root = parsed(SIX)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == f"Timeline of 6 administrations, {DAY} 09:00 to 12:16"
    assert root.findtext(f"{SVG}desc") == "access S1: 6 administrations."


def test_a_page_may_bring_the_style_itself() -> None:
    bare = timeline_of(SIX).svg(styled=False)
    assert "<style" not in bare and "<pattern" not in bare and "style=" not in bare
    assert timeline_of(SIX).svg() == bare.replace(
        "</desc>", f"</desc><style>{STYLE}</style>{PATTERNS}"
    )


@pytest.mark.parametrize(
    ("record", "title"),
    [
        ({"id": "E", "setting": "facility", "date": DAY}, "no chart came"),
        (visit(), "nothing was given"),
        (visit({"id": "a", "route": "IV", "method": "push"}), "without clock times"),
    ],
)
def test_what_has_no_times_is_said(record: Record, title: str) -> None:
    timeline = timeline_of(record)
    assert title in timeline.svg() and title in timeline.html()
    assert timeline.text() == ""


# Text


def test_rows_of_text_keep_their_width() -> None:
    for record in (SIX, NIGHT, OPEN, long_stay(40)):
        for width in (40, 72, 96, 140):
            rows = timeline_of(record).text(width).split("\n")
            assert max(map(len, rows)) <= width
            assert timeline_of(record).text(width, plain=True).isascii()


def test_pushes_are_seen_and_told_from_what_earns_nothing() -> None:
    rows = {row.split()[0]: row for row in timeline_of(SIX).text().split("\n") if row[:1] == "a"}
    assert "◆" in rows["a3"] and "█" not in rows["a3"]
    assert "◇" in rows["a6"] and "not billable" in rows["a6"]
    assert "░" in rows["a2"] and "█" in rows["a2"]
    assert rows["a1"].endswith("96365 + 96366")
    waiting = {
        row.split()[0]: row for row in timeline_of(OPEN).text().split("\n") if row[:1] == "a"
    }
    assert "?" in waiting["a1"]
