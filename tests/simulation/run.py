"""A simulated day in the life of a node: faulty clients, a faulty network, a faulty store, crashes, on a virtual clock.

Everything that happens follows from the seed: what is asked for, what fails, and in which order tasks run. After each
commit, each reply and each crash the books are held against each other, and at the end against memory.
"""

import gc
import hashlib
import itertools
import json
import random
import signal
from collections.abc import Callable
from typing import Any

import structlog
import trio
import trio.testing

from cgrcore.ports import Batch
from cgrcore.timing import SECOND_NS
from tests.crash.books import Books, check_ends, check_promises, check_store
from tests.crash.caller import SAVINGS, SILENCE_S, TENANT, Caller, Notes, Wish
from tests.simulation.disk import Disk, Faults, Handle
from tests.simulation.node import ACCOUNTS, REGULAR_ACCOUNT, START_AT, Node, settings

__all__ = ["Simulation", "simulate"]

MINUTE_NS = 60 * SECOND_NS
CALLERS = 5

#: How long callers ask for new things, and how long the end may take when nothing fails any more.
BUSY_S = 20.0
END_TIMEOUT_S = 300.0

#: A client that has no answer asks again; a message is under way no longer than that.
ANSWER_TIMEOUT_S = 1.5
LONGEST_LATENCY_S = 4.0

#: A simulation takes a second; one that takes so long will never end.
STUCK_S = 60

#: The whole books are read after that many commits.
COMMITS_BETWEEN_CHECKS = 40


