"""The life of a session: what each request reserves, charges, gives back and refuses."""

import pytest

from cgrcore.errors import CgrError, Conflict, NotFound, Refused
from cgrcore.sessions import UNLIMITED, closed_sessions, initiate, record_failed_start, terminate
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import balance, make_account
from tests.sessions.calls import Phone, add_charger, decide, held, make_world


def seconds(granted: dict[str, int]) -> int:
    """Return what the run of the one charger was granted."""
    (usage_ns,) = granted.values()
    return usage_ns // SECOND_NS


# --- authorise -------------------------------------------------------------------------------------------------------


def test_authorising_answers_what_is_asked_when_it_can_be_paid(phone: Phone) -> None:
    assert seconds(phone.authorise("60s")) == 60


def test_authorising_answers_what_can_be_paid(phone: Phone) -> None:
    assert seconds(phone.authorise("1h")) == 1000


def test_authorising_reserves_nothing(phone: Phone) -> None:
    phone.authorise("60s")
    assert held(phone.world) == {"m": "10"}


def test_authorising_begins_no_session(phone: Phone) -> None:
    phone.authorise("60s")
    assert not phone.is_active


def test_without_a_usage_the_default_is_authorised(world: World) -> None:
    make_account(world, balance(world, "*monetary", "m", "1000"))
    assert seconds(Phone(world).authorise()) == 3 * 3600


# --- initiate --------------------------------------------------------------------------------------------------------


def test_initiating_reserves_the_first_slice(phone: Phone) -> None:
    assert seconds(phone.initiate("60s")) == 60
    assert held(phone.world) == {"m": "9.4"}


def test_initiating_grants_what_can_be_paid(phone: Phone) -> None:
    assert seconds(phone.initiate("1h")) == 1000
    assert held(phone.world) == {"m": "0"}


def test_a_session_that_is_active_is_not_begun_again(phone: Phone) -> None:
    phone.initiate("60s")
    with pytest.raises(Conflict, match="EXISTS"):
        phone.initiate("60s")
    assert held(phone.world) == {"m": "9.4"}


def test_the_connect_fee_is_charged_with_the_first_slice_only(world: World) -> None:
    make_account(world, balance(world, "*monetary", "m", "20"))
    phone = Phone(world, Destination="49900")
    phone.initiate("60s")
    assert held(phone.world) == {"m": "15.5"}
    phone.update("60s")
    assert held(phone.world) == {"m": "12.5"}


def test_without_an_account_nothing_begins(world: World) -> None:
    phone = Phone(world)
    with pytest.raises(CgrError, match=r"^RALS_ERROR:ACCOUNT_NOT_FOUND"):
        phone.initiate("60s")
    assert not phone.is_active


def test_without_a_charger_nothing_begins(world: World) -> None:
    world.state.table("chargers").remove("cgrates.org:CH*default")
    world.state.take()
    with pytest.raises(NotFound, match=r"^CHARGERS_ERROR:NOT_FOUND"):
        Phone(world).initiate("60s")


def test_a_forced_duration_is_granted_whole_or_not_at_all(phone: Phone) -> None:
    with pytest.raises(Refused, match=r"^RALS_ERROR:INSUFFICIENT_CREDIT$"):
        phone.initiate("1001s", is_forced=True)
    assert (phone.is_active, held(phone.world)) == (False, {"m": "10"})


def test_a_forced_duration_that_can_be_paid_is_granted(phone: Phone) -> None:
    assert seconds(phone.initiate("1000s", is_forced=True)) == 1000


# --- update ----------------------------------------------------------------------------------------------------------


def test_an_update_reserves_the_next_slice(phone: Phone) -> None:
    phone.initiate("60s")
    assert seconds(phone.update("30s")) == 30
    assert held(phone.world) == {"m": "9.1"}


def test_an_update_grants_what_is_left(phone: Phone) -> None:
    phone.initiate("960s")
    assert seconds(phone.update("60s")) == 40
    assert held(phone.world) == {"m": "0"}


def test_an_update_without_money_grants_nothing(phone: Phone) -> None:
    phone.initiate("1000s")
    assert seconds(phone.update("60s")) == 0


def test_usage_that_was_granted_and_not_used_is_spent_first(phone: Phone) -> None:
    phone.initiate("60s")
    assert seconds(phone.update("60s", LastUsed="20s")) == 60
    assert held(phone.world) == {"m": "9.2"}


def test_a_reserve_that_covers_the_next_slice_costs_nothing(phone: Phone) -> None:
    phone.initiate("60s")
    phone.update("30s", LastUsed="20s")
    assert held(phone.world) == {"m": "9.4"}


