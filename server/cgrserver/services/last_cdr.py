"""What an account held after its last rated CDR, read from the store.

Does not know: what it is read for.
"""

from typing import Any

from cgrcore.cdrs import CdrFilter
from cgrcore.money import NANO
from cgrcore.ports import Reads

__all__ = ["find_last_summary"]


async def find_last_summary(store: Reads, account_id: str) -> dict[str, Any]:
    """Return the AccountSummary of the account's last rated CDR, as on the wire; empty when there is none."""
    tenant, _, account = account_id.partition(":")
    last = CdrFilter(
        among={"tenant": (tenant,), "account": (account,)}, not_costs=(-NANO,), is_descending=True, limit=1
    )
    found = await store.find_cdrs(last)
    details = found[0].cost_details if found else None
    return {} if details is None or details.account is None else details.account.as_wire()
