"""GuardianSv1: named locks that clients take and give back, for work that must not run twice at once.

Locks live in the process, as in CGRateS: a restart frees them. Our own decisions need none.
"""

from typing import Any

import msgspec
import trio

from cgrcore.errors import Unavailable
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__ = ["Guardian", "LockArgs", "guardian_of"]

#: How long a client may wait for locks that others hold.
WAIT_S = 20.0

#: Locks held at once, over all references.
LOCK_LIMIT = 100_000


class LockArgs(Args):
    ReferenceID: str = ""
    LockIDs: list[str] | None = None
    Timeout: int = 0
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class UnlockArgs(Args):
    RefID: str = ""
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class _Held(msgspec.Struct):
    lock_ids: list[str]
    expires_s: float


class Guardian:
    """The locks by reference. Times are seconds of the event loop's clock."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._owners: dict[str, str] = {}
        self._freed = trio.lowlevel.ParkingLot()

    async def lock(self, reference: str, lock_ids: list[str], timeout_s: float) -> bool:
        """Take all locks under a reference, for `timeout_s` at most (0: until unlocked); wait for those others hold.

        Returns False when the reference is in use. Cancelled, nothing is taken. Raises Unavailable when the locks do
        not come free in time, or too many are held.
        """
        wanted = set(lock_ids)
        with trio.move_on_after(WAIT_S):
            while True:
                now_s = trio.current_time()
                self._expire(now_s)
                if reference in self._held:
                    return False
                blockers = {self._owners[lock_id] for lock_id in wanted if lock_id in self._owners}
                if not blockers:
                    self._take(reference, lock_ids, now_s + timeout_s if timeout_s > 0 else float("inf"))
                    return True
                with trio.move_on_at(min(self._held[blocker].expires_s for blocker in blockers)):
                    await self._freed.park()
        raise Unavailable("REPLY_TIMEOUT")

    def unlock(self, reference: str, now_s: float) -> list[str] | None:
        """Free what a reference holds and return its locks, None when it holds none (any more)."""
        self._expire(now_s)
        held = self._held.get(reference)
        if held is None:
            return None
        self._free(reference)
        return held.lock_ids

    def _take(self, reference: str, lock_ids: list[str], expires_s: float) -> None:
        if len(self._owners) + len(lock_ids) > LOCK_LIMIT:
            raise Unavailable("too many locks are held")
        self._held[reference] = _Held(lock_ids, expires_s)
        for lock_id in lock_ids:
            self._owners[lock_id] = reference

    def _free(self, reference: str) -> None:
        for lock_id in self._held.pop(reference).lock_ids:
            self._owners.pop(lock_id, None)
        self._freed.unpark_all()

    def _expire(self, now_s: float) -> None:
        for reference in [name for name, held in self._held.items() if held.expires_s <= now_s]:
            self._free(reference)


def guardian_of(world: World) -> Guardian:
    """Return the locks of a world."""
    found = world.parts.get("guardian")
    if not isinstance(found, Guardian):
        found = world.parts["guardian"] = Guardian()
    return found


async def _lock(store: Any, world: World, args: LockArgs) -> str:
    reference = args.ReferenceID or world.new_id()
    if not args.LockIDs:
        return reference
    timeout_ns = args.Timeout or int(world.settings.get("general", {}).get("locking_timeout", 0))
    is_taken = await guardian_of(world).lock(reference, args.LockIDs, timeout_ns / 10**9)
    return reference if is_taken else ""


@method("GuardianSv1.RemoteLock", fetch=_lock)
def remote_lock(world: World, args: LockArgs, reference: str) -> str:
    """Take locks, waiting for those that others hold; answer the reference to free them by, "" when it is in use."""
    return reference


async def _unlock(store: Any, world: World, args: UnlockArgs) -> list[str] | None:
    return guardian_of(world).unlock(args.RefID, trio.current_time())


@method("GuardianSv1.RemoteUnlock", fetch=_unlock)
def remote_unlock(world: World, args: UnlockArgs, lock_ids: list[str] | None) -> list[str] | None:
    """Free the locks of a reference and answer which they were, null when it holds none."""
    return lock_ids
