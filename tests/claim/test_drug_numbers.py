"""The NDC of a drug line: eleven digits, padded where its hyphens say so, asked for by Medicaid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, Engine, Result
from tests.shipped import PACK

BOOK = PACK.book(None)


def check(payer: str | None, ndc: str | None, code: str = "J0696") -> Result:
    line = {"number": 1, "code": code, "units": 2, "ndc": ndc}
    return Engine(pack=PACK, payer=payer).check(Encounter.model_validate(
        {"id": "E", "setting": "professional", "place_of_service": "11", "date": "2026-05-12", "lines": [line]}
    ))  # fmt: skip


def fixes(result: Result, rule: str) -> list[str]:
    return [v.fix for v in result.violations if v.rule == rule]


def test_hyphens_say_where_the_zero_goes() -> None:
    for short, whole in (("0002-7597-01", "00002-7597-01"), ("60505-622-01", "60505-0622-01"),
                         ("60505-6228-1", "60505-6228-01")):  # fmt: skip
        [fix] = fixes(check(None, short), "IVP810")
        assert whole in fix
    [fix] = fixes(check(None, "0002759701"), "IVP810")
    assert not any(letter.isdigit() for letter in fix)


def test_medicaid_asks_for_the_number() -> None:
    assert fixes(check("texas_medicaid", None), "IVP822")
    assert fixes(check("medi_cal_hpsj", None), "IVP822")
    assert not fixes(check("texas_medicaid", "00781-3208-95"), "IVP822")
    assert not fixes(check("medicare", None), "IVP822")


@given(st.lists(st.text("0123456789", max_size=6), min_size=1, max_size=4))
def test_a_padded_number_has_eleven_digits_and_differs_by_zeros_alone(parts: list[str]) -> None:
    padded = BOOK.padded_ndc("-".join(parts))
    if padded is None:
        return
    assert [len(part) for part in padded.split("-")] == [5, 4, 2] and len(parts) == 3
    for part, short in zip(padded.split("-"), parts, strict=True):
        assert part.endswith(short) and set(part[: len(part) - len(short)]) <= {"0"}
