"""Runs simulations.

    python -m tests.simulation --seed 17             one, with its faults
    python -m tests.simulation --seed 17 --trace     and everything that happened
    python -m tests.simulation --count 1000          as many, from a seed on

Exit status 1 when one failed; its seed is printed, with the command that repeats it. The order of sets of texts, which
Python draws anew for each process, is always the same here.
"""

import argparse
import os
import random
import sys
import time
import traceback

from tests.simulation.node import prepared_disk
from tests.simulation.run import simulate


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, "PYTHONHASHSEED": "0"})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the (first) seed")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--trace", action="store_true", help="everything that happened")
    options = parser.parse_args()
    disk = prepared_disk()
    failed: list[int] = []
    crashes = failures = 0
    began = time.monotonic()
    for seed in range(options.seed, options.seed + options.count):
        try:
            simulation = simulate(seed, disk)
        except Exception:
            traceback.print_exc()
            failed.append(seed)
            continue
        crashes, failures = crashes + simulation.crash_count, failures + simulation.failure_count
        if options.trace:
            print(*simulation.trace, sep="\n")
        if options.count == 1:
            print(simulation.faults_drawn)
            print(
                f"{simulation.notes.acknowledged} acknowledged, {simulation.crash_count} crashes, "
                f"{simulation.failure_count} failed commits, {simulation.digest}"
            )
    print(
        f"{options.count - len(failed)} of {options.count} good in {time.monotonic() - began:.1f} s; failed: {failed}"
    )
    print(f"{crashes} crashes and {failures} failed commits in all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
