"""The charging runs of an event: one for each charger profile that matches it.

Rules: runs come heaviest first. A run has its own copy of the event with the profile's RunID; `*none` charges it as
it is, other attributes alter it, and without any AttributeS looks for some itself, which may find none.
Does not know: rating, sessions, CDRs.
"""

from typing import Any

import msgspec

from cgrcore.attributes import process as process_attributes
from cgrcore.chargers.records import ChargerProfile
from cgrcore.errors import CgrError, NotFound, server_error
from cgrcore.event import CgrEvent
from cgrcore.filters import matching
from cgrcore.world import World

__all__ = ["Run", "profiles_for", "runs_of"]

_AS_IT_IS = ("*none",)


class Run(msgspec.Struct):
    """One charging run: its id and event, the charger's id, what attributes were used and which fields altered."""

    run_id: str
    event: CgrEvent
    charger_id: str
    attribute_ids: list[str] | None
    altered_fields: list[str]

    def as_wire(self) -> dict[str, Any]:
        return {
            "ChargerSProfile": self.charger_id,
            "AttributeSProfiles": self.attribute_ids,
            "AlteredFields": self.altered_fields,
            "CGREvent": self.event.as_wire(),
        }


def profiles_for(world: World, event: CgrEvent) -> list[ChargerProfile]:
    """Return the charger profiles an event matches, heaviest first.

    Raises NotFound for none, SERVER_ERROR for bad filters.
    """
    try:
        found = list(matching(world, "chargers", event))
    except CgrError as error:
        raise server_error(error) from None
    if not found:
        raise NotFound(subject="charger profile")
    return found


def runs_of(world: World, event: CgrEvent) -> list[Run]:
    """Return the charging runs of an event, heaviest first; the event given stays as it was.

    Raises NotFound when no charger matches, and `SERVER_ERROR: ...` for filters and attributes that cannot be
    evaluated.
    """
    return [_run(world, event, profile) for profile in profiles_for(world, event)]


def _run(world: World, event: CgrEvent, profile: ChargerProfile) -> Run:
    copy = CgrEvent(
        event.tenant,
        event.id,
        event.at,
        {**event.event, "RunID": profile.run_id},
        {**event.options, "*subsys": "*chargers"},
    )
    if profile.attribute_ids == _AS_IT_IS:
        return Run(profile.run_id, copy, profile.id, None, ["*req.RunID"])
    copy.options["*attrProfileIDs"] = list(profile.attribute_ids or ())
    try:
        altered = process_attributes(world, _in_context(copy))
    except NotFound as error:
        if str(error).startswith("SERVER_ERROR"):
            raise server_error(error) from None
        return Run(profile.run_id, copy, profile.id, [], ["*req.RunID"])
    except CgrError as error:
        raise server_error(error) from None
    if "*context" not in event.options:
        del altered.event.options["*context"]
    fields = ["*req.RunID", *altered.altered_fields]
    return Run(profile.run_id, altered.event, profile.id, altered.profile_ids, fields)


def _in_context(event: CgrEvent) -> CgrEvent:
    if "*context" in event.options:
        return event
    return CgrEvent(event.tenant, event.id, event.at, event.event, {**event.options, "*context": "*chargers"})
