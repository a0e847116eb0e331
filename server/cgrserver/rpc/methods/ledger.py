"""LedgerSv1, which CGRateS does not have: every change of an account's balances, and what they were at an instant."""

from typing import Any

from cgrcore.errors import NotFound
from cgrcore.money import number_from_nano
from cgrcore.ports import LedgerLine, Reads
from cgrcore.timing import ZERO_AT, format_time, parse_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []


class HistoryArgs(Args):
    Tenant: str = ""
    Account: str = ""
    TimeStart: str = ""
    TimeEnd: str = ""
    APIOpts: dict[str, Any] | None = None


class AtArgs(Args):
    Tenant: str = ""
    Account: str = ""
    Time: str = ""
    APIOpts: dict[str, Any] | None = None


def _instant(world: World, text: str) -> int | None:
    """Return the instant a text means (ns UTC), None when it is empty."""
    at = parse_time(text, world.now_at, world.settings["general"]["default_timezone"]).at
    return None if at == ZERO_AT else at


def _account_id(world: World, args: HistoryArgs | AtArgs) -> str:
    return f"{world.tenant(args.Tenant)}:{args.Account}"


def _as_wire(line: LedgerLine) -> dict[str, Any]:
    return {
        "Time": format_time(line.at),
        "BalanceType": line.balance_type,
        "BalanceID": line.balance_id,
        "BalanceUUID": line.balance_uuid,
        "Before": number_from_nano(line.before_nano),
        "Amount": number_from_nano(line.amount_nano),
        "After": number_from_nano(line.after_nano),
        "Reason": line.reason,
        "IdempotencyKey": line.idempotency_key,
    }


async def _read_history(store: Reads, world: World, args: HistoryArgs) -> list[LedgerLine]:
    return await store.history(_account_id(world, args), _instant(world, args.TimeStart), _instant(world, args.TimeEnd))


@method("LedgerSv1.GetHistory", mandatory=("Account",), fetch=_read_history)
def get_history(world: World, args: HistoryArgs, lines: list[LedgerLine]) -> list[dict[str, Any]]:
    """List the changes of an account's balances from TimeStart to before TimeEnd, oldest first."""
    if not lines:
        raise NotFound()
    return [_as_wire(line) for line in lines]


async def _read_balances(store: Reads, world: World, args: AtArgs) -> list[LedgerLine]:
    at = _instant(world, args.Time)
    return await store.balances_at(_account_id(world, args), world.now_at if at is None else at)


@method("LedgerSv1.GetBalancesAt", mandatory=("Account",), fetch=_read_balances)
def get_balances_at(world: World, args: AtArgs, lines: list[LedgerLine]) -> list[dict[str, Any]]:
    """List what an account's balances held at an instant, each by its last change; now, when no time is given."""
    if not lines:
        raise NotFound()
    return [_as_wire(line) for line in lines]
