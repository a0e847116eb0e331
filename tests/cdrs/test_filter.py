"""What the fields of a CDR query mean."""

from decimal import Decimal
from typing import Any

import pytest

from cgrcore.cdrs.filter import CdrFilter, Range, filter_from_legacy, filter_from_wire, filter_of_internal
from cgrcore.cdrs.records import Cdr
from cgrcore.errors import BadRequest
from cgrcore.money import NANO
from cgrcore.timing import Moment

HOUR_NS = 3_600_000_000_000


def found(wire: dict[str, Any], *cdrs: Cdr) -> list[str]:
    return [cdr.cgrid for cdr in filter_from_wire(wire, now_at=0).select(cdrs)]


def by_cost(**costs: int | None) -> list[Cdr]:
    return [Cdr(cgrid=name, order_id=i, cost_nano=cost) for i, (name, cost) in enumerate(costs.items())]


RATED = by_cost(free=0, cheap=NANO // 10, dear=9 * NANO, failed=None)


def test_an_empty_filter_means_all() -> None:
    assert filter_from_wire({"CGRIDs": [], "OrderBy": "", "Limit": None}, now_at=0) == CdrFilter()


def test_conditions_hold_together() -> None:
    cdrs = [Cdr(cgrid="a", account="1", tor="*sms"), Cdr(cgrid="b", account="1"), Cdr(cgrid="c", tor="*sms")]
    assert found({"Accounts": ["1"], "ToRs": ["*sms"]}, *cdrs) == ["a"]


def test_a_cost_of_minus_one_means_none() -> None:
    assert found({"Costs": [-1]}, *RATED) == ["failed"]
    assert found({"NotCosts": [Decimal(-1)]}, *RATED) == ["free", "cheap", "dear"]


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [
        ({"MinCost": Decimal("0.1")}, ["cheap", "dear"]),
        ({"MaxCost": 9}, ["free", "cheap", "failed"]),
        ({"MinCost": 0, "MaxCost": -1}, ["free", "cheap", "dear"]),
        ({"MaxCost": -1}, ["failed"]),
        ({"MinCost": "0.1", "MaxCost": "9"}, ["cheap"]),
    ],
    ids=str,
)
def test_costs_are_bounded(extra: dict[str, Any], wanted: list[str]) -> None:
    assert found({"ExtraArgs": extra}, *RATED) == wanted


def test_order_ids_are_half_open() -> None:
    assert found({"ExtraArgs": {"OrderIDStart": 1, "OrderIDEnd": 3}}, *RATED) == ["cheap", "dear"]


def test_instants_are_half_open() -> None:
    cdrs = [Cdr(cgrid=str(hour), order_id=hour, setup_time=Moment(hour * HOUR_NS, 0)) for hour in range(4)]
    times = {"SetupTimeStart": "1970-01-01T01:00:00Z", "SetupTimeEnd": "1970-01-01T03:00:00Z"}
    assert found(times, *cdrs) == ["1", "2"]


def test_every_named_extra_field_must_be_there() -> None:
    cdrs = [Cdr(cgrid="a", extra_fields={"x": "1", "y": "2"}), Cdr(cgrid="b", extra_fields={"x": "1"})]
    assert found({"ExtraFields": {"x": "1", "y": "*exists"}}, *cdrs) == ["a"]
    assert found({"NotExtraFields": {"y": "*exists"}}, *cdrs) == ["b"]


def test_equal_keys_are_in_the_order_of_arrival() -> None:
    cdrs = [Cdr(cgrid=name, order_id=i, usage_ns=5) for i, name in enumerate("abc", 1)]
    assert found({"OrderBy": "Usage;desc"}, *cdrs) == ["a", "b", "c"]


def test_pages_do_not_overlap() -> None:
    cdrs = [Cdr(cgrid=str(i), order_id=i) for i in range(5)]
    pages = [found({"Limit": 2, "Offset": offset}, *cdrs) for offset in (0, 2, 4)]
    assert pages == [["0", "1"], ["2", "3"], ["4"]]


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ({"OrderBy": "Account"}, "Invalid value : Account"),
        ({"MinUsage": "bad"}, 'time: invalid duration "bad"'),
        ({"SetupTimeStart": "bad"}, "Unsupported time format"),
        ({"ExtraArgs": {"MinCost": "x"}}, "expected a decimal number"),
        ({"ExtraArgs": {"OrderIDStart": "x"}}, "expected a whole number"),
        ({"ExtraArgs": {"MinCost": [1]}}, "expected a finite decimal number"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(BadRequest, match=text):
        filter_from_wire(wire, now_at=0)


def test_the_store_in_memory_includes_ends() -> None:
    criteria = filter_of_internal({"MaxUsage": "60", "AnswerTimeEnd": "1970-01-01T00:00:01Z"}, now_at=0)
    assert criteria.ranges == {"usage_ns": Range(None, 61), "answer_at": Range(None, 1_000_000_001)}


def test_the_store_in_memory_takes_an_end_of_setup_for_a_start() -> None:
    assert filter_of_internal({"SetupTimeEnd": "1970-01-01T00:00:01Z"}, 0).ranges == {"setup_at": Range(1_000_000_000)}


def test_the_store_in_memory_does_not_see_when_a_cdr_was_stored() -> None:
    assert filter_of_internal({"CreatedAtEnd": "2020-01-01T00:00:00Z"}, 0) == CdrFilter()


def test_the_older_filter_says_the_same_in_other_words() -> None:
    legacy = {"CgrIds": ["a"], "TORs": ["*sms"], "TimeEnd": "1970-01-01T00:00:01Z", "OrderIdStart": 3, "Limit": 2}
    modern = {
        "CGRIDs": ["a"],
        "ToRs": ["*sms"],
        "AnswerTimeEnd": "1970-01-01T00:00:01Z",
        "ExtraArgs": {"OrderIDStart": 3},
        "Limit": 2,
    }
    assert filter_from_legacy(legacy, 0) == filter_from_wire(modern, 0)


def test_the_older_filter_skips_errors_or_what_is_rated() -> None:
    assert [cdr.cgrid for cdr in filter_from_legacy({"SkipErrors": True}, 0).select(RATED)] == ["free", "cheap", "dear"]
    assert [cdr.cgrid for cdr in filter_from_legacy({"SkipRated": True}, 0).select(RATED)] == ["failed"]
