"""`cgrcore dead-letters ...`: what actions could not deliver outside, and sending it again."""

from typing import Annotated, Any

from cyclopts import Parameter

__all__ = ["drop", "list_", "replay"]

_Server = Annotated[str, Parameter(env_var="CGRCORE_SERVER", help="Address of the server's rpc_json listener.")]
_Kinds = Annotated[
    list[str] | None, Parameter(name="--kind", negative="", help="Only this kind, such as *http_post; may be repeated.")
]

#: Characters of a body that the list shows.
SHOWN = 60


def list_(*, kind: _Kinds = None, server: _Server = "127.0.0.1:2012") -> int:
    """Show what could not be delivered outside.

    HTTP posts, mail, exports, calls of other servers; oldest first, each with where it was to go, how often that was
    tried and what went wrong last.
    """
    import sys

    from rich.console import Console
    from rich.table import Table

    letters = _ask("OutboxSv1.GetDeadLetters", {"Kinds": kind}, server)
    if letters is None:
        return 0
    table = Table(box=None, pad_edge=False)
    columns = ("UUID", "Time", "Kind", "Target", "Attempts", "Error", "Body")
    for column in columns:
        table.add_column(column)
    for letter in letters:
        table.add_row(*(str(letter[column])[:SHOWN] for column in columns))
    Console(width=None if sys.stdout.isatty() else 300).print(table)
    return 0


def replay(*uuids: str, kind: _Kinds = None, server: _Server = "127.0.0.1:2012") -> int:
    """Send again what could not be delivered.

    Parameters
    ----------
    uuids:
        Which messages; all of them, or all of a kind, when none is given.
    """
    count = _ask("OutboxSv1.ReplayDeadLetters", {"UUIDs": list(uuids), "Kinds": kind}, server)
    if count is not None:
        print(f"{count} on their way again")
    return 0


def drop(uuid: str, /, *uuids: str, server: _Server = "127.0.0.1:2012") -> int:
    """Forget what could not be delivered.

    Parameters
    ----------
    uuid:
        Which message.
    uuids:
        Further ones.
    """
    count = _ask("OutboxSv1.RemoveDeadLetters", {"UUIDs": [uuid, *uuids]}, server)
    if count is not None:
        print(f"{count} forgotten")
    return 0


def _ask(method: str, argument: dict[str, Any], server: str) -> Any:
    """Return the reply; None, said on standard error, when there is nothing."""
    import json
    import sys

    from cgrcore.errors import BadRequest
    from cgrserver.cli.call import ErrorReply, ask

    request = json.dumps({"method": method, "params": [argument], "id": 1}).encode()
    try:
        return json.loads(ask(server, request, 30.0))
    except ErrorReply as error:
        if str(error) != "NOT_FOUND":
            raise BadRequest(str(error)) from None
        print("no such dead letters", file=sys.stderr)
        return None
