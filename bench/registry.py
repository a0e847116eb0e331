"""The benchmarks by name, and what one reports.

    @benchmark("ping")
    def ping(context: Context) -> Iterator[Measure]:
        \"\"\"CoreSv1.Ping over TCP.\"\"\"

A benchmark checks that what it measures answers right, and raises Wrong when it does not: a fast wrong answer is no
figure. The modules of `bench.workloads` declare them; they are imported when the runner starts.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

__all__ = ["BENCHMARKS", "Benchmark", "Context", "Measure", "Wrong", "benchmark", "load_all"]


class Wrong(Exception):
    """An answer was not what it must be."""


@dataclass(frozen=True)
class Measure:
    """One figure. `more` are figures that belong to it (percentiles), by name with their unit last (`p99_us`)."""

    name: str
    value: float
    unit: str
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """How long to measure, and which server: `command` starts one ({port}, {work}), `address` names one that runs.

    Without either the server of this source tree is started for each benchmark.
    """

    seconds: float = 2.0
    command: str = ""
    address: tuple[str, int] | None = None


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: its name, what it measures, and the function that does."""

    name: str
    summary: str
    run: Callable[[Context], Iterator[Measure]]


#: All declared benchmarks. Filled by `load_all`, constant afterwards.
BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str) -> Callable[[Callable[[Context], Iterator[Measure]]], Callable[[Context], Iterator[Measure]]]:
    """Declare the decorated function as a benchmark; its first docstring line is the summary."""

    def declare(run: Callable[[Context], Iterator[Measure]]) -> Callable[[Context], Iterator[Measure]]:
        assert name not in BENCHMARKS, f"{name} is declared twice"
        BENCHMARKS[name] = Benchmark(name, (run.__doc__ or "").strip().split("\n")[0], run)
        return run

    return declare


def load_all() -> None:
    """Import every module of `bench.workloads`."""
    from bench import workloads

    for module in pkgutil.iter_modules(workloads.__path__):
        importlib.import_module(f"bench.workloads.{module.name}")
