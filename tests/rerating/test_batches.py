"""Batches from elsewhere: what Spark's mapInArrow is given, and the function on the page."""

import re
from pathlib import Path

import cloudpickle
import pyarrow as pa
import pytest
from cgrserver.rerating import Plan, batches_rater
from cgrserver.tariffs import read_folder

from tests.house.sources import ROOT
from tests.rerating.calls import COSTS, ROWS


def test_a_function_that_was_sent_rates_batches_of_plain_columns(plan: Path) -> None:
    sent = cloudpickle.dumps(batches_rater(Plan(read_folder(plan))))
    batch = pa.RecordBatch.from_pylist(ROWS)
    first, second = cloudpickle.loads(sent)(iter([batch, batch.slice(1)]))
    assert ["" if cost is None else str(cost) for cost in first["Cost"].to_pylist()] == COSTS
    assert first.slice(1).equals(second)
    assert [str(kind) for kind in first.schema.types[-4:]] == ["decimal128(18, 9)", "string", "string", "string"]


def test_the_function_on_the_page_does_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "rerating.md").read_text()
    code = re.findall(r"```python\n(.*?)```", page.partition("## As a function")[2], re.S)[0]
    monkeypatch.chdir(ROOT)
    exec(compile(code, "docs/rerating.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "'DestinationID': 'DST_MOBILE'" in printed
    assert printed.endswith(" {}\n")
