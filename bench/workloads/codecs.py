"""The compiled parts under the listener, and the dispatcher, without sockets."""

import time
from collections.abc import Callable, Iterator

import cgrserver.rpc.methods.core  # noqa: F401 - declares what is called
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher

from bench.registry import Context, Measure, Wrong, benchmark
from bench.workloads.ping import EVENT
from cgrcore._fast.frames import Frames
from cgrcore._fast.jsontree import parse
from cgrcore.world import World

__all__: list[str] = []

REQUEST = f'{{"method":"CoreSv1.Ping","params":[{EVENT}],"id":12}}'.encode()

#: Requests in one piece of the stream.
BATCH = 100


def _best_ns(call: Callable[[], object], seconds: float) -> float:
    """Return the time of a call in the best of some runs that take `seconds` together."""
    best = float("inf")
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        began = time.perf_counter_ns()
        for _ in range(200):
            call()
        best = min(best, (time.perf_counter_ns() - began) / 200)
    return best


@benchmark("frames")
def frames(context: Context) -> Iterator[Measure]:
    """Cutting a stream into requests of some 330 bytes: cgrcore/_fast/frames.pyx."""
    scanner = Frames(1 << 20)
    stream = REQUEST * BATCH
    if scanner.feed(stream) != [REQUEST] * BATCH:
        raise Wrong("the frames are not the requests")
    ns = _best_ns(lambda: scanner.feed(stream), context.seconds) / BATCH
    yield Measure("a request", ns, "ns", {"GB/s": len(REQUEST) / ns})


@benchmark("jsontree")
def jsontree(context: Context) -> Iterator[Measure]:
    """Reading a request into a tree on the exact path: cgrcore/_fast/jsontree.pyx."""
    yield Measure("a request", _best_ns(lambda: parse(REQUEST), context.seconds), "ns")


class _Nobody:
    def deliver(self, reply: bytes) -> None:
        raise Wrong("nothing is held here")


@benchmark("dispatch")
def dispatch(context: Context) -> Iterator[Measure]:
    """From frame to reply of a typed call that decides nothing: goal 6 us."""
    dispatcher = Dispatcher(World({"general": {}}, lambda: ""), MemoryCommitter(), time.time_ns)
    nobody = _Nobody()
    if dispatcher.receive(REQUEST, nobody) != b'{"id":12,"result":"Pong","error":null}\n':
        raise Wrong("the reply is not Pong")
    yield Measure("a call", _best_ns(lambda: dispatcher.receive(REQUEST, nobody), context.seconds), "ns")
