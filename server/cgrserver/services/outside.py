"""Delivers what actions send outside: HTTP posts, mail, exports, calls of other servers, accounts kept elsewhere.

It also does what needs the store, which decisions cannot wait for: removing costs of sessions, giving an account what
its last CDR says.

A message stands in the table "outbox" since the commit of what it tells of; delivered, it is removed. One that fails is
tried again after a growing pause, and after the last attempt moves to "dead_letters", from where an operator can send
it again. Every attempt has a deadline. A message may arrive twice, never less than once. Cancelled, an attempt is given
up and the message stays. Does not know: why a message is sent, how it travels (`delivery`).
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import structlog
import trio

from cgrcore.accounting import edit_account
from cgrcore.actions import Message
from cgrcore.actions.calls import reset_to_summary
from cgrcore.cdrs.records import SessionCost
from cgrcore.errors import CgrError
from cgrcore.filters import Scope, passes_in
from cgrcore.timing import format_duration, format_time
from cgrcore.world import World
from cgrserver.services.delivery import FAILURES, Attempt
from cgrserver.services.last_cdr import find_last_summary
from cgrserver.services.lines import Lines

__all__ = ["OutsideTask"]

log = structlog.get_logger()

#: Threads of attempts to all targets, those that were cut and have not noticed yet among them.
THREADS = 64

#: The pause after a look at the outbox, for each message in it: the longer that takes, the less often it is done.
LOOK_S = 2e-6

#: The pause before the second attempt; each further one is twice as long.
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

#: Dead letters that are kept. Beyond, the oldest is dropped, and the log says what it was.
DEAD_LETTERS = 100_000

#: Costs of sessions that are looked at, and removed, in one decision.
COSTS_AT_ONCE = 1000

Decide = Callable[[str, Callable[[World], Any]], Any]
Settings = Mapping[str, Mapping[str, Any]]


class OutsideTask:
    """Sends what waits in the outbox. `world.parts["send_outbox"]` wakes it after a commit."""

    def __init__(
        self, world: World, decide: Decide, settings: Settings, store: Any = None, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        """`store` (Reads) is asked for what is not in memory."""
        self._store = store
        self._world = world
        self._decide = decide
        self._settings = settings
        self._deadline_s: float = settings["general"]["reply_timeout"] / 10**9
        self._attempts: int = max(1, settings["general"]["poster_attempts"])
        self._first_pause_s = first_pause_s
        self._lines = Lines()
        self._threads = trio.CapacityLimiter(THREADS)
        self._changed = trio.Event()
        world.parts["send_outbox"] = self.wake

    def wake(self) -> None:
        """Look at the outbox again."""
        self._changed.set()

    async def run(self) -> None:
        """Send, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                self._changed = trio.Event()
                outbox = self._world.state.table("outbox").records
                for message in self._lines.take_in(outbox.values()):
                    nursery.start_soon(self._deliver, message, nursery)
                await trio.sleep(LOOK_S * len(outbox))
                with trio.move_on_after(LONGEST_PAUSE_S):  # a store that failed may have brought messages back
                    await self._changed.wait()

    async def _deliver(self, message: Message, nursery: trio.Nursery) -> None:
        await self._try_until_settled(message)
        for following in self._lines.end(message):
            nursery.start_soon(self._deliver, following, nursery)

    async def _try_until_settled(self, message: Message) -> None:
        pause_s = self._first_pause_s
        while True:
            error = await self._attempt(message)
            message = msgspec.structs.replace(message, attempts=message.attempts + 1, last_error=error)
            if not error:
                self._settle("message delivered", message, None)
                return
            log.warning("a message could not be delivered", kind=message.kind, target=message.target, why=error)
            if message.attempts >= self._attempts_for(message):
                self._settle("message given up", message, self._last_place(message))
                return
            self._settle("message failed", message, "outbox")
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _attempts_for(self, message: Message) -> int:
        """Return how often the message is tried: its exporter's or its call's own number, else the configured one."""
        if message.kind == "*export":
            return max(1, int((self._exporter(message) or {}).get("attempts", 1)))
        if message.kind == "*cgr_rpc":
            asked = json.loads(message.body).get("Attempts")
            return asked if isinstance(asked, int) and asked > 0 else self._attempts
        return self._attempts

    def _last_place(self, message: Message) -> str | None:
        """Return the table of a message that was given up; None when its exporter wants such messages dropped."""
        exporter = self._exporter(message) if message.kind == "*export" else None
        return None if exporter is not None and exporter["failed_posts_dir"] == "*none" else "dead_letters"

    def _exporter(self, message: Message) -> Mapping[str, Any] | None:
        return next((it for it in self._settings["ees"]["exporters"] if it["id"] == message.target), None)

    async def _attempt(self, message: Message) -> str:
        """Send a message once. Return what went wrong, an empty text when nothing did."""
        if message.kind == "*remove_session_costs":
            return await self._remove_session_costs(json.loads(message.body))
        if message.kind == "*reset_account_cdr":
            return await self._reset_account(message.target)
        attempt = Attempt(message, self._settings)
        async with self._lines.attempts_of(message):
            with trio.move_on_after(self._deadline_s) as deadline:
                try:
                    answer = await trio.to_thread.run_sync(attempt.send, abandon_on_cancel=True, limiter=self._threads)
                    if message.kind == "*remote_set_account":
                        self._keep_account(answer)
                except (*FAILURES, CgrError) as error:
                    return str(error) or type(error).__name__
                finally:
                    attempt.cut()
        return "deadline passed" if deadline.cancelled_caught else ""

    async def _remove_session_costs(self, filter_ids: list[str]) -> str:
        """Remove the costs that pass the filters. Return what went wrong, an empty text when nothing did."""
        try:
            with trio.fail_after(self._deadline_s):
                costs = await self._store.find_session_costs()
            for start in range(0, len(costs), COSTS_AT_ONCE):
                some = costs[start : start + COSTS_AT_ONCE]
                self._decide("*remove_session_costs", partial(_remove_costs, costs=some, filter_ids=filter_ids))
                await trio.sleep(0)
        except trio.TooSlowError:
            return "deadline passed"
        except CgrError as error:
            return str(error)
        return ""

    async def _reset_account(self, account_id: str) -> str:
        """Give an account the balances of its last CDR. Return what went wrong, an empty text when nothing did."""

        def reset(world: World) -> None:
            reset_to_summary(world, edit_account(world, account_id), summary)

        try:
            with trio.fail_after(self._deadline_s):
                summary = await find_last_summary(self._store, account_id)
            if not summary:
                return "the account has no rated CDR"
            self._decide("*reset_account_cdr", reset)
        except trio.TooSlowError:
            return "deadline passed"
        except CgrError as error:
            return str(error)
        return ""

    def _settle(self, reason: str, message: Message, table: str | None) -> None:
        def move(world: World) -> None:
            if table != "outbox":
                world.state.table("outbox").remove(message.uuid)
            if table == "dead_letters":
                _make_room(world)
            if table is not None:
                world.state.table(table).put(message.uuid, message)

        try:
            self._decide(reason, move)
        except CgrError as error:
            log.error("outbox", doing=reason, why=str(error))

    def _keep_account(self, answer: bytes) -> None:
        """Replace the account by the one that was answered, when it has balances."""
        account = json.loads(answer, parse_float=Decimal)
        if isinstance(account, dict) and account.get("BalanceMap"):
            call = self._world.parts["call_method"]
            self._decide("account kept elsewhere", lambda world: call(world, "ReplicatorSv1.SetAccount", account))


def _scope_of(world: World, cost: SessionCost) -> Scope:
    fields = {
        "CGRID": cost.cgrid,
        "RunID": cost.run_id,
        "OriginHost": cost.origin_host,
        "OriginID": cost.origin_id,
        "CostSource": cost.cost_source,
        "Usage": format_duration(cost.usage_ns),
        "CreatedAt": format_time(cost.created_at),
    }
    return Scope(world, {"*sc": fields, "*tenant": world.tenant("")})


def _remove_costs(world: World, costs: list[SessionCost], filter_ids: list[str]) -> None:
    tenant = world.tenant("")
    for cost in costs:
        if passes_in(_scope_of(world, cost), tenant, filter_ids):
            world.state.effects.rows.append(("session_costs", "delete", cost))


def _make_room(world: World) -> None:
    dead = world.state.table("dead_letters")
    if len(dead) >= DEAD_LETTERS:
        oldest = min(dead.records.values(), key=lambda message: message.queued_at)
        dead.remove(oldest.uuid)
        log.error("too many dead letters, the oldest is dropped", **msgspec.structs.asdict(oldest))
