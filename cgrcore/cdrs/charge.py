"""Charging a CDR that had no session: from its account, or only priced when it has none to pay.

Does not know: where the CDR came from, where it goes.
"""

import msgspec

from cgrcore.accounting import account_id_of, charge_rated, debit_monetary
from cgrcore.cdrs.records import Cdr
from cgrcore.errors import CgrError
from cgrcore.rating import Call, EventCost, quote
from cgrcore.scheduling.dynaprepaid import make_dynaprepaid_account
from cgrcore.world import World

__all__ = ["ACCOUNTABLE", "PAID_BY_SESSION", "call_of", "charge_cdr"]

#: Paid from an account: these are refunded, and keep the cost they came with.
ACCOUNTABLE = frozenset(
    ("*prepaid", "*postpaid", "*pseudoprepaid", "*dynaprepaid", "prepaid", "postpaid", "pseudoprepaid")
)

#: Their CDRs take the cost of their session.
PAID_BY_SESSION = ("*prepaid", "prepaid", "*dynaprepaid")


def call_of(cdr: Cdr) -> Call:
    """Return the call that a CDR tells of."""
    start = cdr.answer_time if cdr.answer_time.at > 0 else cdr.setup_time
    return Call(
        tenant=cdr.tenant,
        category=cdr.category,
        subject=cdr.subject,
        account=cdr.account,
        destination=cdr.destination,
        tor=cdr.tor,
        start_at=start.at,
        offset_s=start.offset_s,
        usage_ns=cdr.usage_ns,
        duration_index_ns=cdr.usage_ns,
        extra_fields=cdr.extra_fields,
    )


def charge_cdr(world: World, cdr: Cdr) -> Cdr:
    """Return the CDR with its cost, which is taken from its account if it has one to pay.

    What cannot be rated keeps the reason in ExtraInfo and no cost.
    """
    call = call_of(cdr)
    try:
        if cdr.request_type == "*directdebit":
            assert cdr.cost_nano is not None
            debit_monetary(world, call, cdr.cost_nano)
            # What was paid is what the event told, whatever the tariff would have made of it.
            return msgspec.structs.replace(cdr, cost_details=None, cost_source="*cdrs", extra_info="")
        elif cdr.request_type in ACCOUNTABLE:
            if cdr.request_type == "*dynaprepaid":
                make_dynaprepaid_account(world, account_id_of(cdr.tenant, cdr.account), "cdrs")
            # A debit is what was paid; a quote is rounded and capped as a whole.
            cost = charge_rated(world, call, cdr.cgrid, cdr.run_id)
            cost_nano = cost.cost_nano
        else:
            charged = quote(world, call)
            cost = EventCost.from_call_cost(charged, cdr.cgrid, cdr.run_id)
            cost_nano = charged.cost_nano
    except CgrError as error:
        return msgspec.structs.replace(cdr, cost_nano=None, extra_info=str(error), cost_details=None)
    return msgspec.structs.replace(cdr, cost_nano=cost_nano, cost_details=cost, cost_source="*cdrs", extra_info="")
