"""One batch of CDRs, rated: the function that threads, Dask's workers and Spark's executors run alike.

Rules: a batch comes out with all its rows, in their order, and its own columns unchanged, with the columns of the
result behind them. What a row costs depends on nothing but the row and the tariff, so it does not matter who rates it.
A `Plan` is what must travel to whoever rates. Does not know: files, threads, clusters.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Names
from hashlib import sha1
from typing import Any, NamedTuple

import numpy
import pyarrow as pa
from numpy import bool_, int32, int64
from numpy.typing import NDArray

from cgrcore.config import read_settings
from cgrcore.errors import BadRequest, NotFound
from cgrcore.rating import RatedColumns, Tariff, rate_columns, tariff_of
from cgrcore.tariffplan import KINDS, PlanRefused, load, read_files
from cgrcore.tariffplan import Defaults as PlanDefaults
from cgrcore.world import World
from cgrserver.rerating.breakdown import breakdown_texts
from cgrserver.rerating.encoding import plain, plain_array, plain_schema
from cgrserver.rerating.fields import KEYS, Defaults, calls_of, check_schema
from cgrserver.rerating.mapping import BY_DEFAULT, Mapping, Result

__all__ = [
    "CODED",
    "COST",
    "Plan",
    "Rated",
    "Rater",
    "batches_rater",
    "key_of",
    "rater_here",
    "rater_of",
    "tariff_from",
]

#: The type of costs: 18 digits, 9 of them behind the point.
COST = pa.decimal128(18, 9)
MOST_NANO = 10**18 - 1
#: Lists of more names than this are cut to those that a batch has: files keep the list with each group of rows.
MOST_NAMES = 8192

TOO_LARGE = "COST_TOO_LARGE"

#: The files of a plan that prices depend on.
_PRICING = ("timings", "destinations", "rates", "destination_rates", "rating_plans", "rating_profiles")
PRICING = tuple(kind for kind in KINDS if kind.name in _PRICING)

#: The type of texts of few kinds.
CODED = pa.dictionary(pa.int32(), pa.string())
_PREVIOUS = "Previous"


class Plan(NamedTuple):
    """A tariff plan as its files, by name, and the settings it is loaded under: all that a worker needs.

    Files that prices do not depend on are not read. `now_at` (ns UTC) is what `*now` in them means.
    """

    contents: dict[str, bytes]
    settings: dict[str, Any] | None = None
    now_at: int = 0

    @property
    def digest(self) -> bytes:
        """A text of 20 bytes that tells plans apart."""
        found = sha1(repr((self.settings, self.now_at)).encode())
        for name, content in sorted(self.contents.items()):
            found.update(f"{name}:{len(content)}:".encode() + content)
        return found.digest()


class Rated(NamedTuple):
    """A batch with its result: the columns added to `batch`, and the same as numpy arrays."""

    batch: pa.RecordBatch
    costs_nano: NDArray[int64]
    is_refused: NDArray[bool_]
    total_nano: int
    reasons: dict[str, int]


def tariff_from(plan: Plan) -> tuple[World, Tariff]:
    """Return the compiled tariff and the world it was loaded into. Raises BadRequest for a plan with mistakes."""
    ids = iter(range(1, 2**63))
    world = World(plan.settings or read_settings({}), lambda: str(next(ids)), plan.now_at)
    contents = {kind.file: plan.contents[kind.file] for kind in PRICING if kind.file in plan.contents}
    try:
        load(world, read_files(contents, PlanDefaults(world.tenant(""))))
    except PlanRefused as refused:
        raise BadRequest("\n".join(refused.report)) from None
    world.state.take()
    return world, tariff_of(world)


def defaults_of(world: World) -> Defaults:
    """Return what stands for what CDRs do not say, by the settings."""
    general = world.settings["general"]
    zone = str(general.get("default_timezone") or "UTC")
    return Defaults(
        world.tenant(""), str(general.get("default_category") or "call"), zone="UTC" if zone == "Local" else zone
    )


class Rater:
    """A tariff ready to rate batches, by any number of threads at once."""

    def __init__(self, plan: Plan, mapping: Mapping = BY_DEFAULT, *, with_breakdown: bool = False) -> None:
        """Load the plan. Raises BadRequest for one with mistakes."""
        self.mapping = mapping
        self.with_breakdown = with_breakdown
        world, self.tariff = tariff_from(plan)
        self.defaults = defaults_of(world)
        self._ids: tuple[Any, Any] = (None, None)

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """Return the columns of the result for an input of these columns.

        Raises BadRequest when they cannot be rated.
        """
        check_schema(schema, self.mapping)
        result = self.mapping.result()
        coded = {self.mapping.column_of(field, schema.names) for field in KEYS}
        fields = [
            (field.with_type(CODED) if field.name in coded and field.type == pa.string() else field).with_name(name)
            for field, name in zip(plain_schema(schema), _names(schema.names, result), strict=True)
        ]
        added = [(result.cost, COST), (result.destination_id, CODED), (result.rating_plan_id, CODED)]
        added.append((result.error, CODED))
        if self.with_breakdown:
            added.append((result.breakdown, pa.string()))
        return pa.schema([*fields, *(pa.field(name, kind) for name, kind in added)])

    def rate(self, batch: pa.RecordBatch, unreadable: Names[int, str] = {}) -> Rated:
        """Rate a batch. `unreadable` rows, by their place, are left out for the reason given."""
        calls = calls_of(batch, self.mapping, self.defaults, dict(unreadable))
        rated = rate_columns(self.tariff, calls.columns, with_breakdown=self.with_breakdown)
        result = self.mapping.result()
        errors, names = _errors(rated, calls.refusals)
        is_refused = errors != 0
        has_refused = bool(is_refused.any())
        columns = [
            calls.keys[name] if name in calls.keys and column.type in (pa.string(), CODED) else plain_array(column)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        destinations, plans = self._id_arrays(rated)
        columns += [
            _decimals(rated.costs_nano, is_refused if has_refused else None),
            _coded(rated.destinations, destinations),
            _coded(rated.plans, plans),
            _coded(errors - 1, pa.array(names[1:], pa.string())),
        ]
        added = [result.cost, result.destination_id, result.rating_plan_id, result.error]
        if rated.breakdown is not None:
            columns.append(breakdown_texts(rated.breakdown, calls.columns.offsets_s, is_refused))
            added.append(result.breakdown)
        out = pa.RecordBatch.from_arrays(columns, names=[*_names(batch.schema.names, result), *added])
        total_nano = rated.total_nano
        if has_refused:
            total_nano -= sum(rated.costs_nano[is_refused].tolist())
        return Rated(out, rated.costs_nano, is_refused, total_nano, _counts(errors, names) if has_refused else {})

    def _id_arrays(self, rated: RatedColumns) -> tuple[pa.Array, pa.Array]:
        """Return the ids of destinations and plans: the same arrays for every batch, so that files keep them once."""
        if self._ids[0] is None or len(self._ids[0]) != len(rated.destination_ids):
            self._ids = (pa.array(rated.destination_ids, pa.string()), pa.array(rated.plan_ids, pa.string()))
        return self._ids


def batches_rater(
    plan: Plan,
    mapping: Mapping = BY_DEFAULT,
    *,
    with_breakdown: bool = False,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function from batches to rated batches that can be sent elsewhere: what Spark's mapInArrow takes.

    The plan is loaded where the function runs, once in each process. Texts are plain in what it gives, costs decimals.
    """

    def rate(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rater = rater_here(plan, mapping, with_breakdown)
        for batch in batches:
            yield plain(rater.rate(batch).batch)

    return rate


#: The raters of this process, by what they were made from.
_HERE: dict[bytes, Rater] = {}
_LOADING = threading.Lock()


def key_of(plan: Plan, mapping: Mapping, with_breakdown: bool) -> bytes:
    """Return what tells raters apart."""
    return sha1(plan.digest + repr((mapping, with_breakdown)).encode()).digest()


def rater_here(plan: Plan, mapping: Mapping, with_breakdown: bool) -> Rater:
    """Return this process's rater of a plan, which is loaded when first asked for. Raises BadRequest."""
    key = key_of(plan, mapping, with_breakdown)
    with _LOADING:
        if key not in _HERE:
            _HERE.clear()  # one at a time: a large tariff takes gigabytes
            _HERE[key] = Rater(plan, mapping, with_breakdown=with_breakdown)
        return _HERE[key]


def rater_of(key: bytes) -> Rater:
    """Return a rater that `rater_here` has made in this process. Raises NotFound when it has not."""
    try:
        return _HERE[key]
    except KeyError:
        raise NotFound("this process was not sent the tariff") from None


def _names(names: list[str], result: Result) -> list[str]:
    """Return what the columns of an input are called in the output: those that a result takes the name of are moved."""
    moved: list[str] = []
    for name in names:
        if name in result:
            name = _PREVIOUS + name
            while name in names or name in moved:
                name = _PREVIOUS + name
        moved.append(name)
    return moved


def _errors(rated: RatedColumns, refusals: dict[int, str]) -> tuple[NDArray[int32], list[str]]:
    """Return why each row has no cost, by place in the list of reasons; 0 is none."""
    errors = rated.errors.astype(int32)
    names = list(rated.error_texts)
    if refusals:
        places = {reason: len(names) + place for place, reason in enumerate(dict.fromkeys(refusals.values()))}
        names += places
        errors[list(refusals)] = [places[reason] for reason in refusals.values()]
    costs_nano = rated.costs_nano
    if len(costs_nano) and (costs_nano.max() > MOST_NANO or costs_nano.min() < -MOST_NANO):
        is_large = (costs_nano > MOST_NANO) | (costs_nano < -MOST_NANO)
        errors[is_large & (errors == 0)] = names.index(TOO_LARGE)
    return errors, names


def _counts(errors: NDArray[int32], names: list[str]) -> dict[str, int]:
    """Return how many rows have no cost, by the code of the reason."""
    counts: dict[str, int] = {}
    for place, count in enumerate(numpy.bincount(errors, minlength=1).tolist()):
        if place and count:
            code = names[place].partition(": ")[0]
            counts[code] = counts.get(code, 0) + count
    return counts


def _decimals(costs_nano: NDArray[int64], is_refused: NDArray[bool_] | None) -> pa.Array:
    """Return costs as decimals of 128 bits, none where refused."""
    count = len(costs_nano)
    content = pa.allocate_buffer(16 * count)
    wide = numpy.frombuffer(content, dtype=int64).reshape(count, 2)
    wide[:, 0] = costs_nano
    numpy.right_shift(costs_nano, 63, out=wide[:, 1])
    return pa.Array.from_buffers(COST, count, [None if is_refused is None else _bits(~is_refused), content])


def _coded(places: NDArray[int32], names: pa.Array) -> pa.DictionaryArray:
    """Return texts by their places in a list, none where a place is below 0."""
    count = len(places)
    is_present = places >= 0 if count and places.min() < 0 else None
    if len(names) > MOST_NAMES:
        is_used = numpy.zeros(len(names), dtype=bool_)
        is_used[places if is_present is None else places[is_present]] = True
        names = names.take(pa.array(numpy.flatnonzero(is_used)))
        places = (numpy.cumsum(is_used, dtype=int32) - 1)[places]
    present = None if is_present is None else _bits(is_present)
    indices = pa.Array.from_buffers(pa.int32(), count, [present, pa.py_buffer(places)])
    return pa.DictionaryArray.from_arrays(indices, names, safe=False)


def _bits(flags: NDArray[bool_]) -> pa.Buffer:
    return pa.py_buffer(numpy.packbits(flags, bitorder="little"))
