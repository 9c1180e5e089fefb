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
from collections.abc import Callable, Iterator
from typing import Any

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

    version = claim_validator.__version__
    theirs = {"professional": professional_check(), "facility": facility_check()}
    documented = {
        "professional": claim_validator.validate,
        "facility": claim_validator.validate_institutional,
    }
    sure(theirs)
    engine, count = Engine(), size.of(100, 300)
    for setting, write in (("professional", professional), ("facility", facility)):
        drawn = [
            {**one, "diagnoses": [DIAGNOSIS.replace(".", "")]}
            for one in encounters(1, count, setting=setting, engine=engine)
        ]
        charts = [json.dumps(one).encode() for one in drawn]
        bare = [
            json.dumps({k: v for k, v in one.items() if k not in CHART}).encode() for one in drawn
        ]
        claims = [json.dumps(write(one)).encode() for one in drawn]
        check, documented_check = theirs[setting], documented[setting]
        found = summed(
            {
                "ours": lambda three: whole(engine, three[0]),
                "charted": lambda three: whole(engine, three[1]),
                "theirs": lambda three, check=check: check(three[2]).model_dump_json(),
                "documented": lambda three, check=documented_check: check(
                    json.loads(three[2])
                ).model_dump_json(),
            },
            zip(bare, charts, claims, strict=True),
            size.of(5, 15),
        )
        rate = {name: f"{count / taken:,.0f}/s" for name, taken in found.items()}
        yield Row(
            f"{count} {setting} claims: claim-validator, pipeline made once / ivpush, lines alone",
            found["theirs"] / found["ours"],
            detail=f"{rate['theirs']}; {rate['ours']}",
        )
        yield Row(
            f"{count} {setting} claims: its {documented_check.__name__}() as documented / the same",
            found["documented"] / found["ours"],
            detail=f"{rate['documented']}; {rate['ours']}",
        )
        yield Row(
            f"{count} {setting} claims: ivpush with the chart / lines alone",
            found["charted"] / found["ours"],
            detail=f"{rate['charted']}; {rate['ours']}",
        )
        says = Counter(one.code for raw in claims for one in check(raw).findings)
        wrong = [
            Counter(engine.check(Encounter.model_validate_json(raw)).status for raw in raws)
            for raws in (bare, charts)
        ]
        yield (
            f"claim-validator {version} (MIT) on these {count}: {counted(says)}; "
            f"ivpush: {wrong[0]['violations']} with errors by their lines alone, "
            f"{wrong[1]['violations']} by their charts"
        )


CHART = frozenset({"administrations", "primary_administration", "supervision"})
"""What a claim does not hold."""


def professional_check() -> Callable[[bytes], Any]:
    """Their quickest way: validation from JSON, and a pipeline that is made once."""
    from claim_validator.models.claim import ClaimData
    from claim_validator.validators.pipeline import ValidationPipeline

    pipeline = ValidationPipeline.from_settings()
    return lambda raw: pipeline.run(ClaimData.model_validate_json(raw))


def facility_check() -> Callable[[bytes], Any]:
    """The same for UB-04 claims, for which the library has no pipeline: its checks in turn."""
    from claim_validator.conf import ClaimValidatorSettings
    from claim_validator.models.institutional import InstitutionalClaimData
    from claim_validator.models.results import PhaseResult, PipelineResult
    from claim_validator.validators.registry import ValidatorRegistry

    names = ClaimValidatorSettings().institutional_rule_validators
    validators = ValidatorRegistry().create_validators(names)

    def check(raw: bytes) -> Any:
        claim = InstitutionalClaimData.model_validate_json(raw)
        outputs = [one.validate(claim) for one in validators]
        return PipelineResult(
            phase_results=[PhaseResult(phase="rule_based", validator_outputs=outputs)]
        )

    return check


def professional(record: dict[str, Any]) -> dict[str, Any]:
    """A record of ours as their CMS-1500 claim; its charges are by unit, as they add them up."""
    lines = [
        {
            "procedure_code": one["code"],
            "modifiers": one["modifiers"],
            "diagnosis_pointers": [1],
            "charge_amount": one["charge"],
            "units": one["units"],
            "service_date_from": record["date"],
            "service_date_to": record["date"],
            "place_of_service": "11",
        }
        for one in record["lines"]
    ]
    total = sum(one["charge_amount"] * one["units"] for one in lines)
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
            "revenue_code": "0636" if one["code"][0] == "J" else "0260",
            "hcpcs_code": one["code"],
            "modifiers": one["modifiers"],
            "units": one["units"],
            "rate": one["charge"],
            "service_date_from": record["date"],
        }
        for one in record["lines"]
    ]
    total = sum(one["rate"] * one["units"] for one in lines)
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


def counted(says: Counter[str]) -> str:
    """Findings by code, the most frequent first."""
    return ", ".join(f"{n} {code}" for code, n in says.most_common()) or "no finding"


def sure(theirs: dict[str, Callable[[bytes], Any]]) -> None:
    """Stop if the library does not find the faults that it is there to find."""
    line = {"code": "99213", "modifiers": [], "units": 1, "charge": 90}
    good = {"date": "2026-02-04", "type_of_bill": "131", "lines": [line]}
    broken = {
        "DUPLICATE_LINE": professional({**good, "lines": [line, line]}),
        "MODIFIER_59_WITH_X_MODIFIER": professional(
            {**good, "lines": [{**line, "modifiers": ["59", "XS"]}]}
        ),
        "CHARGE_TOTAL_MISMATCH": {**professional(good), "total_charge": 1},
        "INVALID_PLACE_OF_SERVICE": {**professional(good), "place_of_service": "00"},
        "INVALID_PROCEDURE_CODE": professional({**good, "lines": [{**line, "code": "Z9999"}]}),
        "INST_INVALID_BILL_TYPE": {**facility(good), "bill_type_code": "999"},
        "INST_INVALID_REVENUE_CODE": {
            **facility(good),
            "service_lines": [{"revenue_code": "9999"}],
        },
    }
    for setting, write in (("professional", professional), ("facility", facility)):
        found = theirs[setting](json.dumps(write(good)).encode()).findings
        if found:
            raise SystemExit(f"claim-validator finds fault with a good claim: {found}")
    for code, claim in broken.items():
        setting = "facility" if code.startswith("INST") else "professional"
        found = theirs[setting](json.dumps(claim).encode()).findings
        if code not in {one.code for one in found}:
            raise SystemExit(f"claim-validator does not find {code}, but {found}")
