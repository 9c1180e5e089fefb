"""The contract refuses what it does not ask for, names the field, and never repeats a value."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ivpush import Administration, ClaimLine, Encounter, InputError, Supervision, UsageError
from ivpush.contract.described import descriptions_of
from ivpush.contract.encounter import encounter_of, refuse_single

CANARY = "Jane-Doe-078-05-1120"
DOSE: dict[str, Any] = {"id": "a1", "drug": "ondansetron", "route": "IV", "method": "push"}
LINE: dict[str, Any] = {"number": 1, "code": "96374", "units": 1}


def encounter(**more: Any) -> dict[str, Any]:
    return {"id": "E1", "setting": "facility", "date": "2026-03-02", **more}


def fault(record: dict[str, Any], model: Any = Encounter) -> str:
    with pytest.raises(InputError) as caught:
        model.model_validate(record)
    return str(caught.value)


@pytest.mark.parametrize("value", [True, "5", " 5 ", "1_0", 5.0, 5.5, -3, 10**30, [], {}])
def test_minutes_and_units_are_whole_numbers_from_zero(value: Any) -> None:
    assert "minutes" in fault({**DOSE, "minutes": value}, Administration)
    assert "units" in fault({**LINE, "units": value}, ClaimLine)


@pytest.mark.parametrize(
    "value",
    [
        0,
        1730440000,
        "1730440000",
        "2026-11-01",
        date(2026, 11, 1),
        "10:00",
        "12",
        "Mon",
        "01/02/2026 10:00",
        "2026-13-01T10:00",
        "2026-03-02T25:00",
        "2026-03-02T10",
        1.5,
    ],
)
def test_a_time_is_neither_a_number_nor_a_date(value: Any) -> None:
    assert "start" in fault({**DOSE, "start": value}, Administration)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T10:00",
        "2026-03-02 10:00:30",
        "2026-03-02T10:00:30.999999999",
        "2026-03-02T10:00Z",
        "2026-03-02T10:00:00-05:00",
        "2026-03-02T10:00-0500",
        datetime(2026, 3, 2, 10),
        datetime(2026, 3, 2, 10, tzinfo=UTC),
    ],
)
def test_iso_times_and_datetimes_are_read(value: Any) -> None:
    assert Administration.model_validate({**DOSE, "start": value}).start is not None


@pytest.mark.parametrize(
    "value", ["９６３７４", "96374\n", "9637", "963745", "j2405", " 96374", "9637٤", 96374, None]
)
def test_codes_are_five_ascii_capitals_and_digits(value: Any) -> None:
    assert "code" in fault({**LINE, "code": value}, ClaimLine)


@pytest.mark.parametrize("value", ["5", "599", "x1", "５９", 59, None])
def test_modifiers_are_two(value: Any) -> None:
    assert "modifiers[0]" in fault({**LINE, "modifiers": [value]}, ClaimLine)


@pytest.mark.parametrize(
    "value",
    [
        "4",
        "1E+1000000",
        "１.5",
        float("nan"),
        float("inf"),
        -1,
        True,
        Decimal("1E+40"),
        Decimal("NaN"),
        1e300,
    ],
)
def test_quantities_are_plain_bounded_numbers(value: Any) -> None:
    assert "dose" in fault({**DOSE, "dose": value}, Administration)


@pytest.mark.parametrize("value", [4, 4.0, 0.25, Decimal("0.25"), 0])
def test_quantities_take_int_float_and_decimal(value: Any) -> None:
    administration = Administration.model_validate({**DOSE, "dose": value})
    assert administration.dose == Decimal(str(value))
    assert json.loads(administration.model_dump_json())["dose"] == float(value)


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\tb", "\x1b[2J", "", "x" * 201, 7])
def test_ids_hold_no_control_characters(value: Any) -> None:
    assert "id" in fault({**DOSE, "id": value}, Administration)


@pytest.mark.parametrize("value", ["yes", 1, 0, "true"])
def test_flags_are_true_or_false(value: Any) -> None:
    assert "ordered" in fault({**DOSE, "ordered": value}, Administration)


def test_lists_are_lists() -> None:
    assert "lines" in fault(encounter(lines={}))
    assert "lines" in fault(encounter(lines="96374"))
    assert "modifiers" in fault({**LINE, "modifiers": {"59"}}, ClaimLine)
    assert "administrations" in fault(encounter(administrations=iter([])))


def test_null_lists_are_empty_where_the_contract_says_so() -> None:
    line = ClaimLine.model_validate({**LINE, "modifiers": None, "diagnosis_pointers": None})
    assert line.modifiers == () == line.diagnosis_pointers
    assert line.administrations is None
    empty = Encounter.model_validate(encounter(lines=None, administrations=None, diagnoses=None))
    assert (empty.lines, empty.administrations, empty.diagnoses) == (None, None, None)
    stated = Encounter.model_validate(encounter(lines=[], diagnoses=[]))
    assert (stated.lines, stated.diagnoses) == ((), ())


@pytest.mark.parametrize(
    ("record", "hint"),
    [
        (encounter(adminstrations=[]), "did you mean 'administrations'"),
        (encounter(lines=[{**LINE, "unit": 1}]), "did you mean 'units'"),
        (encounter(administrations=[{**DOSE, "rout": "IV"}]), "did you mean 'route'"),
        (encounter(supervision={"levle": "direct"}), "did you mean 'level'"),
    ],
)
def test_an_unknown_field_is_refused_with_a_hint(record: dict[str, Any], hint: str) -> None:
    text = fault(record)
    assert "not in the contract" in text
    assert hint in text


@pytest.mark.parametrize(
    ("record", "hint"),
    [
        ({"setting": "facility"}, "id"),
        ({"id": "E1"}, "setting"),
        (encounter(setting="hospital"), "setting"),
        (encounter(lines=[LINE, LINE]), "share one number"),
        (encounter(administrations=[DOSE, DOSE]), "share one id"),
        (encounter(administrations=[{**DOSE, "mixed_with": "zz"}]), "mixed_with"),
        (encounter(administrations=[{**DOSE, "continues": "zz"}]), "continues"),
        (encounter(primary_administration="zz", administrations=[DOSE]), "primary_administration"),
        (encounter(administrations=[], lines=[{**LINE, "administrations": ["zz"]}]), "lines[0]"),
        ({"id": "E1", "setting": "facility", "lines": [LINE]}, "date is not stated"),
        (encounter(timezone="Mars/Olympus"), "timezone"),
        (encounter(timezone="../../etc/passwd"), "timezone"),
        (encounter(timezone="/etc/localtime"), "timezone"),
        (encounter(place_of_service="5"), "place_of_service"),
        (encounter(type_of_bill="13"), "type_of_bill"),
        (encounter(start="2026-03-02T10:00", end="2026-03-02T11:00Z"), "mixed"),
    ],
)
def test_what_is_wrong_is_named(record: dict[str, Any], hint: str) -> None:
    assert hint in fault(record)


def test_an_empty_encounter_needs_no_date() -> None:
    empty = Encounter.model_validate({"id": "E1", "setting": "facility"})
    assert empty.service_date is None


def test_the_date_comes_from_start_then_chart_then_claim() -> None:
    record: dict[str, Any] = {
        "id": "E1",
        "setting": "facility",
        "administrations": [{**DOSE, "start": "2026-03-04T10:00"}],
        "lines": [{**LINE, "date": "2026-03-05"}],
    }
    assert Encounter.model_validate(record).service_date == date(2026, 3, 4)
    record["start"] = "2026-03-03T10:00"
    assert Encounter.model_validate(record).service_date == date(2026, 3, 3)
    assert Encounter.model_validate(encounter()).service_date == date(2026, 3, 2)
    only_claim = {"id": "E1", "setting": "facility", "lines": [{**LINE, "date": "2026-03-05"}]}
    assert Encounter.model_validate(only_claim).service_date == date(2026, 3, 5)


PLACES: list[tuple[str, dict[str, Any]]] = [
    ("id", encounter(id=CANARY + "\n")),
    ("date", encounter(date=CANARY)),
    ("unknown field", encounter(**{CANARY: 1})),
    ("drug", encounter(administrations=[{**DOSE, "drug": CANARY + "\x00"}])),
    ("dose", encounter(administrations=[{**DOSE, "dose": CANARY}])),
    ("route", encounter(administrations=[{**DOSE, "route": CANARY}])),
    ("start", encounter(administrations=[{**DOSE, "start": CANARY}])),
    ("code", encounter(lines=[{**LINE, "code": CANARY}])),
    ("link", encounter(administrations=[{**DOSE, "mixed_with": CANARY}])),
    ("zone", encounter(timezone=CANARY)),
]


@pytest.mark.parametrize(
    "record", [record for _, record in PLACES], ids=[name for name, _ in PLACES]
)
def test_no_value_stands_in_an_error(record: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Encounter.model_validate(record)
    texts = [
        str(caught.value),
        repr(caught.value),
        str(caught.value.__cause__),
        str(caught.value.__context__),
    ]
    assert not any(CANARY in text for text in texts)


def test_no_value_stands_in_a_repr() -> None:
    read = Encounter.model_validate(
        encounter(
            id=CANARY,
            administrations=[{**DOSE, "id": CANARY, "drug": CANARY}],
            lines=[{**LINE, "ndc": "12345-6789-01"}],
        )
    )
    assert read.administrations is not None
    assert read.lines is not None
    for model in (read, read.administrations[0], read.lines[0]):
        assert CANARY not in repr(model) + str(model)
        assert "12345" not in repr(model) + str(model)


def test_models_are_frozen() -> None:
    read = Encounter.model_validate(encounter(lines=[LINE]))
    with pytest.raises(UsageError, match="never change"):
        read.id = "other"  # type: ignore[misc]
    again = Encounter.model_validate(encounter(lines=[LINE]))
    assert read.lines and again.lines
    # What never changes can be a key.
    assert len({read, again}) == len({read.lines[0], again.lines[0]}) == 1
    assert len({Administration.model_validate(DOSE), Administration.model_validate(DOSE)}) == 1
    assert len({Supervision.model_validate({}), Supervision.model_validate({})}) == 1


def test_no_value_stands_in_an_error_of_pydantics_own() -> None:
    """Another model or adapter that holds an encounter raises its own."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Encounter).validate_python(encounter(date=CANARY))
    assert CANARY not in str(caught.value)


