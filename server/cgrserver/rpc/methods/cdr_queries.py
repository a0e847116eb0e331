"""Queries of stored CDRs: lists, counts, removal, and the cost of an event."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import trio

from cgrcore.cdrs import take_out
from cgrcore.cdrs.filter import CdrFilter, filter_from_legacy, filter_from_wire, filter_of_internal
from cgrcore.cdrs.records import DEFAULT_RUN, Cdr
from cgrcore.codecs import encode
from cgrcore.errors import BadRequest, NotFound, server_error
from cgrcore.ports import Reads
from cgrcore.rating import EventCost
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__ = ["CdrFilterArgs"]

#: CDRs that are shown before others have their turn: some milliseconds.
SHOWN_AT_ONCE = 50


class CdrFilterArgs(Args):
    """Which CDRs: RPCCDRsFilter on the wire."""

    CGRIDs: list[str] | None = None
    NotCGRIDs: list[str] | None = None
    RunIDs: list[str] | None = None
    NotRunIDs: list[str] | None = None
    OriginIDs: list[str] | None = None
    NotOriginIDs: list[str] | None = None
    OriginHosts: list[str] | None = None
    NotOriginHosts: list[str] | None = None
    Sources: list[str] | None = None
    NotSources: list[str] | None = None
    ToRs: list[str] | None = None
    NotToRs: list[str] | None = None
    RequestTypes: list[str] | None = None
    NotRequestTypes: list[str] | None = None
    Tenants: list[str] | None = None
    NotTenants: list[str] | None = None
    Categories: list[str] | None = None
    NotCategories: list[str] | None = None
    Accounts: list[str] | None = None
    NotAccounts: list[str] | None = None
    Subjects: list[str] | None = None
    NotSubjects: list[str] | None = None
    DestinationPrefixes: list[str] | None = None
    NotDestinationPrefixes: list[str] | None = None
    Costs: list[Decimal] | None = None
    NotCosts: list[Decimal] | None = None
    ExtraFields: dict[str, str] | None = None
    NotExtraFields: dict[str, str] | None = None
    SetupTimeStart: str = ""
    SetupTimeEnd: str = ""
    AnswerTimeStart: str = ""
    AnswerTimeEnd: str = ""
    CreatedAtStart: str = ""
    CreatedAtEnd: str = ""
    UpdatedAtStart: str = ""
    UpdatedAtEnd: str = ""
    MinUsage: str = ""
    MaxUsage: str = ""
    OrderBy: str = ""
    ExtraArgs: dict[str, Any] | None = None
    Limit: int | None = None
    Offset: int | None = None
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None

    def filter(self, world: World) -> CdrFilter:
        """Return the filter. Raises BadRequest with the text that all its methods answer."""
        try:
            return filter_from_wire(msgspec.structs.asdict(self), world.now_at, _zone(world))
        except BadRequest as error:
            raise server_error(error) from None

    def filter_to_list(self, world: World) -> CdrFilter:
        """Return the filter as CGRateS's store of the configured kind takes it. Errors as `filter`."""
        if world.settings["stor_db"]["db_type"] != "*internal":
            return self.filter(world)
        try:
            return filter_of_internal(msgspec.structs.asdict(self), world.now_at, _zone(world))
        except BadRequest as error:
            raise server_error(error) from None


class LegacyFilterArgs(Args):
    """Which CDRs, as AttrGetCdrs says it."""

    CgrIds: list[str] | None = None
    MediationRunIds: list[str] | None = None
    TORs: list[str] | None = None
    CdrHosts: list[str] | None = None
    CdrSources: list[str] | None = None
    ReqTypes: list[str] | None = None
    Tenants: list[str] | None = None
    Categories: list[str] | None = None
    Accounts: list[str] | None = None
    Subjects: list[str] | None = None
    DestinationPrefixes: list[str] | None = None
    RatedAccounts: list[str] | None = None
    RatedSubjects: list[str] | None = None
    OrderIdStart: int | None = None
    OrderIdEnd: int | None = None
    TimeStart: str = ""
    TimeEnd: str = ""
    SkipErrors: bool = False
    SkipRated: bool = False
    OrderBy: str = ""
    Limit: int | None = None
    Offset: int | None = None


class EventCostArgs(Args):
    CgrId: str = ""
    RunId: str = ""


def _zone(world: World) -> str:
    return str(world.settings["general"]["default_timezone"])


