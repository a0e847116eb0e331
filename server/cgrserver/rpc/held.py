"""Replies that wait for a commit, and which records the decisions behind them left uncommitted.

The rule, so that no client ever acts on what a crash could take back, and no reply waits without need:
- a decision that changed something waits for its own commit;
- one that changed nothing waits for the latest commit whose records it read through a table (`State.seen_ticket`), for
  the tables in `KEYED`: accounts, sessions and the like, which every call changes, each under its own key;
- all other tables (tariffs, profiles, ...) are read through what is compiled from them, so a reply that changed nothing
  waits for the latest uncommitted change to any of them. Such changes are rare.

Does not know: methods, sockets, how commits are made.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from cgrcore.codecs import failure
from cgrcore.state import Effects
from cgrserver.rpc.commits import Committer

__all__ = ["KEYED", "Channel", "HeldReplies"]

log = structlog.get_logger()

#: Tables that charging changes all the time, and that are read record by record through `Table`'s methods.
KEYED = frozenset(
    {
        *("accounts", "sessions", "passive_sessions", "closed_sessions", "cdr_ids", "answers", "rpc_responses"),
        *("thresholds", "stats", "resources", "rating_queue", "cdrs_changed"),
    }
)


class Channel(Protocol):
    """Where a reply goes that could not leave at once."""

    def deliver(self, reply: bytes) -> None: ...


class _Reply(msgspec.Struct):
    id: msgspec.Raw


class HeldReplies:
    """The replies that wait, by the ticket they wait for."""

    def __init__(self, committer: Committer, finished: Callable[[], None]) -> None:
        """`finished` is called after replies were delivered."""
        self._committer = committer
        self._finished = finished
        self._replies: dict[int, list[tuple[Channel, bytes]]] = {}
        self._effects: dict[int, list[Effects]] = {}
        self._settled = committer.durable
        self._wide_ticket = 0
        self.last_ticket = 0
        self.count = 0
        self.failed_after_count = 0
        committer.on_durable(self.settle)

    def commit(self, effects: Effects) -> int:
        """Hand effects to the committer; return the ticket a reply waits for, 0 when it need not."""
        committer = self._committer
        ticket = self.last_ticket = committer.add(effects)
        if ticket <= committer.durable:
            self._run_after(effects)
            return 0
        for (name, key), (table, _, _) in effects.before.items():
            if name in KEYED:
                table.uncommitted[key] = ticket
            else:
                self._wide_ticket = ticket
        self._effects.setdefault(ticket, []).append(effects)
        return ticket

    def ticket_of_reading(self, seen_ticket: int) -> int:
        """Return the ticket that a reply without effects waits for, 0 when it need not."""
        ticket = max(seen_ticket, self._wide_ticket)
        return ticket if ticket > self._committer.durable else 0

    def hold(self, ticket: int, channel: Channel, reply: bytes) -> None:
        """Keep a reply until its ticket is durable."""
        self._replies.setdefault(ticket, []).append((channel, reply))
        self.count += 1

    def settle(self) -> None:
        """Deliver what waited for commits that are durable now, oldest first."""
        durable = self._committer.durable
        if durable <= self._settled:
            return
        for ticket in range(self._settled + 1, durable + 1):
            for effects in self._effects.pop(ticket, ()):
                for (name, key), (table, _, _) in effects.before.items():
                    if name in KEYED and table.uncommitted.get(key) == ticket:
                        del table.uncommitted[key]
                self._run_after(effects)
            for channel, reply in self._replies.pop(ticket, ()):
                self.count -= 1
                channel.deliver(reply)
        self._settled = durable
        self._finished()

    def lose(self, first: int, last: int, text: str) -> None:
        """Answer with an error what waited for these tickets: their commits failed. What was to follow is dropped."""
        for ticket in range(first, last + 1):
            self._effects.pop(ticket, None)
            for channel, reply in self._replies.pop(ticket, ()):
                self.count -= 1
                lost = failure(msgspec.json.decode(reply, type=_Reply).id, text) if reply else text.encode()
                channel.deliver(lost)
        self._settled = max(self._settled, last)
        self._finished()

    def _run_after(self, effects: Effects) -> None:
        for call in effects.after:
            try:
                call()
            except Exception:  # what follows a commit must not stop the replies of others
                self.failed_after_count += 1
                log.exception("a call after a commit failed", reason=effects.reason)
