"""A thousand calls at once on one account of a real server never get more than it holds.

Twenty switches send without waiting for answers: begin, prolong, end, in an order and of a length by chance. What was
granted is priced here and held against the balance after each round, and against CDRs and ledger at the end.
"""

import random
from collections.abc import Iterator
from decimal import Decimal
from json import dumps
from typing import Any

import pytest

from tests.server_process import ROOT, Connection, ServerProcess

TENANT = "cgrates.org"
CALLS = 1000
SWITCHES = 20

#: The plan's price: a fee, and each half minute begun.
FEE = Decimal("0.375")
STEP = Decimal("0.875")
STEP_NS = 30 * 10**9


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("one"), ("general.rpc_compat=current",))
    server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(ROOT / "tariffplans" / "fosdem"))
    yield server
    server.kill()


@pytest.fixture
def switches(server: ServerProcess) -> Iterator[list[Connection]]:
    connections = [server.connect() for _ in range(SWITCHES)]
    yield connections
    for connection in connections:
        connection.close()


class Account:
    """An account with calls, and what they were granted (ns)."""

    def __init__(self, server: ServerProcess, switches: list[Connection], seed: int, held: int) -> None:
        self.server = server
        self.switches = switches
        self.chance = random.Random(seed)
        self.name = f"one-{seed}"
        self.held = Decimal(held)
        self.granted_ns = dict.fromkeys(range(CALLS), 0)
        server.call("APIerSv1.AddBalance", Tenant=TENANT, Account=self.name, BalanceType="*monetary", Value=held)

    def ask(self, method: str, flag: str, numbers: list[int], usages: dict[int, str]) -> dict[int, Any]:
        """Send a request for each call, all of them before any answer is read."""
        shares = [numbers[place::SWITCHES] for place in range(SWITCHES)]
        for connection, share in zip(self.switches, shares, strict=True):
            connection.send(b"".join(self._request(method, flag, number, usages[number]) for number in share))
        answers: dict[int, Any] = {}
        for connection, share in zip(self.switches, shares, strict=True):
            for _ in share:
                answer = connection.reply()
                answers[answer["id"]] = answer
        assert sorted(answers) == sorted(numbers)
        return answers

    def _request(self, method: str, flag: str, number: int, usage: str) -> bytes:
        event = {
            "Account": self.name,
            "Subject": "1001",
            "Destination": "1002",
            "OriginID": f"{self.name}-{number}",
            "RequestType": "*prepaid",
            "AnswerTime": "2023-01-07T17:00:10Z",
            "Usage": usage,
        }
        params = {"Tenant": TENANT, flag: True, "Event": event}
        return dumps({"method": method, "params": [params], "id": number}).encode() + b"\n"

    def some(self, share: float) -> list[int]:
        chosen = [number for number in range(CALLS) if self.chance.random() < share]
        self.chance.shuffle(chosen)
        return chosen

    def usages(self, numbers: list[int], longest_s: int) -> dict[int, str]:
        return {number: f"{self.chance.randrange(1, longest_s)}s" for number in numbers}

    def note(self, answers: dict[int, Any]) -> None:
        for number, answer in answers.items():
            if answer["error"] is None:
                self.granted_ns[number] += answer["result"]["MaxUsage"]

    @property
    def granted(self) -> Decimal:
        """What the calls would cost if they lasted as long as was granted."""
        return sum((price(usage_ns) for usage_ns in self.granted_ns.values()), Decimal())

    @property
    def left(self) -> Decimal:
        found = self.server.call("APIerSv2.GetAccount", Tenant=TENANT, Account=self.name)["BalanceMap"]["*monetary"]
        return sum((Decimal(str(balance["Value"])) for balance in found), Decimal())


def price(usage_ns: int) -> Decimal:
    return FEE + STEP * -(-usage_ns // STEP_NS) if usage_ns else Decimal()


@pytest.mark.parametrize(("seed", "held"), [(1, 100), (2, 1500), (3, 100_000)])
def test_a_thousand_calls_at_once_are_never_granted_more_than_the_account_holds(
    server: ServerProcess, switches: list[Connection], seed: int, held: int
) -> None:
    account = Account(server, switches, seed, held)
    everyone = account.some(1)
    account.note(account.ask("SessionSv1.InitiateSession", "InitSession", everyone, account.usages(everyone, 120)))
    for _ in range(3):
        assert account.granted <= account.held
        assert account.left >= 0
        some = account.some(0.5)
        account.note(account.ask("SessionSv1.UpdateSession", "UpdateSession", some, account.usages(some, 90)))
    assert account.granted <= account.held

    used = {number: f"{account.chance.randint(0, granted)}ns" for number, granted in account.granted_ns.items()}
    account.ask("SessionSv1.TerminateSession", "TerminateSession", account.some(1), used)
    account.ask("SessionSv1.ProcessCDR", "Ignored", account.some(1), used)
    cdrs = server.call("CDRsV1.GetCDRs", Accounts=[account.name])
    costs = sum((Decimal(str(cdr["Cost"])) for cdr in cdrs if cdr["Cost"] != -1), Decimal())
    lines = server.call("LedgerSv1.GetHistory", Tenant=TENANT, Account=account.name)
    assert account.left == account.held - costs >= 0
    assert min(Decimal(str(line["After"])) for line in lines) >= 0
