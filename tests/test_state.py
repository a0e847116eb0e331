"""Tables: what a decision wrote is noted, undone and taken as the plain model does it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.errors import BadRequest, CgrError, NotFound
from cgrcore.state import KEY_LIMIT, Effects, State
from tests.oracle import tables as oracle


class Record:
    """A record that changes in place."""

    def __init__(self, value: int) -> None:
        self.value = value

    def copy(self) -> "Record":
        return Record(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("put", "load", "edit", "remove", "get", "require", "in", "list", "wait", "take", "rollback", "undo")
        ),
        st.sampled_from("ab"),
        st.sampled_from("xyz"),
    ),
    max_size=40,
)


@given(STEPS)
def test_every_sequence_of_steps_leaves_what_the_model_does(steps: list[tuple[str, str, str]]) -> None:
    ours, model = State(), oracle.State()
    for number, step in enumerate(steps):
        versions = _versions(ours), _versions(model)
        assert _done(ours, step, number) == _done(model, step, number)
        assert _shown(ours) == _shown(model)
        moved, must_move = (_moved(*both) for both in zip(versions, (_versions(ours), _versions(model)), strict=True))
        assert must_move <= moved


def _versions(state: Any) -> dict[str, int]:
    return {name: table.version for name, table in state.tables.items()}


def _moved(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name, version in after.items() if version != before.get(name, 0)}


def _done(state: Any, step: tuple[str, str, str], number: int) -> Any:
    """Do a step and return what it answers."""
    action, name, key = step
    table = state.table(name)
    try:
        match action:
            case "put":
                return table.put(key, Record(number))
            case "load":
                return table.load({key: Record(number), "x": Record(0)})
            case "edit":
                table.edit(key).value = number
            case "in":
                return key in table
            case "list":
                return list(table), len(table)
            case "wait":
                table.uncommitted[key] = number
            case "take":
                return _effects(state.take())
            case "rollback" | "undo":
                return getattr(state, action)()
            case _:
                return getattr(table, action)(key)
    except CgrError as error:
        return str(error), error.subject, error.subject_id
    return None


def _effects(effects: Any) -> Any:
    return [(name, table.name, key, record) for name, (table, key, record) in effects.before.items()], effects.reason


def _shown(state: Any) -> Any:
    effects = Effects(state.effects.reason)
    effects.before = dict(state.effects.before)
    if isinstance(state.effects, Effects):
        effects.loaded = list(state.effects.loaded)
        effects.unfold()
    tables = {name: (table.records, table.uncommitted) for name, table in state.tables.items()}
    return tables, _effects(effects), bool(state.effects), state.seen_ticket


def test_a_key_beyond_the_limit_is_refused() -> None:
    with pytest.raises(BadRequest):
        State().table("accounts").put("k" * (KEY_LIMIT + 1), 1)


def test_a_missing_record_is_named() -> None:
    with pytest.raises(NotFound) as caught:
        State().table("accounts").require("t:a")
    assert (caught.value.subject, caught.value.subject_id) == ("accounts", "t:a")


def test_a_decision_cannot_begin_on_another_ones_changes() -> None:
    state = State()
    state.table("accounts").put("t:a", 1)
    with pytest.raises(AssertionError):
        state.begin()


def test_what_was_loaded_is_noted_when_the_decision_is_taken() -> None:
    state = State()
    table = state.table("destinations")
    table.put("A", 1)
    state.take()
    table.load({"A": 2, "B": 3, "C": 1})
    table.put("B", 4)
    effects = state.take()
    assert {key: before for key, (_, _, before) in effects.before.items()} == {
        ("destinations", "A"): 1,
        ("destinations", "B"): None,
        ("destinations", "C"): None,
    }


def test_a_key_beyond_the_limit_loads_nothing() -> None:
    state = State()
    with pytest.raises(BadRequest):
        state.table("destinations").load({"A": 1, "k" * (KEY_LIMIT + 1): 1})
    state.rollback()
    assert not state.table("destinations").records
