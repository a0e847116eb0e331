"""A line of the ledger tells what it was made of, whatever it keeps that in."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.errors import BadRequest
from cgrcore.ports import LedgerLine

AMOUNTS = st.integers(-(10**36), 10**36)
UUIDS = st.one_of(st.uuids().map(str), st.text(max_size=40), st.uuids().map(lambda it: str(it).upper()))


@given(UUIDS, AMOUNTS, AMOUNTS, st.integers(-(2**63), 2**63 - 1))
def test_a_line_tells_what_it_was_made_of(balance_uuid: str, before_nano: int, after_nano: int, at: int) -> None:
    line = LedgerLine("t:a", balance_uuid, "main", "*data", before_nano, after_nano, "why", at, "key", 7)
    assert (line.account_id, line.balance_uuid, line.balance_id, line.balance_type) == (
        "t:a",
        balance_uuid,
        "main",
        "*data",
    )
    assert (line.before_nano, line.after_nano, line.amount_nano) == (before_nano, after_nano, after_nano - before_nano)
    assert (line.reason, line.at, line.idempotency_key, line.line_id) == ("why", at, "key", 7)


def test_lines_that_tell_the_same_are_equal() -> None:
    fields = ("t:a", str(uuid.UUID(int=1)), "main", "*monetary", 3, 2, "why", 5)
    assert LedgerLine(*fields) == LedgerLine(*fields)
    assert hash(LedgerLine(*fields)) == hash(LedgerLine(*fields))


def test_lines_that_tell_of_other_values_are_not_equal() -> None:
    line = LedgerLine("t:a", "u", "main", "*monetary", 3, 2, "why", 5)
    assert line != LedgerLine("t:a", "u", "main", "*monetary", 3, 1, "why", 5)


def test_a_numbered_line_differs_by_its_number_alone() -> None:
    line = LedgerLine("t:a", "u", "main", "*monetary", 3, 2, "why", 5, "key")
    assert line.numbered(9) == LedgerLine("t:a", "u", "main", "*monetary", 3, 2, "why", 5, "key", 9)
    assert line.line_id == 0


def test_a_line_cannot_be_changed() -> None:
    line = LedgerLine("t:a", "u", "main", "*monetary", 3, 2, "why", 5)
    with pytest.raises(AttributeError):
        line.reason = "other"  # type: ignore[misc]


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(BadRequest, match="number out of range"):
        LedgerLine("t:a", "u", "main", "*monetary", 0, 10**36 + 1, "why", 5)
