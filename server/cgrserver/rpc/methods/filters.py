"""The filters of APIerSv1, and the indexes through which profiles are found by them."""

from typing import Any

from cgrcore.errors import BadRequest, CgrError, NotFound, mandatory_missing, server_error
from cgrcore.filters import (
    Filter,
    FilterRule,
    compile_filter,
    compute_indexes,
    inline_rule,
    is_inline,
    listed_entries,
    remove_indexes,
    users_of_filter,
)
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    IntervalArgs,
    PageArgs,
    TenantIdArgs,
    change_cache,
    find,
    ids_of,
    interval_of,
    remove,
    texts,
)
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "filters"

#: The kinds of profiles whose indexes can be asked for, by the word for them in arguments.
COMPUTED = {
    "*attributes": "Attribute",
    "*resources": "Resource",
    "*stats": "Stat",
    "*routes": "Route",
    "*thresholds": "Threshold",
    "*chargers": "Charger",
    "*dispatchers": "Dispatcher",
}

#: Those with an index for each context.
WITH_CONTEXT = ("*attributes", "*dispatchers")


class FilterRuleArgs(Args):
    Type: str = ""
    Element: str = ""
    Values: list[str] | None = None


class FilterArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Rules: list[FilterRuleArgs] | None = None
    ActivationInterval: IntervalArgs | None = None
    APIOpts: dict[str, Any] | None = None


class IndexArgs(Args):
    Tenant: str = ""
    Context: str = ""
    ItemType: str = ""
    FilterType: str = ""
    FilterField: str = ""
    FilterValue: str = ""
    Limit: int | None = None
    Offset: int | None = None
    APIOpts: dict[str, Any] | None = None


class ComputeArgs(Args):
    Tenant: str = ""
    Context: str = ""
    APIOpts: dict[str, Any] | None = None
    AttributeS: bool = False
    ResourceS: bool = False
    StatS: bool = False
    RouteS: bool = False
    ThresholdS: bool = False
    ChargerS: bool = False
    DispatcherS: bool = False


class ComputeIdsArgs(Args):
    Tenant: str = ""
    Context: str = ""
    APIOpts: dict[str, Any] | None = None
    AttributeIDs: list[str] | None = None
    ResourceIDs: list[str] | None = None
    StatIDs: list[str] | None = None
    RouteIDs: list[str] | None = None
    ThresholdIDs: list[str] | None = None
    ChargerIDs: list[str] | None = None
    DispatcherIDs: list[str] | None = None


@method("APIerSv1.SetFilter", mandatory=("ID",), aliases=apier_names("SetFilter"))
def set_filter(world: World, args: FilterArgs) -> str:
    """Keep a filter, in place of one with the same id. An unknown type is an error only when it is asked."""
    change_cache(world, TABLE, args)
    rules = tuple(FilterRule(rule.Type, rule.Element, texts(rule.Values)) for rule in args.Rules or ())
    record = Filter(world.tenant(args.Tenant), args.ID, rules, interval_of(world, args.ActivationInterval))
    try:
        compile_filter(record)
    except CgrError as error:
        raise server_error(error) from None
    world.state.table(TABLE).put(f"{record.tenant}:{record.id}", record)
    return "OK"


@method("APIerSv1.GetFilter", mandatory=("ID",), aliases=apier_names("GetFilter"))
def get_filter(world: World, args: TenantIdArgs) -> dict[str, Any]:
    """Return a filter; an inline one is parsed."""
    tenant = world.tenant(args.Tenant)
    if is_inline(args.ID):
        try:
            return Filter(tenant, args.ID, (inline_rule(args.ID),)).as_wire()
        except CgrError as error:
            raise server_error(error) from None
    record: Filter = find(world, TABLE, args)
    return record.as_wire()


@method("APIerSv1.GetFilterIDs", aliases=apier_names("GetFilterIDs"))
def get_filter_ids(world: World, args: PageArgs) -> list[str] | None:
    """Return the ids of a tenant's filters."""
    return ids_of(world, TABLE, args)


@method("APIerSv1.RemoveFilter", mandatory=("ID",), aliases=apier_names("RemoveFilter"))
def remove_filter(world: World, args: TenantIdArgs) -> str:
    """Remove a filter that nothing refers to."""
    tenant = world.tenant(args.Tenant)
    users = users_of_filter(world, tenant, args.ID)
    if users and f"{tenant}:{args.ID}" in world.state.table(TABLE):
        raise BadRequest(
            f"SERVER_ERROR: cannot remove filter <{tenant}:{args.ID}> because will broken the reference "
            f"to following items: {users}"
        )
    remove(world, TABLE, args)
    return "OK"


def _check_item(args: IndexArgs) -> None:
    if not args.ItemType:
        raise mandatory_missing(("ItemType",))
    if args.ItemType in WITH_CONTEXT and not args.Context:
        raise mandatory_missing(("Context",))


@method("APIerSv1.GetFilterIndexes", aliases=apier_names("GetFilterIndexes"))
def get_filter_indexes(world: World, args: IndexArgs) -> list[str] | None:
    """Return the keys by which the profiles of a kind can be found, each with the profile's id."""
    _check_item(args)
    found = []
    for kind, field, value, profile_id in listed_entries(world, world.tenant(args.Tenant), args.ItemType, args.Context):
        if args.FilterType in ("", kind) and args.FilterField in ("", field) and args.FilterValue in ("", value):
            found.append(":".join(part for part in (kind, field, value, profile_id) if part))
    if not found:
        raise NotFound(subject="filter index")
    start = max(args.Offset or 0, 0)
    return found[start : start + args.Limit if args.Limit else None] or None


@method("APIerSv1.RemoveFilterIndexes", aliases=apier_names("RemoveFilterIndexes"))
def remove_filter_indexes(world: World, args: IndexArgs) -> str:
    """Take the indexes of a kind of profiles off the list; the profiles are found all the same."""
    _check_item(args)
    remove_indexes(world, world.tenant(args.Tenant), args.ItemType, args.Context)
    return "OK"


@method("APIerSv1.ComputeFilterIndexes", aliases=apier_names("ComputeFilterIndexes"))
def compute_filter_indexes(world: World, args: ComputeArgs) -> str:
    """Put the indexes of kinds of profiles back on the list. They follow from the profiles and are never stale."""
    tenant = world.tenant(args.Tenant)
    for item_type, field in COMPUTED.items():
        if getattr(args, f"{field}S"):
            compute_indexes(world, tenant, item_type, args.Context if item_type in WITH_CONTEXT else "")
    return "OK"


@method("APIerSv1.ComputeFilterIndexIDs", aliases=apier_names("ComputeFilterIndexIDs"))
def compute_filter_index_ids(world: World, args: ComputeIdsArgs) -> str:
    """Put the indexes of single profiles back on the list. They follow from the profiles and are never stale."""
    tenant = world.tenant(args.Tenant)
    for item_type, field in COMPUTED.items():
        profile_ids = getattr(args, f"{field}IDs")
        if profile_ids:
            compute_indexes(world, tenant, item_type, args.Context if item_type in WITH_CONTEXT else "", profile_ids)
    return "OK"
