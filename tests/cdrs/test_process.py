"""What happens to a CDR that comes in: taken once, refunded, rated, stored, shown to others."""

import msgspec
import pytest

from cgrcore.actions import ActionSet
from cgrcore.actions.exports import export_event
from cgrcore.cdrs import Switches, event_of
from cgrcore.cdrs.records import SessionCost
from cgrcore.errors import BadRequest, CgrError, Conflict, PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.rating import RatingPlan, Timing
from cgrcore.scheduling import ActionTiming
from cgrcore.scheduling.plans import set_plan
from cgrcore.sessions import closed_sessions
from cgrcore.stats import install as install_stats
from cgrcore.thresholds import ThresholdProfile, install, store_profile
from cgrcore.timing import SECOND_NS
from cgrcore.world import World
from tests.accounting.small_world import money, per_minute, plan_rate
from tests.actions.conftest import step
from tests.cdrs.arriving import RATED, Office
from tests.sessions.calls import Phone, add_charger, held

RERATED = Switches(store=True, rals=True, rerate=True, refund=True, reprocess=True, chargers=True)
REFUNDED = Switches(store=True, refund=True, reprocess=True, chargers=True)
FORKED = Switches(store=True, rals=True, chargers=True)
OBSERVED = Switches(store=True, rals=True, thresholds=True)


# --- charging --------------------------------------------------------------------------------------------------------


