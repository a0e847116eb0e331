# Benchmark: `python -m bench sessions`. Tests: tests/storage/test_sqlitewriter.py.
"""Runs whole transactions on SQLite without Python's lock.

With `sqlite3`, a commit beside the loop asks for the lock at every statement and gets it when the loop has nothing to
do: half of the time of a commit was waiting. Here a transaction is laid out in C memory on the caller's thread, and
runs from BEGIN to COMMIT on one that knows nothing of Python.

Rules: one transaction at a time; what a value points to is held until its transaction is over. Does not know: tables,
what the statements say.
"""

import sqlite3
import threading

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.errno cimport EINTR, errno
from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset, strncpy

from cgrserver.storage.sqlitelib import addresses

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef extern from "sys/eventfd.h" nogil:
    int eventfd(unsigned int count, int flags)
    int EFD_CLOEXEC, EFD_NONBLOCK

cdef extern from "unistd.h" nogil:
    Py_ssize_t c_read "read"(int fd, void *data, size_t size)
    Py_ssize_t c_write "write"(int fd, const void *data, size_t size)
    int c_close "close"(int fd)

cdef enum:
    # Of SQLite's interface, which never changes.
    SQLITE_OK = 0
    SQLITE_ROW = 100
    SQLITE_DONE = 101
    SQLITE_OPEN_READWRITE = 0x00000002

    MESSAGE_BYTES = 256

cdef enum Kind:
    NOTHING
    NUMBER
    TEXT
    BLOB

ctypedef int (*OpenFunction)(const char *, void **, int, const char *) noexcept nogil
ctypedef int (*CloseFunction)(void *) noexcept nogil
ctypedef int (*PrepareFunction)(void *, const char *, int, void **, const char **) noexcept nogil
ctypedef int (*StatementFunction)(void *) noexcept nogil
ctypedef int (*BindNumberFunction)(void *, int, int64_t) noexcept nogil
ctypedef int (*BindBytesFunction)(void *, int, const char *, int, void *) noexcept nogil
ctypedef int (*BindNullFunction)(void *, int) noexcept nogil
ctypedef int (*TimeoutFunction)(void *, int) noexcept nogil
ctypedef const char *(*MessageFunction)(void *) noexcept nogil

cdef OpenFunction sqlite3_open_v2
cdef CloseFunction sqlite3_close_v2
cdef PrepareFunction sqlite3_prepare_v2
cdef StatementFunction sqlite3_step
cdef StatementFunction sqlite3_reset
cdef StatementFunction sqlite3_finalize
cdef StatementFunction sqlite3_get_autocommit
cdef BindNumberFunction sqlite3_bind_int64
cdef BindBytesFunction sqlite3_bind_text
cdef BindBytesFunction sqlite3_bind_blob
cdef BindNullFunction sqlite3_bind_null
cdef TimeoutFunction sqlite3_busy_timeout
cdef MessageFunction sqlite3_errmsg

cdef struct Value:
    Kind kind
    int size
    # A number, or where the bytes are.
    int64_t number

# One row for a statement: its values follow those of the row before.
cdef struct Row:
    void *statement
    int value_count


def _reach() -> bool:
    global sqlite3_open_v2, sqlite3_close_v2, sqlite3_prepare_v2, sqlite3_step, sqlite3_reset, sqlite3_finalize
    global sqlite3_get_autocommit, sqlite3_bind_int64, sqlite3_bind_text, sqlite3_bind_blob, sqlite3_bind_null
    global sqlite3_busy_timeout, sqlite3_errmsg
    names = (
        *("open_v2", "close_v2", "prepare_v2", "step", "reset", "finalize", "get_autocommit"),
        *("bind_int64", "bind_text", "bind_blob", "bind_null", "busy_timeout", "errmsg"),
    )
    found = addresses(*("sqlite3_" + name for name in names))
    if found is None:
        return False
    sqlite3_open_v2 = <OpenFunction><uintptr_t>found[0]
    sqlite3_close_v2 = <CloseFunction><uintptr_t>found[1]
    sqlite3_prepare_v2 = <PrepareFunction><uintptr_t>found[2]
    sqlite3_step = <StatementFunction><uintptr_t>found[3]
    sqlite3_reset = <StatementFunction><uintptr_t>found[4]
    sqlite3_finalize = <StatementFunction><uintptr_t>found[5]
    sqlite3_get_autocommit = <StatementFunction><uintptr_t>found[6]
    sqlite3_bind_int64 = <BindNumberFunction><uintptr_t>found[7]
    sqlite3_bind_text = <BindBytesFunction><uintptr_t>found[8]
    sqlite3_bind_blob = <BindBytesFunction><uintptr_t>found[9]
    sqlite3_bind_null = <BindNullFunction><uintptr_t>found[10]
    sqlite3_busy_timeout = <TimeoutFunction><uintptr_t>found[11]
    sqlite3_errmsg = <MessageFunction><uintptr_t>found[12]
    return True


