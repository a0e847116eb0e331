"""Random calls on small credit: what accounts lost is what sessions cost at every moment; errors change nothing."""

from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.errors import CgrError
from cgrcore.rating import EventCost
from cgrcore.sessions import (
    Session,
    activate,
    active_sessions,
    closed_sessions,
    deactivate,
    disconnect,
    end_silent,
    passive_sessions,
)
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, make_account
from tests.sessions.calls import Phone, add_charger, decide, make_world

#: Minutes begun, two slots with a connect fee, a rounded price.
DESTINATIONS = ("4930", "49151", "401")
ACCOUNTS = ("1001", "1002")

requests = st.lists(
    st.tuples(
        st.sampled_from(("update", "update", "update", "terminate", "message", "pause", "silence", "standby", "end")),
        st.integers(0, 2),
        st.integers(0, 200),
        st.none() | st.integers(0, 200),
        st.booleans(),
    ),
    max_size=8,
)


class Exchange:
    """Three calls at a time, paid by their account and a reseller; a new call takes the place of one that ended."""

    def __init__(self) -> None:
        self.world = make_world()
        add_charger(self.world, "reseller", ("*constant:*req.Account:1002",))
        units = balance(self.world, "*voice", "u", 100 * SECOND_NS)
        make_account(self.world, units, balance(self.world, "*monetary", "m", 2))
        make_account(self.world, balance(self.world, "*monetary", "m", 1), name="1002")
        self.names = iter(range(1000))
        self.phones = [self.call(destination) for destination in DESTINATIONS]

    def call(self, destination: str) -> Phone:
        return Phone(self.world, {"*sessionsTTL": "1m"}, OriginID=f"call-{next(self.names)}", Destination=destination)

    def request(self, kind: str, number: int, usage_s: int, last_s: int | None, is_forced: bool) -> None:
        """Make one request. Raises CgrError when it is refused."""
        phone = self.phones[number]
        usage, last = f"{usage_s}s", None if last_s is None else f"{last_s}s"
        if kind == "update":
            phone.update(usage, LastUsed=last, is_forced=is_forced)
        elif kind == "pause":
            phone.options["*sessionsChargeable"] = is_forced
        elif kind == "standby":
            decide(self.world, lambda world: (activate if is_forced else deactivate)(world, []))
        elif kind == "message":
            self.call(DESTINATIONS[number]).message(usage)
        elif kind == "end":
            decide(self.world, lambda world: disconnect(world, "cgrates.org", [], 1))
        elif kind == "silence":
            self.world.now_at += 60 * SECOND_NS
            decide(self.world, lambda world: end_silent(world, phone.cgrid))
        else:
            phone.terminate(usage, LastUsed=last)
        if phone.cgrid in closed_sessions(self.world):
            self.phones[number] = self.call(DESTINATIONS[number])


def sessions(world: World) -> Iterator[Session]:
    for table in (active_sessions(world), passive_sessions(world), closed_sessions(world)):
        yield from table.records.values()


def costs(world: World) -> list[EventCost]:
    return [run.cost for session in sessions(world) for run in session.runs if run.cost is not None]


def total(world: World) -> tuple[int, int]:
    """Return the money and the units that accounts hold and sessions have taken together."""
    money = units = 0
    for name in ACCOUNTS:
        balances = world.state.table("accounts").require(f"cgrates.org:{name}").balances
        money += sum(it.value_nano for it in balances.get("*monetary") or ())
        units += sum(it.value_nano for it in balances.get("*voice") or ())
    for cost in costs(world):
        for charge in cost.charges:
            money += charge.cost_nano * charge.count
            for step in charge.steps:
                if step.payer is not None and step.payer.unit_uuid:
                    units += int(step.payer.consumed) * 10**9 * step.count * charge.count
    return money, units


def picture(world: World) -> list[Any]:
    accounts = [world.state.table("accounts").require(f"cgrates.org:{name}").encode() for name in ACCOUNTS]
    return [*accounts, *sorted(msgspec.msgpack.encode(session) for session in sessions(world))]


@settings(max_examples=60, deadline=None)
@given(requests)
def test_what_accounts_lost_is_what_sessions_cost(made: list[tuple[str, int, int, int | None, bool]]) -> None:
    exchange = Exchange()
    before = total(exchange.world)
    for request in made:
        try:
            exchange.request(*request)
        except CgrError:
            continue
        finally:
            assert total(exchange.world) == before, request


@settings(max_examples=30, deadline=None)
@given(requests)
def test_a_request_that_is_refused_changes_nothing(made: list[tuple[str, int, int, int | None, bool]]) -> None:
    exchange = Exchange()
    for request in made:
        before = picture(exchange.world)
        try:
            exchange.request(*request)
        except CgrError as error:
            assert error.keeps_changes or picture(exchange.world) == before, request


@settings(max_examples=30, deadline=None)
@given(requests)
def test_sessions_survive_the_store_at_every_moment(made: list[tuple[str, int, int, int | None, bool]]) -> None:
    exchange = Exchange()
    for request in made:
        try:
            exchange.request(*request)
        except CgrError:
            continue
    for session in sessions(exchange.world):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(session), type=Session) == session
