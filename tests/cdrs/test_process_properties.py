"""Random CDRs, rerated and refunded while prices change: accounts have lost what the stored CDRs cost, always."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.cdrs import Switches
from cgrcore.errors import CgrError
from cgrcore.rating import PlanRate, RatingPlan
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
        st.sampled_from(("take", "rerate", "rerate", "refund", "session", "session", "price")),
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
    elif kind != "session":
        office.take(phone.event(usage), switches=STEPS[kind])
    elif (phone.cgrid, "*default") not in office.stored.cdrs:
        phone.terminate(usage)
        office.take(phone.event(usage), switches=STEPS["take"])


def lost(world: World) -> tuple[int, int]:
    """Return the money and the units that the account has given."""
    balances = world.state.table("accounts").require("cgrates.org:1001").balances
    money = sum(it.value_nano for it in balances["*monetary"] or ())
    units = sum(it.value_nano for it in balances["*voice"] or ())
    return CREDIT * 10**9 - money, 100 * SECOND_NS * 10**9 - units


def told(office: Office) -> tuple[int, int]:
    """Return the money and the units that the stored CDRs say were taken."""
    money = units = 0
    for cdr in office.stored.cdrs.values():
        if cdr.request_type == "*rated" or cdr.cost_details is None:
            continue
        for it in cdr.cost_details.increments():
            money += it.cost_nano * it.count
            if it.paid is not None and it.paid.unit is not None:
                units += it.paid.unit.consumed_nano * it.count
    return money, units


@settings(max_examples=60, deadline=None)
@given(requests)
def test_accounts_have_lost_what_the_stored_cdrs_cost(made: list[tuple[str, int, int]]) -> None:
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
        if (phone.cgrid, "*default") in office.stored.cdrs and office.cdr(phone).cost_details is not None:
            request(office, phone, "refund", 1)
    assert lost(office.world) == (0, 0)