def test_a_fault_within_is_told_from_the_top() -> None:
    with pytest.raises(InputError) as caught:
        Encounter(**encounter(lines=[{**LINE, "units": -1}]))
    assert [fault.place for fault in caught.value.faults] == ["lines[0].units"]


def test_json_and_dict_read_the_same() -> None:
    record = encounter(
        administrations=[{**DOSE, "start": "2026-03-02T10:00", "dose": 0.25}], lines=[LINE]
    )
    read = Encounter.model_validate_json(json.dumps(record))
    assert read == Encounter.model_validate(record)
    assert Encounter.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 5_000, '{"id": "\\ud800"}', '{"id": NaN}', "null", "[]", '"x"', "1"]
)
def test_bad_json_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        Encounter.model_validate_json(text)


def test_every_field_is_described() -> None:
    for model in (Encounter, Administration, ClaimLine):
        described = descriptions_of(model)
        for name in model.model_fields:
            assert described.get(name), name


def test_sizes_are_capped() -> None:
    many = [{**DOSE, "id": f"a{n}"} for n in range(5_001)]
    assert "administrations" in fault(encounter(administrations=many))
    assert "lines" in fault(encounter(lines=[{**LINE, "number": n} for n in range(1, 10_001)]))
    Encounter.model_validate(encounter(administrations=many[:-1]))
    Encounter.model_validate(encounter(lines=[{**LINE, "number": n} for n in range(1, 10_000)]))


