"""The actions that define something from the event that triggered them: thresholds, filters, plans, triggers and more.

Rules: the extra parameters are the definition, `;`-separated in the order of `DEFINITIONS`, neither more nor fewer;
what stands between form feeds is one parameter. A parameter `~*req.Field` or `~*opts.Option` is read from the event,
`*tenant` is the event's tenant, `*now` the present, `<...+...>` joins what it holds. Lists and maps in a parameter
are `&`-separated. Each definition is set by the RPC method that sets it for an operator. Does not know: what the
definitions mean.
"""

from cgrcore.actions.context import Run, Step, call_method
from cgrcore.actions.definitions import DEFINITIONS, UNREAD
from cgrcore.actions.records import Action
from cgrcore.errors import BadRequest, NotFound
from cgrcore.event import CgrEvent, text_of
from cgrcore.timing import SECOND_NS, format_time

__all__ = ["STEPS"]


def _resolve(run: Run, event: CgrEvent, text: str) -> str:
    """Return what a parameter means for the event. Raises NotFound for a field that the event lacks."""
    if text == "*tenant":
        return event.tenant
    if text == "*now":
        return format_time(run.world.now_at // SECOND_NS * SECOND_NS)
    if text.startswith("<") and text.endswith(">"):
        return "".join(_resolve(run, event, part) for part in text[1:-1].split("+"))
    for prefix, container in (("~*req.", event.event), ("~*opts.", event.options)):
        if text.startswith(prefix):
            name = text[len(prefix) :]
            if name not in container:
                raise NotFound(subject="field", subject_id=name)
            return text_of(container[name])
    return text


def _split(text: str) -> list[str]:
    """Return the parameters; a `;` between form feeds is part of one."""
    parts: list[str] = []
    for index, piece in enumerate(text.split("\f")):
        if index % 2:
            parts[-1] += piece
        else:
            first, *rest = piece.split(";")
            if parts:
                parts[-1] += first
            else:
                parts.append(first)
            parts += rest
    return parts


def _step_of(kind: str) -> Step:
    method, parameters, shape = DEFINITIONS[kind]

    def define(run: Run, action: Action) -> None:
        event = run.event
        if event is None:
            raise BadRequest("no event to define from")
        texts = _split(action.extra_parameters)
        if len(texts) != len(parameters):
            raise BadRequest(f"invalid number of parameters <{len(texts)}> expected {len(parameters)}")
        fields = {
            name: read(text if name in UNREAD else _resolve(run, event, text))
            for (name, read), text in zip(parameters, texts, strict=True)
        }
        call_method(run, method, shape(run.world, fields))

    return define


#: The steps of this file by their kind.
STEPS: dict[str, Step] = {kind: _step_of(kind) for kind in DEFINITIONS}
