"""`cgrcore account ...`: what happened to an account, from the ledger of a running server."""

from typing import Annotated

from cyclopts import Parameter

__all__ = ["balances", "history"]

_Server = Annotated[str, Parameter(env_var="CGRCORE_SERVER", help="Address of the server's rpc_json listener.")]


def history(
    account: str,
    /,
    *,
    tenant: str = "",
    from_: Annotated[str, Parameter(name="--from", allow_leading_hyphen=True)] = "",
    until: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    server: _Server = "127.0.0.1:2012",
) -> int:
    """Show every change of an account's balances.

    Oldest first, each with its instant, the amount before and after, and the request that caused it. Amounts are exact.

    Parameters
    ----------
    account:
        The account, such as 1001.
    tenant:
        Its tenant; the server's default one when not given.
    from_:
        Changes from this time on, such as 2026-01-31T00:00:00Z or -24h.
    until:
        Changes before this time.
    """
    return _show(
        "LedgerSv1.GetHistory",
        {"Tenant": tenant, "Account": account, "TimeStart": from_, "TimeEnd": until},
        server,
        ("Time", "BalanceType", "BalanceID", "Before", "Amount", "After", "Reason"),
    )


def balances(
    account: str,
    /,
    *,
    tenant: str = "",
    at: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    server: _Server = "127.0.0.1:2012",
) -> int:
    """Show what an account's balances held at an instant.

    Parameters
    ----------
    account:
        The account, such as 1001.
    tenant:
        Its tenant; the server's default one when not given.
    at:
        The instant, such as 2026-01-31T00:00:00Z or -24h; now when not given.
    """
    return _show(
        "LedgerSv1.GetBalancesAt",
        {"Tenant": tenant, "Account": account, "Time": at},
        server,
        ("BalanceType", "BalanceID", "After", "Time", "Reason"),
    )


def _show(method: str, argument: dict[str, str], server: str, columns: tuple[str, ...]) -> int:
    import json
    import sys
    from decimal import Decimal

    from rich.console import Console
    from rich.table import Table

    from cgrserver.cli.call import ErrorReply, ask

    request = json.dumps({"method": method, "params": [argument], "id": 1}).encode()
    try:
        lines = json.loads(ask(server, request, 30.0), parse_float=Decimal)
    except ErrorReply as error:
        print("nothing is known of this account" if str(error) == "NOT_FOUND" else error, file=sys.stderr)
        return 1
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in ("Before", "Amount", "After") else "left")
    for line in lines:
        table.add_row(*(_text(line[column]) for column in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    return 0


def _text(value: object) -> str:
    from decimal import Decimal

    return f"{value:f}" if isinstance(value, Decimal) else str(value)
