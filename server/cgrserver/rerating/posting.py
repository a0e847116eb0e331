"""Posting corrections: the costs of a rerating go to a running server, which moves the difference to what it has.

Each goes as a price, for CDRs that were only rated, and as a debit, for those that an account paid. Rules: the server
compares and corrects in one transaction, so a correction that is sent again finds nothing to do: who was killed, or
lost the server, simply runs again. Within a run each request has an idempotency key, so one whose reply was lost is
answered as it was. A dry run asks the same of the server and changes nothing. Rows without a cost are not posted. Does
not know: how costs came to be, how the server is reached and corrects.
"""

import csv
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec
import numpy
import pyarrow as pa
import pyarrow.compute as pc

from cgrcore.errors import BadRequest, Unavailable
from cgrcore.money import format_nano, nano_from_number, number_from_nano
from cgrcore.rating import Call, CallColumns
from cgrserver.rerating.debited import Debits
from cgrserver.rerating.fields import calls_of
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.rating import Plan
from cgrserver.rerating.reading import Inputs, open_inputs

__all__ = ["Ask", "Posted", "Posting", "post", "tell"]

#: Sends a JSON-RPC request and returns the JSON of the result. Raises Unavailable when the server does not answer,
#: Refused when it answers with an error.
Ask = Callable[[bytes], bytes]

#: Corrections in one request: one transaction of the server.
BATCH_SIZE = 500

#: What a CDR is named by, as files and the server's table call it; the run is the default one where there is none.
_CGRID = ("CGRID", "cgrid")
_RUN_ID = ("RunID", "run_id")
_DEFAULT_RUN = "*default"

#: Who rated a stored CDR. Sessions rate a call without a subject by its account, CDRs by no subject at all.
_COST_SOURCE = ("CostSource", "cost_source")
_BY_SESSION = "*sessions"

#: How long a server that is away is waited for, and how often it is asked.
PATIENCE_S = 30.0
_AGAIN_S = 0.5

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Posting(NamedTuple):
    """Which rated files to post, the plan they were rated by, and whether really to.

    `least_nano` is the smallest difference that is posted; `report` a file that gets a line of CSV for each correction;
    `patience_s`: how long a server may be away; `batch_size`:
    corrections in a request, which is one transaction.
    """

    places: tuple[str, ...]
    plan: Plan
    mapping: Mapping
    table: str
    is_dry_run: bool
    least_nano: int = 1
    report: Path | None = None
    patience_s: float = PATIENCE_S
    batch_size: int = BATCH_SIZE


@dataclass
class Posted:
    """What became of the corrections: how many with each status, and the sums that moved (1e-9)."""

    counts: dict[str, int] = field(default_factory=dict)
    taken_nano: int = 0
    given_nano: int = 0
    unrated_count: int = 0

    def add(self, replies: Iterable[dict[str, Any]]) -> None:
        for reply in replies:
            status = reply["Status"]
            self.counts[status] = self.counts.get(status, 0) + 1
            difference_nano = nano_from_number(reply["Difference"]) if reply["Account"] else 0
            self.taken_nano += max(difference_nano, 0)
            self.given_nano += max(-difference_nano, 0)


def post(posting: Posting, ask: Ask) -> Posted:
    """Post the costs of rated files.

    Raises BadRequest for files without the columns, Refused for what the server refuses, Unavailable when it is away
    for too long; what was posted by then stays posted, and running again posts the rest.
    """
    inputs = open_inputs(posting.places, posting.mapping, posting.table)
    reader = _Reader(inputs, posting)
    done = Posted()
    run = uuid.uuid4()
    with _Report(posting) as report:
        for number, batch in enumerate(_batches(inputs, reader, done, posting.batch_size)):
            least = number_from_nano(posting.least_nano)
            argument: dict[str, Any] = {
                "Corrections": batch,
                "DryRun": posting.is_dry_run,
                "LeastDifference": least,
            }
            if not posting.is_dry_run:
                argument["APIOpts"] = {"*idempotencyKey": f"correct:{run}:{number}"}
            request = _encode({"method": "CDRsV1.CorrectCosts", "params": [argument], "id": number})
            replies = json.loads(_patiently(ask, request, posting.patience_s), parse_float=Decimal)
            done.add(replies)
            report.add(replies)
    return done


def _first(names: Iterable[str], among: list[str]) -> str:
    return next((name for name in names if name in among), "")


def _batches(inputs: Inputs, reader: "_Reader", done: Posted, size: int) -> Iterator[list[dict[str, Any]]]:
    """Give the corrections that rated rows ask for, in the order of the rows; count the rows without a cost."""
    waiting: list[dict[str, Any]] = []
    for piece, _ in inputs.pieces():
        batch = piece.rows(inputs.schema).batch
        for correction in reader.corrections(batch, done):
            waiting.append(correction)
            if len(waiting) == size:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


class _Report:
    """The file that tells of each correction, a line of CSV. That of a dry run is new, that of a real one goes on."""

    _COLUMNS = ("CGRID", "RunID", "Account", "Status", "Before", "After", "Difference")

    def __init__(self, posting: Posting) -> None:
        self._file: TextIO | None = None
        if posting.report is None:
            return
        is_new = posting.is_dry_run or not posting.report.exists()
        try:
            self._file = posting.report.open("w" if is_new else "a", newline="")
        except OSError as error:
            raise Unavailable(f"{posting.report}: {error.strerror}") from None
        self._lines = csv.writer(self._file)
        if is_new:
            self._lines.writerow(self._COLUMNS)

    def add(self, replies: list[dict[str, Any]]) -> None:
        if self._file is not None:
            self._lines.writerows([_text(reply[column]) for column in self._COLUMNS] for reply in replies)
            self._file.flush()

    def __enter__(self) -> "_Report":
        return self

    def __exit__(self, *failure: object) -> None:
        if self._file is not None:
            self._file.close()


