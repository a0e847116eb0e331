"""Tables that hold a part of their records: decisions find what the plain model, which holds all, finds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.errors import Corrupt, NotFound
from cgrcore.state import NotInMemory, State, Table
from tests.oracle import tables as oracle


class Record:
    """A record that changes in place and is stored as its number."""

    def __init__(self, value: int) -> None:
        self.value = value

    def copy(self) -> "Record":
        return Record(self.value)


def decode(key: str, body: bytes) -> tuple[str, Record]:
    return key, Record(int(body))


class Stored:
    """A table with a store below it, which gets what was decided some decisions later."""

    def __init__(self, limit: int, stored: dict[str, bytes]) -> None:
        self.state = State()
        self.table: Table[Record] = self.state.table("accounts")
        self.table.limit = limit
        self.store = dict(stored)
        self.table.hold(dict(list(stored.items())[:limit]), decode, is_whole=len(stored) <= limit)
        self.unwritten: list[dict[str, bytes | None]] = []

    def decide(self, steps: list[tuple[str, str]], is_kept: bool) -> list[Any]:
        """Make a decision, again and again until it misses nothing; return what its steps answered."""
        wanted: set[str] = set()
        while True:
            self.state.begin()
            try:
                answers = [done(self.table, *step) for step in steps]
                break
            except NotInMemory as missing:
                self.state.rollback()
                if missing.keys is None:
                    self.table.names = set(self.store)
                else:
                    assert not wanted.issuperset(missing.keys), "the attempt got no further"
                    wanted.update(missing.keys)
                    self.table.keep_fetched(missing.keys, {k: self.store[k] for k in missing.keys if k in self.store})
                    self.trim(wanted)
        self.table.names = None
        if is_kept:
            changed = [key for _, key in self.state.take().before]
            records = self.table.records
            self.unwritten.append({key: b"%d" % records[key].value if key in records else None for key in changed})
        else:
            self.state.rollback()
        return answers

    def write(self) -> None:
        """Let the store have what was decided first."""
        if self.unwritten:
            for key, body in self.unwritten.pop(0).items():
                if body is None:
                    self.store.pop(key, None)
                else:
                    self.store[key] = body

    def trim(self, wanted: set[str]) -> None:
        self.table.trim(lambda: [key for batch in self.unwritten for key in batch], lambda: wanted)


def done(table: Any, action: str, key: str) -> Any:
    try:
        match action:
            case "put":
                table.put(key, Record(len(key)))
            case "add":
                table.edit(key).value += 1
            case "get":
                found = table.get(key)
                return found and found.value
            case "remove":
                removed = table.remove(key)
                return removed and removed.value
            case "in":
                return key in table
            case "need":
                getattr(table, "need", list)([key, key + key])
            case "list":
                return sorted(table), len(table)
    except NotFound as error:
        return str(error)
    return None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("put", "add", "get", "remove", "in", "need", "list")),
        st.sampled_from(("a", "bb", "ccc", "dddd", "eeeee", "aa")),
    ),
    min_size=1,
    max_size=5,
)
DECISIONS = st.lists(st.tuples(STEPS, st.booleans(), st.booleans(), st.booleans()), max_size=25)


@given(st.integers(1, 5), st.integers(0, 5), DECISIONS)
def test_decisions_find_what_they_would_if_all_were_in_memory(limit: int, count: int, decisions: Any) -> None:
    stored = {letter * size: b"%d" % size for size, letter in enumerate("abcde"[:count], 1)}
    part, model = Stored(limit, stored), oracle.State()
    whole = model.table("accounts")
    whole.records = {key: Record(int(body)) for key, body in stored.items()}
    for steps, is_kept, is_written, is_trimmed in decisions:
        model.begin()
        expected = [done(whole, *step) for step in steps]
        if is_kept:
            model.take()
        else:
            model.rollback()
        assert part.decide(steps, is_kept) == expected
        if is_written:
            part.write()
        if is_trimmed:
            part.trim(set())
    while part.unwritten:
        part.write()
    part.trim(set())
    assert {key: int(body) for key, body in part.store.items()} == {k: r.value for k, r in whole.records.items()}
    assert len(part.table.records) + len(part.table.older) <= limit


def test_what_was_used_last_goes_last() -> None:
    stored = Stored(3, {})
    for key in ("a", "b", "c"):
        stored.decide([("put", key)], is_kept=True)
        stored.write()
    stored.decide([("put", "d")], is_kept=True)
    stored.write()
    stored.trim(set())
    assert not stored.table.holds("a")
    stored.decide([("get", "b")], is_kept=True)
    stored.decide([("put", "e")], is_kept=True)
    stored.trim(set())
    assert (stored.table.holds("b"), stored.table.holds("c")) == (True, False)


def test_one_that_cannot_be_read_fails_who_uses_it_and_nobody_else() -> None:
    def decode_some(key: str, body: bytes) -> tuple[str, Record]:
        if body == b"?":
            raise Corrupt("a stored record cannot be read")
        return decode(key, body)

    table: Table[Record] = State().table("accounts")
    table.hold({"a": b"?"}, decode_some, is_whole=False)
    table.keep_fetched(("b", "c"), {"b": b"?", "c": b"3"})
    for key in ("a", "b"):
        with pytest.raises(Corrupt):
            table.get(key)
    assert table.require("c").value == 3
