"""From the bytes of a CSV file to rows of fields, with the places of what cannot be read.

Rules (RFC 4180, as Go's encoding/csv reads it): fields are parted by the separator; a field in quotes may hold
separators, line ends and doubled quotes; a quote inside a field without quotes is a mistake; lines that begin with
`#` are comments; empty lines do not count; LF and CRLF end a line; white space belongs to the field. A file is UTF-8,
with or without a byte order mark. Does not know: what the columns mean.
"""

from collections.abc import Sequence

from cgrcore._fast.csvcolumns import split_columns
from cgrcore.tariffplan.mistakes import Mistake

__all__ = ["MAX_FILE_SIZE", "CsvText"]

#: The largest file (in bytes) that is read: some ten million destinations.
MAX_FILE_SIZE = 256 * 1024 * 1024

#: Lines that a quoted field may span. A quote that is never closed would make a reader search the whole file each time.
MAX_FIELD_LINES = 1000

NO_QUOTE = "no quote inside a field without quotes"


class CsvText:
    """One file. Its columns are cut at once when it is plain; its rows and their places are found when asked for."""

    __slots__ = ("_content", "_lines", "_rows", "_starts", "mistakes", "name", "separator")

    def __init__(self, name: str, content: bytes, separator: str = ",") -> None:
        self.name = name
        self.separator = separator
        self.mistakes: list[Mistake] = []
        self._content = content
        self._lines: list[str] = []
        self._rows: list[list[str]] | None = None
        self._starts: list[int] | None = None

    def columns(self, names: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the columns of all rows that have a field for each name; the others are noted as mistakes.

        Empty without rows.
        """
        if len(self._content) > MAX_FILE_SIZE:
            self._mistake(
                1, 1, f"file too large: {self.name}", f"at most {MAX_FILE_SIZE} bytes", str(len(self._content))
            )
            return []
        plain = split_columns(self._content, len(names), self.separator)
        if plain is not None:
            return plain if plain[0] else []
        rows = self.rows
        if any(len(row) != len(names) for row in rows):
            self._refuse_widths(names)
        return list(zip(*self.rows, strict=True))

    @property
    def rows(self) -> list[list[str]]:
        """The rows, each a list of fields."""
        if self._rows is None:
            self._rows = self._read()
        return self._rows

    def _read(self) -> list[list[str]]:
        content = self._content
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            column = error.start - content.rfind(b"\n", 0, error.start)
            came = repr(content[error.start : error.end])
            self._mistake(line, column, f"invalid UTF-8 in {self.name}", "text in UTF-8", came)
            return []
        self._lines = text.replace("\r\n", "\n").split("\n")
        if '"' in text:
            return self._read_quoted()
        return [line.split(self.separator) for line in self._lines if line and line[0] != "#"]

    def line_of(self, row_index: int) -> int:
        """Return the line (from 1) on which a row begins."""
        if self._starts is None and self.rows:
            self._starts = [number for number, line in enumerate(self._lines, 1) if line and line[0] != "#"]
        return self._starts[row_index] if self._starts else 1

    def column_of(self, row_index: int, field_index: int) -> int:
        """Return the column (from 1) in which a field begins; where the line ends, for a field on a later one."""
        line = self._lines[self.line_of(row_index) - 1]
        at = 0
        for _ in range(field_index):
            end = at
            if line.startswith('"', at):
                end = _closing_quote(line, at + 1)
            cut = line.find(self.separator, end) if end >= 0 else -1
            if cut < 0:
                break
            at = cut + len(self.separator)
        return at + 1

    def _refuse_widths(self, names: Sequence[str]) -> None:
        """Note a mistake for each row that does not have one field for each column, and drop these rows."""
        width, rows = len(names), self.rows
        for index, row in enumerate(rows):
            if len(row) != width:
                line = self.line_of(index)
                column = self.column_of(index, min(len(row) - 1, width))
                text = f"record on line {line}: wrong number of fields"
                self._mistake(line, column, text, f"{width} fields ({', '.join(names)})", f"{len(row)} fields")
        kept = [index for index, row in enumerate(rows) if len(row) == width]
        self._starts = [self.line_of(index) for index in kept]
        self._rows = [rows[index] for index in kept]

    def _mistake(self, line: int, column: int, text: str, expected: str, came: str) -> None:
        self.mistakes.append(Mistake(text, expected, came, self.name, line, column))

    def _read_quoted(self) -> list[list[str]]:
        rows: list[list[str]] = []
        self._starts = []
        number = 0
        while number < len(self._lines):
            line = self._lines[number]
            start = number
            number += 1
            if not line or line[0] == "#":
                continue
            row: list[str] | None = line.split(self.separator)
            if '"' in line:
                row, number = self._quoted_row(start)
            if row is not None:
                rows.append(row)
                self._starts.append(start + 1)
        return rows

    def _quoted_row(self, start: int) -> tuple[list[str] | None, int]:
        """Read the row that begins on a line. Return it (None: it has a mistake) and the line after it."""
        text, number = self._lines[start], start + 1
        fields: list[str] = []
        at = 0
        while True:
            if not text.startswith('"', at):
                end = text.find(self.separator, at)
                field = text[at:] if end < 0 else text[at:end]
                if '"' in field:
                    self._misquoted(start, text, at + field.index('"'), NO_QUOTE, field)
                    return None, number
                fields.append(field)
            else:
                closed = _closing_quote(text, at + 1)
                while closed < 0:
                    if number >= min(len(self._lines), start + MAX_FIELD_LINES):
                        self._misquoted(start, text, at, "a closing quote", "the end of the file")
                        return None, number
                    text += "\n" + self._lines[number]
                    number += 1
                    closed = _closing_quote(text, at + 1)
                fields.append(text[at + 1 : closed].replace('""', '"'))
                end = closed + 1
                if end == len(text):
                    end = -1
                elif not text.startswith(self.separator, end):
                    self._misquoted(start, text, end, "a separator after a quoted field", text[end : end + 20])
                    return None, number
            if end < 0:
                return fields, number
            at = end + len(self.separator)

    def _misquoted(self, start: int, text: str, at: int, expected: str, came: str) -> None:
        """Note a mistake at a place of a row that begins on line `start` (from 0)."""
        line, column = start + 1 + text.count("\n", 0, at), at - text.rfind("\n", 0, at)
        what = 'bare " in non-quoted field' if expected == NO_QUOTE else 'extraneous or missing " in quoted-field'
        self._mistake(line, column, f"parse error on line {line}, column {column}: {what}", expected, came)


def _closing_quote(text: str, at: int) -> int:
    """Return where the quote stands that ends a quoted field, -1 when the text ends before."""
    while True:
        found = text.find('"', at)
        if found < 0:
            return -1
        if text[found + 1 : found + 2] != '"':
            return found
        at = found + 2
