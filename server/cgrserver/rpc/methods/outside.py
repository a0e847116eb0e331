"""Methods on what could not be delivered outside."""

import msgspec

from cgrcore.actions import Message
from cgrcore.errors import NotFound
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []


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
    outbox, dead = world.state.table("outbox"), world.state.table("dead_letters")
    wanted = [uuid for uuid in dead if not args.Modules or dead.records[uuid].kind in args.Modules]
    if not wanted:
        raise NotFound(subject="dead_letters")
    for uuid in wanted:
        message: Message = dead.require(uuid)
        dead.remove(uuid)
        outbox.put(uuid, msgspec.structs.replace(message, attempts=0, last_error=""))
    send = world.parts.get("send_outbox")
    if send is not None:
        world.state.effects.after.append(send)
    return "OK"
