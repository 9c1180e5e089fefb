"""JUnit XML: a suite a file, a case an encounter, failed where there is an error."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest

from ivpush import Encounter
from ivpush.writers import WriteOptions
from ivpush.writers.junit import Writer
from tests.writers.works import ALL, CLEAN, HOSTILE, WRONG, engine, hostile, written


def test_a_suite_a_file_and_a_case_an_encounter() -> None:
    out = io.BytesIO()
    writer = Writer(out, WriteOptions(engine().pack))
    for place, record in (("a:1", CLEAN), ("a:2", WRONG), ("b", ALL), ("-:1", CLEAN)):
        writer.write(engine().work(Encounter.model_validate(record)), place)
    writer.close()
    suites = ET.fromstring(out.getvalue()).findall("testsuite")
    assert [(one.get("name"), one.get("tests"), one.get("failures")) for one in suites] == [
        ("a", "2", "1"),
        ("b", "1", "1"),
        ("stdin", "1", "0"),
    ]
    assert [case.get("name") for case in suites[0]] == ["clean", "wrong"]
    assert [case.get("line") for case in suites[0]] == ["1", "2"]


def test_errors_fail_and_the_rest_is_told() -> None:
    result = engine().check(Encounter.model_validate(ALL))
    (case,) = ET.fromstring(written(Writer, ALL)).iter("testcase")
    failure, told = case.find("failure"), case.find("system-out")
    assert failure is not None and failure.text is not None
    assert told is not None and told.text is not None
    for one in result.violations:
        assert one.message in (failure.text if one.severity == "error" else told.text)
    assert result.questions
    assert all(one.ask in told.text for one in result.questions)


def test_nothing_read_is_a_valid_document() -> None:
    assert ET.fromstring(written(Writer)).tag == "testsuites"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_give_valid_xml(text: str) -> None:
    raw = written(Writer, hostile(text), place=f"a{text}")
    assert all(one.isprintable() or one == "\n" for one in raw.decode())
    (case,) = ET.fromstring(raw).iter("testcase")
    if text.isprintable():
        assert case.get("name") == text
