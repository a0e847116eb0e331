"""Prices on a large tariff: 100,000 destinations, each with a prefix of its own."""

import json
import random
import time
from collections.abc import Iterator

from bench.load import Template, measured, request
from bench.plans import large_plan_prefixes, write_large_plan
from bench.registry import Context, Measure, benchmark
from bench.server import Server, serving

__all__: list[str] = []

DESTINATIONS = 100_000

#: How many different numbers are asked for on each connection.
NUMBERS = 200
CONNECTIONS = 16


@benchmark("quotes")
def quotes(context: Context) -> Iterator[Measure]:
    """GetCost and AuthorizeEvent on a tariff of 100,000 destinations, and loading it."""
    settings = ["data_db.db_type=*internal", "general.rpc_compat=current"]
    with serving(context, settings) as server:
        write_large_plan(server.work / "plan", DESTINATIONS)
        began = time.perf_counter()
        server.call("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": str(server.work / "plan")})
        yield Measure("load", time.perf_counter() - began, "s", {"destinations": DESTINATIONS})
        prices = _prices()
        yield measured("GetCost", server, context, [_quotes(prices, seed) for seed in range(CONNECTIONS)])[0]
        yield measured("AuthorizeEvent", server, context, _authorisations(server))[0]


def _prices() -> list[tuple[str, str]]:
    """Return (number, cost of a minute as JSON) for every destination."""
    return [(prefix + "0000", cost) for prefix, cost in large_plan_prefixes(DESTINATIONS)]


def _quotes(prices: list[tuple[str, str]], seed: int) -> list[Template]:
    templates = []
    for number, cost in random.Random(seed).sample(prices, NUMBERS):
        params = {
            "Tenant": "cgrates.org",
            "Category": "call",
            "Subject": "any",
            "Destination": number,
            "AnswerTime": "2026-03-02T09:30:00Z",
            "Usage": "60s",
        }
        templates.append(request("APIerSv1.GetCost", json.dumps(params, separators=(",", ":")), f'"Cost":{cost},'))
    return templates


def _authorisations(server: Server) -> list[list[Template]]:
    cycles = []
    for seed in range(CONNECTIONS):
        account = f"quotes{seed}"
        balance = {"ID": "main", "Weight": 10}
        top_up = {"Tenant": "cgrates.org", "Account": account, "BalanceType": "*monetary", "Value": 10**9}
        server.call("APIerSv1.AddBalance", {**top_up, "Balance": balance})
        templates = []
        for number, _ in random.Random(seed).sample(_prices(), NUMBERS):
            event = {
                "ToR": "*voice",
                "RequestType": "*prepaid",
                "OriginID": "quote@CYCLE@@@@",
                "Tenant": "cgrates.org",
                "Category": "call",
                "Account": account,
                "Destination": number,
                "SetupTime": "2026-03-02T09:30:00Z",
            }
            params = {"Tenant": "cgrates.org", "ID": "q", "GetMaxUsage": True, "Event": event}
            text = json.dumps(params, separators=(",", ":"))
            templates.append(request("SessionSv1.AuthorizeEvent", text, '"MaxUsage":10800000000000'))
        cycles.append(templates)
    return cycles
