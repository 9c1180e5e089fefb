"""Resources that belong together meet, wherever they stand; those that do not stay apart."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ivpush.readers import Note, Record, SetAside
from ivpush.readers.fhir.reader import read, read_together
from tests.readers.fhir.samples import (
    ENCOUNTER,
    HERE,
    MEDICATION,
    administration,
    bundle,
    claim,
    encounter_of,
    item,
    only,
    readings,
    refused,
    texts,
)

# What belongs together


def test_chart_and_claim_of_one_encounter_meet() -> None:
    billed = claim("institutional", item("96374", encounter=[{"reference": "Encounter/e1"}]))
    encounter, _ = encounter_of(
        bundle(ENCOUNTER, administration(), billed, {"resourceType": "Patient"})
    )
    assert encounter.id == "e1"
    assert len(encounter.administrations or ()) == len(encounter.lines or ()) == 1


def test_resources_of_a_bulk_export_meet_across_files_and_lines() -> None:
    many = [
        administration(
            id=f"a{n}",
            context={"reference": f"Encounter/e{n % 3}"},
            subject={"reference": f"Patient/{n % 3}"},
        )
        for n in range(9)
    ]
    where = [
        {**ENCOUNTER, "id": f"e{n}", "subject": {"reference": f"Patient/{n}"}} for n in range(3)
    ]
    files = [("enc", io.BytesIO(texts(*where))), ("adm", io.BytesIO(texts(*many)))]
    records = [x for x in read_together(files, HERE) if isinstance(x, Record)]
    assert [x.encounter.id for x in records] == ["e0", "e1", "e2"]
    assert [len(x.encounter.administrations or ()) for x in records] == [3, 3, 3]
    assert records[1].place == "enc:2"


def test_documents_and_lines_of_several_files_meet() -> None:
    billed = claim("institutional", item("96374", encounter=[{"reference": "Encounter/e1"}]))
    whole = json.dumps(ENCOUNTER, indent=1).encode()
    files = [
        ("enc", io.BytesIO(whole)),
        ("adm", io.BytesIO(texts(administration(), administration(id="a2")))),
        ("claim", io.BytesIO(json.dumps(billed, indent=1).encode())),
    ]
    (record,) = [x for x in read_together(files, HERE) if isinstance(x, Record)]
    assert (record.place, record.encounter.id, record.encounter.setting) == (
        "enc",
        "e1",
        "facility",
    )
    assert len(record.encounter.administrations or ()) == 2
    assert len(record.encounter.lines or ()) == 1


def test_bundles_on_lines_are_units_of_their_own() -> None:
    first = bundle(ENCOUNTER, administration(context=None))
    second = bundle({**ENCOUNTER, "id": "e2"}, administration(context=None))
    records = [x for x in readings(texts(first, second)) if isinstance(x, Record)]
    assert [(x.place, x.encounter.id) for x in records] == [
        ("f:1 entry[0]", "e1"),
        ("f:2 entry[0]", "e2"),
    ]


@pytest.mark.parametrize("part", [MEDICATION, {"resourceType": "Patient"}])
def test_what_holds_no_chart_and_no_claim_says_so(part: dict[str, Any]) -> None:
    assert "another type" in refused(part)
    messages = [x.message for x in readings(texts(part, part))]
    assert messages[0] == "there is no chart and no claim in it"
    assert next(type(x) for x in readings(texts(bundle(part)))) is Note


def test_a_stream_that_cannot_go_back_is_read_all_the_same() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    text = texts(administration(), administration(id="a2"))
    (record,) = [x for x in read("f", Pipe(text), HERE) if isinstance(x, Record)]
    assert len(record.encounter.administrations or ()) == 2


def test_unnamed_administrations_join_the_only_encounter_of_a_bundle() -> None:
    encounter, _ = encounter_of(bundle(ENCOUNTER, administration(context=None)))
    assert encounter.id == "e1" and only(encounter).id == "a1"


@pytest.mark.parametrize("kind", ["searchset", "history"])
def test_unnamed_administrations_of_a_search_are_set_aside(kind: str) -> None:
    search = bundle(administration(context=None), administration(id="a2", context=None), kind=kind)
    every = readings(texts(search))
    assert [type(x) for x in every] == [SetAside, SetAside]
    assert "names no encounter" in str(every[0].error)


def test_unnamed_administrations_beside_two_encounters_are_set_aside() -> None:
    bundled = bundle(ENCOUNTER, {**ENCOUNTER, "id": "e2"}, administration(context=None))
    assert [type(x) for x in readings(texts(bundled))] == [Record, Record, SetAside]


def test_two_patients_never_share_an_encounter() -> None:
    other = administration(id="a2", subject={"reference": "Patient/q"})
    assert "several patients" in refused(bundle(administration(), other))


def test_several_claims_of_one_encounter_are_a_record_each() -> None:
    name = [{"reference": "Encounter/e1"}]
    bundled = bundle(
        ENCOUNTER,
        administration(),
        claim("institutional", item("96374", encounter=name)),
        {**claim("professional", item("96374", encounter=name)), "id": "c2"},
    )
    records = [x for x in readings(texts(bundled)) if isinstance(x, Record)]
    assert [(x.encounter.id, x.encounter.setting) for x in records] == [
        ("e1/c1", "facility"),
        ("e1/c2", "professional"),
    ]
    assert all(len(x.encounter.administrations or ()) == 1 for x in records)
