"""Telling thresholds what a query found."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from cgrcore.errors import CgrError
from cgrcore.event import CgrEvent
from cgrcore.thresholds import process_event
from cgrcore.world import World

__all__ = ["tell_thresholds"]


def tell_thresholds(
    world: World, section: str, tenant: str, threshold_ids: Sequence[str] | None, kind: str, fields: dict[str, Any]
) -> None:
    """Show an event of that kind (`TrendUpdate`) to the thresholds named, to all for none, to none for `*none`.

    Nobody waits for an answer: that they miss it, or that an action failed, is no error of the query.
    """
    if tuple(threshold_ids or ()) == ("*none",) or not world.settings.get(section, {}).get("thresholds_conns"):
        return
    event = CgrEvent(tenant, world.new_id(), None, fields, {"*eventType": kind})
    with suppress(CgrError):
        process_event(world, event, tuple(threshold_ids or ()))
