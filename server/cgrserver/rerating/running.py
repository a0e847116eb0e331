"""A whole rerating: pieces of the input to rows of the output, in order, by several threads or a cluster.

Rules: a few pieces are under way at once, so memory does not grow with the input; rows are written in the order they
were read in, whoever rated them; every row that was read is written, and the counts are held against each other before
the output is there. Does not know: formats, clusters.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy
import pyarrow as pa

from cgrcore.errors import Corrupt
from cgrserver.rerating.encoding import plain
from cgrserver.rerating.files import Encode
from cgrserver.rerating.pieces import Piece, told
from cgrserver.rerating.rating import Rater
from cgrserver.rerating.reading import Inputs
from cgrserver.rerating.writing import Output

__all__ = ["Done", "Engine", "Threads", "Totals", "Work", "in_order", "read_ahead", "rejected_schema", "run"]

T = TypeVar("T")
R = TypeVar("R")

#: Pieces that are read before somebody is free to rate them.
AHEAD = 2

#: How often a reader that has to wait looks whether it is still wanted.
_LOOK_S = 0.1


class Done(NamedTuple):
    """A piece whose rows were rated, and encoded as the output wants them."""

    source: str
    encoded: Any
    rejected: Any
    row_count: int
    rejected_count: int
    total_nano: int
    reasons: dict[str, int]


class Work(NamedTuple):
    """What is done to a piece, wherever it is done."""

    schema: pa.Schema
    encode: Encode
    encode_rejected: Encode

    def __call__(self, rater: Rater, piece: Piece) -> Done:
        with told(piece.source):
            return self._done(rater, piece)

    def _done(self, rater: Rater, piece: Piece) -> Done:
        rows = piece.rows(self.schema)
        rated = rater.rate(rows.batch, rows.unreadable)
        rejected = None
        refused = numpy.flatnonzero(rated.is_refused)
        if len(refused):
            chosen = plain(rated.batch.take(pa.array(refused)))
            columns = [
                pa.repeat(pa.scalar(piece.source), len(refused)),
                pa.array(rows.places[refused]),
                *chosen.columns,
            ]
            names = rejected_schema(chosen.schema).names
            rejected = self.encode_rejected(pa.RecordBatch.from_arrays(columns, names=names))
        return Done(
            piece.source,
            self.encode(rated.batch),
            rejected,
            rated.batch.num_rows,
            len(refused),
            rated.total_nano,
            rated.reasons,
        )


def rejected_schema(schema: pa.Schema) -> pa.Schema:
    """Return the columns of rows that could not be rated: where they come from, and those of the output."""
    added = [("SourceFile", pa.string()), ("SourceRow", pa.int64())]
    fields = []
    for name, kind in added:
        while name in schema.names:
            name = f"_{name}"
        fields.append(pa.field(name, kind))
    for column in schema:
        is_coded = pa.types.is_dictionary(column.type)
        fields.append(column.with_type(column.type.value_type) if is_coded else column)
    return pa.schema(fields)


@dataclass
class Totals:
    """What was read, rated and not. `reasons` counts the rows that were not by the code of the reason."""

    row_count: int = 0
    rejected_count: int = 0
    total_nano: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def rated_count(self) -> int:
        return self.row_count - self.rejected_count

    def add(self, done: Done) -> None:
        self.row_count += done.row_count
        self.rejected_count += done.rejected_count
        self.total_nano += done.total_nano
        for reason, count in done.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count


class Engine(Protocol):
    """Who rates the pieces."""

    def rated(self, work: Work, pieces: Iterable[tuple[Piece, float]]) -> Generator[tuple[Done, float], None, None]:
        """Give what each piece became, in order, with what is behind it. Raises what rating a piece raises."""


class Threads:
    """So many threads of this process, with one tariff between them."""

    def __init__(self, rater: Rater, count: int) -> None:
        self._rater = rater
        self._count = count
        pa.set_cpu_count(count)

    def rated(self, work: Work, pieces: Iterable[tuple[Piece, float]]) -> Generator[tuple[Done, float], None, None]:
        def rate(item: tuple[Piece, float]) -> tuple[Done, float]:
            return work(self._rater, item[0]), item[1]

        return in_order(pieces, rate, self._count)


def run(inputs: Inputs, output: Output, engine: Engine, observe: Callable[[float, int], None]) -> Totals:
    """Rate all of the input into the output, and commit it. `observe` is told how much is done, and how many rows.

    Raises BadRequest for what cannot be read, Unavailable, and Corrupt when the counts do not add up; then there is no
    output.
    """
    work = Work(inputs.schema, output.encode, output.encode_rejected)
    totals = Totals()
    with closing(engine.rated(work, inputs.pieces())) as rated:
        for done, fraction in rated:
            output.write(done.source, done.encoded, done.row_count)
            if done.rejected is not None:
                output.write_rejected(done.rejected, done.rejected_count)
            totals.add(done)
            observe(fraction, totals.row_count)
    if output.row_counts != (totals.row_count, totals.rejected_count) or (
        sum(totals.reasons.values()) != totals.rejected_count
    ):
        raise Corrupt(f"rows were lost: {totals.row_count} read, {output.row_counts} written, {totals.reasons}")
    output.commit()
    return totals


def in_order(items: Iterable[T], work: Callable[[T], R], threads: int) -> Generator[R, None, None]:
    """Give what `work` makes of each item, in order, by several threads; the items are read by one more.

    Leaving early stops reading. Raises what reading or working raises.
    """
    with closing(read_ahead(items, AHEAD)) as ahead, ThreadPoolExecutor(threads, "rate") as pool:
        under_way: deque[Future[R]] = deque()
        for item in ahead:
            under_way.append(pool.submit(work, item))
            if len(under_way) > threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def read_ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Give the items, which a thread reads up to `depth` ahead. Raises what reading raises."""
    waiting: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
    is_left = threading.Event()

    def put(item: T | None, error: BaseException | None) -> bool:
        while not is_left.is_set():
            try:
                waiting.put((item, error), timeout=_LOOK_S)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        try:
            if all(put(item, None) for item in items):
                put(None, StopIteration())
        except BaseException as error:  # whoever reads the items gets it
            put(None, error)

    reader = threading.Thread(target=read, name="read")
    reader.start()
    try:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        is_left.set()
        reader.join()
