"""Many accounts: what they take in memory, how long a start takes with them, and charging when most are in the store.

Each node is measured in a process of its own, so that its memory is its own. Stores are written here first, account by
account the same but for its name and the UUIDs of its balances.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs, declared_tables

from bench.registry import Context, Measure, Wrong, benchmark
from bench.server import ROOT, serving
from cgrcore.accounting import Account, Balance
from cgrcore.money import NANO
from cgrcore.ports import Batch

__all__: list[str] = []

MANY = 1_000_000
RESTARTED = 100_000
RESIDENT = 10_000

#: What is promised.
MEMORY_LIMIT_MB = 1024
LOAD_LIMIT_S = 10.0
RESTART_LIMIT_S = 1.0

FIRST = 4_900_000_000
BATCH_SIZE = 50_000

#: Loads a store in a process of its own, then touches every account; prints seconds and MB of both.
_LOADING = """
import sys, time
from pathlib import Path
from cgrcore.world import World
from cgrserver.storage.sqlite import SqliteStore
from cgrserver.storage.tables import Codecs, declared_tables

def memory_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

path, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
world = World({}, lambda: "")
store = SqliteStore(path, Codecs(declared_tables()))
began, began_cpu = time.perf_counter(), time.process_time()
store.load(world)
print(time.perf_counter() - began, time.process_time() - began_cpu, memory_mb())
accounts = world.state.table("accounts")
held = sum(accounts.require(f"cgrates.org:{first + n}").balances["*monetary"][0].value_nano for n in range(count))
print(len(accounts), held, memory_mb())
"""


def _write(path: Path, count: int) -> None:
    """Write a store with so many accounts of 10 units of money and an hour to speak each."""
    name, money, voice = str(FIRST), str(UUID(int=1)), str(UUID(int=2))
    account_id = f"cgrates.org:{name}"
    balances: dict[str, list[Balance] | None] = {
        "*monetary": [Balance(money, "main", "*monetary", 10 * NANO)],
        "*voice": [Balance(voice, "minutes", "*voice", 3600 * NANO * NANO, destination_ids={"DST": True})],
    }
    body = Account(account_id, balances).encode()
    store = SqliteStore(path, Codecs(declared_tables()), is_every_commit_synced=False)
    for start in range(0, count, BATCH_SIZE):
        rows: list[tuple[str, bytes | None]] = []
        for number in range(start, min(start + BATCH_SIZE, count)):
            own = body.replace(name.encode(), b"%d" % (FIRST + number))
            own = own.replace(money.encode(), str(UUID(int=2 * number + 1)).encode())
            own = own.replace(voice.encode(), str(UUID(int=2 * number + 2)).encode())
            rows.append((f"cgrates.org:{FIRST + number}", own))
        store.commit(Batch(records={"accounts": rows}))
    store.close()


@benchmark("accounts")
def memory(context: Context) -> Iterator[Measure]:
    """A million accounts with two balances each: at most 1 GiB when all were used, loaded from SQLite within 10 s."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder, "store.db")
        _write(path, MANY)
        command = [sys.executable, "-c", _LOADING, str(path), str(FIRST), str(MANY)]
        paths = os.pathsep.join((str(ROOT), str(ROOT / "server")))
        printed = subprocess.run(
            command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
        ).stdout.split()
    load_s, cpu_s, loaded_mb, found, held, used_mb = (float(text) for text in printed)
    if (found, held) != (MANY, MANY * 10 * NANO):
        raise Wrong(f"{found:.0f} accounts hold {held:.0f} nano, expected {MANY} and {MANY * 10 * NANO}")
    if used_mb > MEMORY_LIMIT_MB:
        raise Wrong(f"a million accounts take {used_mb:.0f} MB")
    if load_s > LOAD_LIMIT_S:
        raise Wrong(f"a million accounts are loaded in {load_s:.1f} s")
    yield Measure("load 1,000,000", load_s, "s", {"cpu_s": cpu_s})
    yield Measure("memory, loaded", loaded_mb, "MB")
    yield Measure("memory, all used", used_mb, "MB")


@benchmark("restart")
def restart(context: Context) -> Iterator[Measure]:
    """From the start of `cgrcore serve` to its first answer with 100,000 accounts: within 1 s."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder, "store.db")
        _write(path, RESTARTED)
        best = min(_first_answer_s(context, path) for _ in range(5))
    if best > RESTART_LIMIT_S:
        raise Wrong(f"the first answer comes {best:.2f} s after the start")
    yield Measure("start to first answer", best, "s")


def _first_answer_s(context: Context, path: Path) -> float:
    began = time.perf_counter()
    with serving(context, [f"{section}.db_name={path}" for section in ("data_db", "stor_db")]) as server:
        found = server.call("APIerSv2.GetAccount", {"Tenant": "cgrates.org", "Account": str(FIRST + RESTARTED - 1)})
        seconds = time.perf_counter() - began
    if found["BalanceMap"]["*monetary"][0]["Value"] != 10:
        raise Wrong(f"the account is {found}")
    return seconds


@benchmark("stored-accounts")
def stored(context: Context) -> Iterator[Measure]:
    """Reading accounts, ten times as many as are held in memory: what is fetched, and what is not."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder, "store.db")
        _write(path, 10 * RESIDENT)
        settings = [f"{section}.db_name={path}" for section in ("data_db", "stor_db")]
        with serving(context, [*settings, f"limits.resident_accounts={RESIDENT}"]) as server:
            for name, step in (("fetched", 7919), ("in memory", 0)):
                latencies = []
                for turn in range(2000):
                    number = str(FIRST + (RESIDENT + turn * step) % (10 * RESIDENT))
                    began = time.perf_counter()
                    found = server.call("APIerSv2.GetAccount", {"Tenant": "cgrates.org", "Account": number})
                    latencies.append(time.perf_counter() - began)
                    if found["ID"] != f"cgrates.org:{number}":
                        raise Wrong(f"asked for {number}, got {found['ID']}")
                latencies.sort()
                yield Measure(
                    f"one after another, {name}", latencies[1000] * 1e6, "us", {"p99_us": latencies[1980] * 1e6}
                )
