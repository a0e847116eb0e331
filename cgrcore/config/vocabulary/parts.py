"""What several sections share: connections, index options, cache partitions, field templates, request processors."""

from cgrcore.config.keys import Key, Object, Records
from cgrcore.config.kinds import Boolean, Choice, Duration, Integer, Text, Texts

__all__ = [
    "FIELDS",
    "LISTENERS",
    "PARTITION",
    "REQUEST_PROCESSORS",
    "boolean",
    "conns",
    "duration",
    "enabled",
    "indexing",
    "integer",
    "partitions",
    "text",
    "texts",
    "timezone",
]


def text(name: str, default: str, meaning: str) -> Key:
    """Return a setting that takes any text."""
    return Key(name, Text(), default, meaning)


def texts(name: str, meaning: str, default: list[str] | None = None) -> Key:
    """Return a setting that takes a list of texts."""
    return Key(name, Texts(), default, meaning)


def boolean(name: str, default: bool, meaning: str) -> Key:
    """Return a switch."""
    return Key(name, Boolean(), default, meaning)


def integer(name: str, default: int, meaning: str, minimum: int | None = None) -> Key:
    """Return a setting that takes a whole number."""
    return Key(name, Integer(minimum), default, meaning)


def duration(name: str, default: str, meaning: str, zero: str | None = "0s") -> Key:
    """Return a setting that takes a length of time; `zero` as GetConfig prints none."""
    return Key(name, Duration(zero), default, meaning)


def enabled(what: str) -> Key:
    """Return the switch of a service."""
    return Key("enabled", Boolean(), False, f"whether {what} runs")


def timezone(default: str = "") -> Key:
    """Return the time zone in which times without one are read."""
    return Key("timezone", Text(), default, "zone of times that name none; empty: general.default_timezone")


def conns(*services: str, default: str = "") -> tuple[Key, ...]:
    """Return one `<service>_conns` key for each service, all with one connection as default, or none."""
    return tuple(
        Key(
            f"{service}_conns",
            Texts(connects_to=service),
            [default] if default else [],
            f"connections to {_SERVICES[service]}; empty: it is not asked",
        )
        for service in services
    )


#: Services that connections lead to: the word in `<word>_conns`, and what it is.
_SERVICES = {
    "apiers": "the administration methods",
    "attributes": "attributes",
    "caches": "caches",
    "cdrs": "the CDR service",
    "chargers": "chargers",
    "cores": "the node itself",
    "ees": "event exporters",
    "ips": "IP allocations",
    "rals": "rating and accounting",
    "rankings": "rankings",
    "registrars": "the node that keeps the list of hosts",
    "remote": "the nodes asked for what is missing here",
    "replication": "the nodes every write is copied to",
    "resources": "resources",
    "routes": "routes",
    "scheduler": "the scheduler",
    "sessions": "sessions",
    "stats": "statistics",
    "thresholds": "thresholds",
    "trends": "trends",
}


def indexing() -> tuple[Key, ...]:
    """Return the options for finding profiles through their filters."""
    return (
        boolean("indexed_selects", True, "find profiles through indexes of their filters; false: try every profile"),
        texts("prefix_indexed_fields", "fields whose *prefix filters are indexed"),
        texts("suffix_indexed_fields", "fields whose *suffix filters are indexed"),
        texts("exists_indexed_fields", "fields whose *exists filters are indexed"),
        boolean("nested_fields", False, "indexed fields may lie inside other fields"),
    )


_LIMIT = integer("limit", -1, "most items kept; -1: no limit, 0: nothing is kept")
_TTL = duration("ttl", "", "items live this long; empty: for ever", zero=None)
_STATIC_TTL = boolean("static_ttl", False, "reading an item does not lengthen its life")
_REMOTE = boolean("remote", False, "ask remote_conns when an item is missing")
_REPLICATE = boolean("replicate", False, "copy writes to replication_conns")
_PRECACHE = boolean("precache", False, "fill when the node starts")

#: How one kind of stored item is kept (`items` of a database).
ITEM = Object(_LIMIT, _TTL, _STATIC_TTL, _REMOTE, _REPLICATE, title="stored kind")

#: How one partition of the cache is kept.
PARTITION = Object(_LIMIT, _TTL, _STATIC_TTL, _PRECACHE, _REMOTE, _REPLICATE, title="cache partition")


def partitions(names: str, kind: Object, **given: dict[str, object]) -> Object:
    """Return an object with one partition per name (separated by blanks), some with other defaults."""
    return Object(
        *(
            Key(f"*{name}", kind, {**kind.empty(), **given.get(name, {})}, f"how `*{name}` are kept")
            for name in names.split()
        )
    )


def _field(name: str, kind: Text | Integer | Boolean | Texts, meaning: str) -> Key:
    return Key(name, kind, None, meaning, is_optional=True)


#: One step of building an event, a reply or a row.
FIELD = Object(
    _field("tag", Text(), "name in messages; empty: the path"),
    _field("type", Text(), "how the value is made: *variable, *constant, *composed, *group, *template, ..."),
    _field("path", Text(), "where the value goes"),
    _field("filters", Texts(), "the step is taken when these pass"),
    _field("value", Text(), "what the value is made from"),
    _field("width", Integer(), "width of the value in characters"),
    _field("strip", Text(), "which side is cut when the value is too wide"),
    _field("padding", Text(), "which side is filled when it is too narrow"),
    _field("mandatory", Boolean(), "an empty value is an error"),
    _field("attribute_id", Text(), "attribute profile the value passes through"),
    _field("new_branch", Boolean(), "start another group"),
    _field("timezone", Text(), "zone the time is printed in"),
    _field("blocker", Boolean(), "no further steps once this one has set its value"),
    _field("layout", Text(), "layout of a time"),
    _field("cost_shift_digits", Integer(), "move the decimal point of a cost"),
    _field("rounding_decimals", Integer(), "decimals of a cost"),
    _field("mask_destinationd_id", Text(), "destination whose numbers are masked"),
    _field("mask_length", Integer(), "digits that are masked"),
    title="step",
)

FIELDS = Records(FIELD)

_PROCESSOR = Object(
    text("id", "", "name, for logs and merging"),
    text("tenant", "", "where the tenant comes from; empty: general.default_tenant"),
    texts("filters", "requests it is meant for"),
    texts("flags", "what is asked of the services: *authorize, *initiate, *cdrs, *accounts, ..."),
    timezone(),
    Key("request_fields", FIELDS, None, "steps from the request to the event"),
    Key("reply_fields", FIELDS, None, "steps from the answer to the reply"),
    title="request processor",
)

REQUEST_PROCESSORS = Key(
    "request_processors", Records(_PROCESSOR, has_ids=True), None, "what to do with which request, tried in order"
)

LISTENERS = Records(
    Object(
        text("address", "", "host:port to listen on"),
        Key("network", Choice("tcp", "udp", "sctp", "tcp-tls"), "tcp", "transport"),
    )
)