#: Whether this module can be used: the functions of the SQLite in use were found.
IS_REACHED = _reach()


cdef class Writer:
    """A connection for transactions to an existing file, and the thread they run on.

    `changes` are pairs of a statement and the rows to run it with, of int (64 bits), str, bytes and None. `before` is a
    statement to run ahead of the transaction, which goes on whatever becomes of it. Raises sqlite3.OperationalError.
    """

    cdef void *_database
    cdef dict _statements
    cdef object _held, _thread
    cdef Value *_values
    cdef Row *_rows
    cdef Py_ssize_t _value_count, _value_room, _row_count, _row_room
    cdef void *_begin
    cdef void *_commit
    cdef void *_rollback
    cdef void *_before
    cdef int _wanted_fd, _done_fd, _code
    cdef bint _is_ending
    cdef char _message[MESSAGE_BYTES]
    cdef char _before_message[MESSAGE_BYTES]

    def __cinit__(self):
        self._wanted_fd = self._done_fd = -1

    def __init__(self, path: str, file_system: str, pragmas: list[str], timeout_ms: int) -> None:
        cdef bytes name = path.encode(), system = file_system.encode()
        cdef char *vfs = PyBytes_AS_STRING(system) if system else NULL
        self._statements = {}
        code = sqlite3_open_v2(PyBytes_AS_STRING(name), &self._database, SQLITE_OPEN_READWRITE, vfs)
        if code != SQLITE_OK:
            raise self._error()
        sqlite3_busy_timeout(self._database, timeout_ms)
        for pragma in pragmas:
            if self._run_once(self._prepared(pragma)) not in (SQLITE_ROW, SQLITE_DONE):
                raise self._error()
        self._begin = self._prepared("BEGIN IMMEDIATE")
        self._commit = self._prepared("COMMIT")
        self._rollback = self._prepared("ROLLBACK")
        self._wanted_fd = eventfd(0, EFD_CLOEXEC)
        self._done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
        if self._wanted_fd < 0 or self._done_fd < 0:
            raise OSError(errno, "eventfd")
        self._thread = threading.Thread(target=self._serve, name="committer", daemon=True)
        self._thread.start()

    def __dealloc__(self):
        free(self._values)
        free(self._rows)
        for fd in (self._wanted_fd, self._done_fd):
            if fd >= 0:
                c_close(fd)

    def run(self, list changes not None, str before not None = "") -> str:
        """Run a transaction here, and return what `before` failed with, "" when it did not."""
        self._lay_out(changes, before)
        with nogil:
            self._code = self._transact()
        return self._outcome()

    def start(self, list changes not None, str before not None = "") -> int:
        """Have a transaction run beside the caller; return the descriptor that is readable when it is over.

        Then `finish` is due, before anything else is asked for.
        """
        cdef uint64_t one = 1
        self._lay_out(changes, before)
        if c_write(self._wanted_fd, &one, sizeof(one)) < 0:
            raise OSError(errno, "eventfd")
        return self._done_fd

    def finish(self) -> str:
        """As `run`, of the transaction that was started and is over."""
        cdef uint64_t count
        if c_read(self._done_fd, &count, sizeof(count)) < 0:
            raise OSError(errno, "a transaction is under way")
        return self._outcome()

    def close(self) -> None:
        """End the thread and the connection. No transaction is under way."""
        cdef uint64_t one = 1
        if self._thread is not None:
            self._is_ending = True
            if c_write(self._wanted_fd, &one, sizeof(one)) == sizeof(one):
                self._thread.join()
            self._thread = None
        for statement in self._statements.values():
            sqlite3_finalize(<void *><uintptr_t>statement)
        self._statements = {}
        if self._database != NULL:
            sqlite3_close_v2(self._database)
            self._database = NULL

    cdef object _error(self):
        return sqlite3.OperationalError(sqlite3_errmsg(self._database).decode("utf-8", "replace"))

    cdef void *_prepared(self, str sql) except NULL:
        cdef void *statement = NULL
        cdef Py_ssize_t size
        cdef const char *text
        known = self._statements.get(sql)
        if known is not None:
            return <void *><uintptr_t>known
        if self._database == NULL:
            raise sqlite3.ProgrammingError("the connection is closed")
        text = PyUnicode_AsUTF8AndSize(sql, &size)
        if sqlite3_prepare_v2(self._database, text, -1, &statement, NULL) != SQLITE_OK:
            raise self._error()
        self._statements[sql] = <uintptr_t>statement
        return statement

    cdef int _lay_out(self, list changes, str before) except -1:
        """Put a transaction where it can be run without Python."""
        cdef void *statement
        cdef tuple row
        self._row_count = self._value_count = 0
        self._before = self._prepared(before) if before else NULL
        self._held = changes
        for sql, rows in changes:
            statement = self._prepared(sql)
            for row in rows:
                if self._row_count == self._row_room:
                    self._row_room = 2 * self._row_room + 64
                    self._rows = <Row *>_grown(self._rows, self._row_room * sizeof(Row))
                self._rows[self._row_count].statement = statement
                self._rows[self._row_count].value_count = <int>len(row)
                self._row_count += 1
                for value in row:
                    self._add(value)
        return 0

    cdef int _add(self, object value) except -1:
        cdef Value *into
        cdef Py_ssize_t size = 0
        if self._value_count == self._value_room:
            self._value_room = 2 * self._value_room + 512
            self._values = <Value *>_grown(self._values, self._value_room * sizeof(Value))
        into = &self._values[self._value_count]
        if value is None:
            into.kind = NOTHING
        elif isinstance(value, str):
            into.kind = TEXT
            into.number = <int64_t><uintptr_t>PyUnicode_AsUTF8AndSize(value, &size)
        elif isinstance(value, bytes):
            into.kind = BLOB
            into.number = <int64_t><uintptr_t>PyBytes_AS_STRING(value)
            size = PyBytes_GET_SIZE(value)
        elif isinstance(value, int):
            into.kind = NUMBER
            into.number = value
        else:
            raise TypeError(f"expected int, str, bytes or None, not {type(value).__name__}")
        if size > 0x7fffffff:
            raise OverflowError("a value is larger than 2 GiB")
        into.size = <int>size
        self._value_count += 1
        return 0

    cdef str _outcome(self):
        self._held = None
        if self._code != SQLITE_OK:
            raise sqlite3.OperationalError(self._message.decode("utf-8", "replace"))
        return self._before_message.decode("utf-8", "replace")

    def _serve(self):
        cdef uint64_t count = 1
        with nogil:
            while not self._is_ending:
                if c_read(self._wanted_fd, &count, sizeof(count)) < 0:
                    if errno != EINTR:
                        break
                elif not self._is_ending:
                    self._code = self._transact()
                    count = 1
                    c_write(self._done_fd, &count, sizeof(count))

    cdef int _transact(self) noexcept nogil:
        """Run what was laid out, wholly or not at all; return SQLite's code, SQLITE_OK when it is kept."""
        cdef int code
        cdef Py_ssize_t index
        cdef Value *values = self._values
        memset(self._before_message, 0, MESSAGE_BYTES)
        if self._before != NULL:
            code = self._run_once(self._before)
            if code != SQLITE_ROW and code != SQLITE_DONE:
                strncpy(self._before_message, sqlite3_errmsg(self._database), MESSAGE_BYTES - 1)
        code = self._run_once(self._begin)
        for index in range(self._row_count):
            if code != SQLITE_DONE:
                break
            code = self._run_row(&self._rows[index], values)
            values += self._rows[index].value_count
        if code == SQLITE_DONE:
            code = self._run_once(self._commit)
        if code == SQLITE_DONE:
            return SQLITE_OK
        memset(self._message, 0, MESSAGE_BYTES)
        strncpy(self._message, sqlite3_errmsg(self._database), MESSAGE_BYTES - 1)
        if not sqlite3_get_autocommit(self._database):
            self._run_once(self._rollback)
        return code

    cdef int _run_row(self, Row *row, Value *values) noexcept nogil:
        cdef int index, code = SQLITE_OK
        cdef Value *value
        cdef const char *data
        for index in range(row.value_count):
            value = &values[index]
            data = <const char *><uintptr_t>value.number
            if value.kind == NUMBER:
                code = sqlite3_bind_int64(row.statement, index + 1, value.number)
            elif value.kind == TEXT:
                code = sqlite3_bind_text(row.statement, index + 1, data, value.size, NULL)
            elif value.kind == BLOB:
                code = sqlite3_bind_blob(row.statement, index + 1, data, value.size, NULL)
            else:
                code = sqlite3_bind_null(row.statement, index + 1)
            if code != SQLITE_OK:
                return code
        return self._run_once(row.statement)

    cdef int _run_once(self, void *statement) noexcept nogil:
        """Step a statement once and make it ready for the next time; return the code of the step."""
        cdef int code = sqlite3_step(statement)
        cdef int reset = sqlite3_reset(statement)
        return code if reset == SQLITE_OK else reset


cdef void *_grown(void *memory, size_t size) except NULL:
    cdef void *larger = realloc(memory, size)
    if larger == NULL:
        raise MemoryError
    return larger
