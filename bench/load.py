"""Running a load against a server, and turning what was found into figures."""

from bench.loadgen import Outcome, Template, run
from bench.registry import Context, Measure, Wrong
from bench.server import Server

__all__ = ["Template", "measured", "request"]


def request(method: str, params: str, expect: str = '"error":null') -> Template:
    """Return a template of one call; `params` is the JSON text of its argument."""
    text = f'{{"method":"{method}","params":[{params}],"id":"@LANE@"}}'
    return Template(text.encode(), expect.encode())


def measured(
    name: str, server: Server, context: Context, cycles: list[list[Template]], *, depth: int = 1, rate: float = 0.0
) -> tuple[Measure, Outcome]:
    """Load the server with one connection for each cycle; return the figure. Raises Wrong for a wrong answer."""
    outcome = run(server.address, cycles, depth=depth, seconds=context.seconds, rate=rate)
    if outcome.wrong:
        raise Wrong(
            f"{name}: {outcome.wrong} of {outcome.answered} answers were wrong, the first: {outcome.first_wrong}"
        )
    more = {"p50_us": outcome.p50_us, "p99_us": outcome.p99_us, "p99.9_us": outcome.p999_us, "max_us": outcome.max_us}
    return Measure(name, outcome.per_second, "requests/s", more), outcome
