"""The demonstration: a real server on an embedded database, one call charged over TCP, a million CDRs rated.

Plays what a switch would say, and shows for each step the request, the answer and the balance. Nothing is left behind:
the database lies in a temporary folder.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

__all__ = ["run"]

PLAN = Path(__file__).resolve().parents[2] / "tariffplans" / "fosdem"

#: How long the server may take to say that it is ready.
START_TIMEOUT_S = 20.0

CALL = {"Account": "1001", "Destination": "1002", "OriginID": "abcd123", "RequestType": "*prepaid"}
ANSWERED = {**CALL, "AnswerTime": "2023-01-07T17:00:10Z"}

#: The calls of a switch: what it means, the method, the argument.
STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "May 1001 call 1002, and for how long?",
        "SessionSv1.AuthorizeEvent",
        {
            "GetAttributes": False,
            "AuthorizeResources": False,
            "GetMaxUsage": True,
            "ProcessThresholds": False,
            "ProcessStats": False,
            "GetSuppliers": False,
            "SuppliersMaxCost": "",
            "SuppliersIgnoreErrors": False,
            "Event": {**CALL, "SetupTime": "2018-01-07T17:00:00Z"},
        },
    ),
    (
        "The call is answered: reserve five minutes.",
        "SessionSv1.InitiateSession",
        {"InitSession": True, "Event": {**ANSWERED, "Usage": "5m"}},
    ),
    (
        "It goes on: reserve five more. There is credit for 30 seconds.",
        "SessionSv1.UpdateSession",
        {"UpdateSession": True, "Event": {**ANSWERED, "Usage": "5m"}},
    ),
    (
        "The switch let it run for twelve minutes: all of it is charged.",
        "SessionSv1.TerminateSession",
        {"TerminateSession": True, "Event": {**ANSWERED, "Usage": "12m"}},
    ),
    (
        "Write the call detail record.",
        "SessionSv1.ProcessCDR",
        {"Event": {**ANSWERED, "Usage": "12m"}},
    ),
)


class Client:
    """A switch: JSON-RPC over one TCP connection, one call at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._replies = self._socket.makefile("rb")
        self._id = 0

    def call(self, method: str, argument: Any) -> Any:
        """Return the result. Raises RuntimeError with the server's error text."""
        self._id += 1
        self._socket.sendall(json.dumps({"method": method, "params": [argument], "id": self._id}).encode() + b"\n")
        reply = json.loads(self._replies.readline())
        if reply["error"] is not None:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def close(self) -> None:
        self._replies.close()
        self._socket.close()


def run(cdr_count: int = 1_000_000) -> int:
    """Run the demonstration and return the exit status."""
    console = Console(highlight=False)
    if not PLAN.is_dir():
        console.print(f"The demonstration needs the tariff plan in {PLAN}: run it from a checkout.", style="red")
        return 1
    with tempfile.TemporaryDirectory(prefix="cgrcore-demo-") as folder:
        port = _free_port()
        server = _start(folder, port)
        try:
            _wait_ready(server)
            client = Client(port)
            _play(console, client, folder)
            client.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=15)
    _rate_many(console, cdr_count)
    return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: str, port: int) -> "subprocess.Popen[str]":
    settings = [f"listen.rpc_json=127.0.0.1:{port}", f"data_db.db_name={folder}/demo.db", f"stor_db.db_name={folder}/demo.db"]
    command = [sys.executable, "-m", "cgrserver.cli", "serve"]
    for setting in settings:
        command += ["--set", setting]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, env={**os.environ, "TZ": "UTC"}
    )


def _wait_ready(server: "subprocess.Popen[str]") -> None:
    assert server.stdout is not None
    line = server.stdout.readline()
    if "ready" not in line:
        raise RuntimeError(f"the server did not start: {line or 'it ended'}")


def _balance(client: Client) -> str:
    account = client.call("APIerSv2.GetAccount", {"Tenant": "cgrates.org", "Account": "1001"})
    parts = []
    for balances in (account["BalanceMap"] or {}).values():
        parts += [f"{balance['ID']} {balance['Value']}" for balance in balances or []]
    return ", ".join(parts)


def _play(console: Console, client: Client, folder: str) -> None:
    console.rule("A real call, charged")
    client.call("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": str(PLAN)})
    for _ in range(100):
        try:
            balance = _balance(client)
            break
        except RuntimeError:
            time.sleep(0.02)
    console.print(f"Tariff plan [bold]{PLAN.name}[/] loaded; account 1001 topped up. Balance: [bold green]{balance}[/]\n")
    for number, (meaning, method, argument) in enumerate(STEPS, 1):
        started = time.perf_counter_ns()
        result = client.call(method, argument)
        took_us = (time.perf_counter_ns() - started) // 1000
        body = Table.grid(padding=(0, 1))
        body.add_row("request", Syntax(json.dumps(argument), "json", word_wrap=True, background_color="default"))
        body.add_row("answer", Syntax(json.dumps(result), "json", word_wrap=True, background_color="default"))
        body.add_row("balance", f"[bold green]{_balance(client)}[/]   [dim]({took_us} µs, on disk before the answer)[/]")
        console.print(Panel(body, title=f"{number}. {method}", subtitle=meaning, title_align="left", subtitle_align="left"))
    _show_cdr(console, client)


def _show_cdr(console: Console, client: Client) -> None:
    cdr = client.call("CDRsV1.GetCDRs", {"OriginIDs": ["abcd123"]})[0]
    details = cdr["CostDetails"]
    table = Table(title=f"CDR {cdr['CGRID'][:12]}…: {cdr['Account']} → {cdr['Destination']}, cost {cdr['Cost']}")
    for column in ("usage", "price", "times", "cost", "paid from", "destination", "plan"):
        table.add_column(column, justify="right" if column in ("usage", "price", "times", "cost") else "left")
    names = {b["UUID"]: b["ID"] for b in details["AccountSummary"]["BalanceSummaries"]}
    for charge in details["Charges"]:
        rating = details["Rating"][charge["RatingID"]]
        matched = details["RatingFilters"][rating["RatingFiltersID"]]
        for increment in charge["Increments"]:
            paid = details["Accounting"].get(increment["AccountingID"], {})
            times = increment["CompressFactor"] * charge["CompressFactor"]
            is_fee = increment["Usage"] == 0
            table.add_row(
                "connect fee" if is_fee else f"{increment['Usage'] // 10**9} s",
                str(increment["Cost"]),
                str(times),
                f"{increment['Cost'] * times:.4f}".rstrip("0").rstrip("."),
                names.get(paid.get("BalanceUUID"), ""),
                f"{matched['DestinationID']} ({matched['DestinationPrefix']})",
                matched["RatingPlanID"],
            )
    console.print(table)


def _rate_many(console: Console, count: int) -> None:
    """Rate generated CDRs with the kernel that charged the call, and say how fast."""
    from cgrserver.bulk import rate_generated

    console.rule("The same kernel, in bulk")
    rated, seconds, total = rate_generated(PLAN, count)
    console.print(
        f"{rated:,} CDRs rated in {seconds:.2f} s: [bold]{rated / seconds:,.0f} a second[/], {total} in all.", highlight=False
    )