async def _shown(cdrs: list[Cdr], show: Callable[[Cdr], dict[str, Any]]) -> msgspec.Raw | None:
    """Return CDRs as the JSON of a list, None for none. Others have their turn after every few of them."""
    parts = []
    for start in range(0, len(cdrs), SHOWN_AT_ONCE):
        parts.append(encode([show(cdr) for cdr in cdrs[start : start + SHOWN_AT_ONCE]])[1:-1])
        await trio.lowlevel.checkpoint()
    return msgspec.Raw(b"[%b]" % b",".join(parts)) if parts else None


async def _show(store: Reads, world: World, args: CdrFilterArgs) -> msgspec.Raw | None:
    cdrs = await store.find_cdrs(args.filter_to_list(world))
    return await _shown(cdrs, lambda cdr: cdr.as_wire(world.new_id))


async def _show_external(store: Reads, world: World, args: CdrFilterArgs) -> msgspec.Raw | None:
    cdrs = await store.find_cdrs(args.filter_to_list(world))
    return await _shown(cdrs, lambda cdr: cdr.as_external(world.new_id))


async def _count(store: Reads, world: World, args: CdrFilterArgs) -> int:
    return await store.count_cdrs(msgspec.structs.replace(args, OrderBy="").filter_to_list(world))


async def _show_legacy(store: Reads, world: World, args: LegacyFilterArgs) -> msgspec.Raw | None:
    try:
        criteria = filter_from_legacy(msgspec.structs.asdict(args), world.now_at, _zone(world))
    except BadRequest as error:
        raise server_error(error) from None
    return await _shown(await store.find_cdrs(criteria), lambda cdr: cdr.as_external(world.new_id))


async def _find_to_remove(store: Reads, world: World, args: CdrFilterArgs) -> list[Cdr]:
    return await store.find_cdrs(args.filter(world))


@method("CDRsV1.GetCDRs", aliases=("CDRsV2.GetCDRs",), fetch=_show, is_long=True)
def get_cdrs(world: World, args: CdrFilterArgs, shown: msgspec.Raw | None) -> msgspec.Raw:
    """List the stored CDRs that a filter matches."""
    if shown is None:
        raise server_error(NotFound())
    return shown


@method("CDRsV1.GetCDRsCount", aliases=("CDRsV2.GetCDRsCount", "APIerSv2.CountCDRs"), fetch=_count)
def count_cdrs(world: World, args: CdrFilterArgs, count: int) -> int:
    """Count the stored CDRs that a filter matches."""
    return count


@method("APIerSv2.GetCDRs", fetch=_show_external, is_long=True)
def get_external_cdrs(world: World, args: CdrFilterArgs, shown: msgspec.Raw | None) -> msgspec.Raw:
    """List the stored CDRs that a filter matches, instants, usage and cost details as texts."""
    if shown is None:
        raise NotFound()
    return shown


@method("APIerSv1.GetCDRs", fetch=_show_legacy, is_long=True)
def get_legacy_cdrs(world: World, args: LegacyFilterArgs, shown: msgspec.Raw | None) -> msgspec.Raw:
    """List the stored CDRs that the older filter matches, instants, usage and cost details as texts."""
    if shown is None:
        raise server_error(NotFound())
    return shown


@method("APIerSv1.RemoveCDRs", aliases=("APIerSv2.RemoveCDRs",), fetch=_find_to_remove)
def remove_cdrs(world: World, args: CdrFilterArgs, cdrs: list[Cdr]) -> str:
    """Remove the stored CDRs that a filter matches. All its conditions count, whatever the store."""
    if not cdrs:
        raise server_error(NotFound())
    world.state.effects.rows.extend(("cdrs", "delete", cdr) for cdr in cdrs)
    for cdr in cdrs:
        take_out(world, cdr.cgrid, cdr.run_id)
    return "OK"


async def _find_cost(store: Reads, world: World, args: EventCostArgs) -> EventCost | None:
    run_id = args.RunId or DEFAULT_RUN
    cdr = await store.get_cdr(args.CgrId, run_id)
    if cdr is not None:
        return cdr.cost_details
    costs = await store.find_session_costs(cgrid=args.CgrId, run_id=run_id)
    return costs[0].cost_details if costs else None


@method("APIerSv1.GetEventCost", mandatory=("CgrId",), aliases=("APIerSv2.GetEventCost",), fetch=_find_cost)
def get_event_cost(world: World, args: EventCostArgs, cost: EventCost | None) -> dict[str, Any]:
    """Show how the cost of an event came about."""
    if cost is None:
        raise NotFound()
    return cost.as_wire(world.new_id)
