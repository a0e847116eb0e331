"""Reading CSV: what Go's reader takes, the places of what it does not take, the fast cut against the exact one."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore._fast.csvcolumns import split_columns
from cgrcore.tariffplan.csvtext import CsvText

NAMES = ("Tag", "Prefix")


def columns(content: str | bytes) -> tuple[list[list[str]], list[str]]:
    text = CsvText("X.csv", content if isinstance(content, bytes) else content.encode())
    found = [list(column) for column in text.columns(NAMES)]
    return found, [str(mistake) for mistake in text.mistakes]


@pytest.mark.parametrize(
    "content",
    [
        "A,1\nB,2\n",
        "A,1\nB,2",
        "A,1\r\nB,2\r\n",
        '#Tag,Prefix\n\nA,1\n# a comment, with commas, "quotes"\n\nB,2\n',
        '"A",1\n"B","2"\n',
        "\ufeffA,1\nB,2\n",
    ],
)
def test_comments_blank_lines_crlf_quotes_and_marks_are_read_over(content: str) -> None:
    assert columns(content) == ([["A", "B"], ["1", "2"]], [])


def test_a_quoted_field_holds_separators_line_ends_and_quotes() -> None:
    assert columns('"a,b","c\nd ""e"""\n') == ([["a,b"], ['c\nd "e"']], [])


def test_white_space_belongs_to_the_field() -> None:
    assert columns("A , 1\n") == ([["A "], [" 1"]], [])


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("A,1\nB\n", "X.csv:2:1: expected 2 fields (Tag, Prefix), got '1 fields'"),
        ("A,1,x\n", "X.csv:1:5: expected 2 fields (Tag, Prefix), got '3 fields'"),
        ('A,1\nB"C,2\n', "X.csv:2:2: expected no quote inside a field without quotes, got 'B\"C'"),
        ('A,"1\n', "X.csv:1:3: expected a closing quote, got 'the end of the file'"),
        ('A,"1"2\n', "X.csv:1:6: expected a separator after a quoted field, got '2'"),
        (b"A,1\nB,\xff\n", "X.csv:2:3: expected text in UTF-8, got \"b'\\\\xff'\""),
    ],
)
def test_a_mistake_is_told_with_its_place(content: str | bytes, mistake: str) -> None:
    assert columns(content)[1] == [mistake]


def test_every_mistake_is_told_and_the_other_rows_are_read() -> None:
    found, mistakes = columns("A\nB,1\nC,2,3\nD,4\n")
    assert found == [["B", "D"], ["1", "4"]]
    assert len(mistakes) == 2


fields = st.text(st.characters(exclude_characters="\r\0", exclude_categories=("Cs",)), max_size=6)


@given(st.lists(st.tuples(fields, fields)))
def test_whatever_is_written_as_csv_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    found, mistakes = columns(buffer.getvalue())
    assert mistakes == []
    assert found == ([list(column) for column in zip(*rows, strict=True)] if rows else [])


plain = st.text(st.sampled_from("ab#,;\r\n é"), max_size=40)


@given(plain, st.integers(1, 3))
def test_the_fast_cut_gives_the_columns_of_the_exact_one_or_leaves_them_to_it(content: str, width: int) -> None:
    fast = split_columns(content.encode(), width, ",")
    rows = CsvText("X.csv", content.encode()).rows
    if any(len(row) != width for row in rows):
        assert fast is None
    else:
        assert fast == ([list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)])


@pytest.mark.parametrize("separator", ["", "::", "é", '"', "\n", "#"])
def test_odd_separators_are_left_to_the_exact_reader(separator: str) -> None:
    assert split_columns(b"A,1\n", 2, separator) is None


def test_a_field_equal_to_the_one_above_is_the_same_object() -> None:
    found = split_columns(b"GERMANY,491\nGERMANY,492\n", 2, ",")
    assert found is not None
    assert found[0][0] is found[0][1]
