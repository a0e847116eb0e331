"""What is remembered of calls that have ended, and what a CDR that comes late is charged."""

from cgrcore.cdrs import StoredCdrs, forget_closed, process_session_cdr
from cgrcore.cdrs.records import SessionCost
from cgrcore.chargers import ChargerProfile
from cgrcore.event import CgrEvent
from cgrcore.sessions import closed_sessions, initiate, terminate
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, make_account, make_world, money

EVENT = {
    "Account": "1001",
    "Destination": "4912345",
    "OriginID": "late",
    "RequestType": "*prepaid",
    "AnswerTime": "2024-03-12T09:30:00Z",
    "Usage": 60 * SECOND_NS,
}


def event() -> CgrEvent:
    return CgrEvent(tenant="cgrates.org", id="1", at=None, event=dict(EVENT), options={})


def ended_call() -> World:
    """A world in which a minute was paid (0.6 of 10), its session forgotten before the CDR came."""
    world = make_world()
    charger = ChargerProfile("cgrates.org", "DEFAULT", run_id="*default", attribute_ids=("*none",))
    world.state.table("chargers").put("cgrates.org:DEFAULT", charger)
    make_account(world, balance(world, "*monetary", "main", 10))
    initiate(world, event())
    terminate(world, event())
    world.state.take()
    forget_closed(world, world.now_at + 1)
    return world


def kept_costs(world: World) -> list[SessionCost]:
    return [row for journal, _, row in world.state.effects.rows if journal == "session_costs"]


def test_a_session_is_forgotten_after_its_time() -> None:
    assert len(closed_sessions(ended_call())) == 0


def test_the_cost_of_a_forgotten_session_is_kept_for_its_cdr() -> None:
    assert [cost.usage_ns for cost in kept_costs(ended_call())] == [60 * SECOND_NS]


def test_a_late_cdr_charges_nothing() -> None:
    world = ended_call()
    stored = StoredCdrs(session_costs={(cost.cgrid, cost.run_id): cost for cost in kept_costs(world)})
    world.state.take()
    process_session_cdr(world, event(), stored)
    (main,) = world.state.table("accounts").require("cgrates.org:1001").balances["*monetary"]
    assert main.value_nano == money("9.4")


def test_a_late_cdr_has_the_cost_of_its_session() -> None:
    world = ended_call()
    stored = StoredCdrs(session_costs={(cost.cgrid, cost.run_id): cost for cost in kept_costs(world)})
    world.state.take()
    process_session_cdr(world, event(), stored)
    ((_, _, cdr),) = world.state.effects.rows
    assert (cdr.cost_nano, cdr.cost_source) == (money("0.6"), "*sessions")
