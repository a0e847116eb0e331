"""Reads a folder of CSV files: names and bytes in, a plan out, or every mistake in its rows.

Rules: files that no kind names are not read; every file may be absent; objects come in the order of kinds, then of
rows. Does not know: disks, archives; whether what the plan says can be loaded.
"""

from collections.abc import Mapping
from typing import Any

from cgrcore.tariffplan.csvtext import CsvText
from cgrcore.tariffplan.kinds import KINDS, Kind
from cgrcore.tariffplan.mistakes import Mistake, Spot
from cgrcore.tariffplan.rows import Defaults, objects_of, row_of
from cgrcore.tariffplan.staying import without_search_for_cycles

__all__ = ["Plan", "read_files"]


class Plan:
    """The objects of a tariff plan by kind, then by id; where they stand, when they were read from files.

    `mistakes` are those of rows. A plan may stand for a whole (a folder, a plan of the store) or for any part.
    """

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults
        self.objects: dict[str, dict[str, Any]] = {kind.name: {} for kind in KINDS}
        self.mistakes: list[Mistake] = []
        self.refused_files: set[str] = set()
        self._texts: dict[str, tuple[Kind, CsvText]] = {}

    @property
    def is_from_files(self) -> bool:
        return bool(self._texts)

    def add_file(self, kind: Kind, content: bytes, *, separator: str, refuse_repeats: bool) -> None:
        """Read one file into the plan."""
        text = CsvText(kind.file, content, separator)
        self._texts[kind.name] = (kind, text)
        found, mistakes = objects_of(kind, text, self.defaults, refuse_repeats=refuse_repeats)
        self.objects[kind.name] = found
        self.mistakes += mistakes
        if mistakes:
            self.refused_files.add(kind.file)

    def mistake(self, spot: Spot, text: str, expected: str, came: str) -> Mistake:
        """Return a mistake in a field of an object, with its place in the file when there is one."""
        if spot.kind not in self._texts:
            return Mistake(text, expected, came, spot=spot)
        kind, csv = self._texts[spot.kind]
        row = row_of(kind, csv, spot.id, spot.index, self.defaults)
        place = next((place for place, column in enumerate(kind.columns) if spot.field == column.field), 0)
        return Mistake(text, expected, came, csv.name, csv.line_of(row), csv.column_of(row, place), spot)


@without_search_for_cycles()
def read_files(
    files: Mapping[str, bytes], defaults: Defaults, *, separator: str = ",", refuse_repeats: bool = True
) -> Plan:
    """Read the files of a plan, given by name. Mistakes are in the plan, in the order of kinds and lines."""
    plan = Plan(defaults)
    for kind in KINDS:
        if kind.file in files:
            plan.add_file(kind, files[kind.file], separator=separator, refuse_repeats=refuse_repeats)
    return plan
