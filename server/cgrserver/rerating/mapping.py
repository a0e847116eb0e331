"""How the columns of CDR files are called: CDR fields to columns, from a file or by default.

Rules: without a mapping a field's column is called as the field is, or as CGRateS's or our own table of CDRs calls it;
a mapping says more, never less: what it does not name keeps its default. Mistakes are told with the file and, where it
is known, the line and the column. Does not know: files of CDRs, how values are read.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import msgspec

from cgrcore.errors import BadRequest, NotFound, Unavailable
from cgrcore.timing import MICROSECOND_NS, MILLISECOND_NS, SECOND_NS, zone_offset

__all__ = ["BY_DEFAULT", "FIELDS", "OUTPUTS", "CsvLayout", "Mapping", "Result", "read_mapping"]

#: What is read of a CDR, and the columns it may be in by default, the first that is there.
FIELDS: dict[str, tuple[str, ...]] = {
    "Tenant": ("Tenant", "tenant"),
    "Category": ("Category", "category"),
    "Account": ("Account", "account"),
    "Subject": ("Subject", "subject"),
    "Destination": ("Destination", "destination"),
    "AnswerTime": ("AnswerTime", "answer_time", "answer_at"),
    "AnswerOffset": ("AnswerOffset", "answer_offset_s"),
    "SetupTime": ("SetupTime", "setup_time", "setup_at"),
    "SetupOffset": ("SetupOffset", "setup_offset_s"),
    "Usage": ("Usage", "usage", "usage_ns"),
    "RequestType": ("RequestType", "request_type"),
    "ToR": ("ToR", "tor"),
}


class Result(NamedTuple):
    """The columns that rerating adds."""

    cost: str = "Cost"
    destination_id: str = "DestinationID"
    rating_plan_id: str = "RatingPlanID"
    error: str = "Error"
    breakdown: str = "Breakdown"


#: The field of a result by the name it has in a mapping.
OUTPUTS = {
    "Cost": "cost",
    "DestinationID": "destination_id",
    "RatingPlanID": "rating_plan_id",
    "Error": "error",
    "Breakdown": "breakdown",
}

UNITS = {"ns": 1, "us": MICROSECOND_NS, "ms": MILLISECOND_NS, "s": SECOND_NS, "m": 60 * SECOND_NS}

#: Fields that are numbers of a unit.
_IN_UNITS = ("AnswerTime", "SetupTime", "Usage")

MAX_FILE_SIZE = 1 << 20

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class CsvLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a CSV file is written. Without a header, `columns` names what is in a line."""

    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()
    encoding: str = "utf-8"


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns by field, fields that are the same for every row, the units of whole numbers, the zone of clocks."""

    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    units: dict[str, str] = {}
    timezone: str = ""
    csv: CsvLayout = CsvLayout()

    def column_of(self, field: str, names: Collection[str]) -> str | None:
        """Return which of the columns holds a field, None when it has none or is a constant.

        Raises NotFound for a column that the mapping names and that is not there.
        """
        if field in self.constants:
            return None
        given = self.columns.get(field)
        if given is None:
            return next((name for name in FIELDS[field] if name in names), None)
        if given not in names:
            raise NotFound(f"there is no column {given!r}, which the mapping names for {field}; {_told(names)}")
        return given

    def unit_ns(self, field: str, default: int) -> int:
        """Return the ns of a field's unit."""
        return UNITS[self.units[field]] if field in self.units else default

    def result(self) -> Result:
        """Return how the columns are called that rerating adds."""
        return Result(**{OUTPUTS[name]: column for name, column in self.columns.items() if name in OUTPUTS})

    def missing(self, names: Collection[str]) -> str:
        """Return a sentence on what cannot be done without among these columns, "" when it is all there."""
        for field, others in (
            ("Destination", ()),
            ("Usage", ()),
            ("AnswerTime", ("SetupTime",)),
            ("Account", ("Subject",)),
        ):
            choice = (field, *others)
            if not any(name in self.constants or self.column_of(name, names) for name in choice):
                return f"there is no column for {' or '.join(choice)}; {_told(names)}"
        return ""


#: The mapping of files whose columns are called as CDR fields are.
BY_DEFAULT = Mapping()


def read_mapping(path: Path | None) -> Mapping:
    """Return the mapping of a TOML file; the default one without a file.

    Raises Unavailable when it cannot be read, BadRequest with `file:line:column: what` for a mistake.
    """
    if path is None:
        return BY_DEFAULT
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_FILE_SIZE + 1)
        if len(content) > MAX_FILE_SIZE:
            raise BadRequest(f"{path}: a mapping of more than {MAX_FILE_SIZE >> 20} MiB")
        written = tomllib.loads(content.decode())
        unknown = _unknown(written, Mapping.__struct_fields__)
        if unknown:
            raise BadRequest(f"{path}: there is no section {unknown}")
        mapping = msgspec.convert(written, Mapping)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadRequest(_placed(path, str(error))) from None
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path}: {error}") from None
    mistake = _mistake(mapping)
    if mistake:
        raise BadRequest(f"{path}: {mistake}")
    return mapping


def _placed(path: Path, text: str) -> str:
    found = _PLACE.search(text)
    if found is None or found[1] is None:
        return f"{path}: {text}"
    return f"{path}:{found[1]}:{found[2]}: {text[: found.start()]}"


def _mistake(mapping: Mapping) -> str:
    """Return what is wrong with a mapping that has the right form, "" for nothing."""
    for section, given, known in (
        ("columns", mapping.columns, (*FIELDS, *OUTPUTS)),
        ("constants", mapping.constants, tuple(FIELDS)),
        ("units", mapping.units, _IN_UNITS),
    ):
        unknown = _unknown(given, known)
        if unknown:
            return f"{section} has no field {unknown}"
    for name, unit in mapping.units.items():
        if unit not in UNITS:
            return f"units: {name} is in {unit!r}, which is none of {', '.join(UNITS)}"
    layout = mapping.csv
    if len(layout.delimiter.encode()) != 1 or len(layout.quote.encode()) > 1:
        return "csv: the delimiter is one character, and quote one or none"
    if not layout.header and not layout.columns:
        return "csv: without a header, columns must name what is in a line"
    try:
        "".encode(layout.encoding)
        zone_offset(mapping.timezone, 0)
    except (LookupError, BadRequest) as error:
        return str(error)
    return ""


def _unknown(given: Iterable[str], known: Sequence[str]) -> str:
    """Return the first name that is not known, and one that is like it; "" when all are."""
    for name in given:
        if name not in known:
            close = get_close_matches(name, known, 1)
            return repr(name) + (f"; did you mean {close[0]!r}?" if close else "")
    return ""


def _told(names: Collection[str]) -> str:
    listed = list(names)
    if not listed:
        return "there are no columns"
    text = ", ".join(listed[:20]) + (f" and {len(listed) - 20} more" if len(listed) > 20 else "")
    hint = "; is the delimiter another one?" if len(listed) == 1 and any(c in text for c in ";\t|") else ""
    return f"the columns are {text}{hint}"