def unknown_fields(count: int) -> dict[str, object]:
    return {"id": "E", "setting": "facility", **{f"zork_{n}": 1 for n in range(count)}}


def test_faults_of_a_record_are_named_up_to_a_bound_and_counted() -> None:
    with pytest.raises(InputError) as caught:
        Encounter.model_validate(unknown_fields(50))
    assert len(caught.value.faults) == 21
    assert str(caught.value.faults[-1]) == "and 30 more; mend these first"


def test_a_record_that_fits_nowhere_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivpush.contract.faults._MOST_DETAILED", 49)
    with pytest.raises(InputError, match="does not fit the contract in 50 places") as caught:
        Encounter.model_validate(unknown_fields(50))
    assert len(caught.value.faults) == 1
    with pytest.raises(InputError) as caught:
        Encounter.model_validate(unknown_fields(49))
    assert len(caught.value.faults) == 21


@pytest.mark.parametrize(
    ("place", "facts"),
    [
        ("date", {"date": "0206-03-02"}),
        ("start", {"start": "2926-03-02T10:00"}),
        (
            "administrations[1].start",
            {"administrations": [DOSE, {**DOSE, "id": "a2", "start": "1026-03-02T10:00"}]},
        ),
        ("lines[1].date", {"lines": [LINE, {**LINE, "number": 2, "date": "0226-03-02"}]}),
    ],
)
def test_a_day_in_no_year_of_an_encounter_is_named(place: str, facts: dict[str, Any]) -> None:
    assert f"{place} lies in no year" in fault(encounter(**facts))


