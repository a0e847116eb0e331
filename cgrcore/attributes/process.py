"""Altering an event by attribute profiles.

Rules: in each run the heaviest profile that matches is used, never the one just used; the next run sees what the last
one changed. What is missing in the first run is NOT_FOUND, in a later one it ends the work. The event given stays as
it was. Does not know: who asked.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from cgrcore.attributes.inline import inline_profile, is_inline
from cgrcore.attributes.produce import produce
from cgrcore.attributes.records import AttributeProfile
from cgrcore.errors import BadRequest, CgrError, NotFound, mandatory_missing, server_error
from cgrcore.event import (
    CgrEvent,
    boolean_option,
    copy_of,
    integer_option,
    text_option,
    texts_option,
)
from cgrcore.filters import Scope, matching, passes_in, scope_of, split_path, without, write
from cgrcore.world import World

__all__ = ["Altered", "find_profile", "process"]

#: A request may ask for many runs, but not for endless ones.
MAX_RUNS = 1000


class Altered(msgspec.Struct):
    """An event as attributes altered it: the profiles used (`tenant:id`, or the inline text), and the paths written."""

    event: CgrEvent
    profile_ids: list[str]
    altered_fields: list[str]

    def as_wire(self) -> dict[str, Any]:
        return {"MatchedProfiles": self.profile_ids, "AlteredFields": self.altered_fields, **self.event.as_wire()}


class _Choice(msgspec.Struct):
    """Which profiles an event's options and the configuration allow."""

    context: str
    ids: list[str]
    ignores_filters: bool
    takes_any_context: bool

    def accepts(self, profile: AttributeProfile) -> bool:
        contexts = profile.contexts or ()
        return self.context in contexts or (self.takes_any_context and "*any" in contexts)


def _choice(world: World, event: CgrEvent) -> _Choice:
    settings = world.settings.get("attributes", {})
    defaults = settings.get("opts") or {}
    options = event.options
    return _Choice(
        context=text_option(options, "*context", "*default"),
        ids=texts_option(options, "*attrProfileIDs", defaults.get("*profileIDs") or []),
        ignores_filters=boolean_option(
            options, "*attrProfileIgnoreFilters", bool(defaults.get("*profileIgnoreFilters", False))
        ),
        takes_any_context=bool(settings.get("any_context", True)),
    )


def find_profile(world: World, event: CgrEvent) -> AttributeProfile:
    """Return the profile that the event's first run would use. Raises NotFound, `SERVER_ERROR: ...` for bad filters."""
    choice = _choice(world, event)
    try:
        for profile in _candidates(world, event, choice, scope_of(world, event)):
            return profile
    except CgrError as error:
        raise server_error(error) from None
    raise NotFound(subject="attribute profile")


def _candidates(world: World, event: CgrEvent, choice: _Choice, scope: Scope) -> Iterator[AttributeProfile]:
    """Yield the profiles that match, heaviest first, after inline ones in the order they are named."""
    stored = []
    for profile_id in choice.ids:
        if is_inline(profile_id):
            yield inline_profile(event.tenant, profile_id)
        else:
            stored.append(profile_id)
    if choice.ids and not stored:
        return
    yield from matching(
        world,
        "attributes",
        event,
        ids=stored,
        ignores_filters=choice.ignores_filters,
        scope=scope,
        accepts=choice.accepts,
    )


