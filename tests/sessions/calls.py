"""Calls as a switch tells of them, for the tests of sessions and CDRs: every request is one decision on a world.

The tariff is that of `tests.accounting.small_world`: 49 costs 0.01 a second, 4930 0.24 a minute begun.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from cgrcore.chargers import ChargerProfile
from cgrcore.errors import CgrError
from cgrcore.event import CgrEvent
from cgrcore.sessions import (
    Session,
    active_sessions,
    authorise,
    cgrid_of,
    closed_sessions,
    initiate,
    message,
    terminate,
    update,
)
from cgrcore.timing import format_time
from cgrcore.world import World
from tests.accounting import small_world
from tests.accounting.small_world import START_AT, values

T = TypeVar("T")


def make_world() -> World:
    """Return the small world with one charger, which charges events as they are."""
    world = small_world.make_world()
    world.now_at = START_AT
    add_charger(world, "*default")
    return world


def add_charger(world: World, run_id: str, attributes: tuple[str, ...] = ("*none",)) -> None:
    profile = ChargerProfile("cgrates.org", f"CH{run_id}", run_id=run_id, attribute_ids=attributes)
    world.state.table("chargers").put(f"cgrates.org:{profile.id}", profile)
    world.state.take()


def decide(world: World, decision: Callable[[World], T]) -> T:
    """Make a decision as the dispatcher does: an error undoes it, unless it keeps changes; what follows it is done."""
    world.state.begin("test")
    try:
        result = decision(world)
    except CgrError as error:
        if error.keeps_changes:
            world.state.take()
        else:
            world.state.rollback()
        raise
    for follow in world.state.take().after:
        follow()
    return result


class Phone:
    """One call. Its methods are the requests of its switch; they return what each run was granted (ns)."""

    def __init__(self, world: World, options: dict[str, Any] | None = None, **fields: Any) -> None:
        self.world = world
        self.options = options or {}
        self.fields = {
            "ToR": "*voice",
            "OriginID": "call-1",
            "OriginHost": "switch",
            "RequestType": "*prepaid",
            "Tenant": "cgrates.org",
            "Category": "call",
            "Account": "1001",
            "Destination": "4940",
            "SetupTime": format_time(START_AT),
            "AnswerTime": format_time(START_AT),
            **fields,
        }

    def event(self, usage: str | None = None, **fields: Any) -> CgrEvent:
        given = {**self.fields, **fields} | ({} if usage is None else {"Usage": usage})
        return CgrEvent("cgrates.org", "event", None, given, dict(self.options))

    def authorise(self, usage: str | None = None, **fields: Any) -> dict[str, int]:
        return decide(self.world, lambda world: authorise(world, self.event(usage, **fields)))

    def initiate(self, usage: str | None = None, *, is_forced: bool = False, **fields: Any) -> dict[str, int]:
        return decide(self.world, lambda world: initiate(world, self.event(usage, **fields), is_forced=is_forced))

    def update(self, usage: str | None = None, *, is_forced: bool = False, **fields: Any) -> dict[str, int]:
        return decide(self.world, lambda world: update(world, self.event(usage, **fields), is_forced=is_forced))

    def terminate(self, usage: str | None = None, **fields: Any) -> None:
        decide(self.world, lambda world: terminate(world, self.event(usage, **fields)))

    def message(self, usage: str | None = None, **fields: Any) -> dict[str, int]:
        return decide(self.world, lambda world: message(world, self.event(usage, **fields)))

    @property
    def cgrid(self) -> str:
        return cgrid_of(self.fields)

    @property
    def is_active(self) -> bool:
        return self.cgrid in active_sessions(self.world)

    @property
    def session(self) -> Session:
        """The call's session, under way or over."""
        found = active_sessions(self.world).get(self.cgrid) or closed_sessions(self.world).get(self.cgrid)
        assert found is not None
        return found


def held(world: World, name: str = "1001") -> dict[str, str]:
    """Return what an account holds now, by balance id, as plain numbers."""
    return values(world.state.table("accounts").require(f"cgrates.org:{name}"))