def test_usage_beyond_the_grant_is_charged_with_the_next_slice(phone: Phone) -> None:
    phone.initiate("60s")
    assert seconds(phone.update("60s", LastUsed="90s")) == 60
    assert held(phone.world) == {"m": "8.5"}


def test_a_total_usage_asks_for_what_was_not_granted_yet(phone: Phone) -> None:
    phone.initiate("60s")
    assert seconds(phone.update(TotalUsage="100s")) == 40
    assert held(phone.world) == {"m": "9"}


def test_an_update_begins_a_session_that_is_unknown(phone: Phone) -> None:
    assert seconds(phone.update("60s")) == 60
    assert (phone.is_active, held(phone.world)) == (True, {"m": "9.4"})


def test_a_refused_update_changes_nothing(phone: Phone) -> None:
    phone.initiate("960s")
    with pytest.raises(Refused):
        phone.update("60s", is_forced=True)
    assert (phone.session.runs[0].total_usage_ns, held(phone.world)) == (960 * SECOND_NS, {"m": "0.4"})


def test_only_alterable_fields_reach_the_runs(phone: Phone) -> None:
    phone.world.settings["sessions"]["alterable_fields"] = ["Lane"]
    phone.initiate("60s")
    phone.update("60s", Lane="left", Colour="red")
    event = phone.session.runs[0].event
    assert (event.get("Lane"), event.get("Colour")) == ("left", None)


# --- terminate -------------------------------------------------------------------------------------------------------


