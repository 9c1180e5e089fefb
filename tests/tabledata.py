"""Encounters for tests of tables, drawn over every column, and their tables as CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, get_args

from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.contract import fields
from ivpush.contract.cells import cell_of
from ivpush.contract.tables import columns_of, encounter_rows
from ivpush.readers.tables.headers import empty_texts

SURROGATES: tuple[Literal["Cs"]] = ("Cs",)
text_drawn = st.text(
    st.characters(
        exclude_categories=SURROGATES, exclude_characters=[chr(n) for n in (*range(32), 127)]
    ),
    min_size=1,
    max_size=12,
)
number_drawn = st.decimals(0, 10**8, places=6).map(lambda number: number + Decimal(0))
time_drawn = st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)).map(
    lambda at: at.replace(microsecond=0)
)


def word(kind: Any) -> st.SearchStrategy[str]:
    return st.sampled_from(get_args(kind))


def some(**drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=drawn)


administration_drawn = some(
    drug=text_drawn,
    hcpcs=st.just("J2405"),
    ndc=st.sampled_from(("00006494300", "0409-1234-01")),
    category=word(fields.Category),
    hormonal=st.booleans(),
    dose=number_drawn,
    dose_unit=text_drawn,
    wasted=number_drawn,
    single_dose_container=st.booleans(),
    route=word(fields.Route),
    method=word(fields.Method),
    start=time_drawn,
    stop=time_drawn,
    minutes=st.integers(0, 999),
    times_from=word(fields.TimesFrom),
    volume_ml=number_drawn,
    rate_ml_per_hour=number_drawn,
    site=text_drawn,
    lumen=text_drawn,
    resited_from=text_drawn,
    access=word(fields.Access),
    separate_site_reason=text_drawn,
    purpose=word(fields.Purpose),
    device=word(fields.Device),
    visit=st.integers(1, 3),
    last_seen_running=time_drawn,
    stopped_early=text_drawn,
    continuously_attended=st.booleans(),
    administered_by=text_drawn,
    performer=text_drawn,
    ordered=st.booleans(),
    monitoring=st.booleans(),
    response=st.booleans(),
)
line_drawn = st.fixed_dictionaries(
    {"code": st.sampled_from(("96374", "J2405", "01234")), "units": st.integers(0, 99)},
    optional={
        "modifiers": st.lists(st.sampled_from(("59", "XS", "25")), max_size=3),
        "date": st.dates(date(2020, 1, 1), date(2027, 1, 1)),
        "place_of_service": st.sampled_from(("11", "02")),
        "revenue_code": st.sampled_from(("0260", "450")),
        "diagnosis_pointers": st.lists(st.integers(1, 4), max_size=3),
        "charge": number_drawn,
        "ndc": st.just("00006494300"),
        "minutes": st.integers(0, 99),
    },
)
watched_drawn = some(
    level=word(fields.Level),
    mode=word(fields.Mode),
    consent=st.booleans(),
    assessment=st.booleans(),
    provider_present=st.booleans(),
)


def _names_an_encounter(text: str) -> bool:
    """Whether a cell of this text is not taken for an empty one."""
    return text == text.strip() and text.casefold() not in empty_texts()


@st.composite
def encounters(draw: st.DrawFn) -> Encounter:
    """Any encounter that tables can hold: empty text is null there, and so is an empty supervision."""
    record: dict[str, Any] = {
        "id": draw(text_drawn.filter(_names_an_encounter)),
        "date": "2026-03-02",
        "setting": draw(word(fields.Setting)),
        **draw(
            some(
                payer=text_drawn,
                place_of_service=st.just("11"),
                type_of_bill=st.just("0131"),
                complexity_documented=st.booleans(),
                start=time_drawn,
                end=time_drawn,
                timezone=st.just("America/Chicago"),
                diagnoses=st.lists(st.sampled_from(("C50.911", "R112")), max_size=3),
                supervision=watched_drawn.filter(bool),
            )
        ),
    }
    if draw(st.booleans()):
        ids: list[str] = draw(st.lists(text_drawn, max_size=4, unique=True))
        record["administrations"] = [{**draw(administration_drawn), "id": key} for key in ids]
        if len(ids) > 0 and draw(st.booleans()):
            record["administrations"][0]["continues"] = ids[-1]
            record["primary_administration"] = ids[0]
            away = timezone(timedelta(hours=draw(st.integers(-12, 12))))
            if "timezone" in record:
                record["administrations"][0]["start"] = draw(time_drawn).replace(tzinfo=away)
    if draw(st.booleans()):
        record["lines"] = [
            {**line, "number": number}
            for number, line in enumerate(draw(st.lists(line_drawn, max_size=4)), 1)
        ]
        ids = [dose["id"] for dose in record.get("administrations", ())]
        for line in record["lines"]:
            if ids:
                line["administrations"] = draw(st.lists(st.sampled_from(ids), max_size=3))
    return Encounter.model_validate(record)


def as_csv(encounters: list[Encounter]) -> dict[str, bytes]:
    """The three tables of encounters as CSV files."""
    return {
        f"{table}.csv": table_as_csv(table, encounters)
        for table in ("encounters", "administrations", "lines")
    }


def table_as_csv(table: str, encounters: list[Encounter]) -> bytes:
    """One table; facts of the encounter stand in its own table alone."""
    names = [
        column.name
        for column in columns_of(table)
        if table == "encounters" or not column.name.startswith("encounter_")
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    for encounter in encounters:
        for row in encounter_rows(encounter)[table]:
            writer.writerow([cell_of(row[name]) for name in names])
    return text.getvalue().encode()
