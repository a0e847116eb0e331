"""Templates of `*cgr_rpc`: `<<.Account.ID>>` in a text, replaced by what the run knows.

Rules: a path starts with `.Account`, `.Action`, `.Actions` or `.ExtraData` and goes through wire names and indexes;
what is not a text is put in as JSON. Only paths are understood; any other directive is refused.
"""

import re
from typing import Any

import msgspec

from cgrcore.accounting import account_as_wire
from cgrcore.actions.context import Run
from cgrcore.actions.records import Action
from cgrcore.errors import BadRequest

__all__ = ["fill_template"]

_DIRECTIVE = re.compile(r"<<(.*?)>>", re.DOTALL)
_PATH = re.compile(r"(\.\w+)+", re.ASCII)
_encode_json = msgspec.json.Encoder(decimal_format="number").encode


def fill_template(run: Run, action: Action) -> str:
    """Return the extra parameters with their directives replaced. Raises BadRequest for one that means nothing."""
    if "<<" not in action.extra_parameters:
        return action.extra_parameters
    known = {
        "Account": None if run.account is None else account_as_wire(run.account),
        "Action": action.as_wire(),
        "Actions": [other.as_wire() for other in run.actions],
        "ExtraData": run.extra,
    }
    return _DIRECTIVE.sub(lambda found: _shown(_read(known, found[1].strip())), action.extra_parameters)


def _read(known: Any, path: str) -> Any:
    if not _PATH.fullmatch(path):
        raise BadRequest(f"template: cannot read <<{path}>>")
    value = known
    for key in path[1:].split("."):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise BadRequest(f"template: nothing at <<{path}>>")
    return value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else _encode_json(value).decode()
