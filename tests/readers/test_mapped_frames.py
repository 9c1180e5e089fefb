"""A frame of another layout read by a column map: the same encounters as from its file."""

from __future__ import annotations

import io
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from ivpush.errors import UsageError
from ivpush.frames import check_readings, iter_mapped
from ivpush.readers import ReadOptions, Record
from ivpush.readers.mar.reader import read

EPIC = "epic-mar-admin-info"
TEXT = (
    "MAR_ENC_CSN,ORDER_MED_ID,LINE,MAR_ACTION_NAME,TAKEN_TIME,DESCRIPTION,ROUTE_NAME\n"
    "9001,71,1,New Bag,2026-03-02 10:00:00,ceftriaxone,Intravenous\n"
    "9001,71,2,Stopped,2026-03-02 10:45:00,ceftriaxone,Intravenous\n"
    "9002,72,1,Push,2026-03-02 11:00:00,ondansetron,Intravenous\n"
)


def typed() -> pd.DataFrame:
    frame = pd.read_csv(io.StringIO(TEXT))
    return frame.assign(TAKEN_TIME=pd.to_datetime(frame["TAKEN_TIME"]))


def duck() -> Any:
    return duckdb.from_df(typed()).to_arrow_table()


FRAMES = {
    "pandas": lambda: pd.read_csv(io.StringIO(TEXT)),
    "typed": typed,
    "polars": lambda: pl.read_csv(io.StringIO(TEXT)),
    "arrow": lambda: pa.Table.from_pandas(typed()),
    "duckdb": duck,
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_mapped_frame_gives_the_encounters_of_its_file(name: str) -> None:
    options = ReadOptions(map=EPIC, setting="facility")
    file = [
        x.encounter for x in read("f", io.BytesIO(TEXT.encode()), options) if isinstance(x, Record)
    ]
    readings = list(iter_mapped(FRAMES[name](), map=EPIC, setting="facility"))
    assert [x.encounter for x in readings if isinstance(x, Record)] == file
    (checked,) = check_readings(readings)
    assert checked.encounters.num_rows == 2


def test_claim_lines_and_a_frame_that_does_not_fit() -> None:
    lines = pd.DataFrame({"Claim ID": ["A"], "CPT": ["96374"], "Qty": [1], "DOS": ["3/2/2026"]})
    (record, *_) = [
        x
        for x in iter_mapped(lines, map="claim-lines", setting="facility")
        if isinstance(x, Record)
    ]
    assert (record.encounter.lines or ())[0].code == "96374"
    with pytest.raises(UsageError, match="lacks the column 'MAR_ENC_CSN'"):
        list(iter_mapped(lines, map=EPIC, setting="facility"))
