"""How many small decisions a second become durable: a debit of one of 10,000 accounts each, with its ledger line.

    python -m bench.commit [--seconds 2] [--store sqlite|memory]

Lock-step: so many decisions are made, then their commit is waited for, as so many clients with one request in flight
would. What was written is checked afterwards: the ledger adds up to the balances. Measures the store,
server/cgrserver/commit.py and server/cgrserver/storage/gathering.pyx; the engine is left out.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import trio
from cgrserver.commit import Committer
from cgrserver.storage.memory import MemoryStore
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs

from cgrcore.accounting import Account, Balance
from cgrcore.ports import Answer
from cgrcore.world import World

ACCOUNTS = 10_000
OPENING_NANO = 10**15
IN_FLIGHT = (16, 64, 256, 1024)


def account_id(number: int) -> str:
    return f"cgrates.org:{number}"


def opened(number: int) -> Account:
    """Return an account with money and a bundle of minutes."""
    money = Balance(
        uuid=f"{number:08d}-0000-4000-8000-000000000001", id="main", type="*monetary", value_nano=OPENING_NANO
    )
    minutes = Balance(uuid=f"{number:08d}-0000-4000-8000-000000000002", id="bundle", type="*voice", value_nano=10**13)
    return Account(account_id(number), {"*monetary": [money], "*voice": [minutes]})


async def measure(store: Any, codecs: Codecs, in_flight: int, seconds: float) -> tuple[float, float]:
    """Return decisions a second and the processor's seconds for each."""
    world = World({}, new_id=lambda: "")
    accounts = world.state.table("accounts")
    committer = Committer(store, world, codecs)
    pick = random.Random(1).randrange
    async with trio.open_nursery() as nursery:
        nursery.start_soon(committer.run)
        world.state.begin("opening")
        for number in range(ACCOUNTS):
            accounts.put(account_id(number), opened(number))
        committer.add(world.state.take(), now_at=1)
        await committer.drain()
        began, cpu, first = time.perf_counter(), time.process_time(), committer.ticket
        while time.perf_counter() < began + seconds:
            for _ in range(in_flight):
                world.state.begin("SessionSv1.UpdateSession")
                accounts.edit(account_id(pick(ACCOUNTS))).balances["*monetary"][0].value_nano -= 1000
                committer.add(world.state.take(), now_at=2)
            await committer.drain()
        count = committer.ticket - first
        spent = time.perf_counter() - began
        cpu = time.process_time() - cpu
        nursery.cancel_scope.cancel()
    check(store, world, count)
    return count / spent, cpu / count


def check(store: Any, world: World, count: int) -> None:
    """Hold the ledger against the balances."""
    taken_nano = 0
    for key in random.Random(2).sample(list(world.state.table("accounts")), 200):
        lines = [line for line in store.history(key) if line.balance_type == "*monetary"]
        held_nano = world.state.table("accounts").require(key).balances["*monetary"][0].value_nano
        assert sum(line.amount_nano for line in lines) == held_nano, key
        taken_nano += OPENING_NANO - held_nano
    assert taken_nano <= 1000 * count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--store", choices=("sqlite", "memory"), default="sqlite")
    given = parser.parse_args()
    codecs = Codecs({"answers": Answer, "accounts": Account})
    for in_flight in IN_FLIGHT:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            path = Path(folder, "store.db")
            store = SqliteStore(path, codecs) if given.store == "sqlite" else MemoryStore(codecs)
            rate, cpu_s = trio.run(measure, store, codecs, in_flight, given.seconds)
            store.close()
        print(
            f"{given.store}, {in_flight:5} in flight: {rate:9,.0f} decisions/s, {cpu_s * 1e6:5.1f} us of processor each"
        )


if __name__ == "__main__":
    main()
