"""The event: what a switch tells or asks, as every subsystem receives it; its options and its fields as exact values.

Rules: fields and options are what JSON gives (str, int, Decimal, bool, None, list, dict). A number stands for
nanoseconds where a duration is meant; fractions of a nanosecond are cut. An event is not changed once others hold it:
who alters it takes a `copy_of` first. Does not know: sessions, CDRs, what a subsystem does with an event.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, overload

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.money import nano_from_number, parse_nano
from cgrcore.timing import ZERO_AT, Moment, format_time, parse_duration, parse_time
from cgrcore.world import World

__all__ = [
    "CgrEvent",
    "boolean_option",
    "copy_of",
    "duration_option",
    "integer_option",
    "new_event",
    "number_of",
    "text_of",
    "text_option",
    "texts_option",
    "time_of",
    "usage_of",
]

_JSON = msgspec.json.Encoder(decimal_format="number", order="sorted")

#: What Go reads as a truth value.
_TRUTHS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False", ""), False),
}


class CgrEvent(msgspec.Struct):
    """An event of a tenant. `at` is the instant it is about, None for the present."""

    tenant: str
    id: str
    at: Moment | None
    event: dict[str, Any]
    options: dict[str, Any]

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Time": None if self.at is None else format_time(self.at.at, self.at.offset_s),
            "Event": self.event,
            "APIOpts": self.options,
        }


def new_event(
    world: World, tenant: str, event_id: str, time: str | None, event: dict[str, Any], options: dict[str, Any] | None
) -> CgrEvent:
    """Return the event of a request: the default tenant and a fresh id where none is given.

    Raises BadRequest for a time that cannot be read.
    """
    at = None if time is None else parse_time(time, world.now_at, _zone(world))
    return CgrEvent(world.tenant(tenant), event_id or world.new_id(), at, event, {} if options is None else options)


def _zone(world: World) -> str:
    return str(world.settings["general"].get("default_timezone") or "UTC")


def copy_of(event: CgrEvent) -> CgrEvent:
    """Return a twin whose fields and options may be set without touching the original's."""
    return CgrEvent(event.tenant, event.id, event.at, dict(event.event), dict(event.options))


# --- options ---------------------------------------------------------------------------------------------------------


def boolean_option(options: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """Return an option as a truth value. Raises BadRequest for a text that is none."""
    value = options.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return value > 0
    truth = _TRUTHS.get(value) if isinstance(value, str) else None
    if truth is None:
        raise BadRequest(f'strconv.ParseBool: parsing "{value}": invalid syntax')
    return truth


@overload
def duration_option(options: Mapping[str, Any], name: str, default: int) -> int: ...
@overload
def duration_option(options: Mapping[str, Any], name: str, default: None = None) -> int | None: ...
def duration_option(options: Mapping[str, Any], name: str, default: int | None = None) -> int | None:
    """Return an option as a duration (ns), the default when it is absent. Raises BadRequest for a text that is none."""
    value = options.get(name)
    used = None if value is None else usage_of(value)
    return default if used is None else used


def integer_option(options: Mapping[str, Any], name: str, default: int) -> int:
    """Return an option as a whole number (fractions are cut). Raises BadRequest for a text that is none."""
    value = options.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        raise BadRequest(f"cannot convert field<bool>: {text_of(value)} to int")
    if isinstance(value, int | Decimal):
        return int(value)
    try:
        return int(str(value))
    except ValueError:
        raise BadRequest(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None


def text_option(options: Mapping[str, Any], name: str, default: str) -> str:
    value = options.get(name)
    return default if value is None else text_of(value)


def texts_option(options: Mapping[str, Any], name: str, default: list[str]) -> list[str]:
    """Return an option as a list of texts. Raises BadRequest when it is something else."""
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, list | tuple):
        raise BadRequest(f"cannot convert field: {_go_type(value)} to []string")
    return [text_of(item) for item in value]


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | Decimal):
        return "float64"
    return "map[string]interface {}" if isinstance(value, dict) else "string"


# --- fields ----------------------------------------------------------------------------------------------------------


def usage_of(value: Any) -> int | None:
    """Return a field as a duration in ns (units, for what is not time), None when it is absent.

    "10s", 10000000000 and "10000000000" are the same; "" is 0. Raises BadRequest with Go's text.
    """
    if value is None or type(value) is int:
        return value
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, Decimal):
        return int(value)
    raise BadRequest(f"cannot convert field: {text_of(value)} to time.Duration")


def time_of(value: Any, now_at: int) -> Moment | None:
    """Return a field as a moment, None when it is absent, the zero time, or cannot be read as one."""
    if not value:
        return None
    if type(value) is Moment:
        return None if value.at == ZERO_AT else value
    try:
        moment = parse_time(value if isinstance(value, str) else text_of(value), now_at)
    except BadRequest:
        return None
    return None if moment.at == ZERO_AT else moment


def number_of(value: Any) -> int | None:
    """Return a field as an amount scaled by 10^-9, None when it is absent. Raises BadRequest when it is no number."""
    if value is None:
        return None
    if isinstance(value, str):
        return parse_nano(value or "0")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return nano_from_number(value)
    raise BadRequest(f"cannot convert field: {text_of(value)} to float64")


def text_of(value: Any) -> str:
    """Return a field as text: "" for null, numbers in plain decimals, lists and maps as JSON."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _plain(value)
    if type(value) is Moment:
        return format_time(value.at, value.offset_s)
    if isinstance(value, list | tuple | dict):
        return _JSON.encode(value).decode()
    return str(value)


def _plain(value: Decimal) -> str:
    if not value.is_finite():
        return "NaN" if value.is_nan() else ("-Inf" if value < 0 else "+Inf")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
