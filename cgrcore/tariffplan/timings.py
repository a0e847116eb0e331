"""The timings of a plan, and those that need no definition.

Rules: a set is numbers parted by `;`, `*any` or nothing is any; what is no number is left out; week day 7 is Sunday.
The built-in timings are anchored at the moment of loading. Does not know: what timings are used for.
"""

from cgrcore.rating import Timing
from cgrcore.scheduling.texts import ASAP, named_timing
from cgrcore.tariffplan.records import TpTiming
from cgrcore.tariffplan.refer import Building

__all__ = ["build_timing", "build_timings", "find_timing", "is_clock"]


def build_timing(item: TpTiming) -> Timing:
    """Return the timing an object of the plan describes."""
    start, _, end = item.Time.partition(";")
    days = _numbers(item.WeekDays)
    return Timing(
        item.ID,
        _numbers(item.Years),
        _numbers(item.Months),
        _numbers(item.MonthDays),
        None if days is None else tuple(day % 7 for day in days),
        start,
        end,
    )


def _numbers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a set; none when the text has none and does not say any."""
    if text in ("", "*any"):
        return ()
    found = []
    for part in text.split(";"):
        try:
            found.append(int(part))
        except ValueError:
            continue
    return tuple(found) or None


def build_timings(building: Building) -> None:
    """Build the plan's timings, for `find_timing` and for the tables."""
    for item_id, item in building.items("timings").items():
        building.timings[item_id] = build_timing(item)


def find_timing(building: Building, timing_id: str) -> Timing | None:
    """Return the timing of that id: of the plan, in force, or built in."""
    found = building.timings.get(timing_id)
    if found is not None:
        return found
    if timing_id == "*any":
        return Timing("*any", (), (), (), (), "00:00:00", "")
    if timing_id == ASAP:
        return Timing(ASAP, (), (), (), (), ASAP, "")
    world = building.world
    named = named_timing(timing_id, world.now_at, str(world.settings["general"].get("default_timezone") or "UTC"))
    if named is not None:
        return named
    stored: Timing | None = building.world.state.table("timings").get(timing_id)
    return stored


def is_clock(text: str) -> bool:
    """Tell whether rates can begin at this time: three numbers, or nothing (midnight)."""
    parts = text.split(":")
    return not text or (len(parts) == 3 and all(part.isdecimal() and part.isascii() for part in parts))
