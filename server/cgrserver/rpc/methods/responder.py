"""Responder: what rating and accounting answer to session managers and CDR servers of other nodes."""

from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.accounting import (
    Account,
    account_as_wire,
    account_id_of,
    debit,
    debit_monetary,
    explain,
    max_debit,
    max_usage,
    refund_listed,
    refund_rounding_increments,
)
from cgrcore.errors import CgrError
from cgrcore.event import boolean_option
from cgrcore.money import nano_from_number, number_from_nano
from cgrcore.rating import Call, Increment, Paid, PaidMoney, PaidUnit, quote
from cgrcore.timing import ZERO_AT, Moment, parse_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__ = ["CallArgs"]

#: The category that routes rate their calls in.
ROUTES = "*routes"


class PaidUnitArgs(Args):
    UUID: str = ""
    ID: str = ""
    Value: Decimal = Decimal(0)
    DestinationID: str = ""
    Consumed: Decimal = Decimal(0)
    Factor: Decimal = Decimal(0)
    Category: str = ""
    ToR: str = ""


class PaidMoneyArgs(Args):
    UUID: str = ""
    ID: str = ""
    Value: Decimal = Decimal(0)


class PaidArgs(Args):
    Unit: PaidUnitArgs | None = None
    Monetary: PaidMoneyArgs | None = None
    AccountID: str = ""


class IncrementArgs(Args):
    Duration: int = 0
    Cost: Decimal = Decimal(0)
    BalanceInfo: PaidArgs | None = None
    CompressFactor: int = 0

    def increment(self) -> Increment:
        info = self.BalanceInfo
        return Increment(
            self.Duration,
            nano_from_number(self.Cost),
            max(self.CompressFactor, 1),
            None if info is None else _paid(info),
        )


def _paid(info: PaidArgs) -> Paid:
    unit, money = info.Unit, info.Monetary
    return Paid(
        info.AccountID,
        None
        if unit is None
        else PaidUnit(
            unit.UUID,
            unit.ID,
            nano_from_number(unit.Value),
            unit.DestinationID,
            nano_from_number(unit.Consumed),
            nano_from_number(unit.Factor),
            unit.Category,
            unit.ToR,
        ),
        None if money is None else PaidMoney(money.UUID, money.ID, nano_from_number(money.Value)),
    )


class CallArgs(Args):
    """A call descriptor: what is to be rated or charged."""

    Category: str = ""
    Tenant: str = ""
    Subject: str = ""
    Account: str = ""
    Destination: str = ""
    TimeStart: str = ""
    TimeEnd: str = ""
    LoopIndex: Decimal = Decimal(0)
    DurationIndex: int = 0
    FallbackSubject: str = ""
    RatingInfos: list[Any] | None = None
    Increments: list[IncrementArgs] | None = None
    ToR: str = ""
    ExtraFields: dict[str, str] | None = None
    MaxRate: Decimal = Decimal(0)
    MaxRateUnit: int = 0
    MaxCostSoFar: Decimal = Decimal(0)
    CgrID: str = ""
    RunID: str = ""
    ForceDuration: bool = False
    PerformRounding: bool = False
    DenyNegativeAccount: bool = False
    DryRun: bool = False
    APIOpts: dict[str, Any] | None = None

    def call(self, world: World) -> Call:
        """Return the call it describes, from TimeStart to TimeEnd on the clock of TimeStart."""
        start = parse_time(self.TimeStart, world.now_at)
        end = parse_time(self.TimeEnd, world.now_at)
        return Call(
            tenant=world.tenant(self.Tenant),
            category=self.Category,
            subject=self.Subject or self.Account,
            account=self.Account,
            destination=self.Destination,
            tor=self.ToR,
            start_at=start.at,
            usage_ns=end.at - start.at,
            offset_s=start.offset_s,
            duration_index_ns=self.DurationIndex,
            is_first=self.LoopIndex == 0,
            max_cost_so_far_nano=nano_from_number(self.MaxCostSoFar),
            extra_fields=self.ExtraFields or {},
            max_rate_nano=nano_from_number(self.MaxRate),
            max_rate_unit_ns=self.MaxRateUnit,
            end_offset_s=end.offset_s,
        )


class AccountsCallArgs(Args):
    Subject: str = ""
    Destination: str = ""
    Tenant: str = ""
    SetupTime: str = ""
    Usage: int = 0
    AccountIDs: list[str] | None = None
    APIOpts: dict[str, Any] | None = None


class CdrCallArgs(Args):
    CGRID: str = ""
    RunID: str = ""
    OrderID: int = 0
    OriginHost: str = ""
    Source: str = ""
    OriginID: str = ""
    ToR: str = ""
    RequestType: str = ""
    Tenant: str = ""
    Category: str = ""
    Account: str = ""
    Subject: str = ""
    Destination: str = ""
    SetupTime: str = ""
    AnswerTime: str = ""
    Usage: int = 0
    ExtraFields: dict[str, str] | None = None
    ExtraInfo: str = ""
    Partial: bool = False
    PreRated: bool = False
    CostSource: str = ""
    Cost: Decimal = Decimal(0)
    CostDetails: dict[str, Any] | None = None
    APIOpts: dict[str, Any] | None = None


