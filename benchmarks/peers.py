"""claim-validator, a library of claim checks in Python (PyPI, MIT), on the claims that it can read.

Both sides get the bytes of the same claims and give the bytes of a result. What they check is not
the same, so the ratio says what a claim costs, not which is better:

- claim-validator reads a CMS-1500 or a UB-04 claim. On the first it looks for missing fields, NPI
  check digits, demographics, codes that are not in its tables, lines that repeat, modifiers that
  exclude each other, places of service, charges and their total, dates and filing limits; on the
  second for the type of bill, revenue codes, admission, condition and value codes. It reads no
  chart, knows no infusion rules, NCCI pairs or unit limits, and suggests no codes.
- ivpush gets the lines without the chart here: its rules about lines, codes, modifiers, pairs and
  units. It checks no NPI, no demographics, no charges and no filing limits.

What ivpush is made for needs the chart; a row tells what that adds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from benchmarks.measure import Row, Size, summed
from benchmarks.sample import whole
from ivpush import Encounter, Engine
from ivpush.testing.samples import encounters

WHO = {
    "billing_provider_npi": "1234567893",
    "subscriber_id": "MBR00001",
    "subscriber_first_name": "ANN",
    "subscriber_last_name": "EXAMPLE",
    "patient_first_name": "ANN",
    "patient_last_name": "EXAMPLE",
    "patient_dob": "1950-01-01",
    "patient_gender": "F",
    "patient_relationship": "self",
    "payer_id": "00000",
}
DIAGNOSIS = "R11.2"


CHART = frozenset({"administrations", "primary_administration", "supervision"})
"""What a claim does not hold."""
Check = Callable[[bytes], Any]


class Side(NamedTuple):
    """One kind of claim: how a record of ours becomes theirs, and how they check it."""

    setting: str
    written: Callable[[dict[str, Any]], dict[str, Any]]
    check: Check
    """Their quickest way."""
    documented: Callable[[dict[str, Any]], Any]
    """The way that their documentation shows."""


class Claim(NamedTuple):
    """One claim as each side takes it."""

    bare: bytes
    charted: bytes
    theirs: bytes


def rows(size: Size) -> Iterator[Row | str]:
    """Their time over ours, for professional and for facility claims."""
    try:
        import claim_validator
    except ImportError as error:
        yield (
            f"not measured: {error.name} is not installed (pip install claim-validator httpx; "
            "it imports httpx, which it does not require)"
        )
        return
    sides = (
        Side("professional", professional, professional_check(), claim_validator.validate),
        Side("facility", facility, facility_check(), claim_validator.validate_institutional),
    )
    for side in sides:
        refuse_a_blind_library(side)
    engine, count = Engine(), size.of(100, 300)
    for side in sides:
        claims = drawn(side, engine, count)
        yield from ratios(side, engine, claims, rounds=size.of(5, 15))
        yield f"claim-validator {claim_validator.__version__} (MIT) {findings(side, engine, claims)}"


def drawn(side: Side, engine: Engine, count: int) -> list[Claim]:
    """Made-up claims of one kind, with a diagnosis that both sides know."""
    records = [
        {**record, "diagnoses": [DIAGNOSIS.replace(".", "")]}
        for record in encounters(1, count, setting=side.setting, engine=engine)
    ]
    return [
        Claim(
            bare=encoded({name: value for name, value in record.items() if name not in CHART}),
            charted=encoded(record),
            theirs=encoded(side.written(record)),
        )
        for record in records
    ]


def ratios(side: Side, engine: Engine, claims: list[Claim], rounds: int) -> Iterator[Row]:
    """What they take, and what our chart takes, over our lines alone."""
    seconds = summed(
        {
            "ours": lambda claim: whole(engine, claim.bare),
            "charted": lambda claim: whole(engine, claim.charted),
            "theirs": lambda claim: side.check(claim.theirs).model_dump_json(),
            "documented": lambda claim: side.documented(json.loads(claim.theirs)).model_dump_json(),
        },
        claims,
        rounds,
    )
    rate = {name: f"{len(claims) / taken:,.0f}/s" for name, taken in seconds.items()}
    documented = getattr(side.documented, "__name__", "check")
    for name, what in (
        ("theirs", "claim-validator, pipeline made once / ivpush, lines alone"),
        ("documented", f"its {documented}() as documented / the same"),
        ("charted", "ivpush with the chart / lines alone"),
    ):
        yield Row(
            f"{len(claims)} {side.setting} claims: {what}",
            seconds[name] / seconds["ours"],
            detail=f"{rate[name]}; {rate['ours']}",
        )


def findings(side: Side, engine: Engine, claims: list[Claim]) -> str:
    """What each side finds in the claims."""
    theirs = Counter(
        finding.code for claim in claims for finding in side.check(claim.theirs).findings
    )

    def errors(raws: Iterable[bytes]) -> int:
        results = (engine.check(Encounter.model_validate_json(raw)) for raw in raws)
        return sum(result.status == "violations" for result in results)

    return (
        f"on these {len(claims)}: {counted(theirs)}; "
        f"ivpush: {errors(claim.bare for claim in claims)} with errors by their lines alone, "
        f"{errors(claim.charted for claim in claims)} by their charts"
    )


def encoded(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()


def professional_check() -> Check:
    """Their quickest way: validation from JSON, and a pipeline that is made once."""
    from claim_validator.models.claim import ClaimData
    from claim_validator.validators.pipeline import ValidationPipeline

    pipeline = ValidationPipeline.from_settings()
    return lambda raw: pipeline.run(ClaimData.model_validate_json(raw))


def facility_check() -> Check:
    """The same for UB-04 claims, for which the library has no pipeline: its checks in turn."""
    from claim_validator.conf import ClaimValidatorSettings
    from claim_validator.models.institutional import InstitutionalClaimData
    from claim_validator.models.results import PhaseResult, PipelineResult
    from claim_validator.validators.registry import ValidatorRegistry

    names = ClaimValidatorSettings().institutional_rule_validators
    validators = ValidatorRegistry().create_validators(names)

    def check(raw: bytes) -> Any:
        claim = InstitutionalClaimData.model_validate_json(raw)
        outputs = [validator.validate(claim) for validator in validators]
        return PipelineResult(
            phase_results=[PhaseResult(phase="rule_based", validator_outputs=outputs)]
        )

    return check


def professional(record: dict[str, Any]) -> dict[str, Any]:
    """A record of ours as their CMS-1500 claim; its charges are by unit, as they add them up."""
    lines = [
        {
            "procedure_code": line["code"],
            "modifiers": line["modifiers"],
            "diagnosis_pointers": [1],
            "charge_amount": line["charge"],
            "units": line["units"],
            "service_date_from": record["date"],
            "service_date_to": record["date"],
            "place_of_service": "11",
        }
        for line in record["lines"]
    ]
    total = sum(line["charge_amount"] * line["units"] for line in lines)
    return {
        **WHO,
        "place_of_service": "11",
        "billing_provider_taxonomy": "207Q00000X",
        "rendering_provider_npi": WHO["billing_provider_npi"],
        "filing_date": record["date"],
        "diagnosis_codes": [{"code": DIAGNOSIS, "pointer": 1}],
        "total_charge": total,
        "lines": lines,
    }


def facility(record: dict[str, Any]) -> dict[str, Any]:
    """A record of ours as their UB-04 claim."""
    lines = [
        {
            "revenue_code": "0636" if line["code"][0] == "J" else "0260",
            "hcpcs_code": line["code"],
            "modifiers": line["modifiers"],
            "units": line["units"],
            "rate": line["charge"],
            "service_date_from": record["date"],
        }
        for line in record["lines"]
    ]
    total = sum(line["rate"] * line["units"] for line in lines)
    return {
        **WHO,
        "facility_name": "EXAMPLE",
        "attending_physician_npi": "1234567893",
        "bill_type_code": record["type_of_bill"],
        "service_lines": lines,
        "total_charge_amount": total,
        "statement_from_date": record["date"],
        "statement_to_date": record["date"],
        "condition_codes": [],
        "value_codes": [],
    }


def counted(codes: Counter[str]) -> str:
    """Findings by code, the most frequent first."""
    return ", ".join(f"{count} {code}" for code, count in codes.most_common()) or "no finding"


GOOD_LINE = {"code": "99213", "modifiers": [], "units": 1, "charge": 90}
GOOD = {"date": "2026-02-04", "type_of_bill": "131", "lines": [GOOD_LINE]}


def broken_claims(setting: str) -> dict[str, dict[str, Any]]:
    """Claims of theirs with one fault each, by the code of the finding."""
    if setting == "facility":
        good = facility(GOOD)
        return {
            "INST_INVALID_BILL_TYPE": {**good, "bill_type_code": "999"},
            "INST_INVALID_REVENUE_CODE": {**good, "service_lines": [{"revenue_code": "9999"}]},
        }

    def with_lines(*lines: dict[str, Any]) -> dict[str, Any]:
        return professional({**GOOD, "lines": list(lines)})

    good = professional(GOOD)
    return {
        "DUPLICATE_LINE": with_lines(GOOD_LINE, GOOD_LINE),
        "MODIFIER_59_WITH_X_MODIFIER": with_lines({**GOOD_LINE, "modifiers": ["59", "XS"]}),
        "CHARGE_TOTAL_MISMATCH": {**good, "total_charge": 1},
        "INVALID_PLACE_OF_SERVICE": {**good, "place_of_service": "00"},
        "INVALID_PROCEDURE_CODE": with_lines({**GOOD_LINE, "code": "Z9999"}),
    }


def refuse_a_blind_library(side: Side) -> None:
    """Stop if the library does not find the faults that it is there to find."""
    faults = side.check(encoded(side.written(GOOD))).findings
    if faults:
        raise SystemExit(f"claim-validator finds fault with a good claim: {faults}")
    for code, claim in broken_claims(side.setting).items():
        faults = side.check(encoded(claim)).findings
        if code not in {finding.code for finding in faults}:
            raise SystemExit(f"claim-validator does not find {code}, but {faults}")
