"""What every store promises, whichever it is."""

import random
from typing import Any

import msgspec
import pytest
from cgrserver.storage.tables import Codecs

from cgrcore.accounting import Account
from cgrcore.cdrs.filter import CdrFilter, Range, filter_from_wire
from cgrcore.cdrs.records import Cdr, SessionCost
from cgrcore.errors import Corrupt
from cgrcore.money import NANO
from cgrcore.ports import Answer, Batch, LedgerLine
from cgrcore.state import KEY_LIMIT
from cgrcore.timing import Moment
from cgrcore.world import World


def fresh() -> World:
    return World({"general": {"default_tenant": "cgrates.org"}}, new_id=lambda: "id")


def answers(store: Any) -> dict[str, Answer]:
    world = fresh()
    store.load(world)
    return world.state.table("answers").records


def packed(reply: bytes, at: int = 1) -> bytes:
    return msgspec.msgpack.encode(Answer(reply, at))


def test_what_was_committed_is_loaded(store: Any) -> None:
    store.commit(Batch(at=5, records={"answers": [("a", packed(b"1")), ("b", packed(b"2"))]}))
    assert answers(store) == {"a": Answer(b"1", 1), "b": Answer(b"2", 1)}


def test_a_record_written_again_is_replaced(store: Any) -> None:
    store.commit(Batch(records={"answers": [("a", packed(b"1"))]}))
    store.commit(Batch(records={"answers": [("a", packed(b"2"))]}))
    assert answers(store) == {"a": Answer(b"2", 1)}


def test_a_removed_record_is_gone(store: Any) -> None:
    store.commit(Batch(records={"answers": [("a", packed(b"1")), ("b", packed(b"2"))]}))
    store.commit(Batch(records={"answers": [("a", None), ("never there", None)]}))
    assert list(answers(store)) == ["b"]


def test_records_of_other_tables_are_documents(store: Any, codecs: Codecs) -> None:
    encode = codecs.encoder("marks")
    store.commit(Batch(records={"marks": [("x:*default", encode(7)), ("y:*default", encode(8))]}))
    store.commit(Batch(records={"marks": [("x:*default", None)]}))
    world = fresh()
    store.load(world)
    assert world.state.table("marks").records == {"y:*default": 8}


def test_loading_empties_the_tables_first(store: Any) -> None:
    world = fresh()
    world.state.table("answers").records["stale"] = Answer(b"", 0)
    store.load(world)
    assert "stale" not in world.state.table("answers").records


def test_loading_moves_the_versions_of_tables(store: Any) -> None:
    world = fresh()
    before = world.state.table("answers").version
    store.load(world)
    assert world.state.table("answers").version > before


def with_accounts(store: Any, names: str) -> None:
    """Let the store have an account of each name, and the removal of another."""
    rows: list[tuple[str, bytes | None]] = [(f"t:{name}", Account(f"t:{name}").encode()) for name in names]
    store.commit(Batch(records={"accounts": [*rows, ("t:gone", None)]}))


@pytest.mark.parametrize("limit", [0, 3, 4])
def test_accounts_are_loaded_up_to_their_limit(store: Any, limit: int) -> None:
    with_accounts(store, "abcd")
    world = fresh()
    accounts = world.state.table("accounts")
    accounts.limit = limit
    store.load(world)
    assert (len(accounts.older), accounts.is_whole) == (limit or 4, limit != 3)
    assert all(accounts.require(key).id == key for key in list(accounts.older))


def test_accounts_are_found_by_name(store: Any) -> None:
    with_accounts(store, "abcd")
    found = store.find_accounts(["t:b", "t:nobody", "t:gone", "t:d"])
    assert {key: Account.decode(body).id for key, body in found.items()} == {"t:b": "t:b", "t:d": "t:d"}
    assert sorted(store.account_ids()) == ["t:a", "t:b", "t:c", "t:d"]


def test_an_account_under_another_ones_name_is_corrupt(store: Any) -> None:
    store.commit(Batch(records={"accounts": [("t:a", Account("t:b").encode())]}))
    world = fresh()
    store.load(world)
    with pytest.raises(Corrupt):
        world.state.table("accounts").get("t:a")


def test_a_hundred_records_go_in_at_once(store: Any) -> None:
    rows: list[tuple[str, bytes | None]] = [(f"k{i}", packed(str(i).encode())) for i in range(100)]
    store.commit(Batch(records={"answers": rows}))
    assert {key: answer.reply for key, answer in answers(store).items()} == {f"k{i}": b"%d" % i for i in range(100)}


# Ledger


def line(before: int, after: int, at: int, uuid: str = "u1", account: str = "t:a") -> LedgerLine:
    return LedgerLine(account, uuid, f"id-{uuid}", "*monetary", before, after, "SessionSv1.UpdateSession", at, "key")