def test_the_end_gives_back_what_was_not_used(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    assert held(phone.world) == {"m": "9.55"}


def test_the_end_gives_back_whole_increments_only(phone: Phone) -> None:
    phone.initiate("180s", Destination="4930")
    phone.terminate("61s")
    assert held(phone.world) == {"m": "9.52"}


def test_the_end_charges_what_was_used_beyond_the_reservation(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("75s")
    assert held(phone.world) == {"m": "9.25"}


def test_what_was_used_is_charged_into_debt(phone: Phone) -> None:
    phone.initiate("1000s")
    phone.terminate("1010s")
    assert held(phone.world) == {"m": "0", "*default": "-0.1"}


def test_without_a_usage_the_grants_corrected_by_the_last_use_count(phone: Phone) -> None:
    phone.initiate("60s")
    phone.update("60s")
    phone.terminate(LastUsed="20s")
    assert held(phone.world) == {"m": "9.2"}


def test_a_call_of_no_usage_costs_nothing(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("0s")
    assert held(phone.world) == {"m": "10"}


def test_units_come_back_to_the_balance_that_gave_them(world: World) -> None:
    units = balance(world, "*voice", "u", 30 * SECOND_NS)
    make_account(world, units, balance(world, "*monetary", "m", "1"))
    phone = Phone(world)
    phone.initiate("60s")
    phone.terminate("10s")
    assert held(phone.world) == {"u": str(20 * SECOND_NS), "m": "1"}


def test_the_end_of_an_unknown_session_charges_the_whole_call(phone: Phone) -> None:
    phone.terminate("90s")
    assert held(phone.world) == {"m": "9.1"}


def test_the_end_of_an_unknown_session_closes_it(phone: Phone) -> None:
    phone.terminate("90s")
    assert (phone.is_active, phone.cgrid in closed_sessions(phone.world)) == (False, True)


def test_a_session_that_has_ended_stays_ended(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    phone.terminate("500s")
    assert held(phone.world) == {"m": "9.55"}


def test_an_update_that_comes_after_the_end_is_refused(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    with pytest.raises(NotFound):
        phone.update("60s")
    assert (phone.is_active, held(phone.world)) == (False, {"m": "9.55"})


def test_a_start_that_comes_after_the_end_begins_no_session(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    with pytest.raises(Conflict):
        phone.initiate("60s")
    assert (phone.is_active, held(phone.world)) == (False, {"m": "9.55"})


def test_a_late_start_leaves_the_ended_session_its_cost(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    with pytest.raises(Conflict):
        phone.initiate("60s")
    assert phone.session.runs[0].cost is not None


def test_calls_without_a_name_are_all_new(phone: Phone) -> None:
    del phone.fields["OriginID"]
    for _ in range(2):
        phone.initiate("60s")
        phone.terminate("45s")
    assert held(phone.world) == {"m": "9.1"}


# --- CDRs that came without a session --------------------------------------------------------------------------------


@pytest.fixture
def billed(phone: Phone) -> Phone:
    """A call whose CDR came, and was charged, before any request of its session."""
    phone.world.state.table("cdr_ids").put(f"{phone.cgrid}:*default", phone.world.now_at)
    phone.world.state.take()
    return phone


def test_the_end_of_a_call_whose_cdr_has_come_charges_nothing(billed: Phone) -> None:
    billed.terminate("45s")
    assert held(billed.world) == {"m": "10"}


def test_the_end_of_a_call_whose_cdr_is_stored_charges_nothing(phone: Phone) -> None:
    decide(phone.world, lambda world: terminate(world, phone.event("45s"), {"*default"}))
    assert held(phone.world) == {"m": "10"}


def test_a_run_without_a_cdr_is_charged_at_the_end(phone: Phone) -> None:
    add_charger(phone.world, "again")
    decide(phone.world, lambda world: terminate(world, phone.event("45s"), {"*default"}))
    assert held(phone.world) == {"m": "9.55"}


def test_a_call_whose_cdr_has_come_is_not_begun(billed: Phone) -> None:
    with pytest.raises(Conflict):
        billed.initiate("60s")


# --- what is left ----------------------------------------------------------------------------------------------------


def test_what_is_left_of_a_session_is_its_usage(phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    run = phone.session.runs[0]
    assert run.cost is not None
    assert (run.event["Usage"], run.cost.usage_ns) == (45 * SECOND_NS, 45 * SECOND_NS)


def test_a_rounded_tariff_is_rounded_once_at_the_end(phone: Phone) -> None:
    phone.initiate("20s", Destination="401")
    phone.update("27s", Destination="401")
    phone.terminate("47s", Destination="401")
    assert held(phone.world) == {"m": "9.98"}


# --- a start that was refused ----------------------------------------------------------------------------------------


def refuse_start(phone: Phone, usage: str = "60s") -> None:
    """Let a start be refused as the methods of the wire do it: undone, and remembered."""

    def decision(world: World) -> None:
        event = phone.event(usage)
        with pytest.raises(CgrError):
            initiate(world, event)
        world.state.undo()
        record_failed_start(world, event)

    decide(phone.world, decision)


def test_a_refused_start_gives_back_what_a_run_before_paid(world: World) -> None:
    make_account(world, balance(world, "*monetary", "m", "10"))
    add_charger(world, "supplier", ("*constant:*req.Account:nobody",))
    phone = Phone(world)
    with pytest.raises(CgrError):
        phone.initiate("60s")
    assert (phone.is_active, held(phone.world)) == (False, {"m": "10"})


def test_the_end_of_a_refused_start_charges_nothing(phone: Phone) -> None:
    phone.fields["Destination"] = "1"
    refuse_start(phone)
    phone.fields["Destination"] = "4940"
    phone.terminate("60s")
    assert (phone.session.is_failed, held(phone.world)) == (True, {"m": "10"})


def test_a_refused_start_remembers_the_usage_that_its_end_tells(phone: Phone) -> None:
    phone.fields["Destination"] = "1"
    refuse_start(phone)
    phone.terminate("25s")
    assert phone.session.runs[0].event["Usage"] == 25 * SECOND_NS


def test_a_second_refusal_leaves_the_first_as_it_was(phone: Phone) -> None:
    phone.fields["Destination"] = "1"
    refuse_start(phone)
    phone.fields["Destination"] = "2"
    refuse_start(phone)
    assert phone.session.event["Destination"] == "1"


def test_a_start_after_a_refused_one_is_charged(phone: Phone) -> None:
    phone.fields["Destination"] = "1"
    refuse_start(phone)
    phone.fields["Destination"] = "4940"
    phone.initiate("60s")
    phone.terminate("60s")
    assert (phone.session.is_failed, held(phone.world)) == (False, {"m": "9.4"})


# --- messages --------------------------------------------------------------------------------------------------------


def test_a_message_is_charged_at_once(phone: Phone) -> None:
    assert seconds(phone.message("5s")) == 5
    assert (phone.is_active, held(phone.world)) == (False, {"m": "9.95"})


def test_a_message_that_comes_again_is_charged_once(phone: Phone) -> None:
    phone.message("5s")
    with pytest.raises(Conflict):
        phone.message("5s")
    assert held(phone.world) == {"m": "9.95"}


def test_messages_without_a_name_are_all_charged(phone: Phone) -> None:
    del phone.fields["OriginID"]
    phone.message("5s")
    phone.message("5s")
    assert held(phone.world) == {"m": "9.9"}


def test_a_message_is_kept_for_its_cdr(phone: Phone) -> None:
    phone.message("5s")
    assert phone.session.runs[0].event["Usage"] == 5 * SECOND_NS


# --- request types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_type", ["*postpaid", "*rated", "*none"])
def test_what_is_charged_by_its_cdr_is_granted_in_full(phone: Phone, request_type: str) -> None:
    assert seconds(phone.initiate("1h", RequestType=request_type)) == 3600
    assert held(phone.world) == {"m": "10"}


@pytest.mark.parametrize("request_type", ["*postpaid", "*rated", "*none", "*pseudoprepaid"])
def test_what_is_charged_by_its_cdr_ends_without_a_cost(phone: Phone, request_type: str) -> None:
    phone.initiate("60s", RequestType=request_type)
    phone.terminate("45s", RequestType=request_type)
    assert (phone.session.runs[0].cost, held(phone.world)) == (None, {"m": "10"})


def test_pseudoprepaid_is_granted_what_the_credit_allows(phone: Phone) -> None:
    assert seconds(phone.initiate("1h", RequestType="*pseudoprepaid")) == 1000
    assert held(phone.world) == {"m": "10"}


def test_dynaprepaid_needs_a_scheduler_to_make_accounts(world: World) -> None:
    phone = Phone(world, RequestType="*dynaprepaid")
    with pytest.raises(CgrError, match="MANDATORY_IE_MISSING"):
        phone.initiate("60s")


def test_dynaprepaid_with_an_account_is_prepaid(phone: Phone) -> None:
    phone.initiate("60s", RequestType="*dynaprepaid")
    assert held(phone.world) == {"m": "9.4"}


# --- two runs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def resold() -> Phone:
    """A call that a reseller pays too, with 0.3 of credit: 30 s."""
    world = make_world()
    add_charger(world, "reseller", ("*constant:*req.Account:1002",))
    make_account(world, balance(world, "*monetary", "m", "10"))
    make_account(world, balance(world, "*monetary", "m", "0.3"), name="1002")
    return Phone(world)


def test_every_run_is_granted_what_its_account_can_pay(resold: Phone) -> None:
    assert resold.initiate("60s") == {"*default": 60 * SECOND_NS, "reseller": 30 * SECOND_NS}


def test_every_run_is_given_back_what_was_not_used(resold: Phone) -> None:
    resold.initiate("60s")
    resold.terminate("10s")
    assert (held(resold.world), held(resold.world, "1002")) == ({"m": "9.9"}, {"m": "0.2"})


# --- usage that is not charged ---------------------------------------------------------------------------------------


def test_a_paused_session_is_granted_usage_for_nothing(phone: Phone) -> None:
    phone.initiate("60s")
    phone.options["*sessionsChargeable"] = False
    assert seconds(phone.update("60s")) == 60
    assert held(phone.world) == {"m": "9.4"}


def test_a_session_that_goes_on_after_a_pause_is_charged(phone: Phone) -> None:
    phone.initiate("60s")
    phone.options["*sessionsChargeable"] = False
    phone.update("60s")
    phone.options["*sessionsChargeable"] = True
    phone.update("60s")
    assert held(phone.world) == {"m": "8.8"}


def test_a_pause_counts_as_usage_without_a_cost(phone: Phone) -> None:
    phone.initiate("60s")
    phone.options["*sessionsChargeable"] = False
    phone.update("60s")
    phone.terminate("120s")
    cost = phone.session.runs[0].cost
    assert cost is not None
    assert (cost.usage_ns, cost.cost_nano) == (120 * SECOND_NS, 600_000_000)


def test_a_paused_session_charges_nothing_more_at_its_end(phone: Phone) -> None:
    phone.initiate("60s")
    phone.options["*sessionsChargeable"] = False
    phone.terminate("100s")
    assert held(phone.world) == {"m": "9.4"}


# --- debits the server makes -----------------------------------------------------------------------------------------


def test_a_session_with_a_debit_interval_is_granted_without_limit(phone: Phone) -> None:
    phone.options["*sessionsDebitInterval"] = "10s"
    assert phone.initiate("60s") == {"*default": UNLIMITED}
    assert held(phone.world) == {"m": "10"}


# --- what no request may do ------------------------------------------------------------------------------------------


def test_an_event_keeps_its_own_fields(phone: Phone) -> None:
    event = phone.event("60s")
    before = dict(event.event)
    decide(phone.world, lambda world: initiate(world, event))
    assert event.event == {**before, "CGRID": phone.cgrid}