@method("Responder.GetCost")
def get_cost(world: World, args: CallArgs) -> dict[str, Any]:
    """Return what a call costs by the tariff, whoever pays."""
    call = args.call(world)
    if not call.category:
        call = msgspec.structs.replace(call, category=str(world.settings["general"]["default_category"]))
    return quote(world, call).as_wire()


@method("Responder.Debit")
def debit_call(world: World, args: CallArgs) -> dict[str, Any]:
    """Charge a call to its account, into debt unless that is denied."""
    is_dry_run = args.DryRun or boolean_option(args.APIOpts or {}, "*ralsDryRun")
    cost = debit(
        world,
        args.call(world),
        is_dry_run=is_dry_run,
        may_go_negative=not args.DenyNegativeAccount,
        perform_rounding=args.PerformRounding,
    )
    return cost.as_wire()


@method("Responder.MaxDebit")
def max_debit_call(world: World, args: CallArgs) -> dict[str, Any]:
    """Charge as much of a call as its account can pay for."""
    cost = max_debit(
        world,
        args.call(world),
        is_forced=args.ForceDuration,
        may_go_negative=not args.DenyNegativeAccount,
        perform_rounding=args.PerformRounding,
    )
    return cost.as_wire()


@method("Responder.GetMaxSessionTime")
def get_max_session_time(world: World, args: CallArgs) -> int:
    """Return how long an account can pay for a call (ns); -1 without limit."""
    return max_usage(world, args.call(world))


@method("Responder.GetMaxSessionTimeOnAccounts")
def get_max_session_time_on_accounts(world: World, args: AccountsCallArgs) -> dict[str, Any]:
    """Return the first of several accounts that can pay for a call, and for how long; nothing when none can.

    The error of the last account that cannot even be asked is the answer when no other can pay.
    """
    start = parse_time(args.SetupTime, world.now_at)
    failure: CgrError | None = None
    for name in args.AccountIDs or ():
        try:
            usage_ns = max_usage(world, _routes_call(world, args, name, start))
        except CgrError as error:
            failure = error
            continue
        if usage_ns:
            return {"MaxUsage": usage_ns, "Cost": 0, "Account": name}
    if failure is not None:
        raise failure
    return {}


def _routes_call(world: World, args: AccountsCallArgs, account: str, start: Moment) -> Call:
    return Call(
        tenant=world.tenant(args.Tenant),
        category=ROUTES,
        subject=args.Subject,
        account=account,
        destination=args.Destination,
        tor="*voice",
        start_at=start.at,
        usage_ns=args.Usage,
        offset_s=start.offset_s,
        duration_index_ns=args.Usage,
    )


@method("Responder.DebitMonetary")
def debit_monetary_call(world: World, args: CdrCallArgs) -> dict[str, Any]:
    """Charge the cost that a CDR names to its account, and return the call's cost by the tariff."""
    start = parse_time(args.AnswerTime, world.now_at)
    if start.at == ZERO_AT:
        start = parse_time(args.SetupTime, world.now_at)
    call = Call(
        tenant=world.tenant(args.Tenant),
        category=args.Category,
        subject=args.Subject or args.Account,
        account=args.Account,
        destination=args.Destination,
        tor=args.ToR,
        start_at=start.at,
        usage_ns=args.Usage,
        offset_s=start.offset_s,
        duration_index_ns=args.Usage,
        extra_fields=args.ExtraFields or {},
    )
    return debit_monetary(world, call, nano_from_number(args.Cost)).as_wire()


def _changed(world: World, args: CallArgs, account_ids: list[str]) -> dict[str, Any]:
    """Return the call's account when it is among those that changed, else an empty one."""
    account_id = account_id_of(world.tenant(args.Tenant), args.Account or args.Subject)
    if account_id in account_ids:
        return account_as_wire(world.state.table("accounts").require(account_id), world.now_at)
    return account_as_wire(Account())


@method("Responder.RefundIncrements")
def refund_increments_of_call(world: World, args: CallArgs) -> dict[str, Any]:
    """Give back what increments took."""
    increments = [increment.increment() for increment in args.Increments or ()]
    return _changed(world, args, refund_listed(world, increments, args.ToR))


@method("Responder.RefundRounding")
def refund_rounding_of_call(world: World, args: CallArgs) -> dict[str, Any]:
    """Charge what rounding added, the cost of each increment once; below zero it is given back."""
    increments = [increment.increment() for increment in args.Increments or ()]
    return _changed(world, args, refund_rounding_increments(world, increments))


@method("Responder.ExplainDebit")
def explain_debit(world: World, args: CallArgs) -> dict[str, Any]:
    """Return what an authorisation and a debit of a call would do now, and why: a line for each balance."""
    found = explain(world, args.call(world))
    return {
        "MaxUsage": found.max_usage_ns,
        "Cost": number_from_nano(found.cost_nano),
        "Refusal": found.refusal,
        "Balances": [
            {
                "AccountID": verdict.account_id,
                "Type": verdict.type,
                "ID": verdict.id,
                "UUID": verdict.uuid,
                "Before": number_from_nano(verdict.before_nano),
                "After": number_from_nano(verdict.after_nano),
                "Usage": verdict.paid_ns,
                "Used": verdict.is_used,
                "Reason": verdict.reason,
            }
            for verdict in found.verdicts
        ],
    }