def test_the_history_of_an_account_is_its_lines_in_order(store: Any) -> None:
    store.commit(Batch(ledger=[line(0, 10, 1), line(10, 7, 2), line(0, 5, 2, account="t:b")]))
    store.commit(Batch(ledger=[line(7, 6, 3)]))
    assert [(found.before_nano, found.after_nano) for found in store.history("t:a")] == [(0, 10), (10, 7), (7, 6)]


def test_a_history_line_comes_back_whole(store: Any) -> None:
    wanted = LedgerLine("t:a", "u", "main", "*data", -3, 10**30 + 1, "why", 123, "key-1")
    store.commit(Batch(ledger=[wanted]))
    (found,) = store.history("t:a")
    assert found.numbered(0) == wanted


def test_history_is_half_open_in_time(store: Any) -> None:
    store.commit(Batch(ledger=[line(0, 1, 1), line(1, 2, 2), line(2, 3, 3)]))
    assert [found.at for found in store.history("t:a", 1, 3)] == [1, 2]


def test_the_balances_at_an_instant_are_the_last_lines_until_then(store: Any) -> None:
    store.commit(Batch(ledger=[line(0, 10, 1), line(0, 4, 2, uuid="u2"), line(10, 3, 3), line(3, 0, 9)]))
    found = {entry.balance_uuid: entry.after_nano for entry in store.balances_at("t:a", 3)}
    assert found == {"u1": 3, "u2": 4}


def test_line_ids_rise(store: Any) -> None:
    store.commit(Batch(ledger=[line(0, 1, 1), line(1, 2, 1)]))
    store.commit(Batch(ledger=[line(2, 3, 1)]))
    ids = [found.line_id for found in store.history("t:a")]
    assert ids == sorted(set(ids))


# CDRs


def cdr(**fields: Any) -> Cdr:
    return Cdr(**{"cgrid": "c1", "tenant": "cgrates.org", "account": "1001", "request_type": "*rated", **fields})


def test_a_cdr_comes_back_whole(store: Any) -> None:
    wanted = cdr(
        run_id="*raw",
        origin_host="h",
        source="s",
        origin_id="o",
        tor="*sms",
        category="sms",
        subject="sub",
        destination="4401",
        setup_time=Moment(1_700_000_000_123_456_789, 7200),
        answer_time=Moment(1_700_000_001_000_000_000, -3600),
        usage_ns=2,
        extra_fields={"Zone": "north", "Ω \"'": "ß\\u0000"},
        extra_info="RATING_PLAN_NOT_FOUND",
        is_partial=True,
        is_prerated=True,
        cost_source="*cdrs",
        cost_nano=-123_456_789_012_345_678_901,
    )
    store.commit(Batch(at=77, cdrs=[wanted]))
    (found,) = store.find_cdrs(CdrFilter())
    assert found == msgspec.structs.replace(wanted, order_id=found.order_id, created_at=77, updated_at=77)


def test_a_cdr_without_cost_is_not_one_of_cost_zero(store: Any) -> None:
    store.commit(Batch(cdrs=[cdr(cost_nano=None), cdr(run_id="r", cost_nano=0)]))
    assert [found.cost_nano for found in store.find_cdrs(CdrFilter())] == [None, 0]


def test_one_cdr_is_kept_for_each_call_and_run(store: Any) -> None:
    store.commit(Batch(at=1, cdrs=[cdr(cost_nano=1)]))
    first = store.get_cdr("c1", "*default")
    store.commit(Batch(at=2, cdrs=[cdr(cost_nano=2)]))
    (found,) = store.find_cdrs(CdrFilter())
    assert (found.cost_nano, found.order_id, found.created_at, found.updated_at) == (2, first.order_id, 1, 2)


def test_a_removed_cdr_is_gone(store: Any) -> None:
    store.commit(Batch(cdrs=[cdr(), cdr(cgrid="c2")]))
    store.commit(Batch(removed_cdrs=[("c1", "*default"), ("c9", "*default")]))
    assert [found.cgrid for found in store.find_cdrs(CdrFilter())] == ["c2"]


def test_an_order_id_is_never_given_twice(store: Any) -> None:
    store.commit(Batch(cdrs=[cdr()]))
    first = store.get_cdr("c1", "*default").order_id
    store.commit(Batch(removed_cdrs=[("c1", "*default")]))
    store.commit(Batch(cdrs=[cdr()]))
    assert store.get_cdr("c1", "*default").order_id > first


def test_a_cdr_that_is_not_there_is_none(store: Any) -> None:
    assert store.get_cdr("c1", "*default") is None


