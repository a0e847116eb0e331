"""The life of a process: starting, saying so, and stopping in order.

Rules: the first SIGTERM or SIGINT asks for a stop: requests under way may finish within cores.shutdown_timeout, then
what is left is cancelled, then changes are written and closed. The second one ends at once; with durability commit
nothing that was answered is lost even so. One line on standard output says that the node is ready; everything else
goes to the log on standard error.
Does not know: what is served.
"""

import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TextIO

import structlog
import trio

__all__ = ["Lifecycle", "run", "set_up_logging"]

_LEVELS = (50, 50, 50, 40, 30, 20, 20, 10)  # syslog's 0..7 as levels of Python's logging

#: What `run` returns when a second signal cut the stop short.
EXIT_CUT_SHORT = 1


class Lifecycle:
    """What the served part sees of the process.

    `stopping` is set once a stop was asked for: accept nothing new, finish what is under way, return.
    """

    def __init__(self) -> None:
        self.stopping = trio.Event()

    def stop(self) -> None:
        """Ask for an orderly stop, as the first signal does."""
        self.stopping.set()

    def announce(self, listeners: Sequence[tuple[str, str]], output: TextIO | None = None) -> None:
        """Print the ready line: `cgrcore ready: json 127.0.0.1:2012 http 127.0.0.1:2080`, (name, address) in order."""
        places = " ".join(f"{name} {address}" for name, address in listeners)
        print(f"cgrcore ready: {places}".rstrip(), file=output or sys.stdout, flush=True)


def run(
    serve: Callable[[Lifecycle], Awaitable[None]], finish: Callable[[], Awaitable[None]], shutdown_timeout_ns: int
) -> int:
    """Run until `serve` returns or a signal ends it, then `finish`; return the exit status.

    `serve` gets the Lifecycle and should return soon after `stopping`; `shutdown_timeout_ns` later it is cancelled.
    `finish` writes what is not written yet; it runs also when `serve` failed, and only a second signal cancels it.
    What `serve` raises is raised again.
    """
    return trio.run(_supervise, serve, finish, shutdown_timeout_ns)


async def _supervise(
    serve: Callable[[Lifecycle], Awaitable[None]], finish: Callable[[], Awaitable[None]], shutdown_timeout_ns: int
) -> int:
    lifecycle = Lifecycle()
    serving = trio.CancelScope()
    everything = trio.CancelScope()

    async def watch(signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            if lifecycle.stopping.is_set():
                everything.cancel()
            lifecycle.stop()

    async def limit_the_stop() -> None:
        await lifecycle.stopping.wait()
        await trio.sleep(shutdown_timeout_ns / 1_000_000_000)
        serving.cancel()

    async def serve_and_finish() -> None:
        try:
            with serving:
                await serve(lifecycle)
        finally:
            await finish()

    failure: Exception | None = None
    with everything, trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, signals)
            nursery.start_soon(limit_the_stop)
            try:
                await serve_and_finish()
            except Exception as error:  # raised again below, outside the nursery, which would wrap it in a group
                failure = error
            nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return EXIT_CUT_SHORT if everything.cancelled_caught else 0


def set_up_logging(log_level: int, output: TextIO | None = None) -> None:
    """Write logs of `log_level` (0 emergency to 7 debug) and more serious ones to standard error.

    On a terminal they are text, else one JSON object a line.
    """
    stream = output or sys.stderr
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[max(0, min(log_level, 7))]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=stream, level=logging.WARNING)
