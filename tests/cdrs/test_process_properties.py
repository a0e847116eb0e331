"""Random sessions and CDRs, rerated and refunded while prices change: accounts have lost what calls cost, always."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.cdrs import Switches
from cgrcore.errors import CgrError
from cgrcore.rating import EventCost, PlanRate, RatingPlan
from cgrcore.sessions import active_sessions, closed_sessions
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import RATINGS, balance, make_account, per_minute, plan_rate
from tests.cdrs.arriving import Office
from tests.sessions.calls import Phone, make_world

STEPS = {
    "take": Switches(store=True, rals=True, chargers=True),
    "rerate": Switches(store=True, rals=True, rerate=True, refund=True, reprocess=True, chargers=True),
    "refund": Switches(store=True, refund=True, reprocess=True, chargers=True),
}
DESTINATIONS = ("4940", "4930", "49151", "401")
#: The last is not paid by anybody.
REQUEST_TYPES = ("*prepaid", "*postpaid", "*prepaid", "*rated")
CREDIT = 5

requests = st.lists(
    st.tuples(
        st.sampled_from(("take", "rerate", "rerate", "refund", "begin", "begin", "end", "price")),
        st.sampled_from((0, 0, 0, 1, 2, 3)),
        st.integers(0, 300),
    ),
    max_size=10,
)


def exchange() -> tuple[Office, list[Phone]]:
    world = make_world()
    units = balance(world, "*voice", "u", 100 * SECOND_NS)
    make_account(world, units, balance(world, "*monetary", "m", CREDIT))
    phones = [
        Phone(world, OriginID=it, Destination=it, RequestType=request_type)
        for it, request_type in zip(DESTINATIONS, REQUEST_TYPES, strict=True)
    ]
    return Office(world), phones


def change_the_price(world: World, cents: int) -> None:
    ratings = {**RATINGS, "49": per_minute(f"0.{cents + 1:03}")}
    rates: dict[str, tuple[PlanRate, ...]] = {
        f"DST_{prefix}": (plan_rate(rating),) for prefix, rating in ratings.items()
    }
    world.state.table("rating_plans").put("RP", RatingPlan("RP", rates))
    world.state.take()


def request(office: Office, phone: Phone, kind: str, usage_s: int) -> None:
    usage = f"{usage_s}s"
    if kind == "price":
        change_the_price(office.world, usage_s)
    elif kind == "begin":
        if (phone.cgrid, "*default") not in office.stored.cdrs:
            phone.update(usage)
    elif kind == "end":
        if phone.is_active:
            phone.terminate(usage)
    else:
        office.take(phone.event(usage), switches=STEPS[kind])


def lost(world: World) -> tuple[int, int]:
    """Return the money and the units that the account has given."""
    balances = world.state.table("accounts").require("cgrates.org:1001").balances
    money = sum(it.value_nano for it in balances["*monetary"] or ())
    units = sum(it.value_nano for it in balances["*voice"] or ())
    return CREDIT * 10**9 - money, 100 * SECOND_NS * 10**9 - units


def costs(office: Office) -> Iterator[EventCost]:
    """Yield what calls cost by their CDR or, while there is none, by their session."""
    for cdr in office.stored.cdrs.values():
        if cdr.request_type != "*rated" and cdr.cost_details is not None:
            yield cdr.cost_details
    for table in (active_sessions(office.world), closed_sessions(office.world)):
        for session in table.records.values():
            for run in session.runs:
                if run.cost is not None and (session.cgrid, run.run_id) not in office.stored.cdrs:
                    yield run.cost


def told(office: Office) -> tuple[int, int]:
    """Return the money and the units that calls have taken by their costs."""
    money = units = 0
    for cost in costs(office):
        for it in cost.increments():
            money += it.cost_nano * it.count
            if it.paid is not None and it.paid.unit is not None:
                units += it.paid.unit.consumed_nano * it.count
    return money, units


@settings(max_examples=60, deadline=None)
@given(requests)
def test_accounts_have_lost_what_calls_cost(made: list[tuple[str, int, int]]) -> None:
    office, phones = exchange()
    for kind, number, usage_s in made:
        try:
            request(office, phones[number], kind, usage_s)
        except CgrError:
            continue
        finally:
            assert lost(office.world) == told(office), kind


@settings(max_examples=30, deadline=None)
@given(requests)
def test_refunding_every_cdr_restores_the_account(made: list[tuple[str, int, int]]) -> None:
    office, phones = exchange()
    for kind, number, usage_s in made:
        try:
            request(office, phones[number], kind, usage_s)
        except CgrError:
            continue
    for phone in phones[:3]:
        if (phone.cgrid, "*default") not in office.stored.cdrs:
            office.take(phone.event("7s"), switches=STEPS["take"])
        if office.cdr(phone).cost_details is not None:
            request(office, phone, "refund", 7)
    assert lost(office.world) == (0, 0)
