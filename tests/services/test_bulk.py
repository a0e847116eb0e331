"""Generated CDRs are rated exactly, and always the same."""

from pathlib import Path

import pytest
from cgrserver.bulk import generate, load_plan, rate_generated

from cgrcore.errors import NotFound
from cgrcore.rating import call_at, quote, rate_columns, tariff_of

PLAN = Path(__file__).resolve().parents[2] / "tariffplans" / "fosdem"


def test_a_thousand_generated_calls_cost_what_they_cost_by_themselves() -> None:
    world = load_plan(PLAN)
    columns = generate(world, 1000)
    costs = rate_columns(tariff_of(world), columns)
    alone = [quote(world, call_at(columns, row)).cost_nano for row in range(1000)]
    assert costs.costs_nano.tolist() == alone
    assert costs.quoted_count < 10


def test_the_same_count_gives_the_same_total() -> None:
    first, second = rate_generated(PLAN, 5000), rate_generated(PLAN, 5000)
    assert (first.rated_count, first.total) == (second.rated_count, second.total)
    assert first.rated_count == 5000


def test_a_plan_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        rate_generated(tmp_path / "none", 1)
