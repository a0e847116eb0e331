"""`*export`: an event, or an account, given to configured exporters.

Rules: what an exporter gets is settled in the decision, by its filters and its fields, and delivered after the commit
(`outside`). Fields are of types `*constant`, `*variable` and `*composed`, their paths begin with `*exp.`; an exporter
without fields gets everything. Does not know: how an exporter reaches its target.
"""

from collections.abc import Mapping
from typing import Any

from cgrcore.accounting import account_as_wire
from cgrcore.actions.context import Run
from cgrcore.actions.outside import later
from cgrcore.actions.records import Action
from cgrcore.errors import BadRequest, NotFound
from cgrcore.event import CgrEvent
from cgrcore.filters import Scope, parse_rsr, passes_in, read_joined, split_rsr
from cgrcore.world import World

__all__ = ["export", "export_event"]

_ROOT = "*exp."
_KINDS = ("*constant", "*variable", "*composed")


def export(run: Run, action: Action) -> None:
    """Give the account, or the event, to the exporters in the extra parameters. Without either nothing is given.

    Raises NotFound when no exporters are connected (`apiers.ees_conns`), and as `export_event`.
    """
    if run.account is not None:
        fields = account_as_wire(run.account)
    elif run.event is not None:
        fields = run.event.event
    else:
        return
    if not run.world.settings["apiers"]["ees_conns"]:
        raise NotFound("no connection with EEs", subject="exporters")
    options = {} if run.event is None else run.event.options
    tenant = run.world.tenant("" if run.account is None else run.account.tenant)
    _give(run.world, tenant, fields, options, [name for name in action.extra_parameters.split(";") if name])


def export_event(world: World, event: CgrEvent, exporter_ids: list[str]) -> None:
    """Give an event to exporters, to all when none are named.

    Raises NotFound when none of them takes it, BadRequest for a field that cannot be made.
    """
    _give(world, event.tenant, event.event, event.options, exporter_ids)


def _give(world: World, tenant: str, fields: Mapping[str, Any], options: Mapping[str, Any], wanted: list[str]) -> None:
    is_taken = False
    for exporter in world.settings["ees"]["exporters"]:
        name = exporter["id"]
        if exporter["type"] == "*none" or (wanted and name not in wanted):
            continue
        options = {**options, "*exporterID": name}
        variables = {"*tenant": tenant, "*exporterID": name}
        scope = Scope(world, {"*req": fields, "*opts": options, "*vars": variables, "*tenant": tenant})
        if passes_in(scope, tenant, exporter["filters"]):
            later(world, "*export", _content(exporter, fields, scope), name)
            is_taken = True
    if not is_taken:
        raise NotFound(subject="exporters", subject_id=";".join(wanted))


def _content(exporter: Mapping[str, Any], everything: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    if not exporter["fields"]:
        return everything
    made: dict[str, str] = {}
    for field in exporter["fields"]:
        path, kind = field.get("path", ""), field.get("type", "")
        if not path.startswith(_ROOT) or kind not in _KINDS or field.get("filters"):
            raise BadRequest(f"exporter {exporter['id']}: cannot make field {path} of type {kind}")
        value = _value(kind, field.get("value", ""), scope)
        if field.get("mandatory") and not value:
            raise BadRequest(f"exporter {exporter['id']}: field {path} is empty")
        name = path.removeprefix(_ROOT)
        made[name] = made.get(name, "") + value if kind == "*composed" else value
    return made


def _value(kind: str, text: str, scope: Scope) -> str:
    if kind == "*constant" or not text:
        return text
    try:
        return read_joined([parse_rsr(rule) for rule in split_rsr(text, ";")], scope)
    except NotFound:
        return ""
