"""Cuts CSV text without quotes into columns, in one pass over its bytes.

Rules: as cgrcore.tariffplan.csvtext reads it; whatever is not plain (a quote, a row of another width, invalid UTF-8) is
left to that, and said with None. A field equal to the one above it is the same object. Memory: the columns own their
texts, nothing else is kept. Does not know: what the columns mean.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp

cdef enum:
    MAX_WIDTH = 64


def split_columns(bytes content not None, int width, str separator not None):
    """Return the columns of a file, `width` lists of texts, or None when it is not plain.

    `separator` is one ASCII character. Comments (`#` at the start of a line) and empty lines give no row.
    """
    if width < 1 or width > MAX_WIDTH or len(separator) != 1 or ord(separator) > 127 or separator in '"\n\r#':
        return None
    cdef char cut = <char> ord(separator)
    cdef const char *at = PyBytes_AS_STRING(content)
    cdef const char *end = at + PyBytes_GET_SIZE(content)
    cdef const char *line_end
    cdef const char *stop
    cdef const char *field
    cdef const char *field_end
    cdef const char *above[MAX_WIDTH]
    cdef Py_ssize_t above_size[MAX_WIDTH]
    cdef Py_ssize_t size
    cdef int place
    cdef list columns = [[] for _ in range(width)]
    cdef list last = [None] * width
    cdef list column
    cdef object text
    if memchr(at, c'"', end - at) != NULL:
        return None
    if end - at >= 3 and memcmp(at, b"\xef\xbb\xbf", 3) == 0:
        at += 3
    for place in range(width):
        above_size[place] = -1
    try:
        while at < end:
            line_end = <const char *> memchr(at, c'\n', end - at)
            if line_end == NULL:
                line_end = end
            # CR ends a line only before LF: what follows the last LF keeps it.
            stop = line_end - 1 if line_end > at and line_end < end and (line_end - 1)[0] == c'\r' else line_end
            if stop == at or at[0] == c'#':
                at = line_end + 1
                continue
            field = at
            for place in range(width):
                field_end = <const char *> memchr(field, cut, stop - field)
                if (field_end == NULL) != (place == width - 1):
                    return None
                if field_end == NULL:
                    field_end = stop
                size = field_end - field
                column = <list> columns[place]
                if size == above_size[place] and memcmp(field, above[place], size) == 0:
                    text = last[place]
                else:
                    text = PyUnicode_DecodeUTF8(field, size, NULL)
                    last[place] = text
                    above[place] = field
                    above_size[place] = size
                column.append(text)
                field = field_end + 1
            at = line_end + 1
    except UnicodeDecodeError:
        return None
    return columns
