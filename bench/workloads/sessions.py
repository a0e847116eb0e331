"""A call as a switch makes it: authorise, begin, go on, end, CDR. Every connection has accounts of its own."""

import json
from collections.abc import Iterator
from typing import Any

from bench.load import Template, measured, request
from bench.plans import write_small_plan
from bench.registry import Context, Measure, Wrong, benchmark
from bench.server import Server, serving

__all__ = ["cycle"]

#: (connections, calls under way on each)
SHAPES = ((16, 1), (64, 1), (16, 32))

#: What an account holds before, and what a call of 120 s costs under the plan.
BALANCE = 1_000_000_000
CALL_COST = 1.2

DURABLE = ["data_db.db_type=*sqlite", "data_db.db_name=bench.db", "general.durability=commit"]
IN_MEMORY = ["data_db.db_type=*internal", "general.durability=memory"]
CURRENT = ["general.rpc_compat=current"]


@benchmark("sessions")
def sessions(context: Context) -> Iterator[Measure]:
    """Five-step session cycle, every answer after its commit is on disk (SQLite, synchronous=FULL)."""
    yield from _cycles(context, DURABLE)


@benchmark("sessions-memory")
def sessions_memory(context: Context) -> Iterator[Measure]:
    """Five-step session cycle, nothing kept: what the engine costs without the disk."""
    yield from _cycles(context, IN_MEMORY)


def _cycles(context: Context, storage: list[str]) -> Iterator[Measure]:
    with serving(context, storage + CURRENT) as server:
        write_small_plan(server.work / "plan")
        server.call("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": str(server.work / "plan")})
        for connections, depth in SHAPES:
            accounts = [f"b{connections}x{depth}c{number}" for number in range(connections)]
            for account in accounts:
                _fill(server, account)
            cycles = [cycle(account) for account in accounts]
            measure, _ = measured(f"{connections} x {depth}", server, context, cycles, depth=depth)
            _check(server, accounts, depth)
            yield measure


def cycle(account: str) -> list[Template]:
    """Return the five requests of a call of two minutes, charged minute by minute."""
    event = {
        "ToR": "*voice",
        "RequestType": "*prepaid",
        "OriginID": f"{account}-@CYCLE@@@@",
        "OriginHost": "bench",
        "Tenant": "cgrates.org",
        "Category": "call",
        "Account": account,
        "Destination": "4915170011",
        "SetupTime": "2026-03-02T09:30:00Z",
    }
    answered = {**event, "AnswerTime": "2026-03-02T09:30:05Z", "Usage": "60s"}
    ended = {**answered, "Usage": "120s"}

    def ask(method: str, expect: str, event: dict[str, Any], **flags: bool) -> Template:
        params = {"Tenant": "cgrates.org", "ID": "e@CYCLE@@@@", **flags, "Event": event}
        return request(method, json.dumps(params, separators=(",", ":")), expect)

    return [
        ask("SessionSv1.AuthorizeEvent", '"MaxUsage":10800000000000', event, GetMaxUsage=True),
        ask("SessionSv1.InitiateSession", '"MaxUsage":60000000000', answered, InitSession=True),
        ask("SessionSv1.UpdateSession", '"MaxUsage":60000000000', answered, UpdateSession=True),
        ask("SessionSv1.TerminateSession", '"result":"OK"', ended, TerminateSession=True),
        ask("SessionSv1.ProcessCDR", '"result":"OK"', ended),
    ]


def _fill(server: Server, account: str) -> None:
    balance = {"ID": "main", "Weight": 10}
    params = {
        "Tenant": "cgrates.org",
        "Account": account,
        "BalanceType": "*monetary",
        "Value": BALANCE,
        "Balance": balance,
    }
    server.call("APIerSv1.AddBalance", params)


def _check(server: Server, accounts: list[str], depth: int) -> None:
    """What left the balances is what whole calls cost, but for those under way when the load ended."""
    for account in accounts:
        found = server.call("APIerSv2.GetAccount", {"Tenant": "cgrates.org", "Account": account})
        spent = BALANCE - sum(balance["Value"] for balance in found["BalanceMap"]["*monetary"])
        minutes = spent / (CALL_COST / 2)
        if spent <= 0 or abs(minutes - round(minutes)) > 1e-6:
            raise Wrong(f"account {account} has spent {spent}, which is no number of minutes")
