"""A CDR as it became, and letting others see it: exporters, thresholds, statistics.

Does not know: how it was charged.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from cgrcore.cdrs.records import Cdr
from cgrcore.errors import CgrError, NotFound, PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.world import World

__all__ = ["Audience", "Processed", "event_of", "observe"]

#: The profiles of those that see CDRs, and the options that choose among them, which may be wrong.
PROFILES = {"thresholds": "threshold_profiles", "stats": "stat_profiles"}
SELECTING = frozenset(("*thdProfileIDs", "*thdProfileIgnoreFilters", "*stsProfileIDs", "*stsProfileIgnoreFilters"))


class Audience(msgspec.Struct, frozen=True):
    """Who sees a CDR once it is what it is."""

    export: bool = False
    thresholds: bool = False
    stats: bool = False


class Processed(msgspec.Struct):
    """One run's CDR as it became, the event it was made of, and what was done to it (`*refund`).

    One that `is_waiting` is charged later.
    """

    cdr: Cdr
    run: CgrEvent
    flags: list[str]
    is_waiting: bool = False

    def event_as_wire(self, new_id: Callable[[], str]) -> dict[str, Any]:
        """Return the event as it became: the CDR's fields, or what came in when nothing was to be rated."""
        return dict(self.run.event) if self.cdr.request_type == "*none" else event_of(self.cdr, new_id)


def event_of(cdr: Cdr, new_id: Callable[[], str]) -> dict[str, Any]:
    """Return a CDR as an event: its fields, the extra ones among them."""
    fields = cdr.as_wire(new_id)
    del fields["ExtraFields"]
    return {**cdr.extra_fields, **fields}


def observe(world: World, processed: Iterable[Processed], audience: Audience) -> None:
    """Let others see the CDRs as they became. Raises PartiallyExecuted when one of them fails."""
    is_partial = audience.export and not _export(world, processed)
    for part, is_asked in (("thresholds", audience.thresholds), ("stats", audience.stats)):
        process = world.parts.get(f"{part}_process_event") if is_asked else None
        if process is None:
            continue
        has_profiles = len(world.state.table(PROFILES[part])) > 0
        for item in processed:
            if not has_profiles and SELECTING.isdisjoint(item.run.options):
                continue  # nobody would see it, and an event with its cost is much to write down for that
            options = {**item.run.options, "*eventType": "CDR"}
            fields = item.event_as_wire(world.new_id)
            try:
                process(world, CgrEvent(item.run.tenant, item.run.id, item.run.at, fields, options), ())
            except NotFound:
                pass
            except CgrError:
                is_partial = True
    if is_partial:
        raise PartiallyExecuted


def _export(world: World, processed: Iterable[Processed]) -> bool:
    """Give the CDRs to the exporters that are configured for them; return whether that went well."""
    export = world.parts.get("export_cdr")
    if export is None:
        return True
    exporter_ids = list(world.settings["cdrs"]["online_cdr_exports"])
    is_well = True
    for item in processed:
        fields, run = item.event_as_wire(world.new_id), item.run
        try:
            export(world, CgrEvent(run.tenant, run.id, run.at, fields, dict(run.options)), exporter_ids)
        except NotFound:
            pass  # none of them takes it
        except CgrError:
            is_well = False
    return is_well
