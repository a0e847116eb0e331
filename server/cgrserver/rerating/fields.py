"""The fields of CDRs in a batch, as the columns that the rating kernel reads.

Rules: what has the kernel's form already is not copied; all else is turned into it column by column. A row whose value
cannot be read is left out, with the reason; the others are not touched by it. Does not know: files, tariffs.
"""

from typing import Any, NamedTuple

import numpy
import pyarrow as pa
import pyarrow.compute as pc
from numpy import bool_, int32
from numpy.typing import NDArray

from cgrcore.errors import BadRequest
from cgrcore.rating import CallColumns
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.values import Instants, Unreadable, instants_of, is_text, numbers_of, text_of, usages_of

__all__ = ["KEYS", "Calls", "Defaults", "calls_of", "check_schema"]

#: Fields of few different values, which are kept as places in a list of them.
KEYS = ("Tenant", "Category", "Account", "Subject", "RequestType", "ToR")

#: The code in front of the reason, where a row itself is at fault.
INVALID = "INVALID_VALUE"
MISSING = "MANDATORY_IE_MISSING"
NONE_ASKED = "REQUEST_TYPE_NONE"


class Defaults(NamedTuple):
    """What stands for what a CDR does not say. `zone` is of clocks whose offset is not said."""

    tenant: str
    category: str
    tor: str = "*voice"
    zone: str = "UTC"


class Calls(NamedTuple):
    """The kernel's columns of a batch, and why rows are left out, by their place in it.

    `keys` are the columns of the batch that were coded on the way, by their name.
    """

    columns: CallColumns
    refusals: dict[int, str]
    keys: dict[str, pa.Array]


def check_schema(schema: pa.Schema, mapping: Mapping) -> None:
    """Raise BadRequest when columns are missing or hold what their field cannot be read from."""
    missing = mapping.missing(schema.names)
    if missing:
        raise BadRequest(missing)
    for field, takes, kinds in (
        *((name, is_text, "text") for name in (*KEYS, "Destination")),
        ("Usage", usages_of.takes, "whole numbers or texts of durations"),
        *((name, instants_of.takes, "timestamps, whole numbers or texts") for name in ("AnswerTime", "SetupTime")),
        *((name, numbers_of.takes, "whole numbers") for name in ("AnswerOffset", "SetupOffset")),
    ):
        column = mapping.column_of(field, schema.names)
        if column is not None and not takes(schema.field(column).type):
            raise BadRequest(f"column {column} holds {schema.field(column).type}; {field} is read from {kinds}")


def calls_of(batch: pa.RecordBatch, mapping: Mapping, defaults: Defaults, refused: dict[int, str]) -> Calls:
    """Return what is to be rated of a batch whose schema was checked. `refused` rows are left out already."""
    rows = _Rows(batch, mapping, defaults, refused)
    for field in KEYS:
        rows.code(field)
    subjects = rows.subjects()
    tenants = rows.key("Tenant", defaults.tenant)
    categories = rows.key("Category", defaults.category)
    tors = rows.key("ToR", defaults.tor)
    starts = rows.starts()
    usages = rows.read("Usage", usages_of, mapping.unit_ns("Usage", 1))
    rows.miss("Usage", usages.is_missing)
    rows.leave_out_none()
    left_out = None
    if rows.refusals:
        left_out = numpy.zeros(batch.num_rows, dtype=bool_)
        left_out[list(rows.refusals)] = True
    columns = CallColumns(
        destinations=rows.destinations(),
        starts_at=starts.at,
        usages_ns=usages.usages_ns,
        subjects=subjects,
        tenants=tenants,
        categories=categories,
        tors=tors,
        offsets_s=starts.offsets_s,
        is_left_out=left_out,
    )
    return Calls(columns, rows.refusals, rows.coded)


