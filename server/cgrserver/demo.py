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
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from cgrcore.errors import CgrError

__all__ = ["run"]

PLAN = Path(__file__).resolve().parents[2] / "tariffplans" / "fosdem"

#: How long the server may take to say that it is ready.
START_TIMEOUT_S = 20.0

#: They stay shut: another server may run on this machine.
OTHER_LISTENERS = ("rpc_gob", "http", "birpc_json", "rpc_json_tls", "rpc_gob_tls", "http_tls")

#: How long the server may take to stop before it is killed.
STOP_TIMEOUT_S = 15.0

CALL = {"Account": "1001", "Destination": "1002", "OriginID": "abcd123", "RequestType": "*prepaid"}
ANSWERED = {"Account": "1001", "AnswerTime": "2023-01-07T17:00:10Z", **CALL}

#: The calls of a switch: what it means, the method, the argument.
STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "May 1001 call 1002, and for how long? Asked as of 2018: three hours, the most the switch is ever given.",
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
        "The call is answered: reserve five minutes. They cost 0.375 + 10 x 0.875 = 9.125.",
        "SessionSv1.InitiateSession",
        {"InitSession": True, "Event": {**ANSWERED, "Usage": "5m"}},
    ),
    (
        "It goes on: reserve five minutes more. What is left pays for 30 seconds.",
        "SessionSv1.UpdateSession",
        {"UpdateSession": True, "Event": {**ANSWERED, "Usage": "5m"}},
    ),
    (
        "The switch let it run for twelve minutes. All are charged, beyond the credit as a debt: 21.375 for the whole.",
        "SessionSv1.TerminateSession",
        {"TerminateSession": True, "Event": {**ANSWERED, "Usage": "12m"}},
    ),
    (
        "Write the call detail record (CDR). The call has been paid for: nothing is charged again.",
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
        line = self._replies.readline()
        if not line:
            raise RuntimeError(f"{method}: the server closed the connection")
        reply = json.loads(line, parse_float=Decimal)
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
    try:
        with tempfile.TemporaryDirectory(prefix="cgrcore-demo-") as folder:
            _charge_a_call(console, folder)
        _rate_many(console, cdr_count)
    except (RuntimeError, OSError, CgrError) as error:
        console.print(f"The demonstration failed: {error}", style="red", markup=False)
        return 1
    return 0


def _charge_a_call(console: Console, folder: str) -> None:
    """Run a server on a database in the folder, and play the call."""
    console.rule("A real call, charged")
    port = _free_port()
    server = _start(folder, port)
    try:
        _wait_ready(server)
        console.print(
            f"A server listens on 127.0.0.1:{port}, JSON-RPC over TCP; its database\nis a file in a temporary folder."
        )
        client = Client(port)
        _play(console, client)
        client.close()
    finally:
        _stop(server)
    console.print("The server is stopped, its folder removed.\n")


def _stop(server: "subprocess.Popen[str]") -> None:
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    if server.stdout is not None:
        server.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: str, port: int) -> "subprocess.Popen[str]":
    settings = [
        f"listen.rpc_json=127.0.0.1:{port}",
        *(f"listen.{name}=" for name in OTHER_LISTENERS),
        f"data_db.db_name={folder}/demo.db",
        f"stor_db.db_name={folder}/demo.db",
    ]
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


def _balances(client: Client) -> dict[str, Decimal]:
    """Return the balances of account 1001 by their ids."""
    account = client.call("APIerSv2.GetAccount", {"Tenant": "cgrates.org", "Account": "1001"})
    groups = (account["BalanceMap"] or {}).values()
    return {balance["ID"]: Decimal(balance["Value"]) for balances in groups for balance in balances or []}


