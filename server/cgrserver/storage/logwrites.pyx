# Benchmark: `python -m bench sessions`. Tests: tests/storage/test_logwrites.py.
"""Has SQLite write what a commit adds to the write-ahead log with one call instead of two for every page.

A commit of eight decisions is some fifty writes, 5 us each, of which none but their sum has a meaning before the sync
that follows. A virtual file system (sqlite.org/vfs.html) stands before the default one: it gives each log a buffer that
takes writes as long as each continues the last, and hands them on before anything else is done with the file. All
other files are the default file system's own.

Rules: nothing may learn of frames that are still in the buffer. SQLite tells readers of a commit after syncing the log,
which empties the buffer, where the connection has `synchronous=FULL` (or EXTRA); with less it does not sync, so
such a connection must not use it. Does not know: pages, transactions, locks.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from cgrserver.storage.sqlitelib import addresses

cdef enum:
    # Of SQLite's interface, which never changes.
    SQLITE_OK = 0
    SQLITE_NOMEM = 7
    SQLITE_OPEN_WAL = 0x00080000

    # A transaction that writes more does it in pieces of this size. SQLite's own xWrite takes less than 128 KiB.
    BUFFER_BYTES = 122880

cdef struct sqlite3_file:
    const sqlite3_io_methods *pMethods

# Version 1, which is all that SQLite asks of a log.
cdef struct sqlite3_io_methods:
    int iVersion
    int (*xClose)(sqlite3_file *) noexcept nogil
    int (*xRead)(sqlite3_file *, void *, int, int64_t) noexcept nogil
    int (*xWrite)(sqlite3_file *, const void *, int, int64_t) noexcept nogil
    int (*xTruncate)(sqlite3_file *, int64_t) noexcept nogil
    int (*xSync)(sqlite3_file *, int) noexcept nogil
    int (*xFileSize)(sqlite3_file *, int64_t *) noexcept nogil
    int (*xLock)(sqlite3_file *, int) noexcept nogil
    int (*xUnlock)(sqlite3_file *, int) noexcept nogil
    int (*xCheckReservedLock)(sqlite3_file *, int *) noexcept nogil
    int (*xFileControl)(sqlite3_file *, int, void *) noexcept nogil
    int (*xSectorSize)(sqlite3_file *) noexcept nogil
    int (*xDeviceCharacteristics)(sqlite3_file *) noexcept nogil

# Version 3. What is only copied has no type here.
cdef struct sqlite3_vfs:
    int iVersion
    int szOsFile
    int mxPathname
    sqlite3_vfs *pNext
    const char *zName
    void *pAppData
    int (*xOpen)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *) noexcept nogil
    void *others[14]

cdef struct Log:
    sqlite3_file head
    sqlite3_file *file
    char *buffer
    # Of the file: where the buffer's first byte belongs.
    int64_t start
    int size

cdef bytes NAME = b"cgrcore-log"

cdef sqlite3_vfs *_default = NULL
cdef sqlite3_vfs _vfs
cdef sqlite3_io_methods _log_methods


cdef int _hand_on(Log *log) noexcept nogil:
    """Write what the buffer holds; it holds nothing afterwards, whatever became of it. Return SQLite's code."""
    cdef int size = log.size
    if size == 0:
        return SQLITE_OK
    log.size = 0
    return log.file.pMethods.xWrite(log.file, log.buffer, size, log.start)


cdef int _write(sqlite3_file *file, const void *data, int size, int64_t start) noexcept nogil:
    cdef Log *log = <Log *>file
    cdef int code
    if start != log.start + log.size or size > BUFFER_BYTES - log.size:
        code = _hand_on(log)
        if code != SQLITE_OK:
            return code
        log.start = start
    if size > BUFFER_BYTES:
        return log.file.pMethods.xWrite(log.file, data, size, start)
    memcpy(log.buffer + log.size, data, size)
    log.size += size
    return SQLITE_OK


