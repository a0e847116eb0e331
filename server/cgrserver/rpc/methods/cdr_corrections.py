"""CDRsV1.CorrectCosts, which CGRateS does not have: stored CDRs get another cost, their accounts the difference."""

from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

from cgrcore.accounting import account_id_of
from cgrcore.cdrs import Correction, StoredCdrs, as_charged, correct_cdr
from cgrcore.errors import BadRequest, mandatory_missing
from cgrcore.money import nano_from_number, number_from_nano
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []

#: CDRs in one request, which is one transaction.
MOST_CORRECTIONS = 1000


class CorrectionArgs(Args):
    CGRID: str = ""
    RunID: str = ""
    Cost: Decimal | None = None
    DebitedCost: Decimal | None = None


class CorrectionsArgs(Args):
    Corrections: list[CorrectionArgs] | None = None
    DryRun: bool = False
    LeastDifference: Decimal = Decimal(0)
    APIOpts: dict[str, Any] | None = None


def _fetch(store: Any, world: World, args: CorrectionsArgs) -> Awaitable[StoredCdrs]:
    corrections = args.Corrections or []
    if len(corrections) > MOST_CORRECTIONS:
        raise BadRequest(f"at most {MOST_CORRECTIONS} corrections in a request, not {len(corrections)}")
    return _fetch_calls(store, sorted({it.CGRID for it in corrections}))


async def _fetch_calls(store: Any, cgrids: list[str]) -> StoredCdrs:
    cdrs, _ = await store.find_calls(cgrids)
    return StoredCdrs({(cdr.cgrid, cdr.run_id): cdr for cdr in cdrs}, {})


@method("CDRsV1.CorrectCosts", mandatory=("Corrections",), fetch=_fetch)
def correct_costs(world: World, args: CorrectionsArgs, stored: StoredCdrs) -> list[dict[str, Any]]:
    """Give stored CDRs another cost and move the difference on their accounts, all together; a repeat changes nothing.

    What cannot be corrected is left as it is, with the reason as its status.
    """
    stored = as_charged(world, stored)
    world.state.table("accounts").need({account_id_of(cdr.tenant, cdr.account) for cdr in stored.cdrs.values()})
    least_nano = nano_from_number(args.LeastDifference)
    replies = []
    for given in args.Corrections or ():
        if not given.CGRID or given.Cost is None:
            raise mandatory_missing(("CGRID", "Cost"))
        key = (given.CGRID, given.RunID or "*default")
        cost_nano = nano_from_number(given.Cost)
        debited_nano = cost_nano if given.DebitedCost is None else nano_from_number(given.DebitedCost)
        found = stored.cdrs.get(key)
        done = correct_cdr(world, found, cost_nano, debited_nano, least_nano=least_nano, is_dry_run=args.DryRun)
        replies.append(_as_wire(*key, done))
    return replies


def _as_wire(cgrid: str, run_id: str, done: Correction) -> dict[str, Any]:
    return {
        "CGRID": cgrid,
        "RunID": run_id,
        "Status": done.status,
        "Account": done.account_id,
        "Before": None if done.before_nano is None else number_from_nano(done.before_nano),
        "After": None if done.after_nano is None else number_from_nano(done.after_nano),
        "Difference": number_from_nano(done.difference_nano),
    }
