"""Questions and charges by usage record: APIerSv1.GetMaxUsage, DebitUsage, GetAccountCost."""

from typing import Any

from cgrcore.accounting import debit, max_usage
from cgrcore.errors import CgrError, NotFound, mandatory_missing, server_error
from cgrcore.event import CgrEvent, text_of, time_of, usage_of
from cgrcore.rating import Call, EventCost
from cgrcore.timing import ZERO_AT, Moment, parse_duration, parse_time
from cgrcore.world import World
from cgrserver.rpc.profiles import EventArgs
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []


class UsageArgs(Args):
    """A usage record: texts, as a CDR has them."""

    ToR: str = ""
    RequestType: str = ""
    Tenant: str = ""
    Category: str = ""
    Account: str = ""
    Subject: str = ""
    Destination: str = ""
    SetupTime: str = ""
    AnswerTime: str = ""
    Usage: str = ""
    ExtraFields: dict[str, str] | None = None
    APIOpts: dict[str, Any] | None = None


class DebitUsageArgs(Args):
    UsageRecord: UsageArgs | None = None
    AllowNegativeAccount: bool = False


def _call(world: World, record: UsageArgs, usage_text: str) -> Call:
    """Return the call a record describes. Raises BadRequest, `SERVER_ERROR: ...`, for texts that cannot be read."""
    zone = str(world.settings["general"].get("default_timezone") or "UTC")
    try:
        usage_ns = parse_duration(usage_text)
        start = parse_time(record.AnswerTime or record.SetupTime, world.now_at, zone)
    except CgrError as error:
        raise server_error(error) from None
    general = world.settings["general"]
    return Call(
        tenant=world.tenant(record.Tenant),
        category=record.Category or str(general["default_category"]),
        subject=record.Subject or record.Account,
        account=record.Account,
        destination=record.Destination,
        tor=record.ToR or "*voice",
        start_at=start.at,
        usage_ns=usage_ns,
        offset_s=start.offset_s,
        duration_index_ns=usage_ns,
        extra_fields=record.ExtraFields or {},
    )


@method("APIerSv1.GetMaxUsage", aliases=apier_names("GetMaxUsage"))
def get_max_usage(world: World, args: UsageArgs) -> int:
    """Return how long an account can pay for a call (ns); -1 without limit. Without Usage, the usual one is meant."""
    defaults: dict[str, int] = world.settings["sessions"]["default_usage"]
    usage = args.Usage or str(defaults.get(args.ToR or "*voice", defaults["*any"]))
    return max_usage(world, _call(world, args, usage))


def _debit(world: World, record: UsageArgs, *, may_go_negative: bool) -> str:
    missing = [name for name in ("Account", "Destination", "Usage") if not getattr(record, name)]
    if missing:
        raise mandatory_missing(missing)
    call = _call(world, record, record.Usage)
    try:
        debit(world, call, may_go_negative=may_go_negative, perform_rounding=True)
    except CgrError as error:
        raise server_error(error) from None
    return "OK"


@method("APIerSv1.DebitUsage", aliases=apier_names("DebitUsage"))
def debit_usage(world: World, args: UsageArgs) -> str:
    """Charge a call to its account, into debt if need be."""
    return _debit(world, args, may_go_negative=True)


@method("APIerSv1.DebitUsageWithOptions", aliases=apier_names("DebitUsageWithOptions"))
def debit_usage_with_options(world: World, args: DebitUsageArgs) -> str:
    """Charge a call to its account, into debt only if that is allowed."""
    record = args.UsageRecord or UsageArgs()
    return _debit(world, record, may_go_negative=args.AllowNegativeAccount)


@method("APIerSv1.GetAccountCost", aliases=apier_names("GetAccountCost"))
def get_account_cost(world: World, args: EventArgs) -> dict[str, Any]:
    """Return what an event would cost its account, without charging it."""
    call = _event_call(world, args.event(world))
    try:
        cost = debit(world, call, is_dry_run=True)
    except CgrError as error:
        raise server_error(error) from None
    return EventCost.from_call_cost(cost).as_wire(world.new_id)


def _event_call(world: World, event: CgrEvent) -> Call:
    """Return the call an event describes. Raises NotFound for an event without the fields that takes."""
    fields = event.event
    for name in ("Account", "Destination", "SetupTime", "Usage"):
        if fields.get(name) is None:
            raise NotFound(subject="event field", subject_id=name)
    start = time_of(fields.get("AnswerTime"), world.now_at) or time_of(fields["SetupTime"], world.now_at)
    if start is None:
        start = Moment(ZERO_AT, 0)
    usage_ns = usage_of(fields["Usage"]) or 0
    account = text_of(fields["Account"])
    extra = {"BalanceFactorID": text_of(fields["BalanceFactorID"])} if "BalanceFactorID" in fields else {}
    return Call(
        tenant=event.tenant,
        category=text_of(fields.get("Category")) or str(world.settings["general"]["default_category"]),
        subject=text_of(fields.get("Subject")) or account,
        account=account,
        destination=text_of(fields["Destination"]),
        tor=text_of(fields.get("ToR")) or "*voice",
        start_at=start.at,
        usage_ns=usage_ns,
        offset_s=start.offset_s,
        duration_index_ns=usage_ns,
        extra_fields=extra,
    )
