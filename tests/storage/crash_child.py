"""A process that debits, commits and says what is durable, until it is killed. Started by test_crash.py.

Each decision moves 1 from one account to another, and puts the mark of its number: so nothing may be
missing before a mark that is there, and the sum of all balances never changes. A line of output acknowledges.
"""

import os
import random
import sys

import trio
from cgrserver.commit import Committer
from cgrserver.storage.postgres import PostgresStore
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs

from cgrcore.cdrs.records import Cdr
from cgrcore.world import World
from tests.storage.conftest import TABLES, balance, put_account

ACCOUNTS = 50
OPENING_NANO = 10**12


def decide(world: World, number: int) -> None:
    """Move 1 between two accounts and mark the decision; open the accounts first."""
    accounts = world.state.table("accounts")
    if not len(accounts):
        for i in range(ACCOUNTS):
            put_account(world, f"t:{i}", balance(f"u{i}", OPENING_NANO))
    source, target = random.sample(range(ACCOUNTS), 2)
    for i, amount in ((source, -1), (target, 1)):
        accounts.edit(f"t:{i}").balances["*monetary"][0].value_nano += amount
    world.state.table("marks").put(str(number), number)
    world.state.effects.rows.append(("cdrs", "insert", Cdr(cgrid=str(number), account=f"t:{source}", cost_nano=1)))


def open_store(place: str) -> SqliteStore | PostgresStore:
    """Return the store at a path or behind a PostgreSQL conninfo."""
    codecs = Codecs(TABLES)
    return PostgresStore(place, codecs) if "=" in place else SqliteStore(place, codecs)


async def main(place: str) -> None:
    store = open_store(place)
    world = World({}, new_id=lambda: "")
    store.load(world)
    number = len(world.state.table("marks"))
    committer = Committer(store, world, Codecs(TABLES))
    first = number
    committer.on_durable(lambda durable: os.write(1, b"%d\n" % (first + durable)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(committer.run)
        while True:
            for _ in range(random.randint(1, 40)):
                number += 1
                world.state.begin("move")
                decide(world, number)
                committer.add(world.state.take(), now_at=number)
            await trio.sleep(0)
            if committer.ticket - committer.written > 200:
                await committer.drain()


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
