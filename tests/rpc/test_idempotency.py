"""Every method may be sent again under its key: after a kill it gets its first answer and changes nothing.

The requests are made from the registry: each method's arguments from the types and names of their fields.
"""

import json
import sqlite3
import typing
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

import msgspec
import pytest
from cgrserver.rpc import methods
from cgrserver.rpc.registry import METHODS

from tests.server_process import ROOT, CallRefused, ServerProcess

PLAN = ROOT / "tariffplans" / "fosdem"

VALUES = {
    **dict.fromkeys(("Account", "Subject"), "1001"),
    **dict.fromkeys(("AnswerTime", "SetupTime", "Time", "TimeStart"), "2024-01-01T00:00:00Z"),
    **dict.fromkeys(("ActionsId", "ActionsID"), "ACT_TOPUP_10"),
    "ActionPlanId": "AP_TOPUP_10",
    "BalanceType": "*monetary",
    "Category": "call",
    "Destination": "1002",
    "OriginHost": "h",
    "OriginID": "o1",
    "RequestType": "*prepaid",
    "RunID": "*default",
    "TPid": "TP",
    "Tenant": "cgrates.org",
    "TimeEnd": "2024-01-01T00:01:00Z",
    "ToR": "*voice",
    "Usage": "10s",
}

EVENT = {
    key: VALUES[key] for key in ("Account", "Category", "Destination", "RequestType", "SetupTime", "Tenant", "ToR")
}

#: They end or delay the server, or change what is not in the store.
LEFT_OUT = ("CoreSv1.", "ConfigSv1.", "Responder.Shutdown", "ServiceManagerV1.", "APIerSv2.", "ApierV")

#: What must be among those that were answered, for the test to mean something.
CHARGING = {
    *("APIerSv1.AddBalance", "APIerSv1.DebitBalance", "APIerSv1.ExecuteAction", "APIerSv1.RemoveAccount"),
    *("Responder.Debit", "Responder.MaxDebit", "Responder.RefundIncrements", "CDRsV1.ProcessEvent"),
    *("SessionSv1.ProcessEvent", "SMGenericV1.InitiateSession", "SMGenericV1.UpdateSession", "APIerSv1.DebitUsage"),
    *("APIerSv1.SetTPTiming", "APIerSv1.RemoveTPTiming", "ReplicatorSv1.SetTiming", "APIerSv1.SetActionTrigger"),
}

TABLES = ("accounts", "ledger", "cdrs", "session_costs", "sessions", "documents", "idempotency")


def sample(kind: Any, name: str = "") -> Any:
    """Return a value of a type, for a field of that name."""
    if name == "Event":
        return {**EVENT, "OriginID": "call-1", "AnswerTime": VALUES["AnswerTime"], "Usage": "10s"}
    origin = typing.get_origin(kind)
    inner = [it for it in typing.get_args(kind) if it is not NoneType]
    if origin in (typing.Union, UnionType):
        return sample(inner[0], name)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return {it.encode_name: sample(hints[it.name], it.name) for it in msgspec.structs.fields(kind)}
    if kind is str:
        return VALUES.get(name, "x1")
    if origin is list and isinstance(inner[0], type) and issubclass(inner[0], msgspec.Struct):
        return [sample(inner[0])]
    return {bool: False, int: 1, Decimal: 1, list: [], dict: {}}.get(origin or kind)


def requests() -> Iterator[tuple[str, str]]:
    """Yield every method that takes an object, with its arguments and a key."""
    methods.load_all()
    for name, method in METHODS.items():
        arguments = sample(method.args)
        if isinstance(arguments, dict) and not name.startswith(LEFT_OUT):
            yield name, json.dumps(arguments | {"APIOpts": {"*idempotencyKey": "k"}})


def kept(folder: Path) -> dict[str, list[Any]]:
    """Return all that a store holds."""
    connection = sqlite3.connect(folder / "store.db")
    try:
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}
    finally:
        connection.close()


@pytest.mark.slow
def test_a_repeated_request_gets_its_first_answer_and_changes_nothing_after_a_restart(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    try:
        assert server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(PLAN)) == "OK"
        answers = {}
        for name, arguments in requests():
            try:
                answers[name] = arguments, server.client.call_raw(name, arguments)
            except CallRefused:
                continue
        assert CHARGING - answers.keys() == set()
        assert len(answers) > 150
        server.kill()
        server.start()
        before = kept(tmp_path)
        again = {name: (arguments, server.client.call_raw(name, arguments)) for name, (arguments, _) in answers.items()}
        assert again == answers
        assert kept(tmp_path) == before
    finally:
        server.kill()
