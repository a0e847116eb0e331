"""Many sessions on one account that is forgotten and fetched between them: no more is granted than it holds.

As `test_one_account`, with units too, on a server that holds one account in memory.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ROOT, Connection, ServerProcess

PLAN = ROOT / "tariffplans" / "fosdem"

CONNECTIONS = 20
SESSIONS = 1000
SECOND_NS = 10**9

#: A minute of the tariff in force costs so much, by half minutes; and a call so much before it begins (1e-9).
MINUTE_NANO = 1_750_000_000
CONNECT_NANO = 375_000_000


COMMON = {
    "Tenant": "cgrates.org",
    "Account": "1001",
    "Subject": "1001",
    "Destination": "1002",
    "Category": "call",
    "ToR": "*voice",
    "RequestType": "*prepaid",
    "OriginHost": "h",
}


class Calls:
    """Sessions of one account. Requests go out in bursts, their replies are read after."""

    def __init__(self, server: ServerProcess, seed: int) -> None:
        self._random = random.Random(seed)
        self._connections = [Connection(server.port) for _ in range(CONNECTIONS)]
        self._number = 0
        self.granted_ns: dict[int, int] = {}

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def event(self, call: int, usage: str) -> dict[str, Any]:
        own = {"OriginID": f"call-{call}", "AnswerTime": "2026-01-01T00:00:00Z", "Usage": usage}
        return COMMON | own

    def ask(self, requests: list[tuple[str, int, dict[str, Any]]]) -> dict[int, Any]:
        """Send requests about calls over all connections, in random order; return what was answered by call."""
        self._random.shuffle(requests)
        sent: dict[int, list[int]] = {}
        for place, (method, call, params) in enumerate(requests):
            lane = place % CONNECTIONS
            frame = {"method": method, "params": [params | {"Tenant": "cgrates.org", "ID": str(call)}], "id": call}
            self._connections[lane].send(json.dumps(frame).encode())
            sent.setdefault(lane, []).append(call)
        answers = {}
        for lane, calls in sent.items():
            for _ in calls:
                reply = self._connections[lane].reply()
                answers[reply["id"]] = reply["error"] or reply["result"]
        return answers

    def initiate(self, calls: range) -> None:
        wanted = [
            ("SessionSv1.InitiateSession", call, {"InitSession": True, "Event": self.event(call, "60s")})
            for call in calls
        ]
        for call, answer in self.ask(wanted).items():
            self.granted_ns[call] = answer["MaxUsage"] if isinstance(answer, dict) else 0

    def update(self, calls: list[int]) -> None:
        """Ask for another minute, all that was granted so far being used."""
        wanted = [
            ("SessionSv1.UpdateSession", call, {"UpdateSession": True, "Event": self.event(call, "60s")})
            for call in calls
        ]
        for call, answer in self.ask(wanted).items():
            self.granted_ns[call] += answer["MaxUsage"] if isinstance(answer, dict) else 0

    def terminate(self, calls: list[int]) -> dict[int, int]:
        """End calls, each after a part of what it was granted; return what they used (ns)."""
        used = {call: self._random.randint(0, self.granted_ns[call] // SECOND_NS) * SECOND_NS for call in calls}
        wanted = [
            ("SessionSv1.TerminateSession", call, {"TerminateSession": True, "Event": self.event(call, f"{ns}ns")})
            for call, ns in used.items()
        ]
        self.ask(wanted)
        return used


def held(server: ServerProcess, kind: str) -> int:
    """Return what the account holds of a type (1e-9)."""
    account = server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="1001")
    return sum(round(it["Value"] * 10**9) for it in account["BalanceMap"].get(kind) or ())


def play(folder: Path, seed: int, kind: str, value: float) -> None:
    """Let calls begin, go on and end, until all are over; check what was granted and what is left."""
    server = ServerProcess(folder, ["limits.resident_accounts=1"])
    calls = Calls(server, seed)
    try:
        assert server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(PLAN)) == "OK"
        for name in ("1001", "1002"):
            server.call("APIerSv1.RemoveAccount", Tenant="cgrates.org", Account=name)
        balance = {"ID": "main", "Value": value}
        account = {"Tenant": "cgrates.org", "Account": "1001"}
        assert server.call("APIerSv1.SetBalance", BalanceType=kind, Balance=balance, **account) == "OK"
        opening_nano = held(server, kind)
        calls.initiate(range(SESSIONS))
        calls.update([call for call in range(SESSIONS) if call % 2])
        granted = [ns for ns in calls.granted_ns.values() if ns > 0]
        assert sum(cost(kind, ns) for ns in granted) == opening_nano - held(server, kind)
        assert held(server, kind) >= 0
        assert len(granted) < SESSIONS  # more was asked for than there is
        used = calls.terminate(list(range(SESSIONS)))
        assert opening_nano - held(server, kind) == sum(
            cost(kind, ns) for call, ns in used.items() if calls.granted_ns[call]
        )
        assert server.call("SessionSv1.GetActiveSessionsCount") == 0
    finally:
        calls.close()
        server.kill()


def cost(kind: str, usage_ns: int) -> int:
    """Return what so much of a call takes from a balance of a type (1e-9). A call of nothing costs nothing."""
    if kind == "*voice":
        return usage_ns * 10**9
    halves = -(-usage_ns // (30 * SECOND_NS))
    return CONNECT_NANO + halves * MINUTE_NANO // 2 if halves else 0


@pytest.mark.slow
def test_a_thousand_sessions_are_never_granted_more_units_than_there_are(tmp_path: Path) -> None:
    play(tmp_path, 1, "*voice", 20_000 * 10**9)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 22))
def test_sessions_are_never_granted_more_than_there_is(tmp_path: Path, seed: int) -> None:
    play(tmp_path, seed, *random.Random(seed).choice([("*voice", 12_345 * 10**9), ("*monetary", 1000.125)]))
