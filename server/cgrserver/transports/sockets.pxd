from cgrcore._fast.frames cimport Frames


cdef class Connection:
    cdef readonly object socket
    cdef readonly str peer
    cdef readonly Frames frames
    # Calls that were received and are not answered yet.
    cdef readonly int in_work
    # Why no more is read: "" while the connection is open, else "ended" (by the client) or what was wrong.
    cdef readonly str ending
    cdef readonly Py_ssize_t unsent
    # The size of the largest reply that waits: it alone may be more than a client may leave unread.
    cdef Py_ssize_t _largest
    cdef readonly bint is_closed
    # When the unfinished request began, and since when the client takes no byte (loop seconds); 0 when neither is so.
    cdef public double since
    cdef public double blocked_since
    # Who can be called on this connection; None where only the other side calls.
    cdef public object client
    cdef Sockets _sockets
    cdef int _fd
    cdef list _out
    cdef Py_ssize_t _sent_of_first
    cdef unsigned int _interest
    cdef bint _is_dirty

    cpdef deliver(self, bytes reply)


cdef class Sockets:
    cdef readonly int epoll_fd
    cdef readonly dict connections
    cdef readonly bint is_accepting
    cdef readonly bint is_stopping
    # Connections with an unfinished request, and those that do not read: whom the deadlines concern.
    cdef readonly set unfinished
    cdef readonly set blocked
    cdef readonly dict counts
    cdef public double now
    cdef object _listener
    cdef object _receive
    cdef object _begin
    cdef object _end
    cdef object _accepted
    cdef object _log
    cdef object _limits
    cdef Py_ssize_t _request_bytes
    cdef Py_ssize_t _unsent_bytes
    cdef int _calls
    cdef Py_ssize_t _connection_limit
    cdef list _dirty
    cdef unsigned char *_buffer
    cdef void *_events

    cdef int _control(self, int operation, int fd, unsigned int interest) except -1
    cdef int _accept(self) except -1
    cdef int _read(self, Connection connection) except -1
    cdef int _handle(self, Connection connection, list frames) except -1
    cdef int _send(self, Connection connection) except -1
    cdef int _watch(self, Connection connection) except -1
    cdef int _end_reading(self, Connection connection, str reason) except -1
    cdef int _drop(self, Connection connection, str reason) except -1
