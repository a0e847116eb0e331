"""What the methods on profiles share: their arguments, their lists of ids, their places in the tables."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from cgrcore import caches
from cgrcore.errors import BadRequest, CgrError, NotFound, mandatory_missing, server_error
from cgrcore.event import CgrEvent
from cgrcore.filters import ActivationInterval, check_filters
from cgrcore.money import nano_from_number
from cgrcore.timing import ZERO_AT, Moment, parse_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, apier_names, method

__all__ = [
    "EventArgs",
    "IntervalArgs",
    "PageArgs",
    "TenantArgs",
    "TenantIdArgs",
    "change_cache",
    "check_cache_option",
    "declare_profiles",
    "find",
    "ids_of",
    "interval_of",
    "remove",
    "store",
    "texts",
    "weight_of",
]

#: What the option `*cache` may say. Every change is visible at once, whatever it says.
CACHE_WORDS = frozenset(("", "*none", "*reload", "*load", "*remove", "*clear"))


class TenantArgs(Args):
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class TenantIdArgs(Args):
    Tenant: str = ""
    ID: str = ""
    APIOpts: dict[str, Any] | None = None


class PageArgs(Args):
    Tenant: str = ""
    Search: str = ""
    Limit: int | None = None
    Offset: int | None = None


class IntervalArgs(Args):
    ActivationTime: str | None = None
    ExpiryTime: str | None = None


class EventArgs(Args):
    """An event that a subsystem is asked about."""

    Tenant: str = ""
    ID: str = ""
    Time: str | None = None
    Event: dict[str, Any] | None = None
    APIOpts: dict[str, Any] | None = None

    def event(self, world: World) -> CgrEvent:
        at = None if self.Time is None else parse_time(self.Time, world.now_at)
        if at is not None and at.at == ZERO_AT:
            at = None
        return CgrEvent(world.tenant(self.Tenant), self.ID, at, self.Event or {}, self.APIOpts or {})

    def full_event(self, world: World, *mandatory: str) -> CgrEvent:
        """As `event`, when the fields named and the event itself are there. Raises BadRequest."""
        missing = [name for name in mandatory if not getattr(self, name)]
        if missing:
            raise mandatory_missing(missing)
        if self.Event is None:
            raise mandatory_missing(("Event",))
        return self.event(world)


def interval_of(world: World, args: IntervalArgs | None) -> ActivationInterval | None:
    """Return the interval of a request, None for none."""
    if args is None:
        return None
    bounds = [
        Moment(ZERO_AT, 0) if text is None else parse_time(text, world.now_at)
        for text in (args.ActivationTime, args.ExpiryTime)
    ]
    return ActivationInterval(*bounds)


def weight_of(number: Decimal) -> int:
    return nano_from_number(number)


def texts(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def check_cache_option(options: dict[str, Any] | None) -> None:
    """Raise BadRequest for a `*cache` option that means nothing."""
    word = (options or {}).get("*cache", "")
    if word not in CACHE_WORDS:
        raise BadRequest(f"SERVER_ERROR: unsupported cache option: {word}")


def change_cache(world: World, table_name: str, args: Any) -> None:
    """Do to the cache what a change of a tenant's record says. Raises BadRequest as `check_cache_option`."""
    check_cache_option(args.APIOpts)
    key = f"{world.tenant(args.Tenant)}:{args.ID}"
    caches.change(world, table_name, key, (args.APIOpts or {}).get("*cache", ""))


def ids_of(world: World, table_name: str, args: PageArgs) -> list[str] | None:
    """Return a page of the ids of a tenant's records, sorted; null for a page past the end.

    Raises NotFound for none at all.
    """
    prefix = world.tenant(args.Tenant) + ":"
    found = sorted(key[len(prefix) :] for key in world.state.table(table_name) if key.startswith(prefix + args.Search))
    if not found:
        raise NotFound(subject=table_name)
    start = max(args.Offset or 0, 0)
    stop = start + args.Limit if args.Limit else None
    return found[start:stop] or None


def find(world: World, table_name: str, args: TenantIdArgs) -> Any:
    """Return a tenant's record, which the cache then shows. Raises NotFound."""
    key = f"{world.tenant(args.Tenant)}:{args.ID}"
    caches.note_lookup(world, table_name, key)
    return world.state.table(table_name).require(key)


def store(world: World, table_name: str, record: Any, options: dict[str, Any] | None) -> None:
    """Keep a profile whose filters exist. Raises `SERVER_ERROR: broken reference to filter: ...`."""
    check_cache_option(options)
    try:
        check_filters(world, record.tenant, record.filter_ids, record.id)
    except CgrError as error:
        raise server_error(error) from None
    key = f"{record.tenant}:{record.id}"
    world.state.table(table_name).put(key, record)
    caches.change(world, table_name, key, (options or {}).get("*cache", ""))


def remove(
    world: World, table_name: str, args: TenantIdArgs, drop: Callable[[World, str], object] | None = None
) -> None:
    """Remove a tenant's record, by its key with `drop` where more goes with it. Raises NotFound."""
    change_cache(world, table_name, args)
    key = f"{world.tenant(args.Tenant)}:{args.ID}"
    if drop is not None:
        drop(world, key)
    elif world.state.table(table_name).remove(key) is None:
        raise NotFound(subject=table_name, subject_id=key)


def declare_profiles(
    name: str,
    table_name: str,
    what: str,
    *,
    drop: Callable[[World, str], object] | None = None,
    removed: str = "",
    is_listed: bool = True,
    is_counted: bool = False,
) -> None:
    """Declare the methods of APIerSv1 that show a tenant's records of a kind, list and count them, and remove one.

    `name` is what the wire calls the kind (`ChargerProfile`), `what` its name in words; `removed` says in words what is
    removed, where that is more than the record.
    """

    def get(world: World, args: TenantIdArgs) -> dict[str, Any]:
        shown: dict[str, Any] = find(world, table_name, args).as_wire()
        return shown

    def get_ids(world: World, args: PageArgs) -> list[str] | None:
        return ids_of(world, table_name, args)

    def count(world: World, args: TenantArgs) -> int:
        return len(ids_of(world, table_name, PageArgs(Tenant=args.Tenant)) or ())

    def drop_one(world: World, args: TenantIdArgs) -> str:
        remove(world, table_name, args, drop)
        return "OK"

    def declare(verb: str, decide: Callable[..., Any], summary: str, *mandatory: str) -> None:
        method(f"APIerSv1.{verb}", mandatory=mandatory, aliases=apier_names(verb), summary=summary)(decide)

    article = "an" if what[0] in "aeiou" else "a"
    declare(f"Get{name}", get, f"Return {article} {what}.", "ID")
    if is_listed:
        declare(f"Get{name}IDs", get_ids, f"Return the ids of a tenant's {what}s.")
    if is_counted:
        declare(f"Get{name}Count", count, f"Return how many {what}s a tenant has.")
    declare(f"Remove{name}", drop_one, removed or f"Remove {article} {what}.", "ID")
