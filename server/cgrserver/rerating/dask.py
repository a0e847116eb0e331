"""The pieces of a rerating on a Dask cluster.

Rules: the tariff travels to each worker once, and to those that join later; a task carries a piece of the input there
and what its rows became back. Workers run the same function as threads do, so the answer is the same to the last bit.
A worker that dies loses nothing: Dask gives its pieces to another. Does not know: files.
"""

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Any

from cgrcore.errors import Unavailable
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.pieces import Piece
from cgrserver.rerating.rating import Plan, key_of, rater_here, rater_of
from cgrserver.rerating.running import AHEAD, Done, Work, read_ahead

__all__ = ["Cluster"]

CONNECT_TIMEOUT_S = 10

#: Pieces under way for each thread of the cluster: one is rated while the next is on its way.
_PER_THREAD = 2


class Cluster:
    """A Dask cluster with the tariff on each of its workers. To be left through `with`."""

    def __init__(
        self, plan: Plan, mapping: Mapping, *, address: str = "", with_breakdown: bool = False, processes: int = 2
    ) -> None:
        """Connect to a scheduler's address, or start so many processes on this machine. Raises Unavailable."""
        try:
            import distributed
        except ImportError:
            raise Unavailable("--engine dask needs Dask: pip install 'cgrcore[distributed]'") from None
        library: Any = distributed  # its functions have no types
        self._undo = ExitStack()
        with ExitStack() as undo:
            try:
                if not address:
                    address = undo.enter_context(
                        library.LocalCluster(n_workers=processes, threads_per_worker=1, dashboard_address=None)
                    )
                self._client: Any = undo.enter_context(
                    library.Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
                )
                self._client.register_plugin(_plugin(plan, mapping, with_breakdown))
            except (OSError, TimeoutError, ValueError) as error:
                raise Unavailable(f"Dask: {address}: {error}") from None
            self._key = key_of(plan, mapping, with_breakdown)
            self._undo = undo.pop_all()

    def rated(self, work: Work, pieces: Iterable[tuple[Piece, float]]) -> Generator[tuple[Done, float], None, None]:
        """Give what each piece became, in order. Raises what rating one raises, Unavailable without workers."""
        room = _PER_THREAD * max(1, sum(self._client.nthreads().values()))
        under_way: deque[tuple[Any, float]] = deque()
        with closing(read_ahead(pieces, AHEAD)) as ahead:
            for piece, fraction in ahead:
                # Pieces go to the workers straight, and not through the scheduler.
                sent = self._client.scatter(piece, hash=False)
                under_way.append((self._client.submit(_rate, self._key, work, sent, pure=False), fraction))
                del sent
                if len(under_way) > room:
                    yield self._oldest(under_way)
        while under_way:
            yield self._oldest(under_way)

    def _oldest(self, under_way: deque[tuple[Any, float]]) -> tuple[Done, float]:
        from distributed import KilledWorker

        future, fraction = under_way.popleft()
        try:
            return future.result(), fraction
        except KilledWorker as error:
            raise Unavailable(f"Dask: {error}") from None

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()


def _plugin(plan: Plan, mapping: Mapping, with_breakdown: bool) -> Any:
    """Return what makes each worker load the tariff when it starts."""
    from distributed import WorkerPlugin

    class Tariff(WorkerPlugin):
        name = "cgrcore-tariff"

        def setup(self, worker: Any) -> None:
            rater_here(plan, mapping, with_breakdown)

    return Tariff()


def _rate(key: bytes, work: Work, piece: Piece) -> Done:
    """Rate a piece, on a worker."""
    return work(rater_of(key), piece)