def _text(value: object) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


class _Reader:
    """Reads corrections from rated rows."""

    def __init__(self, inputs: Inputs, posting: Posting) -> None:
        names = inputs.schema.names
        self._mapping = posting.mapping
        self._debits = Debits(posting.plan)
        self._cgrid = _first(_CGRID, names)
        self._run_id = _first(_RUN_ID, names)
        self._source = _first(_COST_SOURCE, names)
        self._subject = posting.mapping.column_of("Subject", names)
        self._cost = posting.mapping.result().cost
        for column, what in ((self._cgrid, _CGRID[0]), (self._cost if self._cost in names else "", self._cost)):
            if not column:
                raise BadRequest(f"{inputs.sources[0].name}: there is no column {what}, which posting needs")

    def corrections(self, batch: pa.RecordBatch, done: Posted) -> Iterator[dict[str, Any]]:
        """Give what rows with a cost ask for; count those without one."""
        costs = _costs(batch.column(self._cost))
        cgrids = batch.column(self._cgrid).to_pylist()
        runs = batch.column(self._run_id).to_pylist() if self._run_id else [_DEFAULT_RUN] * len(cgrids)
        columns = calls_of(batch, self._mapping, self._debits.defaults, {}).columns
        nameless = self._nameless(batch)
        sources = batch.column(self._source).to_pylist() if self._source else [""] * len(cgrids)
        for row, (cgrid, run_id, cost, call) in enumerate(zip(cgrids, runs, costs, _calls(columns), strict=True)):
            if row in nameless:
                call = msgspec.structs.replace(call, subject="")
                price_nano = self._debits.price_nano(call)
                cost = None if price_nano is None else Decimal(number_from_nano(price_nano))
            by_session = sources[row] == _BY_SESSION
            debited_nano = None if cost is None else self._debits.cost_nano(call, by_session=by_session)
            if debited_nano is None or not cgrid:
                done.unrated_count += 1
                continue
            debited = number_from_nano(debited_nano)
            yield {"CGRID": cgrid, "RunID": run_id or _DEFAULT_RUN, "Cost": cost, "DebitedCost": debited}

    def _nameless(self, batch: pa.RecordBatch) -> set[int]:
        """Return the rows that were rated by no subject, and not by the account that rerating takes in its place."""
        if not self._source or not self._subject:
            return set()
        subjects, sources = (batch.column(name).to_pylist() for name in (self._subject, self._source))
        pairs = zip(subjects, sources, strict=True)
        return {row for row, (subject, source) in enumerate(pairs) if not subject and source != _BY_SESSION}


def _calls(columns: CallColumns) -> Iterator[Call]:
    """Give the calls of a batch, in order."""
    count = len(columns.starts_at)

    def listed(column: Any) -> list[Any]:
        if isinstance(column, str | int):
            return [column] * count
        values: list[Any] = column.tolist() if isinstance(column, numpy.ndarray) else column.to_pylist()
        return values

    for number, start_at, usage_ns, subject, tenant, category, tor, offset_s in zip(
        *map(listed, columns[: CallColumns._fields.index("is_left_out")]), strict=True
    ):
        yield Call(tenant, category, subject, subject, number, tor, start_at, usage_ns, offset_s)


def _costs(column: pa.Array) -> list[Decimal | None]:
    """Return exact costs; a file of text has them as text."""
    if pa.types.is_decimal(column.type):
        return column.to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_floating(column.type):
        raise BadRequest("the costs are floats, which are not exact: write decimals, or texts")
    texts = pc.cast(column, pa.string()).to_pylist()
    try:
        return [Decimal(text) if text else None for text in texts]
    except ArithmeticError:
        wrong = next(text for text in texts if text and not _is_number(text))
        raise BadRequest(f"a cost is no number: {wrong!r}") from None


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False


def _patiently(ask: Ask, request: bytes, patience_s: float) -> bytes:
    """Return the reply to a request, asked again while the server is away: its key makes that safe."""
    until = time.monotonic() + patience_s
    told = ""
    while True:
        try:
            return ask(request)
        except Unavailable as error:
            if time.monotonic() >= until:
                raise Unavailable(f"{error}; what was posted stays posted: run again to go on") from None
            if str(error) != told:
                told = str(error)
                print(f"{told}; trying again for {patience_s:.0f} s", file=sys.stderr)
            time.sleep(_AGAIN_S)


def tell(done: Posted, *, is_dry_run: bool) -> None:
    """Print what became of the corrections."""
    count = done.counts.get("POSTED", 0)
    verb, pay, get = ("would be corrected", "would pay", "get") if is_dry_run else ("corrected", "paid", "got")
    moved = f"accounts {pay} {format_nano(done.taken_nano)} and {get} {format_nano(done.given_nano)} back"
    print(f"{verb:<19}{count:>10,} CDRs; {moved}")
    for status, number in sorted(done.counts.items(), key=lambda item: -item[1]):
        if status != "POSTED":
            print(f"{'':<19}{number:>10,} {status}")
    if done.unrated_count:
        print(f"{'':<19}{done.unrated_count:>10,} without a new cost")
    if is_dry_run:
        print("nothing was changed: with --no-dry-run it is")
