"""The actions that reach outside of this server: they leave a message, which is delivered once the decision is durable.

Rules: a message is a plain record, put in the table "outbox" in the same transaction as what the set changed, and
removed when it was delivered. So none is lost when the server dies, and none is sent for what was undone; one may
come twice. Does not know: how messages travel (`cgrserver.services.outside`).
"""

from typing import Any

import msgspec

from cgrcore.accounting import account_as_wire
from cgrcore.actions.context import Run
from cgrcore.actions.records import Action, Message
from cgrcore.errors import BadRequest, NotFound, Unavailable
from cgrcore.world import World

__all__ = ["later", "mail", "post", "remote_set_account"]

#: Messages that may wait. A target that is down has its messages moved to the dead letters long before.
MESSAGES_LIMIT = 200_000

_encode_json = msgspec.json.Encoder(decimal_format="number").encode


def later(world: World, kind: str, body: Any, target: str = "") -> None:
    """Leave a message of a kind for a target, to be delivered after the commit. Raises Unavailable OUTBOX_FULL."""
    if len(world.state.table("outbox")) >= MESSAGES_LIMIT:
        raise Unavailable("OUTBOX_FULL", subject="outbox")
    uuid = world.new_id()
    text = _encode_json(body).decode()
    world.state.table("outbox").put(uuid, Message(uuid, kind, target, text, world.now_at))
    send = world.parts.get("send_outbox")
    if send is not None:
        world.state.effects.after.append(send)


def _subject(run: Run) -> Any:
    if run.account is not None:
        return account_as_wire(run.account)
    return None if run.event is None else run.event.as_wire()


def post(run: Run, action: Action) -> None:
    """POST the account, or the event, as JSON to the URL in the extra parameters. Without a URL nothing is sent."""
    if action.extra_parameters:
        later(run.world, action.type, _subject(run), action.extra_parameters)


def remote_set_account(run: Run, action: Action) -> None:
    """POST the account to the URL in the extra parameters; the account it answers replaces it.

    Raises BadRequest for what is no URL, NotFound without an account.
    """
    if not action.extra_parameters.startswith(("http://", "https://")):
        raise BadRequest(f"not a URL: {action.extra_parameters}")
    if run.account is None:
        raise NotFound("nil account", subject="accounts")
    post(run, action)


def mail(run: Run, action: Action) -> None:
    """Mail the account's state, or the event, to the addresses in the extra parameters (`;`-separated)."""
    addresses = [address for address in action.extra_parameters.split(",")[0].split(";") if address]
    if not addresses:
        raise BadRequest("no address to mail to")
    later(run.world, action.type, {"To": addresses, "Subject": _subject(run)})
