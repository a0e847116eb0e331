"""Other nodes that stand by with our sessions: each is sent what has changed, the latest state of each session only.

Rules: a node that cannot be reached is tried again after a growing pause, and nothing it missed is lost while this
process lives; after a start it is sent every active session. A session that was changed ten times while its node was
away is sent once, so what waits is bounded by the sessions there are. Nodes speak JSON-RPC over TCP.
Does not know: what a node does with a session.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
import trio

from cgrcore.errors import BadRequest, CgrError
from cgrcore.sessions import Session, active_sessions, session_as_wire
from cgrcore.timing import SECOND_NS, format_time
from cgrcore.world import World
from cgrserver.services.node_calls import NodeConnection

__all__ = ["SessionReplicas", "addresses_of"]

log = structlog.get_logger()

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0

METHOD = "SessionSv1.SetPassiveSession"

Settings = Mapping[str, Mapping[str, Any]]


def addresses_of(settings: Settings, connection_ids: Iterable[str]) -> list[str]:
    """Return the addresses of other nodes that connections of `rpc_conns` lead to, those of this node left out.

    Raises BadRequest for a connection that is not defined or does not speak JSON.
    """
    found = []
    for connection_id in connection_ids:
        pool = settings["rpc_conns"].get(connection_id)
        if pool is None:
            raise BadRequest(f"connection with id: {connection_id} not defined")
        for connection in pool["conns"]:
            address = connection["address"]
            if address in ("*internal", "*birpc_internal"):
                continue
            if connection.get("transport") != "*json":
                raise BadRequest(f"connection {connection_id}: sessions are sent over *json only")
            found.append(address)
    return found


class _Node:
    """A node that stands by, and the CGRIDs of sessions it is yet to be told of, oldest first."""

    def __init__(self, address: str, deadline_s: float) -> None:
        self.connection = NodeConnection(address, deadline_s)
        self.pending: dict[str, None] = {}
        self.changed = trio.Event()

    def note(self, cgrid: str) -> None:
        self.pending[cgrid] = None
        self.changed.set()


class SessionReplicas:
    """Sends sessions to other nodes. `world.parts["replicate_session"]` is set where there are any."""

    def __init__(self, world: World, settings: Settings) -> None:
        """Raises BadRequest for connections that cannot be used."""
        self._world = world
        self._settings = settings
        self._deadline_s = settings["general"]["reply_timeout"] / SECOND_NS
        addresses = addresses_of(settings, settings["sessions"]["replication_conns"])
        self._nodes = [_Node(address, self._deadline_s) for address in addresses]
        if self._nodes:
            world.parts["replicate_session"] = self.changed

    def changed(self, cgrid: str) -> None:
        """Tell every node of a session, soon."""
        for node in self._nodes:
            node.note(cgrid)

    async def run(self) -> None:
        """Send until cancelled; what was not sent then is sent after the next start, as far as it is active still."""
        async with trio.open_nursery() as nursery:
            for node in self._nodes:
                for cgrid in active_sessions(self._world).records:
                    node.note(cgrid)
                nursery.start_soon(self._serve, node)

    async def _serve(self, node: _Node) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            if not node.pending:
                node.changed = trio.Event()
                await node.changed.wait()
                continue
            cgrid = next(iter(node.pending))
            del node.pending[cgrid]
            try:
                await node.connection.call(METHOD, self._state_of(cgrid))
            except CgrError as error:
                if node.connection.has_failed:
                    node.pending.setdefault(cgrid)
                    log.warning("a node that stands by cannot be reached", node=node.connection.address, why=str(error))
                    await trio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                elif str(error) != "NOT_FOUND":  # of a session that began and ended before it was told of
                    log.warning("a node refused a session", node=node.connection.address, cgrid=cgrid, why=str(error))
            else:
                pause_s = FIRST_PAUSE_S

    def _state_of(self, cgrid: str) -> dict[str, Any]:
        session = active_sessions(self._world).records.get(cgrid)
        if session is not None:
            return session_as_wire(session)
        return {"CGRID": cgrid, "EventStart": None, "UpdatedAt": format_time(self._world.now_at)}

    async def send(self, sessions: list[Session], connection_ids: list[str]) -> int:
        """Send sessions to the nodes that connections lead to; return how many times one was not taken."""
        refused = 0
        for address in addresses_of(self._settings, connection_ids):
            connection = NodeConnection(address, self._deadline_s)
            try:
                for session in sessions:
                    try:
                        await connection.call(METHOD, session_as_wire(session))
                    except CgrError as error:
                        refused += 1
                        log.warning("a node did not take a session", node=address, cgrid=session.cgrid, why=str(error))
            finally:
                await connection.close()
        return refused