def test_a_call_without_a_session_is_charged_by_its_cdr(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    assert (office.cdr(phone).cost_nano, held(phone.world)) == (money("0.6"), {"m": "9.4"})


def test_what_is_only_rated_costs_the_account_nothing(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*rated"))
    assert (office.cdr(phone).cost_nano, held(phone.world)) == (money("0.6"), {"m": "10"})


def test_what_is_only_rated_needs_no_account(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*rated", Account="nobody"))
    assert office.cdr(phone).cost_nano == money("0.6")


def test_a_call_beyond_the_credit_is_charged_into_debt(office: Office, phone: Phone) -> None:
    office.take(phone.event("1010s", RequestType="*postpaid"))
    assert held(phone.world) == {"m": "0", "*default": "-0.1"}


def test_what_is_not_to_be_charged_has_no_cost(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*none"))
    assert (office.cdr(phone).cost_nano, held(phone.world)) == (None, {"m": "10"})


def test_a_cost_of_nothing_is_a_cost(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", Destination="49800"))
    assert office.cdr(phone).cost_nano == 0


def test_what_cannot_be_rated_is_kept_with_the_reason(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", Destination="1"))
    cdr = office.cdr(phone)
    assert (cdr.cost_nano, cdr.wire_cost(), cdr.extra_info) == (None, -1, "UNAUTHORIZED_DESTINATION")


def test_negative_usage_is_none(office: Office, phone: Phone) -> None:
    office.take(phone.event("-60s"))
    assert (office.cdr(phone).usage_ns, held(phone.world)) == (0, {"m": "10"})


def test_a_direct_debit_needs_its_cost(office: Office, phone: Phone) -> None:
    with pytest.raises(BadRequest, match=r"^MANDATORY_IE_MISSING: \[Cost\]$"):
        office.take(phone.event("60s", RequestType="*directdebit"))


def test_a_direct_debit_takes_the_cost_it_tells(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*directdebit", Cost=3))
    assert (held(phone.world), office.cdr(phone).cost_nano) == ({"m": "7"}, money("3"))


def test_a_call_that_is_a_direct_debit_now_is_given_back_and_takes_the_cost_it_tells(
    office: Office, phone: Phone
) -> None:
    office.take(phone.event("60s"))
    office.take(phone.event("60s", RequestType="*directdebit", Cost=3), switches=RERATED)
    assert (held(phone.world), office.cdr(phone).cost_nano) == ({"m": "7"}, money("3"))


def test_rerating_a_direct_debit_takes_nothing_more(office: Office, phone: Phone) -> None:
    debit = phone.event("60s", RequestType="*directdebit", Cost=3)
    office.take(debit)
    office.take(debit, switches=RERATED)
    assert (held(phone.world), office.cdr(phone).cost_nano) == ({"m": "7"}, money("3"))


def test_a_quote_and_a_debit_of_a_rounded_tariff_cost_the_same(office: Office, phone: Phone) -> None:
    quoted = Phone(phone.world, OriginID="quoted", RequestType="*rated", Destination="401")
    office.take(phone.event("47s", Destination="401"), quoted.event("47s"))
    assert (office.cdr(phone).cost_nano, office.cdr(quoted).cost_nano) == (money("0.02"), money("0.02"))


def test_a_debit_of_a_rounded_tariff_takes_the_rounded_cost(office: Office, phone: Phone) -> None:
    office.take(phone.event("47s", Destination="401"))
    assert held(phone.world) == {"m": "9.98"}


def test_without_rating_a_cdr_is_only_stored(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"), switches=Switches(store=True))
    assert (office.cdr(phone).cost_nano, held(phone.world)) == (None, {"m": "10"})


def test_without_storing_a_cdr_is_only_charged(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"), switches=Switches(rals=True))
    assert (office.operations, held(phone.world)) == ([], {"m": "9.4"})


# --- taken once ------------------------------------------------------------------------------------------------------


def test_a_cdr_is_taken_once(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    with pytest.raises(Conflict, match="EXISTS"):
        office.take(phone.event("60s"))
    assert (office.operations, held(phone.world)) == (["insert"], {"m": "9.4"})


def test_a_cdr_that_only_the_store_remembers_is_not_taken_again(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    phone.world.state.table("cdr_ids").remove(f"{phone.cgrid}:*default")
    phone.world.state.take()
    with pytest.raises(Conflict, match="EXISTS"):
        office.take(phone.event("60s"))


def test_one_repeated_cdr_among_several_undoes_all(office: Office, phone: Phone) -> None:
    with pytest.raises(Conflict):
        office.take(phone.event("60s"), phone.event("60s"))
    assert (office.operations, held(phone.world)) == ([], {"m": "10"})


def test_a_cdr_that_was_undone_may_come_again(office: Office, phone: Phone) -> None:
    with pytest.raises(Conflict):
        office.take(phone.event("60s"), phone.event("60s"))
    office.take(phone.event("60s"))
    assert held(phone.world) == {"m": "9.4"}


def test_runs_of_one_call_are_different_cdrs(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RunID="a"), phone.event("60s", RunID="b"))
    assert office.operations == ["insert", "insert"]


# --- chargers --------------------------------------------------------------------------------------------------------


def test_every_charger_makes_a_cdr(office: Office, phone: Phone) -> None:
    add_charger(phone.world, "reseller", ("*constant:*req.RequestType:*rated",))
    office.take(phone.event("60s"), switches=FORKED)
    assert (office.cdr(phone).request_type, office.cdr(phone, "reseller").request_type) == ("*prepaid", "*rated")


def test_every_run_is_charged_by_its_own_request_type(office: Office, phone: Phone) -> None:
    add_charger(phone.world, "reseller", ("*constant:*req.RequestType:*rated",))
    office.take(phone.event("60s"), switches=FORKED)
    assert held(phone.world) == {"m": "9.4"}


def test_without_a_charger_nothing_is_done(office: Office, phone: Phone) -> None:
    phone.world.state.table("chargers").remove("cgrates.org:CH*default")
    phone.world.state.take()
    with pytest.raises(CgrError, match=r"^PARTIALLY_EXECUTED$"):
        office.take(phone.event("60s"), switches=FORKED)
    assert (office.operations, held(phone.world)) == ([], {"m": "10"})


# --- refunds and rerating --------------------------------------------------------------------------------------------


def double_the_price(world: World) -> None:
    world.state.table("rating_plans").put("RP", RatingPlan("RP", {"DST_49": (plan_rate(per_minute("1.2")),)}))
    world.state.take()


def test_rerating_gives_back_what_was_paid_and_charges_the_new_price(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    double_the_price(phone.world)
    office.take(phone.event("60s"), switches=RERATED)
    assert (office.cdr(phone).cost_nano, held(phone.world)) == (money("1.2"), {"m": "8.8"})


def test_rerating_replaces_the_row(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    (rerated,) = office.take(phone.event("60s"), switches=RERATED)
    assert (office.operations, rerated.flags) == (["insert", "update"], ["*refund"])


def test_rerating_at_the_same_price_changes_no_balance(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    office.take(phone.event("60s"), switches=RERATED)
    assert held(phone.world) == {"m": "9.4"}


def test_rerating_again_and_again_refunds_the_latest_cost_only(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    double_the_price(phone.world)
    office.take(phone.event("60s"), switches=RERATED)
    office.take(phone.event("60s"), switches=RERATED)
    assert held(phone.world) == {"m": "8.8"}


def test_a_refund_gives_back_and_leaves_no_cost(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    office.take(phone.event("60s"), switches=REFUNDED)
    assert (office.cdr(phone).cost_nano, office.cdr(phone).cost_details, held(phone.world)) == (None, None, {"m": "10"})


def test_a_second_refund_gives_nothing_more(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    office.take(phone.event("60s"), switches=REFUNDED)
    with pytest.raises(Conflict, match="EXISTS"):
        office.take(phone.event("60s"), switches=REFUNDED)
    assert held(phone.world) == {"m": "10"}


def test_what_was_never_taken_cannot_be_refunded(office: Office, phone: Phone) -> None:
    with pytest.raises(CgrError, match=r"^PARTIALLY_EXECUTED$"):
        office.take(phone.event("60s"), switches=REFUNDED)


def test_what_was_paid_is_given_back_when_it_is_only_rated_now(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s"))
    (item,) = office.take(phone.event("60s", RequestType="*rated"), switches=RERATED)
    assert (item.flags, item.cdr.cost_nano, held(phone.world)) == (["*refund"], money("0.6"), {"m": "10"})


def test_what_was_only_rated_is_charged_when_it_is_to_be_paid_now(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*rated"))
    (item,) = office.take(phone.event("60s"), switches=RERATED)
    assert (item.flags, held(phone.world)) == ([], {"m": "9.4"})


def test_costs_that_the_event_tells_are_not_refunded_once_more(office: Office, phone: Phone) -> None:
    details = office.take(phone.event("60s"))[0].cdr.cost_details
    told = phone.event("60s", CostDetails=details)
    office.take(told, switches=REFUNDED)
    with pytest.raises(Conflict, match="EXISTS"):
        office.take(told, switches=REFUNDED)
    assert held(phone.world) == {"m": "10"}


def test_what_was_only_rated_is_not_refunded(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", RequestType="*rated"))
    (item,) = office.take(phone.event("60s", RequestType="*rated"), switches=RERATED)
    assert (item.flags, held(phone.world)) == ([], {"m": "10"})


# --- accounts that come to be with their first CDR -------------------------------------------------------------------


@pytest.fixture
def welcoming(office: Office) -> Office:
    """An office whose new accounts are given 5 of money."""
    world = office.world
    world.state.table("actions").put("START", ActionSet("START", (step("*topup", 5, type="*monetary", id="gift"),)))
    set_plan(world, "WELCOME", [ActionTiming("u", Timing(start_time="*asap"), "START")])
    world.settings["schedulers"]["dynaprepaid_actionplans"] = ["WELCOME"]
    world.settings["cdrs"]["scheduler_conns"] = ["*internal"]
    world.state.take()
    return office


def test_the_first_cdr_of_dynaprepaid_makes_the_account_and_is_charged(welcoming: Office, phone: Phone) -> None:
    welcoming.take(phone.event("60s", RequestType="*dynaprepaid", Account="new"))
    assert held(phone.world, "new") == {"gift": "4.4"}


def test_without_a_scheduler_the_cdr_of_dynaprepaid_tells_why_it_is_not_charged(office: Office, phone: Phone) -> None:
    (item,) = office.take(phone.event("60s", RequestType="*dynaprepaid", Account="new"))
    assert (item.cdr.cost_nano, item.cdr.extra_info) == (None, "MANDATORY_IE_MISSING: [connIDs]")


def test_the_session_of_dynaprepaid_is_charged_once(office: Office, phone: Phone) -> None:
    phone.initiate("60s", RequestType="*dynaprepaid")
    phone.terminate("45s")
    (item,) = office.take(phone.event("45s", RequestType="*dynaprepaid"))
    assert (item.cdr.cost_source, held(phone.world)) == ("*sessions", {"m": "9.55"})


# --- calls that had a session ----------------------------------------------------------------------------------------


def test_a_cdr_takes_the_cost_of_its_session_and_charges_nothing(office: Office, phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("45s")
    office.take(phone.event("45s"))
    cdr = office.cdr(phone)
    assert (cdr.cost_nano, cdr.cost_source, held(phone.world)) == (money("0.45"), "*sessions", {"m": "9.55"})


def test_a_cdr_that_comes_before_the_end_charges_the_difference_only(office: Office, phone: Phone) -> None:
    phone.initiate("60s")
    office.take(phone.event("75s"))
    phone.terminate("75s")
    assert (office.cdr(phone).cost_nano, phone.is_active, held(phone.world)) == (money("0.75"), False, {"m": "9.25"})


def session_forgotten(office: Office, phone: Phone) -> None:
    """Let a call of 60 s be over so long that only what it cost is kept, in the store."""
    phone.initiate("60s")
    phone.terminate("60s")
    session = closed_sessions(phone.world).remove(phone.cgrid)
    phone.world.state.take()
    assert session is not None
    run = session.runs[0]
    kept = SessionCost(cgrid=phone.cgrid, usage_ns=run.total_usage_ns, cost_details=run.cost)
    office.stored.session_costs[phone.cgrid, run.run_id] = kept


def test_a_cdr_takes_the_cost_that_was_kept_of_its_session(office: Office, phone: Phone) -> None:
    session_forgotten(office, phone)
    office.take(phone.event("60s"))
    assert (office.cdr(phone).cost_source, held(phone.world)) == ("*sessions", {"m": "9.4"})


def test_a_cdr_of_another_usage_than_was_kept_is_charged_for_its_own(office: Office, phone: Phone) -> None:
    session_forgotten(office, phone)
    office.take(phone.event("90s"))
    cdr = office.cdr(phone)
    assert (cdr.cost_source, cdr.cost_nano, held(phone.world)) == ("CDRs", money("0.9"), {"m": "9.1"})


def test_rerating_the_call_of_a_session_charges_it_again(office: Office, phone: Phone) -> None:
    phone.initiate("60s")
    phone.terminate("60s")
    office.take(phone.event("60s"))
    double_the_price(phone.world)
    office.take(phone.event("60s"), switches=RERATED)
    assert (office.cdr(phone).cost_nano, held(phone.world)) == (money("1.2"), {"m": "8.8"})


def test_a_session_cost_that_was_kept_and_refunded_is_not_taken_again(office: Office, phone: Phone) -> None:
    session_forgotten(office, phone)
    office.take(phone.event("60s"))
    office.take(phone.event("60s"), switches=REFUNDED)
    office.take(phone.event("60s"), switches=RERATED)
    assert (office.cdr(phone).cost_source, held(phone.world)) == ("*cdrs", {"m": "9.4"})


def test_cost_details_that_cover_the_usage_stand(office: Office, phone: Phone) -> None:
    (first,) = office.take(phone.event("60s"))
    details = event_of(first.cdr, phone.world.new_id)["CostDetails"]
    again = Phone(phone.world, OriginID="again")
    office.take(again.event("60s", CostDetails=details))
    assert (office.cdr(again).cost_nano, held(phone.world)) == (money("0.6"), {"m": "9.4"})


def test_cost_details_that_do_not_cover_the_usage_are_refunded(office: Office, phone: Phone) -> None:
    (first,) = office.take(phone.event("60s"))
    details = event_of(first.cdr, phone.world.new_id)["CostDetails"]
    again = Phone(phone.world, OriginID="again")
    office.take(again.event("90s", CostDetails=details))
    assert (office.cdr(again).cost_nano, held(phone.world)) == (money("0.9"), {"m": "9.1"})


# --- others are told -------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(office: Office) -> Office:
    """An office whose CDRs a threshold sees that has an action set nobody defined."""
    install(office.world)
    store_profile(office.world, ThresholdProfile("cgrates.org", "T", max_hits=-1, action_ids=("UNKNOWN",)))
    office.world.state.take()
    return office


def test_a_threshold_that_fails_is_told(watched: Office, phone: Phone) -> None:
    with pytest.raises(PartiallyExecuted):
        watched.take(phone.event("60s"), switches=OBSERVED)


def test_a_threshold_that_fails_keeps_the_cdr_and_its_charge(watched: Office, phone: Phone) -> None:
    with pytest.raises(PartiallyExecuted):
        watched.take(phone.event("60s"), switches=OBSERVED)
    assert (watched.operations, held(phone.world)) == (["insert"], {"m": "9.4"})


def test_a_cdr_whose_threshold_failed_is_not_taken_again(watched: Office, phone: Phone) -> None:
    with pytest.raises(PartiallyExecuted):
        watched.take(phone.event("60s"), switches=OBSERVED)
    with pytest.raises(Conflict):
        watched.take(phone.event("60s"), switches=OBSERVED)


def test_without_the_switch_no_threshold_sees_a_cdr(watched: Office, phone: Phone) -> None:
    watched.take(phone.event("60s"), switches=RATED)
    assert watched.operations == ["insert"]


def test_statistics_that_fail_are_told_and_keep_the_cdr(office: Office, phone: Phone) -> None:
    install_stats(phone.world)
    phone.options["*stsProfileIDs"] = "not a list"
    with pytest.raises(PartiallyExecuted):
        office.take(phone.event("60s"), switches=Switches(store=True, rals=True, stats=True))
    assert (office.operations, held(phone.world)) == (["insert"], {"m": "9.4"})


# --- as an event -----------------------------------------------------------------------------------------------------


def test_a_cdr_is_an_event_with_its_extra_fields_among_the_others(office: Office, phone: Phone) -> None:
    (item,) = office.take(phone.event("60s", Lane="left"))
    fields = item.event_as_wire(phone.world.new_id)
    assert (fields["Lane"], fields["Usage"], "ExtraFields" in fields) == ("left", 60 * SECOND_NS, False)


def test_the_event_that_came_in_stays_as_it_was(office: Office, phone: Phone) -> None:
    event: CgrEvent = msgspec.structs.replace(phone.event("60s"))
    before = dict(event.event)
    office.take(event)
    assert event.event == {**before, "CGRID": phone.cgrid}


# --- exporters --------------------------------------------------------------------------------------------------------

EXPORTED = Switches(store=True, rals=True, export=True)


def exporting(world: World, path: str = "http://127.0.0.1:1/", **options: object) -> None:
    exporters = world.settings["ees"]["exporters"]
    exporters.append({**exporters[0], "id": "OUT", "type": "*http_json_map", "export_path": path, **options})
    world.parts["export_cdr"] = export_event


def exported(world: World) -> list[dict[str, object]]:
    messages = world.state.table("outbox").records.values()
    return [msgspec.json.decode(message.body) for message in messages]


def test_a_cdr_is_given_to_exporters_with_its_cost(office: Office, phone: Phone) -> None:
    exporting(office.world)
    office.take(phone.event("60s"), switches=EXPORTED)
    assert [(cdr["OriginID"], cdr["Cost"]) for cdr in exported(office.world)] == [("call-1", 0.6)]


def test_exporters_that_are_not_named_get_nothing(office: Office, phone: Phone) -> None:
    exporting(office.world)
    office.world.settings["cdrs"]["online_cdr_exports"] = ["OTHER"]
    office.take(phone.event("60s"), switches=EXPORTED)
    assert exported(office.world) == []


def test_an_exporter_that_cannot_make_its_fields_leaves_all_else_done(office: Office, phone: Phone) -> None:
    exporting(office.world, fields=[{"path": "*exp.X", "type": "*no_such_type"}])
    with pytest.raises(PartiallyExecuted):
        office.take(phone.event("60s"), switches=EXPORTED)
    assert office.cdr(phone).cost_nano == money("0.6")