def process(world: World, event: CgrEvent, context: str = "", profile_ids: Sequence[str] = ()) -> Altered:
    """Alter an event and return how.

    `context` and `profile_ids` stand for the options `*context` and `*attrProfileIDs` where the event has none.
    Raises NotFound when no profile matches or a value is missing, BadRequest MANDATORY_IE_MISSING for a field left at
    `*attributes`, and `SERVER_ERROR: ...` for what cannot be evaluated.
    """
    altered = copy_of(event)
    if context:
        altered.options.setdefault("*context", context)
    if profile_ids:
        altered.options["*attrProfileIDs"] = list(profile_ids)
    defaults = world.settings.get("attributes", {}).get("opts") or {}
    count = integer_option(altered.options, "*attrProcessRuns", int(defaults.get("*processRuns", 1) or 0))
    most = integer_option(altered.options, "*attrProfileRuns", int(defaults.get("*profileRuns", 0) or 0))
    try:
        result = _run_all(world, altered, min(count, MAX_RUNS), most)
    except NotFound as error:
        _need_fields(altered)
        if str(error).startswith("NOT_FOUND:"):
            raise server_error(error) from None
        raise NotFound(subject="attribute profile") from None
    except CgrError as error:
        raise server_error(error) from None
    _need_fields(result.event)
    return result


def _need_fields(event: CgrEvent) -> None:
    """Raise MANDATORY_IE_MISSING for the first field that an attribute should have filled in."""
    for name, value in event.event.items():
        if value == "*attributes":
            raise mandatory_missing((name,))


def _run_all(world: World, event: CgrEvent, count: int, most: int) -> Altered:
    choice = _choice(world, event)
    used: list[str] = []
    names: list[str] = []
    fields: dict[str, None] = {}
    uses: dict[str, int] = {}
    for run in range(1, count + 1):
        work = _Work(world, event, run, dict(Counter(names)))
        try:
            profile = work.choose(choice, uses, most, used[-1] if used else "")
            altered = work.apply(profile)
        except NotFound:
            if run == 1:
                raise
            break
        event = work.event()
        fields.update(altered)
        used.append(profile.id)
        names.append(profile.id if is_inline(profile.id) else f"{profile.tenant}:{profile.id}")
        uses[profile.id] = uses.get(profile.id, 0) + 1
        if profile.is_blocker:
            break
    return Altered(event, names, list(fields))


class _Work:
    """One run: the event as it is being altered, in the containers that paths see."""

    def __init__(self, world: World, event: CgrEvent, run: int, used: dict[str, int]) -> None:
        self.source = event
        self.tenant = event.tenant
        self.scope = scope_of(world, event)
        self.scope.containers["*vars"] = {
            "*processRuns": run,
            "*processedProfileIDs": used,
        }

    def choose(self, choice: _Choice, uses: dict[str, int], most: int, last: str) -> AttributeProfile:
        """Return the heaviest profile that matches, was not used last and not too often. Raises NotFound."""
        for profile in _candidates(self.scope.world, self.source, choice, self.scope):
            if profile.id != last and not (most > 0 and uses.get(profile.id, 0) >= most):
                return profile
        raise NotFound(subject="attribute profile")

    def apply(self, profile: AttributeProfile) -> dict[str, None]:
        """Apply a profile's attributes one after the other and return the paths written, in order."""
        containers = self.scope.containers
        fields: dict[str, None] = {}
        for attribute in profile.attributes or ():
            if attribute.filter_ids and not passes_in(self.scope, self.source.tenant, attribute.filter_ids):
                continue
            value = produce(attribute, self.scope)
            fields[attribute.path] = None
            keys = split_path(attribute.path)
            if value == "*remove":
                self._remove(keys)
            elif keys == ("*tenant",):
                containers["*tenant"] = value
                self.tenant = self.tenant + value if attribute.type == "*composed" else value
            elif keys[0] == "*tenant":
                raise BadRequest("WRONG_PATH")
            elif keys[0] in ("*req", "*opts") and len(keys) > 1:
                containers[str(keys[0])] = write(containers[str(keys[0])], keys[1:], value)
        return fields

    def _remove(self, keys: tuple[str | int, ...]) -> None:
        root = str(keys[0])
        if root in ("*req", "*opts") and len(keys) > 1:
            self.scope.containers[root] = without(self.scope.containers[root], keys[1:])

    def event(self) -> CgrEvent:
        containers = self.scope.containers
        source = self.source
        return CgrEvent(self.tenant, source.id, source.at, containers["*req"], containers["*opts"])
