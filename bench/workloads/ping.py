"""The listener by itself: what it costs to take a request and answer it."""

from collections.abc import Iterator

from bench.load import measured, request
from bench.registry import Context, Measure, benchmark
from bench.server import serving

__all__: list[str] = []

#: (connections, requests in flight on each)
SHAPES = ((1, 1), (16, 1), (256, 1), (16, 32))

EVENT = (
    '{"Tenant":"cgrates.org","ID":"a","Event":{"ToR":"*voice","RequestType":"*prepaid","OriginID":"b1","Tenant":'
    '"cgrates.org","Category":"call","Account":"1001","Destination":"4915170011","SetupTime":"2026-03-02T09:30:00Z",'
    '"AnswerTime":"2026-03-02T09:30:05Z","Usage":"60s"}}'
)


@benchmark("ping")
def ping(context: Context) -> Iterator[Measure]:
    """CoreSv1.Ping over TCP: goal 100,000 requests a second at 16 x 1, load generator included."""
    with serving(context, ["data_db.db_type=*internal"]) as server:
        for connections, depth in SHAPES:
            cycle = [request("CoreSv1.Ping", "{}", '"Pong"')]
            yield measured(f"{connections} x {depth}", server, context, [cycle] * connections, depth=depth)[0]


@benchmark("ping-event")
def ping_event(context: Context) -> Iterator[Measure]:
    """CoreSv1.Ping with an event of ten fields, decoded like any event."""
    with serving(context, ["data_db.db_type=*internal"]) as server:
        for connections, depth in SHAPES:
            cycle = [request("CoreSv1.Ping", EVENT, '"Pong"')]
            yield measured(f"{connections} x {depth}", server, context, [cycle] * connections, depth=depth)[0]
