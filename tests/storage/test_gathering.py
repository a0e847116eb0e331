"""Ledger lines of decisions, and batches of many."""

from typing import Any

import pytest
from cgrserver.storage.gathering import Gathering, decimal_text, ledger_lines
from cgrserver.storage.tables import Codecs
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.accounting.records import Account, Balance
from cgrcore.cdrs.records import Cdr
from cgrcore.errors import Corrupt
from cgrcore.money import format_nano, parse_nano
from cgrcore.ports import Answer
from cgrcore.world import World
from tests.oracle.ledger import changes, values
from tests.storage.conftest import balance, put_account

AMOUNTS = st.integers(-(10**30), 10**30) | st.integers(-3, 3)
BALANCES = st.dictionaries(
    st.sampled_from(["*monetary", "*voice", "*data"]),
    st.none() | st.dictionaries(st.sampled_from("abcd"), AMOUNTS, max_size=4),
    max_size=3,
)


def account(balances: dict[str, dict[str, int] | None]) -> Account:
    return Account(
        "t:a",
        {
            kind: None if held is None else [Balance(uuid=u, id=u, type=kind, value_nano=v) for u, v in held.items()]
            for kind, held in balances.items()
        },
    )


@given(st.none() | BALANCES, st.none() | BALANCES)
def test_the_lines_are_exactly_the_changes(old: Any, new: Any) -> None:
    before, after = (None if held is None else account(held) for held in (old, new))
    lines: list[Any] = []
    ledger_lines("t:a", before, after, ("why", 5, "key"), lines)
    found = {(line.balance_type, line.balance_uuid): (line.before_nano, line.after_nano) for line in lines}
    assert found == changes(before, after)
    assert len(found) == len(lines)


@given(st.lists(st.none() | BALANCES, max_size=6))
def test_the_amounts_of_all_lines_add_up_to_what_the_account_holds(states: list[Any]) -> None:
    lines: list[Any] = []
    before = None
    for held in states:
        after = None if held is None else account(held)
        ledger_lines("t:a", before, after, ("why", 5, ""), lines)
        before = after
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        name = line.balance_type, line.balance_uuid
        sums[name] = sums.get(name, 0) + line.amount_nano
    assert {name: total for name, total in sums.items() if total} == {n: v for n, v in values(before).items() if v}


def test_a_line_says_why_when_and_under_which_key() -> None:
    lines: list[Any] = []
    ledger_lines("t:a", None, account({"*monetary": {"u": 5}}), ("SessionSv1.UpdateSession", 7, "key"), lines)
    assert (lines[0].reason, lines[0].at, lines[0].idempotency_key) == ("SessionSv1.UpdateSession", 7, "key")


@given(st.integers(-(10**36), 10**36) | st.integers(-(2**64), 2**64))
def test_a_decimal_text_is_what_money_says(amount_nano: int) -> None:
    assert decimal_text(amount_nano) == format_nano(amount_nano)
    assert parse_nano(decimal_text(amount_nano)) == amount_nano


def test_a_record_touched_by_many_decisions_is_encoded_once(world: World, codecs: Codecs) -> None:
    gathering = Gathering(codecs)
    for value in (1, 2, 3):
        world.state.begin()
        put_account(world, "t:a", balance("u", value))
        gathering.take(world.state.take(), now_at=value)
    batch = gathering.close()
    assert len(batch.records["accounts"]) == 1
    assert [(line.before_nano, line.after_nano) for line in batch.ledger] == [(0, 1), (1, 2), (2, 3)]


def test_a_record_removed_in_the_end_is_removed(world: World, codecs: Codecs) -> None:
    gathering = Gathering(codecs)
    world.state.begin()
    world.state.table("marks").put("k", 1)
    gathering.take(world.state.take(), now_at=1)
    world.state.begin()
    world.state.table("marks").remove("k")
    gathering.take(world.state.take(), now_at=2)
    assert gathering.close().records == {"marks": [("k", None)]}


def test_the_answer_put_by_a_decision_marks_its_lines(world: World, codecs: Codecs) -> None:
    gathering = Gathering(codecs)
    world.state.begin("AddBalance")
    put_account(world, "t:a", balance("u", 1))
    world.state.table("answers").put("request-1", Answer(b"OK", 1))
    gathering.take(world.state.take(), now_at=1)
    assert [line.idempotency_key for line in gathering.close().ledger] == ["request-1"]


def test_a_table_that_is_not_stored_is_left_out(world: World, codecs: Codecs) -> None:
    gathering = Gathering(codecs)
    world.state.begin()
    world.state.table("caches").put("k", object())
    gathering.take(world.state.take(), now_at=1)
    assert gathering.close().records == {}


def test_a_table_nobody_declared_is_an_error_that_leaves_nothing(world: World, codecs: Codecs) -> None:
    gathering = Gathering(codecs)
    world.state.begin()
    put_account(world, "t:a", balance("u", 1))
    world.state.table("forgotten").put("k", 1)
    with pytest.raises(Corrupt, match="forgotten"):
        gathering.take(world.state.take(), now_at=1)
    batch = gathering.close()
    assert (gathering.size, batch.records, batch.ledger) == (0, {}, [])


def test_the_last_word_on_a_cdr_counts(world: World, codecs: Codecs) -> None:
    gathering = Gathering(codecs)
    world.state.begin()
    for operation, cdr in (
        ("insert", Cdr(cgrid="a", cost_nano=1)),
        ("update", Cdr(cgrid="a", cost_nano=2)),
        ("insert", Cdr(cgrid="b")),
        ("delete", Cdr(cgrid="b")),
        ("delete", Cdr(cgrid="c")),
        ("insert", Cdr(cgrid="c", cost_nano=3)),
    ):
        world.state.effects.rows.append(("cdrs", operation, cdr))
    gathering.take(world.state.take(), now_at=1)
    batch = gathering.close()
    assert [(cdr.cgrid, cdr.cost_nano) for cdr in batch.cdrs] == [("a", 2), ("c", 3)]
    assert batch.removed_cdrs == [("b", "*default")]


def test_records_that_are_loaded_together_are_kept_like_others(world: World, codecs: Codecs) -> None:
    gathering = Gathering(codecs)
    world.state.begin()
    world.state.table("marks").load({"a": 1, "b": 2})
    gathering.take(world.state.effects, now_at=1)  # as the dispatcher does: before the decision is closed
    world.state.take()
    assert [key for key, _ in gathering.close().records["marks"]] == ["a", "b"]
