"""Tables with one row or cell garbled: no other chart in silence, whatever the layout."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import ReadOptions
from ivpush.readers.tables.map_shapes import ACTIONS
from ivpush.readers.tables.maps import load_map, spellings
from ivpush.readers.tables.reader import read
from tests.readers.garbling import (
    Heard,
    Order,
    Part,
    assert_lawful,
    code,
    garbled_parts,
    heard,
    name,
    number,
    often,
    order_lists,
    shaped,
    shifted,
    word,
)

EPIC = "epic-mar-admin-info"
DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
ISO = f"{DAY}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?)?"
US = (
    r"(0?[1-9]|1[0-2])/(0?[1-9]|[12][0-9]|3[01])/([0-9]{2}|[0-9]{4})"
    r"( (0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9])? [AP]M)?"
)
ROUTES = ["IV", "IM", "SC", *spellings().of("route")]
WORDS_OF_ACTIONS = [*ACTIONS, *spellings().of("action"), *load_map(EPIC).values["action"]]
METHODS = ["push", "infusion", "injection", "unknown"]
COURSES = {
    "bag": ("New Bag", "Rate Change", "Stopped"),
    "push": ("Push",),
    "given": ("Given",),
    "refused": ("Refused",),
}


def text_of(head: str, rows: Sequence[Part]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head.split(","))
    writer.writerows([[field.text for field in row] for row in rows])
    return text.getvalue().encode()


def judged(head: str, rows: Sequence[Part], column_map: str | None) -> Heard:
    options = ReadOptions(setting="facility", map=column_map)
    return heard(list(read("f", io.BytesIO(text_of(head, rows)), options)))


def garbled_rows(rows: list[Part], counted: Collection[int] = ()) -> Iterator[list[Part]]:
    yield from garbled_parts(rows, counted=counted)
    for at, row in enumerate(rows):
        for moved in shifted(row):
            yield [*rows[:at], moved, *rows[at + 1 :]]


def hold_the_law(
    head: str,
    rows: list[Part],
    column_map: str | None,
    data: st.DataObject,
    counted: Collection[int] = (),
) -> None:
    cases = list(garbled_rows(rows, counted))
    garbled = cases[data.draw(st.integers(0, len(cases) - 1))]
    assert_lawful(judged(head, rows, column_map), judged(head, garbled, column_map))


def events(order: Order) -> Iterator[Part]:
    """An order as rows of Epic's layout."""
    actions = COURSES[order.kind]
    for line, action in enumerate(actions, 1):
        at = order.start + (order.stop - order.start) / len(actions) * (line - 1)
        runs = action in {"New Bag", "Rate Change"}
        yield [
            name("9001"),
            name(order.id),
            number(str(line)),
            word(action, WORDS_OF_ACTIONS),
            shaped(f"{at.month}/{at.day}/{at.year} {at:%I:%M:%S %p}", US),
            name(order.drug),
            number("4"),
            name("mg"),
            shaped(str(100 // line) if runs else "", "[0-9]*"),
            word("mL/hr" if runs else "", ["", *spellings().of("rate_unit")]),
            word("Intravenous", ROUTES),
            name("left arm"),
        ]


@often
@given(order_lists(), st.data())
def test_rows_of_events(orders: list[Order], data: st.DataObject) -> None:
    rows = [row for order in orders for row in events(order)]
    # A line between others of its order, and the first of a course, are missed.
    counted = [at for at, row in enumerate(rows) if row[3].text in {"New Bag", "Rate Change"}]
    head = (
        "MAR_ENC_CSN,ORDER_MED_ID,LINE,MAR_ACTION_NAME,TAKEN_TIME,DESCRIPTION,SIG,DOSE_UNIT_NAME,"
        "INFUSION_RATE,MAR_INF_RATE_UNIT_NAME,ROUTE_NAME,SITE_NAME"
    )
    hold_the_law(head, rows, EPIC, data, counted)


@often
@given(order_lists(), st.data())
def test_rows_of_versions(orders: list[Order], data: st.DataObject) -> None:
    """Cerner's rows: a state for each, and versions of which the last stands."""
    states = spellings().of("status")
    rows = [
        [
            name("5001"),
            name(order.id),
            name(order.id),
            name(order.drug),
            shaped(f"{order.start + (order.stop - order.start) * late:%Y-%m-%d %H:%M}:00", ISO),
            shaped(f"{order.stop:%Y-%m-%d %H:%M}:00", ISO),
            word("IV", ROUTES),
            word("Not Done" if order.kind == "refused" else "Modified", states),
            shaped(until, ISO),
        ]
        for order in orders
        for late, until in ((0.5, "2100-12-31 00:00:00"), (0, "2026-03-02 12:00:00"))
    ]
    head = (
        "ENCNTR_ID,ORDER_ID,EVENT_ID,EVENT_DISPLAY,ADMIN_START_DT_TM,ADMIN_END_DT_TM,"
        "ADMIN_ROUTE_DISPLAY,RESULT_STATUS_DISPLAY,VALID_UNTIL_DT_TM"
    )
    hold_the_law(head, rows, "cerner-ce-med-result", data)


def dose(order: Order, procedure: str = "") -> Part:
    """An order as a row of a dose."""
    return [
        name("A"),
        name(order.id),
        name(order.drug),
        shaped(order.hcpcs, procedure) if procedure else code(order.hcpcs),
        number("4"),
        name("mg"),
        word("IV", ROUTES),
        word("infusion" if order.kind == "bag" else "push", METHODS),
        shaped(order.start.isoformat(timespec="minutes"), ISO),
        shaped(order.stop.isoformat(timespec="minutes"), ISO),
        name("left arm"),
    ]


@often
@given(order_lists(), st.data())
def test_rows_of_doses(orders: list[Order], data: st.DataObject) -> None:
    head = "encounter,order,drug,hcpcs,dose,dose_unit,route,method,start,stop,site"
    hold_the_law(head, [dose(order) for order in orders], "generic-dose", data)


@often
@given(order_lists(), st.data())
def test_rows_of_our_own(orders: list[Order], data: st.DataObject) -> None:
    # The contract takes any five capital letters and digits for a code.
    rows = [dose(order, "[0-9A-Z]{5}") for order in orders]
    hold_the_law(
        "encounter,id,drug,hcpcs,dose,dose_unit,route,method,start,stop,site", rows, None, data
    )


@often
@given(order_lists(), st.data())
def test_rows_of_claim_lines(orders: list[Order], data: st.DataObject) -> None:
    rows = [
        [
            name("A"),
            number(str(at)),
            shaped(order.hcpcs, "[0-9A-Z]{5}"),
            shaped("59", "([0-9A-Z]{2})?"),
            number("2"),
            shaped(f"{order.start:%Y-%m-%d}", ISO),
            shaped("22", "[0-9]{2}"),
            shaped("0260", "[0-9]{3,4}"),
            number("100.00"),
            shaped("00409189001", "[0-9]{10,11}"),
            shaped("131", "0?[0-9]{2}[0-9A-Z]"),
        ]
        for at, order in enumerate(orders, 1)
    ]
    head = (
        "encounter,number,code,modifiers,units,date,place_of_service,revenue_code,charge,ndc,"
        "type_of_bill"
    )
    hold_the_law(head, rows, "claim-lines", data)