cdef int _read(sqlite3_file *file, void *data, int size, int64_t start) noexcept nogil:
    cdef Log *log = <Log *>file
    cdef int code = _hand_on(log)
    return code or log.file.pMethods.xRead(log.file, data, size, start)


cdef int _truncate(sqlite3_file *file, int64_t size) noexcept nogil:
    cdef Log *log = <Log *>file
    cdef int code = _hand_on(log)
    return code or log.file.pMethods.xTruncate(log.file, size)


cdef int _sync(sqlite3_file *file, int flags) noexcept nogil:
    cdef Log *log = <Log *>file
    cdef int code = _hand_on(log)
    return code or log.file.pMethods.xSync(log.file, flags)


cdef int _file_size(sqlite3_file *file, int64_t *size) noexcept nogil:
    cdef Log *log = <Log *>file
    cdef int code = _hand_on(log)
    return code or log.file.pMethods.xFileSize(log.file, size)


cdef int _close(sqlite3_file *file) noexcept nogil:
    cdef Log *log = <Log *>file
    cdef int written = _hand_on(log)
    cdef int closed = log.file.pMethods.xClose(log.file)
    free(log.buffer)
    log.buffer = NULL
    return closed or written


cdef int _file_control(sqlite3_file *file, int operation, void *argument) noexcept nogil:
    cdef sqlite3_file *real = (<Log *>file).file
    return real.pMethods.xFileControl(real, operation, argument)


cdef int _sector_size(sqlite3_file *file) noexcept nogil:
    cdef sqlite3_file *real = (<Log *>file).file
    return real.pMethods.xSectorSize(real)


cdef int _device_characteristics(sqlite3_file *file) noexcept nogil:
    cdef sqlite3_file *real = (<Log *>file).file
    return real.pMethods.xDeviceCharacteristics(real)


cdef int _open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out) noexcept nogil:
    cdef Log *log
    cdef int code
    if not flags & SQLITE_OPEN_WAL:
        return _default.xOpen(_default, name, file, flags, flags_out)
    log = <Log *>file
    log.head.pMethods = NULL  # there is nothing to close unless this succeeds
    log.file = <sqlite3_file *>(log + 1)
    log.start = log.size = 0
    log.buffer = <char *>malloc(BUFFER_BYTES)
    if log.buffer == NULL:
        return SQLITE_NOMEM
    code = _default.xOpen(_default, name, log.file, flags, flags_out)
    if code != SQLITE_OK:
        if log.file.pMethods != NULL:
            log.file.pMethods.xClose(log.file)
        free(log.buffer)
        return code
    log.head.pMethods = &_log_methods
    return SQLITE_OK


def file_system() -> str:
    """Return the name by which SQLite knows this file system, "" where it cannot be given to it."""
    global _default, _vfs
    cdef uintptr_t find, register
    cdef sqlite3_vfs *found
    if _default != NULL:
        return NAME.decode()
    reached = addresses("sqlite3_vfs_find", "sqlite3_vfs_register")
    if reached is None:
        return ""
    find, register = reached
    found = (<sqlite3_vfs *(*)(const char *) noexcept nogil>find)(NULL)
    if found == NULL or found.iVersion != 3:
        return ""
    _vfs = found[0]
    _vfs.zName = PyBytes_AS_STRING(NAME)
    _vfs.pNext = NULL
    _vfs.szOsFile = sizeof(Log) + found.szOsFile
    _vfs.xOpen = _open
    _log_methods.iVersion = 1
    _log_methods.xClose = _close
    _log_methods.xRead = _read
    _log_methods.xWrite = _write
    _log_methods.xTruncate = _truncate
    _log_methods.xSync = _sync
    _log_methods.xFileSize = _file_size
    _log_methods.xFileControl = _file_control
    _log_methods.xSectorSize = _sector_size
    _log_methods.xDeviceCharacteristics = _device_characteristics
    _default = found
    if (<int (*)(sqlite3_vfs *, int) noexcept nogil>register)(&_vfs, 0) != SQLITE_OK:
        _default = NULL
        return ""
    return NAME.decode()
