"""Rating as a library: a folder of CSV files becomes a tariff, which prices one call or columns of them.

Rules: what is given in the words of notebooks (texts, datetimes, lists, Arrow tables' columns) is turned into what the
kernel takes, or refused by name. This is the one door of `cgrcore` that reads the disk, a folder, when asked to.
Does not know: servers, accounts, files of calls.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from cgrcore.config import read_settings
from cgrcore.errors import BadRequest, NotFound, Unavailable
from cgrcore.rating.bulk import CallColumns, RatedColumns, rate_columns
from cgrcore.rating.calls import Call
from cgrcore.rating.compile import ANY, Tariff, tariff_of
from cgrcore.rating.explain import Quote, explain_quote
from cgrcore.tariffplan import KINDS, Defaults, load, read_files
from cgrcore.timing import MICROSECOND_NS, Moment, parse_duration, parse_time
from cgrcore.world import World

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["load_tariff", "rate_given", "rate_given_columns"]

#: The files of a plan that prices depend on.
_KINDS = ("timings", "destinations", "rates", "destination_rates", "rating_plans", "rating_profiles")

#: The most that these files may hold together, in bytes.
MOST_BYTES = 4 << 30


def load_tariff(
    folder: "str | PathLike[str] | Mapping[str, bytes]",
    *,
    tenant: str,
    zone: str | Mapping[str, str],
    matches_subject_prefixes: bool,
    now_at: int,
) -> Tariff:
    """Return the tariff of a folder; see `Tariff.load`."""
    settings = read_settings([])
    settings["general"]["default_tenant"] = tenant
    settings["rals"]["tariff_timezones"] = {ANY: zone} if isinstance(zone, str) else dict(zone)
    settings["rals"]["rp_subject_prefix_matching"] = matches_subject_prefixes
    ids = count(1)
    world = World(settings, lambda: str(next(ids)), now_at)
    contents = folder if isinstance(folder, Mapping) else _read(Path(folder))
    load(world, read_files({name: contents[name] for name in _files() if name in contents}, Defaults(tenant)))
    world.state.take()
    return tariff_of(world)


def _files() -> list[str]:
    return [kind.file for kind in KINDS if kind.name in _KINDS]


def _read(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise NotFound(f"no folder {folder}", subject="folder", subject_id=str(folder))
    paths = [folder / name for name in _files() if (folder / name).is_file()]
    if not paths:
        raise NotFound(f"no file of a tariff plan in {folder}", subject="folder", subject_id=str(folder))
    try:
        if sum(path.stat().st_size for path in paths) > MOST_BYTES:
            raise BadRequest(f"a tariff plan of more than {MOST_BYTES >> 30} GB")
        return {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        raise Unavailable(f"{error.filename}: {error.strerror}") from None


def rate_given(
    tariff: Tariff,
    destination: str,
    usage: str | int,
    at: str | int | datetime,
    *,
    subject: str,
    tenant: str,
    category: str,
    tor: str,
) -> Quote:
    """Return what a call costs, and why; see `Tariff.rate`."""
    zone = tariff.zone_of(tenant)
    start = _moment(at, "UTC" if zone is None else zone.name)
    call = Call(
        tenant=tenant,
        category=category,
        subject=subject,
        account=subject,
        destination=destination,
        tor=tor,
        start_at=start.at,
        offset_s=start.offset_s,
        usage_ns=parse_duration(usage) if isinstance(usage, str) else usage,
    )
    return explain_quote(tariff, call)


def _moment(at: str | int | datetime, zone: str) -> Moment:
    if isinstance(at, int):
        return Moment(at)
    if isinstance(at, str):
        if at[:1] in ("", "*", "+", "-"):
            raise BadRequest(f"an instant is needed, such as 2026-01-31T10:00:00Z, not {at!r}")
        return parse_time(at, 0, zone)
    offset = at.utcoffset()
    if offset is None:
        raise BadRequest(f"{at.isoformat()} has no offset: give the datetime a tzinfo")
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return Moment(microseconds * MICROSECOND_NS, offset.days * 86_400 + offset.seconds)


def rate_given_columns(tariff: Tariff, columns: CallColumns, *, with_breakdown: bool) -> RatedColumns:
    """Return what n calls cost; see `Tariff.rate_columns`."""
    given = columns._replace(
        destinations=_texts(columns.destinations),
        starts_at=_nanoseconds(columns.starts_at, "timestamp[ns]"),
        usages_ns=_nanoseconds(columns.usages_ns, "duration[ns]"),
        subjects=_texts(columns.subjects),
        tenants=_texts(columns.tenants),
        categories=_texts(columns.categories),
        tors=_texts(columns.tors),
    )
    return rate_columns(tariff, given, with_breakdown=with_breakdown)


def _whole(column: Any) -> Any:
    """Return an Arrow array for a chunked one, an array for a pandas or polars column, anything else as it is."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
        return column.chunk(0) if hasattr(column, "chunk") else column
    return column.to_numpy() if hasattr(column, "to_numpy") and not hasattr(column, "buffers") else column


def _texts(column: Any) -> Any:
    """Return texts as the kernel takes them: of lists, of numpy's and pandas' texts. One text is that of all rows."""
    column = _whole(column)
    if isinstance(column, numpy.ndarray) and column.dtype.kind in "UO":
        column = column.tolist()
    if isinstance(column, list | tuple) and not hasattr(column, "_fields"):
        wrong = next((it for it in column if not isinstance(it, str)), None)
        if wrong is not None:
            raise ValueError(f"texts are needed, not {wrong!r}")
        return list(column)
    return column


def _nanoseconds(column: Any, kind: str) -> Any:
    """Return instants or lengths counted in ns: of coarser datetimes, of lists, of any Arrow type of time."""
    column = _whole(column)
    if isinstance(column, numpy.ndarray) and column.dtype.kind in "mM":
        return column.astype(f"{column.dtype.kind}8[ns]")
    if hasattr(column, "buffers") and str(column.type).startswith(("timestamp", "duration")):
        return column.cast(kind)  # with a zone, too, the instants stay what they are
    if isinstance(column, list | tuple):
        if column and isinstance(column[0], str):
            is_length = kind.startswith("duration")
            column = [parse_duration(it) if is_length else _moment(it, "UTC").at for it in column]
        return numpy.array(column, dtype=numpy.int64)
    return column
