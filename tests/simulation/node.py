"""One simulated life of a node: the whole application, without listeners, on a clock and ids of the simulation.

Does not know: clients, what is checked.
"""

import gc
import itertools
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import outcome
import trio
import trio.testing
from cgrserver.app import Application, Surroundings
from cgrserver.settings import load
from cgrserver.storage.tables import Codecs, declared_tables

from cgrcore.timing import SECOND_NS
from tests.crash.caller import QUEUE_SETTINGS, openings, plan_files
from tests.simulation.disk import Disk, Faults, Handle

__all__ = ["ACCOUNTS", "REGULAR_ACCOUNT", "START_AT", "Node", "prepared_disk", "settings"]

ACCOUNTS = ("1001", "1002", "1003", "1004", "1005")

#: When all simulations begin: 2026-03-02T09:30:00Z.
START_AT = 1_772_443_800 * SECOND_NS

#: An account to which the scheduler adds 1 each minute.
REGULAR_ACCOUNT = "regular"
REGULAR = {
    "Actions": "#ActionsId,Action,ExtraParameters,Filter,BalanceId,BalanceType,Categories,DestinationIds,RatingSubject,"
    "SharedGroup,ExpiryTime,TimingIds,Units,BalanceWeight,BalanceBlocker,BalanceDisabled,Weight\n"
    "ACT_1,*topup,,,main,*monetary,,*any,,,*unlimited,,1,10,false,false,10\n",
    "ActionPlans": "#Id,ActionsId,TimingId,Weight\nAP_MINUTE,ACT_1,MINUTELY,10\n",
    "Timings": "#Tag,Years,Months,MonthDays,WeekDays,Time\nMINUTELY,*any,*any,*any,*any,*:*:10\n",
    "AccountActions": "#Tenant,Account,ActionPlanId,ActionTriggersId,AllowNegative,Disabled\n"
    f"cgrates.org,{REGULAR_ACCOUNT},AP_MINUTE,,,\n",
}

#: Some accounts stay in the store until a decision misses them.
RESIDENT_ACCOUNTS = 4


def settings(remembered: str = "60s") -> Any:
    """Return the configuration of a simulated node; calls that have ended are `remembered` for that long."""
    return load(
        None,
        (
            "general.node_id=simulated",
            "general.default_timezone=UTC",
            "schedulers.enabled=true",
            f"limits.resident_accounts={RESIDENT_ACCOUNTS}",
            f"caches.partitions.*closed_sessions.ttl={remembered}",
            *QUEUE_SETTINGS,
        ),
        {},
    )


class Node:
    """An application at work on a store. It ends by `crash`, with nothing written that was not."""

    def __init__(
        self,
        given: Any,
        handle: Handle,
        clock_ns: Callable[[], int],
        new_id: Callable[[], str],
        delay_s: Callable[[], float],
    ) -> None:
        self.is_up = False
        self._handle = handle
        self._delay_s = delay_s
        self._scope = trio.CancelScope()
        around = Surroundings(clock_ns, new_id, handle, self._wait_for)  # type: ignore[arg-type]
        self.application = Application(given, around)
        gc.unfreeze()  # what the application froze would stay for ever, simulation after simulation

    async def _wait_for(self, call: Callable[[], Any]) -> Any:
        """Make a call of the store as a thread would: at some moment, and its result is known some moments later."""
        await trio.sleep(self._delay_s())
        result = outcome.capture(call)
        await trio.sleep(self._delay_s())
        return result.unwrap()

    async def live(self) -> None:
        """Work until the crash."""

        async def serve(nursery: trio.Nursery) -> None:
            self.is_up = True
            await trio.sleep_forever()

        with self._scope:
            await self.application.work(serve)

    def crash(self) -> None:
        """End it at once: whatever it does from now on reaches neither the store nor a client."""
        self.is_up = False
        self._handle.is_dead = True
        self._scope.cancel()

    def receive(self, frame: bytes, deliver: Callable[[bytes], None]) -> None:
        """Take a request; its reply is delivered now or later, unless the node is dead by then."""

        class Channel:
            @staticmethod
            def deliver(reply: bytes) -> None:
                if self.is_up:
                    deliver(reply)

        dispatcher = self.application.dispatcher
        dispatcher.begin_batch()
        reply = dispatcher.receive(frame, Channel())
        dispatcher.end_batch()
        if reply is not None:
            deliver(reply)

    def differences(self, disk: Disk) -> list[str]:
        """Return the records that memory and disk do not agree on. To be asked when nothing is under way."""
        found = []
        codecs = self.application.codecs
        for name in codecs.kept:
            table, bodies = self.application.world.state.table(name), disk.bodies(name)
            encode = codecs.encoder(name)
            for key in table.records.keys() | (bodies.keys() if name != "accounts" else set()):
                record = table.records.get(key)
                if (None if record is None else encode(record)) != bodies.get(key):
                    found.append(f"{name} {key}")
        return sorted(found)


def prepared_disk() -> Disk:
    """Return a disk with the tariff loaded, every account opened, and a plan that adds 1 to one of them each minute."""
    ids, disk = itertools.count(1), Disk(Codecs(declared_tables()))
    handle = Handle(disk, Faults, random.Random(0), lambda batch: None)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**plan_files(), **REGULAR}.items():
            Path(folder, f"{name}.csv").write_text(text)
        requests: list[tuple[str, dict[str, Any]]] = [("APIerSv1.LoadTariffPlanFromFolder", {"FolderPath": folder})]
        requests += [("APIerSv1.AddBalance", params) for params in openings(ACCOUNTS)]

        async def ask_all() -> None:
            node = Node(settings(), handle, lambda: START_AT, lambda: f"prepared-{next(ids)}", lambda: 0.0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(node.live)
                await trio.testing.wait_all_tasks_blocked()
                for method, params in requests:
                    await _ask(node, method, params)
                await node.application.committer.drain()
                node.crash()

        trio.run(ask_all)
    return disk


async def _ask(node: Node, method: str, params: dict[str, Any]) -> None:
    replies: list[bytes] = []
    answered = trio.Event()

    def take(reply: bytes) -> None:
        replies.append(reply)
        answered.set()

    node.receive(json.dumps({"method": method, "params": [params], "id": 1}).encode(), take)
    await answered.wait()
    assert json.loads(replies[0])["error"] is None, replies[0]