@pytest.mark.parametrize("day", ["1899-12-31", "2200-01-01"])
def test_the_years_of_packs_and_a_day_around_them_are_years_of_an_encounter(day: str) -> None:
    Encounter.model_validate(encounter(date=day))
    other = {"1899-12-31": "1898-12-31", "2200-01-01": "2201-01-01"}[day]
    assert "date lies in no year" in fault(encounter(date=other))


def test_the_date_is_the_first_that_is_stated_of_several() -> None:
    times = ("2026-03-05T10:00", None, "2026-03-04T23:00", "2026-03-06T10:00")
    given = [{**DOSE, "id": f"a{n}", "start": at} for n, at in enumerate(times)]
    record = {"id": "E1", "setting": "facility", "administrations": given}
    assert Encounter.model_validate(record).service_date == date(2026, 3, 4)
    days = ("2026-03-05", None, "2026-03-04")
    lines = [{**LINE, "number": n, "date": day} for n, day in enumerate(days, 1)]
    claimed = {"id": "E1", "setting": "facility", "lines": lines}
    assert Encounter.model_validate(claimed).service_date == date(2026, 3, 4)


@pytest.mark.parametrize("part", [{"administrations": [DOSE]}, {"lines": [LINE]}])
def test_a_date_must_stand_somewhere(part: dict[str, Any]) -> None:
    """Codes, edits and policies all go by date; of an empty encounter nothing is asked."""
    bare = {"id": "E1", "setting": "facility"}
    assert "date is not stated anywhere" in fault({**bare, **part})
    Encounter.model_validate({**bare, "administrations": [], "lines": []})


def test_times_with_and_without_an_offset_need_a_zone() -> None:
    naive, aware = "2026-03-02T10:00", "2026-03-02T10:00-05:00"
    mixed = encounter(administrations=[{**DOSE, "start": naive, "stop": aware}])
    assert "times with and without an offset are mixed" in fault(mixed)
    Encounter.model_validate({**mixed, "timezone": "America/Chicago"})
    assert "not a known zone" in fault({**mixed, "timezone": "America/Chikago"})
    assert "are mixed" in fault(encounter(start=aware, administrations=[{**DOSE, "start": naive}]))
    for at in (naive, aware):
        given = [{**DOSE, "start": at, "stop": at, "last_seen_running": at}]
        Encounter.model_validate(encounter(start=at, end=at, administrations=given))


def test_a_repr_counts_and_tells_none_from_nothing() -> None:
    bare = {"id": "E1", "setting": "facility", "date": "2026-03-02"}
    assert repr(Encounter.model_validate(bare)) == "<Encounter, no chart, no claim>"
    full = {**bare, "administrations": [DOSE], "lines": []}
    assert repr(Encounter.model_validate(full)) == "<Encounter, administrations: 1, lines: 0>"


def test_an_encounter_is_given_as_such_or_as_a_dictionary_or_as_json() -> None:
    record = encounter()
    made = Encounter.model_validate(record)
    assert encounter_of(made) is made
    assert encounter_of(record) == encounter_of(MappingProxyType(record)) == made
    text = json.dumps(record)
    assert encounter_of(text) == encounter_of(text.encode()) == made
    with pytest.raises(InputError, match="is of the type list"):
        encounter_of([record])


def test_one_record_is_not_taken_for_several() -> None:
    """A text and a dictionary can be gone through as well, and would give records of their own."""
    record = encounter()
    for one in (record, json.dumps(record), b"{}", Encounter.model_validate(record)):
        with pytest.raises(UsageError, match="is one record"):
            refuse_single(one)
    with pytest.raises(UsageError):
        refuse_single(7)  # type: ignore[arg-type]
    refuse_single([record])