def test_text_that_a_database_might_refuse_is_stored(store: Any) -> None:
    store.commit(Batch(cdrs=[cdr(account="a\0b", extra_fields={"k\0": "v\0", "x": "\\\0"})]))
    assert store.count_cdrs(CdrFilter()) == 1


def test_names_of_the_greatest_length_are_stored(store: Any) -> None:
    name = "".join(random.Random(1).choices([chr(0x1F300 + i) for i in range(512)], k=KEY_LIMIT))
    half = name[: KEY_LIMIT // 2]
    long = {"cgrid": half, "run_id": half, "origin_id": name, "account": name, "destination": name}
    store.commit(Batch(records={"marks": [(name, b"\x01")], "answers": [(name, packed(b"1"))]}, cdrs=[cdr(**long)]))
    assert store.get_cdr(half, half).account == name
    assert list(answers(store)) == [name]


def test_amounts_of_time_beyond_64_bits_are_stored_as_the_largest(store: Any) -> None:
    store.commit(Batch(cdrs=[cdr(usage_ns=2**70, setup_time=Moment(2**80, 0))]))
    assert store.count_cdrs(CdrFilter()) == 1


# CDR filters: the meaning is CdrFilter.select

HOUR_NS = 3_600_000_000_000


def some_cdrs(count: int = 60) -> list[Cdr]:
    pick = random.Random(7).choice
    return [
        cdr(
            cgrid=f"c{i}",
            run_id=pick(["*default", "*raw"]),
            origin_id=f"o{i % 9}",
            origin_host=pick(["h1", "h2"]),
            source=pick(["sw1", "sw2", ""]),
            tor=pick(["*voice", "*sms"]),
            request_type=pick(["*prepaid", "*rated"]),
            tenant=pick(["cgrates.org", "other"]),
            category=pick(["call", "sms"]),
            account=pick(["1001", "1002", "10"]),
            subject=pick(["1001", "gold"]),
            destination=pick(["4420", "447", "49", "", "4%", "%"]),
            setup_time=Moment(pick([-(2**63), 0, 5, 7]), 0),
            answer_time=Moment(pick([HOUR_NS, 2 * HOUR_NS, 3]), 0),
            usage_ns=pick([0, 30, 60, 90]),
            extra_fields=pick([{}, {"Zone": "north"}, {"Zone": "south", "Raw": "yes"}, {"a.b": "north"}, {'"': "$"}]),
            cost_nano=pick([None, 0, NANO, NANO // 10, 9 * NANO, 10 * NANO, 2 * 10**29]),
        )
        for i in range(count)
    ]


FILTERS = [
    {},
    {"CGRIDs": ["c1", "c2", "nope"]},
    {"NotCGRIDs": ["c1"], "RunIDs": ["*raw"]},
    {"NotRunIDs": ["*raw"], "OriginIDs": ["o1", "o2"]},
    {"NotOriginIDs": ["o1"], "OriginHosts": ["h2"]},
    {"NotOriginHosts": ["h2"], "Sources": ["sw1", ""]},
    {"NotSources": [""], "ToRs": ["*sms"]},
    {"NotToRs": ["*sms"], "RequestTypes": ["*rated"]},
    {"NotRequestTypes": ["*rated", "x"], "Tenants": ["other"]},
    {"NotTenants": ["other"], "Categories": ["sms"]},
    {"NotCategories": ["sms"], "Accounts": ["1001", "10"]},
    {"NotAccounts": ["1001"], "Subjects": ["gold"]},
    {"NotSubjects": ["gold"]},
    {"DestinationPrefixes": ["44", "%"]},
    {"NotDestinationPrefixes": ["44", "4%"]},
    {"Costs": [-1, 1]},
    {"NotCosts": [-1, 10]},
    {"ExtraFields": {"Zone": "north"}},
    {"ExtraFields": {"Zone": "*exists"}},
    {"ExtraFields": {"Zone": "south", "Raw": "yes"}},
    {"ExtraFields": {"a.b": "north"}},
    {"ExtraFields": {'"': "$"}},
    {"NotExtraFields": {"Zone": "north"}},
    {"NotExtraFields": {"Zone": "*exists", "a.b": "x"}},
    {"SetupTimeStart": "1970-01-01T00:00:00Z"},
    {"AnswerTimeStart": "1970-01-01T01:00:00Z", "AnswerTimeEnd": "1970-01-01T02:00:00Z"},
    {"MinUsage": "30ns", "MaxUsage": "90"},
    {"ExtraArgs": {"MinCost": "0.1"}},
    {"ExtraArgs": {"MaxCost": 9}},
    {"ExtraArgs": {"MinCost": 1, "MaxCost": 10}},
    {"ExtraArgs": {"MinCost": 0, "MaxCost": -1}},
    {"ExtraArgs": {"MaxCost": -1}},
    {"ExtraArgs": {"OrderIDStart": 5, "OrderIDEnd": 12}},
    {"OrderBy": "Usage", "Limit": 7, "Offset": 3},
    {"OrderBy": "Cost;desc"},
    {"OrderBy": "Cost", "Offset": 50},
    {"OrderBy": "SetupTime;desc", "Limit": 5},
    {"OrderBy": "AnswerTime"},
    {"OrderBy": "OrderID;desc", "Limit": 4},
    {"Accounts": ["'; DROP TABLE cdrs; --", "{}", "%s"]},
]


@pytest.mark.parametrize("wire", FILTERS, ids=str)
def test_a_filter_finds_what_it_means(store: Any, wire: dict[str, Any]) -> None:
    cdrs = some_cdrs()
    store.commit(Batch(at=9, cdrs=cdrs[:30]))
    store.commit(Batch(at=10, cdrs=cdrs[30:]))
    criteria = filter_from_wire(wire, now_at=0)
    everything = store.find_cdrs(CdrFilter())
    wanted = [found.cgrid for found in criteria.select(everything)]
    assert [found.cgrid for found in store.find_cdrs(criteria)] == wanted
    assert store.count_cdrs(criteria) == len(wanted)


def test_cdrs_are_found_by_when_they_were_stored(store: Any) -> None:
    store.commit(Batch(at=5, cdrs=[cdr()]))
    store.commit(Batch(at=8, cdrs=[cdr(cgrid="c2")]))
    store.commit(Batch(at=9, cdrs=[cdr()]))
    by_creation = CdrFilter(ranges={"created_at": Range(None, 8)})
    by_update = CdrFilter(ranges={"updated_at": Range(9, None)})
    assert [found.cgrid for found in store.find_cdrs(by_creation)] == ["c1"]
    assert [found.cgrid for found in store.find_cdrs(by_update)] == ["c1"]


# Session costs


def test_session_costs_are_found_by_call_and_by_origin(store: Any) -> None:
    costs = [
        SessionCost(cgrid="c1", origin_host="h", origin_id="call-1", usage_ns=3),
        SessionCost(cgrid="c2", origin_host="h", origin_id="call-2"),
        SessionCost(cgrid="c3", origin_host="g", origin_id="call-3", run_id="r"),
    ]
    store.commit(Batch(at=4, session_costs=costs))
    assert [found.cgrid for found in store.find_session_costs(cgrid="c1")] == ["c1"]
    assert [found.cgrid for found in store.find_session_costs(origin_host="h", origin_id_prefix="call")] == ["c1", "c2"]
    assert [found.cgrid for found in store.find_session_costs(run_id="r")] == ["c3"]


def test_calls_are_found_with_all_that_is_kept_of_them(store: Any) -> None:
    store.commit(Batch(cdrs=[cdr(cgrid="c1"), cdr(cgrid="c2"), cdr(cgrid="c3"), cdr(cgrid="c1", run_id="r")]))
    store.commit(Batch(session_costs=[SessionCost(cgrid="c1"), SessionCost(cgrid="c4"), SessionCost(cgrid="c9")]))
    cdrs, costs = store.find_calls(["c1", "c3", "c4", "c5"])
    assert [(found.cgrid, found.run_id) for found in cdrs] == [("c1", "*default"), ("c3", "*default"), ("c1", "r")]
    assert [found.cgrid for found in costs] == ["c1", "c4"]


def test_removed_calls_are_not_found(store: Any) -> None:
    store.commit(Batch(cdrs=[cdr()], session_costs=[SessionCost(cgrid="c1")]))
    store.commit(Batch(removed_cdrs=[("c1", "*default")], removed_session_costs=[("c1", "*default")]))
    assert store.find_calls(["c1"]) == ([], [])


def test_a_session_cost_comes_back_whole(store: Any) -> None:
    wanted = SessionCost(
        cgrid="c", run_id="r", origin_host="h", origin_id="o", cost_source="*sessions", usage_ns=5, created_at=3
    )
    store.commit(Batch(at=4, session_costs=[wanted]))
    assert store.find_session_costs() == [wanted]


def test_a_removed_session_cost_is_gone(store: Any) -> None:
    store.commit(Batch(session_costs=[SessionCost(cgrid="c")]))
    store.commit(Batch(removed_session_costs=[("c", "*default")]))
    assert store.find_session_costs() == []


def test_a_reopened_store_holds_what_it_did_and_writes(store: Any) -> None:
    store.commit(Batch(records={"answers": [("a", packed(b"1"))]}))
    store.reopen()
    store.commit(Batch(records={"answers": [("b", packed(b"2"))]}))
    assert list(answers(store)) == ["a", "b"]
