"""Correcting the cost of stored CDRs: the CDR gets its new cost, and its account the difference, in one decision.

Rules: what is compared is what is stored, so a correction that came twice finds nothing left to do; only the
difference is ever moved. CDRs whose price the tariff alone does not tell are left as they are, with the reason. Does
not know: how the new cost was found.
"""

import msgspec

from cgrcore.accounting import account_id_of, correct_cost, is_paid_otherwise
from cgrcore.cdrs.changed import as_changed, note_change
from cgrcore.cdrs.charge import ACCOUNTABLE
from cgrcore.cdrs.records import Cdr
from cgrcore.rating.eventcost import Step
from cgrcore.world import World

__all__ = ["Correction", "correct_cdr"]

POSTED = "POSTED"
UNCHANGED = "UNCHANGED"


class Correction(msgspec.Struct, frozen=True):
    """What became of a correction: "POSTED", "UNCHANGED", or the reason against it.

    `account_id` is whose balance moved by the difference, "" for none.
    """

    status: str
    account_id: str = ""
    before_nano: int | None = None
    after_nano: int | None = None

    @property
    def difference_nano(self) -> int:
        """What the account paid in addition, below zero what it got back."""
        if self.status != POSTED or self.before_nano is None or self.after_nano is None:
            return 0
        return self.after_nano - self.before_nano


def correct_cdr(
    world: World,
    found: Cdr | None,
    price_nano: int,
    debited_nano: int,
    *,
    least_nano: int = 1,
    is_dry_run: bool = False,
) -> Correction:
    """Give a stored CDR its new cost and its account the difference; `found` is how the store has it.

    The cost is the price where no account paid, and where one did what a debit would have taken: that is rounded part
    by part. A smaller difference than `least_nano` is none. A dry run says what would become of it and changes nothing.
    """
    if found is None:
        return Correction("NOT_FOUND")
    cdr = as_changed(world, found)
    account_id = account_id_of(cdr.tenant, cdr.account) if cdr.request_type in ACCOUNTABLE else ""
    against = _against(world, cdr, account_id)
    cost_nano = debited_nano if account_id else price_nano
    if cost_nano < 0:
        against = against or "NEGATIVE_COST"
    before_nano = cdr.cost_nano
    if against or before_nano is None or abs(cost_nano - before_nano) < max(least_nano, 1):
        return Correction(against or UNCHANGED, "", before_nano, cost_nano)
    if not is_dry_run:
        _correct(world, cdr, account_id, cost_nano)
    return Correction(POSTED, account_id, before_nano, cost_nano)


def _against(world: World, cdr: Cdr, account_id: str) -> str:
    """Return why a CDR cannot be corrected, "" when it can."""
    if f"{cdr.cgrid}:{cdr.run_id}" in world.state.table("rating_queue"):
        return "WAITS_TO_BE_RATED"
    if cdr.cost_nano is None:
        return "NEVER_CHARGED"
    if cdr.request_type == "*directdebit":
        return "COST_AGREED"
    if not account_id:
        return ""
    if cdr.cost_details is None or not cdr.cost_details.charges:
        return "NO_COST_DETAILS"
    if is_paid_otherwise(cdr.cost_details):
        return "PAID_WITH_UNITS"
    return "" if account_id in world.state.table("accounts") else "ACCOUNT_NOT_FOUND"


def _correct(world: World, cdr: Cdr, account_id: str, cost_nano: int) -> None:
    assert cdr.cost_nano is not None
    difference_nano = cost_nano - cdr.cost_nano
    details = cdr.cost_details
    if details is not None and details.charges:
        if account_id:
            details = correct_cost(world, details, account_id, difference_nano)
        else:
            step = msgspec.structs.replace(details.charges[-1], steps=[Step(0, difference_nano)], count=1)
            details = msgspec.structs.replace(details, charges=[*details.charges, step])
    corrected = msgspec.structs.replace(cdr, cost_nano=cost_nano, cost_details=details, cost_source="*corrected")
    world.state.effects.rows.append(("cdrs", "update", corrected))
    note_change(world, corrected)
