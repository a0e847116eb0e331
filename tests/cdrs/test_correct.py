"""Correcting costs: the difference moves once, and what cannot be told apart is left alone."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.cdrs import Cdr, Correction, correct_cdr
from cgrcore.cdrs.changed import CHANGED
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, make_account, money
from tests.cdrs.arriving import Office
from tests.cdrs.test_process import REFUNDED
from tests.house.sources import ROOT
from tests.sessions.calls import Phone, held, make_world


def _correct(office: Office, phone: Phone, cost: str, *, is_dry_run: bool = False) -> Correction:
    """Correct the stored CDR of a call as one decision."""
    world = office.world
    world.state.begin("test")
    found = office.stored.cdrs.get((phone.cgrid, "*default"))
    done = correct_cdr(world, found, money(cost), money(cost), is_dry_run=is_dry_run)
    office.keep(world.state.take().rows)
    return done


@pytest.fixture
def charged(office: Office, phone: Phone) -> Cdr:
    """A CDR of a minute that cost 0.6; the account has 9.4 left."""
    office.take(phone.event("60s"))
    return office.cdr(phone)


def test_a_dearer_call_takes_the_difference(office: Office, phone: Phone, charged: Cdr) -> None:
    done = _correct(office, phone, "0.75")
    assert (done.status, done.account_id, done.difference_nano) == ("POSTED", "cgrates.org:1001", money("0.15"))
    assert held(office.world) == {"m": "9.25"}


def test_a_cheaper_call_gives_the_difference_back(office: Office, phone: Phone, charged: Cdr) -> None:
    done = _correct(office, phone, "0.5")
    assert (done.status, done.difference_nano) == ("POSTED", -money("0.1"))
    assert held(office.world) == {"m": "9.5"}


def test_the_cdr_has_the_new_cost_and_the_step_that_makes_it(office: Office, phone: Phone, charged: Cdr) -> None:
    _correct(office, phone, "0.75")
    cdr = office.cdr(phone)
    assert (cdr.cost_nano, cdr.cost_source) == (money("0.75"), "*corrected")
    assert cdr.cost_details is not None
    assert cdr.cost_details.cost_nano == money("0.75")
    assert cdr.cost_details.usage_ns == 60 * SECOND_NS
    assert cdr.as_wire(office.world.new_id)["CostDetails"]["Cost"] is not None


def test_a_second_time_there_is_nothing_left_to_do(office: Office, phone: Phone, charged: Cdr) -> None:
    _correct(office, phone, "0.75")
    assert _correct(office, phone, "0.75").status == "UNCHANGED"
    assert held(office.world) == {"m": "9.25"}
    assert office.operations == ["insert", "update"]


def test_a_request_that_read_the_cdr_before_the_correction_corrects_nothing(
    office: Office, phone: Phone, charged: Cdr
) -> None:
    _correct(office, phone, "0.75")
    office.stored.cdrs[phone.cgrid, "*default"] = charged
    assert _correct(office, phone, "0.75").status == "UNCHANGED"
    assert held(office.world) == {"m": "9.25"}


def test_a_correction_may_be_corrected(office: Office, phone: Phone, charged: Cdr) -> None:
    _correct(office, phone, "0.75")
    _correct(office, phone, "0.6")
    assert held(office.world) == {"m": "9.4"}


def test_a_dry_run_says_the_same_and_moves_nothing(office: Office, phone: Phone, charged: Cdr) -> None:
    done = _correct(office, phone, "0.75", is_dry_run=True)
    assert (done.status, done.difference_nano) == ("POSTED", money("0.15"))
    assert held(office.world) == {"m": "9.4"}
    assert office.cdr(phone) == charged


def test_a_difference_below_the_least_is_none(office: Office, phone: Phone, charged: Cdr) -> None:
    for cost, wanted in (("0.6009", "UNCHANGED"), ("0.5991", "UNCHANGED"), ("0.601", "POSTED")):
        it = money(cost)
        assert correct_cdr(office.world, charged, it, it, least_nano=10**6, is_dry_run=True).status == wanted


def test_what_the_balance_does_not_hold_is_a_debt(office: Office, phone: Phone, charged: Cdr) -> None:
    _correct(office, phone, "10.75")
    assert held(office.world) == {"m": "0", "*default": "-0.75"}


def test_when_the_balance_is_gone_the_default_one_has_the_difference(
    office: Office, phone: Phone, charged: Cdr
) -> None:
    make_account(office.world, balance(office.world, "*monetary", "other", 5))
    _correct(office, phone, "0.5")
    assert held(office.world) == {"other": "5", "*default": "0.1"}


def test_a_refund_gives_back_the_corrected_cost(office: Office, phone: Phone, charged: Cdr) -> None:
    _correct(office, phone, "0.75")
    office.take(phone.event("60s", RunID="*default"), switches=REFUNDED)
    assert held(office.world) == {"m": "10"}


def test_what_no_account_pays_has_only_another_cost(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*rated"))
    done = _correct(office, phone, "0.75")
    assert (done.status, done.account_id) == ("POSTED", "")
    assert (office.cdr(phone).cost_nano, held(office.world)) == (money("0.75"), {"m": "10"})


def test_a_price_is_for_what_was_rated_and_a_debit_for_what_was_paid(office: Office, phone: Phone) -> None:
    for kind, wanted in (("*rated", "0.7"), ("*postpaid", "0.8")):
        it = Phone(office.world, OriginID=kind, RequestType=kind)
        office.take(it.event("60s"))
        done = correct_cdr(office.world, office.cdr(it), money("0.7"), money("0.8"), is_dry_run=True)
        assert done.after_nano == money(wanted)


def test_the_cost_of_a_session_is_corrected_by_its_cdr(office: Office, phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("60s")
    office.take(phone.event("60s", RunID="*default"))
    _correct(office, phone, "0.75")
    assert held(office.world) == {"m": "9.25"}


# --- left alone ------------------------------------------------------------------------------------------------------


def _refused(office: Office, phone: Phone) -> str:
    before = held(office.world)
    status = _correct(office, phone, "0.75").status
    assert held(office.world) == before
    return status


def test_a_cdr_that_is_not_there_is_not_found(office: Office, phone: Phone) -> None:
    assert _refused(office, phone) == "NOT_FOUND"


def test_what_was_never_charged_is_not_charged_now(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", Destination="1"))
    assert _refused(office, phone) == "NEVER_CHARGED"


def test_a_cost_that_was_agreed_stays(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*directdebit", Cost=1))
    assert _refused(office, phone) == "COST_AGREED"


def test_a_cost_below_nothing_is_left_to_a_person(office: Office, phone: Phone, charged: Cdr) -> None:
    assert _correct(office, phone, "-0.1").status == "NEGATIVE_COST"
    assert held(office.world) == {"m": "9.4"}


def test_what_minutes_paid_is_not_charged_in_money() -> None:
    world = make_world()
    make_account(world, balance(world, "*voice", "u", 45 * SECOND_NS), balance(world, "*monetary", "m", 10))
    office, phone = Office(world), Phone(world)
    office.take(phone.event("60s"))
    assert _refused(office, phone) == "PAID_WITH_UNITS"


def test_an_account_that_is_gone_pays_nothing(office: Office, phone: Phone, charged: Cdr) -> None:
    office.world.state.table("accounts").remove("cgrates.org:1001")
    office.world.state.take()
    assert _correct(office, phone, "0.75").status == "ACCOUNT_NOT_FOUND"


def test_the_page_lists_every_status() -> None:
    statuses = set(re.findall(r'"([A-Z][A-Z_]+)"', (ROOT / "cgrcore" / "cdrs" / "correct.py").read_text()))
    page = (ROOT / "docs" / "corrections.md").read_text()
    assert [status for status in statuses - {"POSTED"} if f"`{status}`" not in page] == []


# --- what is remembered ----------------------------------------------------------------------------------------------


def test_a_correction_that_is_undone_is_not_remembered(office: Office, phone: Phone, charged: Cdr) -> None:
    world = office.world
    world.state.begin("test")
    correct_cdr(world, charged, money("0.75"), money("0.75"))
    world.state.rollback()
    assert held(world) == {"m": "9.4"}
    assert not len(world.state.table(CHANGED))
    assert _correct(office, phone, "0.75").status == "POSTED"


def _world() -> World:
    world = make_world()
    make_account(world, balance(world, "*monetary", "m", 10))
    return world


@given(st.lists(st.tuples(st.integers(0, 2 * 10**10), st.booleans(), st.booleans()), max_size=8))
@settings(max_examples=100, deadline=None)
def test_whatever_is_posted_and_repeated_the_account_pays_the_last_cost(posts: list[tuple[int, bool, bool]]) -> None:
    """Each post is a cost, whether it is a dry run, and whether it comes twice."""
    world = _world()
    office, phone = Office(world), Phone(world)
    office.take(phone.event("60s"))
    last_nano = money("0.6")
    for cost_nano, is_dry_run, is_repeated in posts:
        for _ in range(1 + is_repeated):
            world.state.begin("test")
            found = office.stored.cdrs[phone.cgrid, "*default"]
            correct_cdr(world, found, cost_nano, cost_nano, is_dry_run=is_dry_run)
            office.keep(world.state.take().rows)
        last_nano = last_nano if is_dry_run else cost_nano
    account = world.state.table("accounts").require("cgrates.org:1001")
    assert sum(it.value_nano for it in account.balances["*monetary"]) == 10 * 10**9 - last_nano
    assert office.cdr(phone).cost_nano == last_nano
