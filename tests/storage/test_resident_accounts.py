"""A real server that holds a tenth of its accounts in memory answers as one that holds all, and keeps the same."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cgrserver.storage.ledger_check import check_sqlite

from tests.server_process import ROOT, ServerProcess

PLAN = ROOT / "tariffplans" / "fosdem"

RESIDENT = 10
ACCOUNTS = 10 * RESIDENT
REQUESTS = 300
MEMBERS = ("a1", "a40", "a77", "a99")

#: What is drawn anew by each server, or is the time of day.
FRESH = re.compile(
    r'"(Uuid|UUID|UniqueID|CGRID|UpdateTime|NodeID|LoopIndex|[A-Za-z]*Time)":\s*("[^"]*"|\d+)|[0-9a-f]{8}-[0-9a-f-]{27}'
)


def requests(seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield requests on many accounts: money, calls, actions, plans, triggers, a shared group, lists."""
    rng = random.Random(seed)
    started: list[dict[str, Any]] = []
    for number in range(REQUESTS):
        name = f"a{rng.randrange(ACCOUNTS)}"
        account = {"Tenant": "cgrates.org", "Account": name}
        balance = {"BalanceType": "*monetary", "Value": rng.randint(1, 9), "Balance": {"ID": "main"}}
        usual = {"Subject": name, "Destination": "1002", "Category": "call", "ToR": "*voice"}
        setup = {"RequestType": "*prepaid", "OriginHost": "h", "OriginID": f"c{number}", "Usage": "60s"}
        call = account | usual | setup | {"AnswerTime": "2024-01-01T00:00:00Z"}
        debit = account | usual | {"TimeStart": "2024-01-01T00:00:00Z", "TimeEnd": "2024-01-01T00:01:30Z"}
        match rng.randrange(16):
            case 0 | 1:
                yield "APIerSv1.AddBalance", account | balance
            case 2:
                yield "APIerSv1.DebitBalance", account | balance
            case 3:
                yield rng.choice(("Responder.Debit", "Responder.MaxDebit", "Responder.GetMaxSessionTime")), debit
            case 4 | 5:
                started.append(call)
                yield "SessionSv1.InitiateSession", {"InitSession": True, "Event": call}
            case 6 if started:
                yield "SessionSv1.UpdateSession", {"UpdateSession": True, "Event": rng.choice(started)}
            case 7 if started:
                over = started.pop(rng.randrange(len(started))) | {"Usage": f"{rng.randrange(120)}s"}
                yield "SessionSv1.TerminateSession", {"TerminateSession": True, "Event": over}
                yield "CDRsV1.ProcessEvent", {"Flags": ["*rals"], "Event": over}
            case 8:
                yield "CDRsV1.ProcessEvent", {"Event": call | {"RequestType": "*postpaid"}}
            case 9:
                yield "APIerSv1.ExecuteAction", account | {"ActionsId": "ACT_TOPUP_10"}
            case 10:
                yield "APIerSv1.SetAccount", account | {"ActionPlanID": "AP_TOPUP_10", "ReloadScheduler": True}
            case 11:
                trigger = {"ThresholdType": "*min_balance", "ThresholdValue": 3, "ActionsID": "ACT_TOPUP_10"}
                options = {"Recurrent": False, "BalanceType": "*monetary", "GroupID": "G", **trigger}
                yield "APIerSv1.AddTriggeredAction", account | options
            case 12:
                yield "APIerSv2.GetAccounts", {"Tenant": "cgrates.org", "Offset": rng.randrange(90), "Limit": 15}
            case 13:
                yield "APIerSv2.GetAccounts", {"Tenant": "cgrates.org", "AccountIDs": [name, "nobody", "a5"]}
            case 14 if rng.random() < 0.3:
                yield "APIerSv1.RemoveAccount", account
            case 15:
                yield rng.choice(("APIerSv1.GetAccountsCount", "APIerSv1.GetAccountIDs")), {"Tenant": "cgrates.org"}
            case _:
                yield "APIerSv2.GetAccount", account


def opening() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the requests that make the accounts, four of which share what they have."""
    yield "APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": str(PLAN)}
    for number in range(ACCOUNTS):
        account = {"Tenant": "cgrates.org", "Account": f"a{number}", "BalanceType": "*monetary"}
        groups = {"SharedGroups": "SG"} if f"a{number}" in MEMBERS else {}
        yield "APIerSv1.SetBalance", account | {"Balance": {"ID": "main", "Value": 10 + number % 7, **groups}}
    shared = [{"Account": "*any", "Strategy": "*lowest", "RatingSubject": ""}]
    yield "APIerSv1.SetTPSharedGroups", {"TPid": "TP", "ID": "SG", "SharedGroups": shared}
    yield "APIerSv1.LoadSharedGroup", {"TPid": "TP", "ID": "SG"}


def answers(server: ServerProcess, wanted: Iterator[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    """Send one request after another; return what was answered but for what each server draws anew."""
    found = []
    for number, (method, params) in enumerate(wanted):
        params = {"ID": str(number), "Tenant": "cgrates.org"} | params
        server.client.send(json.dumps({"method": method, "params": [params], "id": 1}).encode())
        reply = server.client.reply()
        found.append((method, FRESH.sub("", json.dumps(reply["error"] or reply["result"]))))
    return found


def played(folder: Path, limit: int, seed: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the answers of a server with that limit, and what it tells of all accounts after a kill."""
    folder.mkdir()
    server = ServerProcess(folder, [f"limits.resident_accounts={limit}"])
    try:
        told = answers(server, opening()) + answers(server, requests(seed))
        server.kill()
        server.start()
        listed = answers(server, iter([("APIerSv2.GetAccounts", {"Tenant": "cgrates.org"})]))
    finally:
        server.kill()
    for checked in check_sqlite(folder / "store.db"):
        assert [str(it) for it in checked] == []
    return told, listed


def check(folder: Path, seed: int) -> None:
    part, whole = played(folder / "part", RESIDENT, seed), played(folder / "whole", 0, seed)
    for number, (ours, theirs) in enumerate(zip(part[0], whole[0], strict=True)):
        assert ours == theirs, f"answer {number}"
    assert part[1] == whole[1]
    refused = sum(answer.startswith('"') and answer != '"OK"' for _, answer in part[0])
    assert refused < len(part[0]) // 4, "most requests do nothing"


@pytest.mark.slow
def test_a_server_that_holds_a_tenth_answers_as_one_that_holds_all(tmp_path: Path) -> None:
    check(tmp_path, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 22))
def test_whatever_is_asked_a_tenth_in_memory_is_enough(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)
