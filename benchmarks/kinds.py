"""The kinds of visits that instructions are counted for, each as the JSON of some records."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from benchmarks.sample import ready
from ivpush import Encounter, Engine
from ivpush.testing.samples import encounters

CHART = frozenset({"administrations", "primary_administration", "supervision"})
"""What a claim does not hold."""
TIMES = 4
"""How often one visit is counted, where a kind is one visit."""
MANY = 20
"""Visits of the other kinds: counting is some fifty times as slow as checking."""


def kinds_of(engine: Engine) -> dict[str, list[str]]:
    """The records of each kind; the same ones in every run."""
    made = list(encounters(1, 400, engine=engine))
    unstopped = (record for record in made if _asks_for_stop(engine, record))
    return {
        "clean": [ready(engine, 6).raw.decode()] * TIMES,
        "with errors": [ready(engine, 6, wrong=True).raw.decode()] * TIMES,
        "realistic": [json.dumps(record) for record in made[:MANY]],
        "missing stop": [json.dumps(record) for record in islice(unstopped, 4)],
        **{
            f"{setting}, without a chart": [
                json.dumps({key: value for key, value in record.items() if key not in CHART})
                for record in encounters(1, MANY, setting=setting, engine=engine)
            ]
            for setting in ("professional", "facility")
        },
    }


def _asks_for_stop(engine: Engine, record: dict[str, Any]) -> bool:
    # Only a drip without a stop can be one; to ask the engine of every visit takes long here.
    if all(each.get("stop") or each.get("minutes") for each in record["administrations"]):
        return False
    questions = engine.check(Encounter.model_validate(record)).questions
    return any(question.missing.endswith(".stop") for question in questions)
