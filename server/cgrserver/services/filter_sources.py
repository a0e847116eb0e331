"""Where filters read what is not in the event: accounts, phone numbers.

Others join by putting their own reader into `world.parts["filter_sources"]`: `(world, tenant, keys) -> value`,
raising NotFound.
"""

from typing import Any

from cgrcore.accounting import account_as_wire
from cgrcore.errors import NotFound
from cgrcore.filters import phone_source, read
from cgrcore.world import World

__all__ = ["install"]


def install(world: World) -> None:
    """Let filters read accounts (`~*accounts.1001.BalanceMap.*monetary[0].Value`) and phone numbers."""
    sources = world.parts.setdefault("filter_sources", {})
    sources["*accounts"] = _read_account
    sources["*libphonenumber"] = phone_source


def _read_account(world: World, tenant: str, keys: tuple[str | int, ...]) -> Any:
    account = world.state.table("accounts").get(f"{tenant}:{keys[0]}")
    if account is None:
        raise NotFound(subject="account", subject_id=str(keys[0]))
    return read(account_as_wire(account), keys[1:])