def _first_balances(client: Client) -> dict[str, Decimal]:
    """Return the balances once the plan's top-up has run, a moment after loading. Raises RuntimeError."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return _balances(client)
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _amount(value: Decimal | int) -> str:
    return f"{Decimal(value).normalize():f}"


def _balance_line(balances: dict[str, Decimal], before: Decimal) -> str:
    """Return what is in the account, its parts when there are several, and what the call took."""
    after = sum(balances.values(), Decimal())
    parts = ", ".join(f"{name} {_amount(value)}" for name, value in balances.items())
    line = f"[bold green]{_amount(after)}[/]"
    if len(balances) > 1:
        line += f"   ({parts})"
    return line if after == before else f"{line}   changed by {_amount(after - before)}"


def _json(value: Any) -> Syntax:
    return Syntax(json.dumps(value), "json", word_wrap=True, background_color="default")


def _play(console: Console, client: Client) -> None:
    client.call("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": str(PLAN)})
    balances = _first_balances(client)
    account = f"[bold green]{sum(balances.values(), Decimal()):.2f}[/]"
    console.print(f"Tariff plan [bold]{PLAN.name}[/] is loaded. It tops up account 1001: {account} in the account.")
    console.print("0.375 to connect and 1.75 a minute since 2022, in steps of 30 seconds at 0.875.\n")
    for number, (meaning, method, argument) in enumerate(STEPS, 1):
        before = sum(balances.values(), Decimal())
        started = time.perf_counter_ns()
        result = client.call(method, argument)
        took_us = (time.perf_counter_ns() - started) // 1000
        balances = _balances(client)
        body = Table.grid(padding=(0, 1))
        body.add_row("", f"[bold]{meaning}[/]")
        body.add_row("request", _json(argument))
        body.add_row("answer", _json(result))
        body.add_row("", f"[dim]{_as_time(result)}Answered in {took_us / 1000:.1f} ms, once on disk.[/]")
        body.add_row("balance", _balance_line(balances, before))
        console.print(Panel(body, title=f"{number}. {method}", title_align="left"))
    _show_cdr(console, client)


def _as_time(result: Any) -> str:
    """Say a MaxUsage, which is in nanoseconds, as a person would."""
    if not isinstance(result, dict) or "MaxUsage" not in result:
        return ""
    seconds = result["MaxUsage"] // 10**9
    return f"MaxUsage is {seconds} s, in nanoseconds. "


def _show_cdr(console: Console, client: Client) -> None:
    cdr = client.call("CDRsV1.GetCDRs", {"OriginIDs": ["abcd123"]})[0]
    details = cdr["CostDetails"]
    table = Table(
        title=f"The CDR: {cdr['Account']} to {cdr['Destination']}, 12 minutes, cost {cdr['Cost']}", show_footer=True
    )
    for column, footer in (("usage", "together"), ("price", ""), ("times", ""), ("cost", _amount(cdr["Cost"]))):
        table.add_column(column, footer=footer, justify="right")
    for column in ("paid from", "destination", "plan"):
        table.add_column(column)
    names = {b["UUID"]: b["ID"] for b in details["AccountSummary"]["BalanceSummaries"]}
    for charge in details["Charges"]:
        rating = details["Rating"][charge["RatingID"]]
        matched = details["RatingFilters"][rating["RatingFiltersID"]]
        for increment in charge["Increments"]:
            paid = details["Accounting"].get(increment["AccountingID"], {})
            times = increment["CompressFactor"] * charge["CompressFactor"]
            name = names.get(paid.get("BalanceUUID"), "")
            table.add_row(
                f"{increment['Usage'] // 10**9} s" if increment["Usage"] else "connect fee",
                str(increment["Cost"]),
                str(times),
                _amount(increment["Cost"] * times),
                "debt" if name == "*default" else name,
                f"{matched['DestinationID']} ({matched['DestinationPrefix']})",
                matched["RatingPlanID"],
            )
    console.print(table)


def _rate_many(console: Console, count: int) -> None:
    """Rate generated CDRs with the kernel that charged the call, and say how fast."""
    from cgrserver.bulk import SAMPLE_COUNT, rate_generated

    console.rule("The same kernel, in bulk")
    rated, seconds, total = rate_generated(PLAN, count)
    checked = min(SAMPLE_COUNT, count)
    console.print(f"{rated:,} generated CDRs of one second to two hours, rated on one core in")
    console.print(f"{seconds:.2f} s: [bold]{rated / seconds:,.0f} a second[/], at a total cost of {total}, exact.")
    console.print(f"{checked:,} of them were priced one by one as calls are: the same to the last digit.")