class Simulation:
    """One run. `trace` tells what happened, line by line; the same seed gives the same."""

    def __init__(self, seed: int, disk: Disk, faults: Faults | None = None) -> None:
        self.seed = seed
        self.trace: list[str] = []
        self.notes = Notes({}, {}, {}, 0, {}, 0)
        self.crash_count = self.failure_count = 0
        self._random = random.Random(seed)
        drawn = Faults.drawn(self._random)
        self.faults = self.faults_drawn = faults or drawn
        self._disk = disk
        self._given = settings("1s" if self.faults.is_forgetful else "60s")
        self._ids = itertools.count(1)
        self._jump_ns = 0
        self._commits = 0
        self._node: Node | None = None
        self._callers = [
            Caller(f"c{i}", seed, ACCOUNTS, self._now_at, self.notes, needs_keys=self.faults.is_forgetful)
            for i in range(CALLERS)
        ]

    @property
    def digest(self) -> str:
        """Return a short name for everything that happened."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]

    def _now_at(self) -> int:
        return START_AT + self._jump_ns + round(trio.current_time() * 1_000_000) * 1000

    def _new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012x}"

    def _delay_s(self) -> float:
        return self._random.expovariate(1 / self.faults.delay_s)

    def _note(self, text: str) -> None:
        self.trace.append(f"{trio.current_time():.6f} {text}")

    async def run(self) -> None:
        """Run to the end. Raises AssertionError when something is not as it must be."""
        async with trio.open_nursery() as nursery:
            self._messages = nursery  # they may be under way longer than clients wait for them
            nursery.start_soon(self._keep_alive)
            nursery.start_soon(self._set_clocks)
            with trio.fail_after(BUSY_S + END_TIMEOUT_S):
                async with trio.open_nursery() as clients:
                    for caller in self._callers:
                        clients.start_soon(self._ask, caller)
                    await trio.sleep(BUSY_S)
                    for caller in self._callers:
                        caller.is_finishing = True
                    self.faults = Faults()
            await self._settle()
            nursery.cancel_scope.cancel()

    # --- the node ----------------------------------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        """Run a node, and another when it has crashed."""
        while True:
            handle = Handle(self._disk, lambda: self.faults, self._random, self._kept)
            self._node = node = Node(self._given, handle, self._now_at, self._new_id, self._delay_s)
            node.application.committer.on_failure(self._failed)
            self._note("start")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(node.live)
                if not self.faults.crash_s:
                    await trio.sleep_forever()
                await trio.sleep(self._random.expovariate(1 / self.faults.crash_s))
                if not self.faults.crash_s:  # the busy time is over
                    await trio.sleep_forever()
                self._note("crash")
                node.crash()
            self.crash_count += 1
            self._check()
            await trio.sleep(self._random.uniform(0, 1))

    async def _set_clocks(self) -> None:
        while self.faults.jump_s:
            await trio.sleep(self._random.uniform(1, 6))
            self._jump_ns += self._random.randint(-self.faults.jump_s, self.faults.jump_s) * SECOND_NS
            self._note("the clock is set")

    def _kept(self, batch: Batch) -> None:
        """After each commit: the balances that it changed are what their ledger lines add up to."""
        self._commits += 1
        self._note(f"commit {len(batch.ledger)} {len(batch.cdrs)} {sum(map(len, batch.records.values()))}")
        codec = self._disk._codecs
        for account_id, body in batch.records.get("accounts", ()):
            if body is None:
                continue
            account = codec.decode("accounts", account_id, body)
            held = sum(balance.value_nano for group in account.balances.values() for balance in group or ())
            lines = sum(line.amount_nano for line in self._disk.history(account_id))
            assert held == lines, f"{account_id} holds {held}, its ledger says {lines}"
        if self._commits % COMMITS_BETWEEN_CHECKS == 0:
            check_store(Books(self._disk))

    def _failed(self, first: int, last: int, error: Exception) -> None:
        self.failure_count += 1
        self._note(f"lost {first} {last}")

    def _check(self) -> None:
        books = Books(self._disk)
        check_store(books)
        check_promises(books, self.notes, None if self.faults_drawn.jump_s else self._now_at())
        if not self.faults_drawn.jump_s:
            minutes = [line.at // MINUTE_NS for line in books.ledger[f"{TENANT}:{REGULAR_ACCOUNT}"]]
            assert len(set(minutes)) == len(minutes), "the scheduler has run twice"

    async def _settle(self) -> None:
        """Wait until nothing is under way, then hold memory against the disk and everything against the notes."""
        node = self._node
        assert node is not None and node.is_up
        await trio.sleep(
            SILENCE_S + LONGEST_LATENCY_S + 1
        )  # what is under way arrives, and calls nobody ends are ended
        await node.application.committer.drain()
        assert not node.differences(self._disk), node.differences(self._disk)
        self._check()
        if not self.faults_drawn.jump_s:  # else silence may last an hour
            check_ends(Books(self._disk), self.notes)
        assert self.notes.acknowledged
        self._note("end")

    # --- clients and the network -------------------------------------------------------------------------------------

    async def _ask(self, caller: Caller) -> None:
        """Have a caller ask for one thing after the other, again and again until it is answered."""
        while not (caller.is_finishing and caller.is_through):
            wish = caller.wish()
            while True:
                reply = await self._exchange(wish)
                if reply is not None and caller.answered(wish, reply["result"], reply["error"]):
                    break
                await trio.sleep(self._random.uniform(0, 0.2))
            await trio.sleep(self._random.expovariate(10))

    async def _exchange(self, wish: Wish) -> Any:
        """Send a request, perhaps twice, and return the first reply; None when none comes in time."""
        frame = json.dumps({"method": wish.method, "params": [wish.params], "id": 1}).encode()
        replies: list[bytes] = []
        answered = trio.Event()

        def arrive(reply: bytes) -> None:
            replies.append(reply)
            answered.set()

        copies = 2 if self._random.random() < self.faults.repeated else 1
        for number in range(copies):
            wish.sent_count += 1
            self._messages.start_soon(self._carry, wish, frame, arrive, number > 0)
        with trio.move_on_after(ANSWER_TIMEOUT_S):
            await answered.wait()
        return json.loads(replies[0]) if replies else None

    async def _carry(self, wish: Wish, frame: bytes, arrive: Callable[[bytes], None], is_late: bool) -> None:
        """Bring a request to the node and its reply back, or lose either."""
        await self._travel(is_late)
        node = self._node
        if node is None or not node.is_up or self._random.random() < self.faults.dropped:
            return
        self._note(f"ask {wish.method} {wish.key or (wish.call and wish.call.origin)}")

        def deliver(reply: bytes) -> None:
            self._note(f"reply {hashlib.sha256(reply).hexdigest()[:12]}")
            self._check_reply(wish, json.loads(reply))
            if self._random.random() >= self.faults.dropped:
                self._messages.start_soon(self._bring_back, reply, arrive)

        node.receive(frame, deliver)

    async def _bring_back(self, reply: bytes, arrive: Callable[[bytes], None]) -> None:
        await self._travel(False)
        arrive(reply)

    async def _travel(self, is_late: bool) -> None:
        latency_s = self._random.expovariate(1 / self.faults.latency_s)
        await trio.sleep(min(latency_s + (self._random.uniform(0, 3) if is_late else 0), LONGEST_LATENCY_S))

    def _check_reply(self, wish: Wish, reply: dict[str, Any]) -> None:
        """At each reply: what it says is durable already."""
        if reply["error"] is not None:
            return
        if wish.key:
            assert f"{wish.method}:{wish.key}" in self._disk.bodies("answers"), f"{wish.key} is not durable"
        if wish.kind == "read":
            held = reply["result"]["BalanceMap"]["*monetary"][0]["Value"]
            lines = self._disk.history(f"{TENANT}:{SAVINGS}")
            assert round(held * 10**9) <= sum(line.amount_nano for line in lines), "a client reads what is not durable"


def _give_up(number: int, frame: object) -> None:
    raise AssertionError("the simulation does not come to an end: something spins")


def simulate(seed: int, disk: Disk, faults: Faults | None = None) -> Simulation:
    """Run the simulation of a seed on a copy of a prepared disk, with faults of its own choice unless some are given.

    Raises AssertionError, with the command to repeat it.
    """
    # Trio orders by chance what may run at the same moment, so that nobody relies on an order. Here it is our chance.
    runner = trio._core._run  # type: ignore[attr-defined]
    runner._ALLOW_DETERMINISTIC_SCHEDULING = True
    runner._r.seed(seed)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    simulation = Simulation(seed, disk.twin(), faults)
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(STUCK_S)
    try:
        trio.run(simulation.run, clock=trio.testing.MockClock(autojump_threshold=0))
    except BaseException as error:
        error.add_note(f"to repeat: .venv/bin/python -m tests.simulation --seed {seed}")
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        runner._ALLOW_DETERMINISTIC_SCHEDULING = False
        structlog.reset_defaults()
        gc.collect()  # an application looks for its dead cycles so seldom that a thousand of them would stay
    return simulation
