"""A column map is checked whole; forms of times are declared, never guessed."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ivpush.errors import PackError, UsageError
from ivpush.pack.folder import rules_folder
from ivpush.readers.tables.forms import (
    ndc,
    number,
    plain_text,
    read_time,
    repeats,
    time_form,
    whole,
)
from ivpush.readers.tables.maps import load_map, map_names, parse_map, spellings

DATA = Path(__file__).parents[2] / "data"
GOOD = "id: a\ntitle: b\nsources: [c]\ntimes: {forms: [iso]}\ncolumns: {encounter: E, start: S}\n"


def faults(text: str) -> list[str]:
    with pytest.raises(PackError) as caught:
        parse_map("m.yaml", text.encode())
    return [str(one) for one in caught.value.faults]


def test_every_shipped_map_is_sound_and_cites_its_sources() -> None:
    assert len(map_names()) >= 14
    for name in map_names():
        column_map = load_map(name)
        assert column_map.id == name
        assert column_map.sources and all(column_map.sources)
    assert load_map("cerner-ce-med-result").confidence == "medium"


def test_a_map_of_ones_own_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, "utf-8")
    assert load_map(path).columns["start"] == ("S",)


def test_a_map_that_does_not_exist_is_named_with_its_neighbour() -> None:
    with pytest.raises(UsageError, match="did you mean 'generic-dose'"):
        load_map("generic-dos")
    with pytest.raises(UsageError, match="cannot be read"):
        load_map("nowhere.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "formt: {}\n", "m.yaml:6:1: unknown key 'formt'; did you mean 'format'?"),
        (GOOD.replace("start: S", "strat: S"), "m.yaml:5:25: unknown key 'strat'; did you"),
        (GOOD + "shape: doze\n", "m.yaml:6:8: shape: 'doze' is not among its words; did you mean"),
        (GOOD + "values: {route: {x: IVX}}\n", "x: 'IVX' is not among its words"),
        (GOOD + "values: {route: {x: IV, X: PO}}\n", "repeats a value in other letters"),
        (GOOD + "values: {route: {x: [IV, PO]}}\n", "means several words"),
        (GOOD + "format: {delimiter: x}\n", "is no delimiter that is read"),
        (GOOD + "format: {encoding: utf-9}\n", "is no known encoding"),
        (GOOD + "constants: {method: shove}\n", "method: 'shove' is not among its words; "),
        (
            GOOD + "defaulted: {methods: [shove], minutes: ['1']}\n",
            "methods: 'shove' is not among its words",
        ),
        (GOOD + "defaulted: {methods: [push], minutes: [one]}\n", "is no whole number of minutes"),
        (GOOD + "shape: event\n", "lacks the key 'action_time'"),
        (GOOD + "table: lines\n", "lacks the key 'code'"),
        (GOOD.replace("[iso]", "[YYYY-QQ]"), "m.yaml:4:17: forms: is no form of a time"),
        (GOOD.replace("[iso]", "['MM/DD/YYYY', 'DD/MM/YYYY']"), "read one text differently"),
        (GOOD.replace("forms: [iso]", "timezone: Mars"), "is not a known zone"),
        (GOOD.replace("forms: [iso]", "offsets: minutes"), "without an anchor"),
        (GOOD.replace("times: {forms: [iso]}\n", ""), "states no form of its times"),
        (GOOD.replace("id: a\n", ""), "lacks the key 'id'"),
        ("- a\n", "is no mapping"),
    ],
)
def test_what_is_wrong_with_a_map_is_told_with_its_place(text: str, said: str) -> None:
    assert any(said in one for one in faults(text)), faults(text)


ODD = ["", "x", "null", "9" * 5_000, "\u00b2", [], ["x"], [["x"]], {}, {"x": "y"}, {"x": ["y"]}]


def _paths(data: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    rows = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data if isinstance(data, list) else [])
    )
    return [path, *(deeper for key, value in rows for deeper in _paths(value, (*path, key)))]


@given(st.data())
def test_a_garbled_map_is_read_or_refused_with_its_places(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(map_names()))
    raw = (rules_folder() / "maps" / f"{name}.yaml").read_bytes()
    whole = yaml.load(raw, Loader=yaml.CBaseLoader)
    path = data.draw(st.sampled_from(_paths(whole)[1:]))
    change = data.draw(st.sampled_from([*ODD, "DROP"]))
    holder = whole
    for step in path[:-1]:
        holder = holder[step]
    if change == "DROP":
        del holder[path[-1]]
    else:
        holder[path[-1]] = change
    text = yaml.dump(whole, Dumper=yaml.CSafeDumper, default_style='"', allow_unicode=True)
    try:
        parse_map("m.yaml", text.encode())
    except PackError as error:
        found = error.faults
    else:
        found = ()
    assert all(fault.place.startswith("m.yaml:") and fault.problem for fault in found)


def test_all_faults_of_a_map_are_told_at_once() -> None:
    assert len(faults(GOOD + "shape: doze\nsetting: home\nformat: {delimiter: x}\n")) == 3


@pytest.mark.parametrize(
    ("form", "text", "read"),
    [
        ("iso", "2026-03-02T10:05", datetime(2026, 3, 2, 10, 5)),
        ("iso", "2026-03-02 10:05:59.9", datetime(2026, 3, 2, 10, 5, 59)),
        ("iso", "2026-03-02", date(2026, 3, 2)),
        ("iso", "2026-03-02T10:05Z", datetime(2026, 3, 2, 10, 5, tzinfo=timezone.utc)),  # noqa: UP017
        (
            "iso",
            "2026-03-02 10:05-0500",
            datetime(2026, 3, 2, 10, 5, tzinfo=timezone(-timedelta(hours=5))),
        ),
        ("iso", "2026-02-30", None),
        ("iso", "02/03/2026", None),
        ("iso", "２０２６-03-02", None),
        ("MM/DD/YYYY h:mm AM", "03/02/2026 12:05 AM", datetime(2026, 3, 2, 0, 5)),
        ("MM/DD/YYYY h:mm AM", "03/02/2026 12:05 pm", datetime(2026, 3, 2, 12, 5)),
        ("MM/DD/YYYY h:mm AM", "03/02/2026 1:05 PM", datetime(2026, 3, 2, 13, 5)),
        ("MM/DD/YYYY h:mm AM", "03/02/2026 13:05 PM", None),
        ("M/D/YYYY hh:mm", "3/2/2026 09:05", datetime(2026, 3, 2, 9, 5)),
        ("DD-MON-YYYY", "30-May-2015", date(2015, 5, 30)),
        ("DD-MON-YYYY", "30-Mai-2015", None),
        ("YYYYMMDD", "20200101", date(2020, 1, 1)),
        ("YYYYMMDD", "20200101\n", None),
    ],
)
def test_times_are_read_in_their_declared_form_only(
    form: str, text: str, read: date | datetime | None
) -> None:
    parsed = time_form(form)
    assert parsed is not None
    assert read_time(text, [parsed]) == read


@pytest.mark.parametrize(
    "text", ["", "hh:mm", "YYYY-MM", "YYYY-MM-DD hh", "YYYY-MM-DD MM", "YYYY-MON-MM-DD"]
)
def test_a_form_without_a_whole_date_or_clock_is_none(text: str) -> None:
    assert time_form(text) is None


def test_two_forms_of_one_shape_are_noticed() -> None:
    forms = [time_form(one) for one in ("MM/DD/YYYY", "DD/MM/YYYY", "YYYY-MM-DD")]
    good = [one for one in forms if one is not None]
    assert repeats(good)
    assert not repeats(good[1:])


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)))
def test_a_12_hour_clock_reads_back_what_was_written(at: datetime) -> None:
    form = time_form("MM/DD/YYYY hh:mm:ss AM")
    assert form is not None
    half = "AM" if at.hour < 12 else "PM"
    text = f"{at:%m/%d}/{at.year:04d} {(at.hour + 11) % 12 + 1:02d}:{at:%M:%S} {half}"
    assert read_time(text, [form]) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "digits", "code", "mended"),
    [
        ("00006494300", None, "00006494300", False),
        ("6494300", 11, "00006494300", True),
        ("6494300", None, None, False),
        ("6494300.0", 11, "00006494300", True),
        ("0409-1234-01", None, "0409-1234-01", False),
        ("0", 11, None, False),
        ("123456789012", 11, None, False),
        ("12345678ab", None, None, False),
        ("٠٠٠٠٦٤٩٤٣٠٠", None, None, False),
    ],
)
def test_an_ndc_keeps_its_leading_zeros(
    text: str, digits: int | None, code: str | None, mended: bool
) -> None:
    assert ndc(text, digits) == (code, mended)


@pytest.mark.parametrize(
    "text", ["", "1,000", "125 3", "NaN", "Infinity", "1e999", "0x1", "１", "1_0"]
)
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert number(text) is None


def test_numbers_keep_six_decimals() -> None:
    assert number("99.999999") == Decimal("99.999999")
    assert number("15.0060028571") == Decimal("15.006003")
    assert number(".5") == Decimal("0.5")
    assert (whole("4.0"), whole("4.5"), whole("9" * 20)) == (4, None, None)


def test_route_spellings_are_read_or_left_open_never_guessed() -> None:
    with (DATA / "mar" / "eicu_route_strings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = spellings().of("route")
    known_rows = [one for one in rows if plain_text(one["routeadmin"]) in known]
    assert len(rows) == 254
    assert len(known_rows) >= 210
    share = sum(int(one["rows"]) for one in known_rows) / sum(int(one["rows"]) for one in rows)
    assert share > 0.98
    for text, word in (
        ("IV PUSH", "IV"),
        ("subCUT", "SC"),
        ("Intra-arTERi", "IA"),
        ("PER NG TUBE", "TUBE"),
        ("ZPYXVEND", "unknown"),
        (".ROUTE", "unknown"),
        ("IM (injection)", "IM"),
    ):
        assert known[plain_text(text)] == word
    for text in ("IN", "SUBCUT/IM", "IK", "PB", "NS"):  # two meanings, or none that we know
        assert plain_text(text) not in known


@pytest.mark.parametrize("key", ["", "<", "<<text>", "<text>", "[key]"])
def test_an_unknown_key_is_named_however_it_is_written(key: str) -> None:
    with pytest.raises(PackError, match=re.escape(f"m.yaml:1:1: unknown key '{key}'")):
        parse_map("m.yaml", f'"{key}": x\n'.encode())
