"""Methods on messages that wait to be delivered outside, and on those that could not be (dead letters)."""

from typing import Any

import msgspec

from cgrcore.actions import Message
from cgrcore.errors import NotFound
from cgrcore.timing import format_time
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []

#: Messages listed at once when no limit is given.
PAGE_SIZE = 1000


class MessagesArgs(Args):
    Kinds: list[str] | None = None
    UUIDs: list[str] | None = None
    Limit: int = 0
    Offset: int = 0


@method("OutboxSv1.GetDeadLetters")
def get_dead_letters(world: World, args: MessagesArgs) -> list[dict[str, Any]]:
    """List what could not be delivered, the oldest first, all or only some kinds (`*http_post`, `*mail_async`, ...)."""
    return _page(_meant(world, "dead_letters", args), args)


@method("OutboxSv1.GetWaiting")
def get_waiting(world: World, args: MessagesArgs) -> list[dict[str, Any]]:
    """List what waits to be delivered or is on its way, the oldest first."""
    return _page(_meant(world, "outbox", args), args)


@method("OutboxSv1.ReplayDeadLetters")
def replay_dead_letters(world: World, args: MessagesArgs) -> int:
    """Send again what could not be delivered: all, some kinds, or single ones; return how many. None is NOT_FOUND."""
    return _replay(world, _meant(world, "dead_letters", args))


@method("OutboxSv1.RemoveDeadLetters", mandatory=("UUIDs",))
def remove_dead_letters(world: World, args: MessagesArgs) -> int:
    """Forget single messages that could not be delivered; return how many."""
    meant = _meant(world, "dead_letters", args)
    for message in meant:
        world.state.table("dead_letters").remove(message.uuid)
    return len(meant)


class ReplayArgs(Args):
    SourcePath: str = ""
    FailedPath: str = ""
    Modules: list[str] | None = None


@method(
    "APIerSv1.ReplayFailedPosts",
    aliases=("ApierV1.ReplayFailedPosts", "APIerSv2.ReplayFailedPosts", "ApierV2.ReplayFailedPosts"),
)
def replay_failed_posts(world: World, args: ReplayArgs) -> str:
    """Send again what could not be delivered, all or only some kinds (`*http_post`, `*mail_async`, ...).

    Paths are passed over: failed messages stand in the store.
    """
    _replay(world, _meant(world, "dead_letters", MessagesArgs(Kinds=args.Modules)))
    return "OK"


def _meant(world: World, table: str, args: MessagesArgs) -> list[Message]:
    """Return the messages that the arguments name, the oldest first. Raises NotFound when there are none."""
    records: dict[str, Message] = world.state.table(table).records
    found = [
        message
        for message in (records.values() if not args.UUIDs else map(records.get, args.UUIDs))
        if message is not None and (not args.Kinds or message.kind in args.Kinds)
    ]
    if not found:
        raise NotFound(subject=table)
    return sorted(found, key=lambda message: message.queued_at)


def _page(messages: list[Message], args: MessagesArgs) -> list[dict[str, Any]]:
    start = max(args.Offset, 0)
    return [
        {
            "UUID": message.uuid,
            "Kind": message.kind,
            "Target": message.target,
            "Body": message.body,
            "Time": format_time(message.queued_at),
            "Attempts": message.attempts,
            "Error": message.last_error,
        }
        for message in messages[start : start + (args.Limit if args.Limit > 0 else PAGE_SIZE)]
    ]


def _replay(world: World, messages: list[Message]) -> int:
    outbox, dead = world.state.table("outbox"), world.state.table("dead_letters")
    for message in messages:
        dead.remove(message.uuid)
        outbox.put(message.uuid, msgspec.structs.replace(message, attempts=0, last_error=""))
    send = world.parts.get("send_outbox")
    if send is not None:
        world.state.effects.after.append(send)
    return len(messages)