class _Rows:
    """A batch on the way to calls: its columns by field, and the refusals so far."""

    def __init__(self, batch: pa.RecordBatch, mapping: Mapping, defaults: Defaults, refused: dict[int, str]) -> None:
        self.batch = batch
        self.mapping = mapping
        self.defaults = defaults
        self.refusals = dict(refused)
        self.coded: dict[str, pa.Array] = {}

    def column(self, field: str) -> pa.Array | None:
        """Return the column of a field as it came, or its constant in every row."""
        constant = self.mapping.constants.get(field)
        if constant is not None:
            return pa.repeat(pa.scalar(constant, pa.string()), self.batch.num_rows)
        name = self.mapping.column_of(field, self.batch.schema.names)
        return None if name is None else self.batch.column(name)

    def key(self, field: str, default: str) -> str | pa.DictionaryArray:
        """Return a field of few values, coded, or as one where all are the same; the default where there is none."""
        coded = self.code(field)
        if coded is None or isinstance(coded, str):
            return default if coded is None else coded
        filled = _filled(coded, default)
        return filled.dictionary[0].as_py() if len(filled.dictionary) == 1 else filled

    def code(self, field: str) -> str | pa.DictionaryArray | None:
        """Return a field of few values as it came, but coded; a constant; None without a column."""
        constant = self.mapping.constants.get(field)
        name = self.mapping.column_of(field, self.batch.schema.names)
        if constant is not None or name is None:
            return constant
        if name not in self.coded:
            self.coded[name] = _code(self.batch.column(name))
        return self.coded[name]

    def subjects(self) -> str | pa.DictionaryArray:
        """Return who is rated: the subject, or the account where there is none."""
        subject, account = self.code("Subject"), self.code("Account")
        if subject is None or subject == "":
            return "" if account is None else account if isinstance(account, str) else _filled(account, "")
        if isinstance(subject, str) or not _has_gaps(subject):
            return subject
        texts = subject.cast(pa.string())
        others: Any = account if isinstance(account, str) else "" if account is None else account.cast(pa.string())
        is_gap = pc.fill_null(pc.equal(texts, ""), True)
        return _filled(pc.if_else(is_gap, others, texts).dictionary_encode(), "")

    def destinations(self) -> pa.Array:
        """Return the numbers called, as texts."""
        column = text_of(self.column("Destination"))
        return column.fill_null("") if column.null_count else column

    def starts(self) -> Instants:
        """Return when calls were answered; when they were set up, where they were not."""
        answered = self._moments("AnswerTime", "AnswerOffset")
        if answered is not None and not answered.is_missing.any():
            return answered
        set_up = self._moments("SetupTime", "SetupOffset")
        if answered is not None and set_up is not None:
            gaps = answered.is_missing
            set_up = Instants(
                numpy.where(gaps, set_up.at, answered.at),
                numpy.where(gaps, set_up.offsets_s, answered.offsets_s).astype(int32),
                gaps & set_up.is_missing,
                {},
            )
        found = set_up if answered is None else set_up or answered
        assert found is not None  # the schema was checked
        self.miss("AnswerTime", found.is_missing)
        return found

    def _moments(self, field: str, offset_field: str) -> Instants | None:
        if self.column(field) is None:
            return None
        unit_ns = self.mapping.unit_ns(field, 0)
        found: Instants = self.read(field, instants_of, unit_ns, self.mapping.timezone or self.defaults.zone)
        if self.column(offset_field) is None:
            return found
        offsets = self.read(offset_field, numbers_of)
        given = numpy.clip(offsets.numbers, -86400, 86400).astype(int32)
        return found._replace(offsets_s=numpy.where(offsets.is_missing, found.offsets_s, given).astype(int32))

    def read(self, field: str, reader: Any, *arguments: Any) -> Any:
        """Read a field's column; note the rows in which it cannot be read."""
        found = reader(self.column(field), *arguments)
        unreadable: Unreadable = found.unreadable
        for row, reason in unreadable.items():
            self.refusals.setdefault(row, f"{INVALID}: {field}: {reason}")
        return found

    def miss(self, field: str, is_missing: NDArray[bool_]) -> None:
        """Leave out the rows that lack a field."""
        if is_missing.any():
            for row in numpy.flatnonzero(is_missing).tolist():
                self.refusals.setdefault(row, f"{MISSING}: [{field}]")

    def leave_out_none(self) -> None:
        """Leave out what asks not to be rated."""
        kinds = self.code("RequestType")
        if kinds == "*none":
            for row in range(self.batch.num_rows):
                self.refusals.setdefault(row, NONE_ASKED)
        elif isinstance(kinds, pa.DictionaryArray) and pc.any(pc.equal(kinds.dictionary, "*none")).as_py():
            asked = pc.fill_null(pc.equal(kinds.cast(pa.string()), "*none"), False)
            for row in numpy.flatnonzero(asked.to_numpy(zero_copy_only=False)).tolist():
                self.refusals.setdefault(row, NONE_ASKED)


def _code(column: pa.Array) -> pa.DictionaryArray:
    """Return texts as places in a list of them, of 32 bits, without copying where they are."""
    if isinstance(column, pa.DictionaryArray):
        if column.type.index_type == pa.int32() and column.type.value_type == pa.string():
            return column
        return column.cast(pa.dictionary(pa.int32(), pa.string()))
    return text_of(column).dictionary_encode()


def _has_gaps(column: pa.DictionaryArray) -> bool:
    """Tell whether rows may have no text or an empty one."""
    return bool(column.null_count or column.dictionary.null_count or pc.any(pc.equal(column.dictionary, "")).as_py())


def _filled(column: pa.DictionaryArray, default: str) -> pa.DictionaryArray:
    """Return the column with a text in place of none and of empty ones."""
    if not _has_gaps(column):
        return column
    names = column.dictionary.fill_null("")
    if default:
        names = pc.if_else(pc.equal(names, ""), default, names)
    indices = column.indices
    if indices.null_count:
        names = pa.concat_arrays([names, pa.array([default], pa.string())])
        indices = indices.fill_null(len(names) - 1)
    return pa.DictionaryArray.from_arrays(indices, names)
