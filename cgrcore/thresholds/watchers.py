"""Who is told when a threshold fires its `*sy_publish`: the client of one session, by the profile's id.

Does not know: sessions, how clients are reached.
"""

import msgspec

from cgrcore.errors import NotFound
from cgrcore.state import Table
from cgrcore.world import World

__all__ = ["Watcher", "stop_watching", "watch"]


class Watcher(msgspec.Struct, frozen=True):
    """The session to be told of a threshold. Table "threshold_watchers", key: the id of the profile."""

    profile_id: str
    cgrid: str
    connection_id: str = ""


def _watchers(world: World) -> Table[Watcher]:
    return world.state.table("threshold_watchers")


def watch(world: World, profile_id: str, cgrid: str, connection_id: str = "") -> None:
    """Have a session told when the threshold fires, in place of another."""
    _watchers(world).put(profile_id, Watcher(profile_id, cgrid, connection_id))


def stop_watching(world: World, profile_id: str) -> None:
    """Have nobody told any more. Raises NotFound when nobody was."""
    if _watchers(world).remove(profile_id) is None:
        raise NotFound(subject="threshold watcher", subject_id=profile_id)
