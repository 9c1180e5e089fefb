"""Spark on this machine: what it answers is what the engine answers. Needs a Java runtime."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine, UsageError, spark

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = [
    json.loads(one.read_text("utf-8")) for one in sorted((ROOT / "examples").glob("*.json"))
]

# The libraries warn about one another's versions; none of it is ours.
pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    before = {
        key: os.environ.get(key) for key in ("PYTHONPATH", "PYSPARK_PYTHON", "SPARK_LOCAL_IP")
    }
    os.environ |= {
        "PYTHONPATH": str(ROOT / "src"),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    made = (
        SparkSession.builder.master("local[2]")
        .appName("ivpush")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "3")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield made
    made.stop()
    for key, value in before.items():
        if value is None:
            os.environ.pop(key)
        else:
            os.environ[key] = value


def rows() -> list[tuple[int, Any]]:
    texts: list[Any] = [json.dumps({**one, "id": f"E{n}"}) for n, one in enumerate(EXAMPLES * 2)]
    texts += ["{", None, json.dumps({"id": "SECRET"})]
    return list(enumerate(texts))


def test_spark_answers_what_the_engine_answers(session: Any) -> None:
    given = rows()
    frame = session.createDataFrame(given, "number int, encounter string").repartition(4)
    made = spark.check(frame, payer="medicare", keep=["number"])
    assert made.columns == ["number", *spark.COLUMNS]
    got = {one["number"]: one for one in made.collect()}
    assert len(got) == len(given)
    engine = Engine(payer="medicare")
    for number, text in given[:-3]:
        result = engine.check(Encounter.model_validate_json(text))
        row = got[number]
        assert row["result"].encode() == result.to_json()
        assert (row["id"], row["status"], row["reason"]) == (result.encounter, result.status, None)
        assert row["errors"] == sum(one.severity == "error" for one in result.violations)
        assert row["errors"] + row["warnings"] + row["infos"] == len(result.violations)
        assert row["rules"] == sorted({one.rule for one in result.violations})
        assert [one.partition("-")[0].partition(" ")[0] for one in row["suggested"]] == [
            one.code for one in result.suggested
        ]
        assert row["questions"] == len(result.questions)
        assert row["pack_version"] == engine.pack.version
    for number, _ in given[-3:]:
        assert got[number]["result"] is None and got[number]["reason"]
        assert "SECRET" not in got[number]["reason"]


def test_what_does_not_exist_is_told_before_anything_runs(session: Any) -> None:
    frame = session.createDataFrame([(1, "{}")], "status int, encounter string")
    for more, said in (
        ({"column": "none"}, "column none: is not in the DataFrame"),
        ({"keep": ["status"]}, "column status: is also a column of the results"),
        ({"policies": {"nonsense": "1"}}, "policy nonsense"),
        ({"payer": "medicaer"}, "payer: has no overlay in this pack; did you mean 'medicare'"),
        ({"setting": "hospital"}, "setting: does not exist"),
        ({"timezone": "Mars"}, "timezone: is not a known zone"),
    ):
        with pytest.raises(UsageError, match=said):
            spark.check(frame, **more)


def test_what_is_no_frame_of_spark_is_told(session: Any) -> None:
    with pytest.raises(UsageError, match="df: is no DataFrame of Spark; give one"):
        spark.check([1])
    with pytest.raises(UsageError, match="packs: is of the type str"):
        spark.check(session.createDataFrame([("{}",)], "encounter string"), packs="ours")


def test_the_schema_is_the_one_that_is_documented(session: Any) -> None:
    frame = session.createDataFrame([("{}",)], "encounter string")
    made = spark.check(frame)
    assert {one.name: one.dataType.simpleString() for one in made.schema.fields} == spark.COLUMNS


def test_an_engine_is_built_once_a_process() -> None:
    import pyarrow as pa

    batch = pa.RecordBatch.from_pydict({"encounter": [json.dumps(one) for one in EXAMPLES]})
    text = json.dumps(
        {"payer": None, "policies": {}, "packs": [], "setting": None, "timezone": None}
    )
    (first,) = spark.judge([batch], text, ())
    built = dict(spark._engines)
    (second,) = spark.judge([batch], text, ())
    assert spark._engines == built
    assert first.equals(second)
    assert first.num_rows == len(EXAMPLES)


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match=r"needs pyspark; write pip install 'ivpush\[spark\]'"):
        spark.check(None)
