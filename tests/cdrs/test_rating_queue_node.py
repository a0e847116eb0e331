"""The rating queue of a real server: taken in at once, charged in batches, through kills, and never more than fit."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres_server import PostgresServer, postgres_settings
from tests.server_process import ROOT, CallRefused, ServerProcess, until

PLAN = ROOT / "tariffplans" / "fosdem"
TENANT = "cgrates.org"
ACCOUNTS = 7
QUEUE = ("cdrs.rating_queue=10000", "cdrs.rating_batch=20")

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers with a tariff and accounts that hold minutes and money: `start("name", settings...)`."""
    started = []

    def begin(name: str, *settings: str) -> ServerProcess:
        folder = tmp_path / name
        folder.mkdir()
        server = ServerProcess(folder, settings)
        started.append(server)
        server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(PLAN))
        for number in range(ACCOUNTS):
            for kind, value in (("*voice", 600 * 10**9), ("*monetary", 50)):
                server.call("APIerSv1.AddBalance", Tenant=TENANT, Account=f"90{number}", BalanceType=kind, Value=value)
        return server

    yield begin
    for server in started:
        server.kill()


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "Account": f"90{number % ACCOUNTS}",
        "Subject": "1001",
        "Destination": ("1002", "1001", "0")[number % 17 % 3],
        "OriginID": f"cdr-{number}",
        "RequestType": ("*postpaid", "*rated", "*prepaid")[number % 3],
        "SetupTime": "2023-01-07T17:00:00Z",
        "AnswerTime": f"2023-01-07T17:{number % 60:02d}:00Z",
        "Usage": f"{number % 97 + 1}s",
        **fields,
    }


def take_in(server: ServerProcess, numbers: range, **fields: Any) -> None:
    events = [{"Tenant": TENANT, "Event": event(number, **fields)} for number in numbers]
    assert server.call("CDRsV1.ProcessEvents", CGREvents=events) == "OK"


def wait_until_charged(server: ServerProcess) -> None:
    until(lambda: not server.call("RatingQueueSv1.GetStatus")["Waiting"], 60)


def cdrs(server: ServerProcess) -> dict[str, dict[str, Any]]:
    found = server.call("CDRsV1.GetCDRs", RunIDs=["*default"])
    return {cdr["OriginID"]: cdr for cdr in found}


def charges(server: ServerProcess) -> dict[str, tuple[Any, str]]:
    return {name: (cdr["Cost"], cdr["ExtraInfo"]) for name, cdr in cdrs(server).items()}


def balances(server: ServerProcess) -> list[dict[str, Any]]:
    found = [server.call("APIerSv2.GetAccount", Tenant=TENANT, Account=f"90{number}") for number in range(ACCOUNTS)]
    return [{kind: [it["Value"] for it in group] for kind, group in it["BalanceMap"].items()} for it in found]


def take_in_and_compare(at_once: ServerProcess, queued: ServerProcess, count: int) -> None:
    """Send both the same CDRs, some at a time; in the end they have charged the same."""
    for server in (at_once, queued):
        for first in range(0, count, 50):
            take_in(server, range(first, first + 50))
    wait_until_charged(queued)
    assert charges(queued) == charges(at_once)
    assert balances(queued) == balances(at_once)


@pytest.mark.slow
@pytest.mark.live
def test_on_postgres_they_cost_the_same(start: Start, database: PostgresServer) -> None:
    at_once, queued = start("at-once"), start("queued", *QUEUE, *postgres_settings(database.database("in_order")))
    take_in_and_compare(at_once, queued, 200)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [(), ("limits.resident_accounts=2",)], ids=["in memory", "in the store"])
def test_queued_cdrs_cost_what_they_would_have_cost_at_once_in_their_order(
    start: Start, settings: tuple[str, ...]
) -> None:
    at_once, queued = start("at-once"), start("queued", *QUEUE, *settings)
    take_in_and_compare(at_once, queued, 300)
    assert {cdr["Cost"] for cdr in cdrs(queued).values() if not cdr["ExtraInfo"]} - {-1}


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.close()


@pytest.mark.slow
def test_kills_while_charging_neither_lose_nor_double_a_charge(start: Start) -> None:
    charge_through_kills(start)


@pytest.mark.slow
@pytest.mark.live
def test_nor_do_they_on_postgres(start: Start, database: PostgresServer) -> None:
    charge_through_kills(start, *postgres_settings(database.database("queued")))


def charge_through_kills(start: Start, *settings: str) -> None:
    """Kill a server while it charges what waits; one that charges at once says what all must cost."""
    at_once, queued = start("at-once"), start("queued", "cdrs.rating_queue=10000", "cdrs.rating_batch=3", *settings)
    for first in range(0, 300, 75):
        take_in(at_once, range(first, first + 75))
    moments = random.Random(7)
    for first in range(0, 300, 75):
        take_in(queued, range(first, first + 75))
        time.sleep(moments.uniform(0, 0.05))
        queued.kill()
        queued.start()
    wait_until_charged(queued)
    assert charges(queued) == charges(at_once)
    assert balances(queued) == balances(at_once)
    queued.kill()
    queued.start()
    assert balances(queued) == balances(at_once)


def test_beyond_the_bound_cdrs_are_refused_with_an_answer_that_says_so(start: Start) -> None:
    server = start("node", "cdrs.rating_queue=5")
    with pytest.raises(CallRefused, match="RATING_QUEUE_FULL"):
        take_in(server, range(6), RequestType="*rated")
    with pytest.raises(CallRefused, match="NOT_FOUND"):
        cdrs(server)
    take_in(server, range(5), RequestType="*rated")
    wait_until_charged(server)
    take_in(server, range(5, 10), RequestType="*rated")
    wait_until_charged(server)
    assert len(cdrs(server)) == 10


def test_what_was_rerated_while_it_waited_is_charged_once(start: Start) -> None:
    server = start("node", *QUEUE)
    before = balances(server)[0]
    take_in(server, range(0, 70, 7), RequestType="*postpaid", Account="900", Destination="1002")
    server.call("CDRsV1.RateCDRs", Flags=["*rerate"], RunIDs=["*default"], OriginIDs=["cdr-0", "cdr-7"])
    wait_until_charged(server)
    server.call("CDRsV1.RateCDRs", Flags=["*rerate"], RunIDs=["*default"])
    server.call("CDRsV1.ReprocessCDRs", Flags=["*refund", "*store"], RunIDs=["*default"])
    assert balances(server)[0] == before


def test_an_answer_with_costs_does_not_wait(start: Start) -> None:
    server = start("node", *QUEUE)
    answer = server.call("CDRsV2.ProcessEvent", Tenant=TENANT, Event=event(0, Destination="1002"))
    assert answer[0]["Event"]["Cost"] == 0
    assert answer[0]["Event"]["CostDetails"]
