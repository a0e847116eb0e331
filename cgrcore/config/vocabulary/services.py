"""Sections of the other services: resources, stats, trends, rankings, thresholds, routes, ips, dispatching."""

from cgrcore.config.keys import Key, Object
from cgrcore.config.kinds import Boolean, Duration, Plain
from cgrcore.config.maps import ListMap
from cgrcore.config.vocabulary.parts import boolean, conns, duration, enabled, indexing, integer, text, texts

__all__ = ["SECTIONS"]


class _PositiveDuration(Duration):
    """A duration that is printed only when it is more than none."""

    def show(self, parsed: int) -> object:
        return self.zero if parsed <= 0 else super().show(parsed)


_STORE = duration("store_interval", "", "accepted; every change is in the database with its reply", zero="")
_STORE_TREND = Key("store_interval", _PositiveDuration(""), "", _STORE.meaning)
_KEPT = integer("store_uncompressed_limit", 0, "accepted; how many items are stored as they are", 0)
_EXPORTERS = texts("ees_exporter_ids", "exporters asked; empty: all")
_SCHEDULED = Key(
    "scheduled_ids", ListMap(), None, "profiles scheduled when the node starts, by tenant; an empty list: all"
)

_PROFILE_OPTIONS = Key(
    "opts",
    Object(
        texts("*profileIDs", "profiles to use; empty: those found"),
        boolean("*profileIgnoreFilters", False, "use the named profiles whatever their filters say"),
    ),
    None,
    "options of events that name none",
)

_RESOURCES = Object(
    enabled("resources"),
    _STORE,
    *conns("thresholds"),
    *indexing(),
    Key(
        "opts",
        Object(
            text("*usageID", "", "id of the usage"),
            Key("*units", Plain(), 1, "units taken"),
            duration("*usageTTL", "", "how long units stay taken; 0: the profile's", zero=None),
        ),
        None,
        "options of events that name none",
    ),
)

_STATS = Object(
    enabled("statistics"), _STORE, _KEPT, *conns("thresholds", "ees"), _EXPORTERS, *indexing(), _PROFILE_OPTIONS
)

_TRENDS = Object(
    enabled("trends"), _STORE_TREND, _KEPT, *conns("stats"), _SCHEDULED, *conns("thresholds", "ees"), _EXPORTERS
)

_RANKINGS = Object(
    enabled("rankings"), _STORE_TREND, *conns("stats"), _SCHEDULED, *conns("thresholds", "ees"), _EXPORTERS
)

_THRESHOLDS = Object(
    enabled("thresholds"), _STORE, *conns("sessions", "apiers", "ees"), _EXPORTERS, *indexing(), _PROFILE_OPTIONS
)

_ROUTES = Object(
    enabled("routes"),
    *indexing(),
    *conns("attributes", "resources", "stats", "rals"),
    integer("default_ratio", 1, "share of a route that names none", 0),
    Key(
        "opts",
        Object(
            text("*context", "*routes", "context of attributes"),
            boolean("*ignoreErrors", False, "leave out routes that fail"),
            Key("*maxCost", Plain(), "", "leave out routes that cost more; empty: no bound"),
            Key("*profileCount", Plain(), None, "how many profiles are used", is_optional=True),
            Key("*limit", Plain(), None, "most routes in a reply", is_optional=True),
            Key("*offset", Plain(), None, "routes left out at the beginning", is_optional=True),
        ),
        None,
        "options of events that name none",
    ),
)

_IPS = Object(
    enabled("IP allocations"),
    duration("store_interval", "", _STORE.meaning),
    *indexing(),
    Key(
        "opts",
        Object(
            text("*allocationID", "", "id of the allocation"),
            Key("*ttl", Duration(is_shown_as_number=True), "72h", "how long an address stays taken"),
        ),
        None,
        "options of events that name none",
    ),
)

_DISPATCHERS = Object(
    enabled("dispatching to other nodes"),
    *indexing(),
    *conns("attributes"),
    boolean("any_subsystem", True, "profiles for *any serve every service"),
    Key("prevent_loops", Boolean(), False, "answer here what came from another dispatcher", shown="prevent_loop"),
)

_REGISTRAR = Object(
    Key("enabled", Boolean(), False, "whether this node announces itself", shown=""),
    *conns("registrars"),
    Key("hosts", Plain([]), [], "what is announced: by tenant, a list of hosts"),
    duration("refresh_interval", "5m", "how often"),
)

SECTIONS = (
    Key("resources", _RESOURCES, None, "counted things an event takes for a time, such as channels"),
    Key("stats", _STATS, None, "statistics over recent events"),
    Key("trends", _TRENDS, None, "how statistics move"),
    Key("rankings", _RANKINGS, None, "statistics in order"),
    Key("thresholds", _THRESHOLDS, None, "actions when events pass filters often enough"),
    Key("routes", _ROUTES, None, "which ways a call may go, and which is best"),
    Key("ips", _IPS, None, "addresses given to sessions"),
    Key("dispatchers", _DISPATCHERS, None, "requests passed to other nodes"),
    Key(
        "registrarc",
        Object(
            Key("rpc", _REGISTRAR, None, "this node as an rpc_conns entry of others"),
            Key("dispatchers", _REGISTRAR, None, "this node as a dispatcher host of others"),
        ),
        None,
        "announcing this node to others",
    ),
)
