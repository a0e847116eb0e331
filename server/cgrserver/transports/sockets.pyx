# Benchmark: `python -m bench ping`. Tests: tests/transports.
"""The loop over ready sockets: reads what each has, hands out its requests, sends each socket its replies at once.

One epoll object holds the listening socket and all connections; whoever owns a `Sockets` waits until the epoll object
is readable and calls `drain`. Rules: a drain takes at most one buffer from each socket, so that no client delays the
others for longer than that; replies are sent with one call a socket a drain; a client that does not read is not read
from. What is wrong with a connection ends that connection alone, with a logged reason. Deadlines are the owner's: it
looks at `unfinished` and `blocked`. Does not know: trio, what a request says.
"""

import socket as sockets

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.errno cimport EAGAIN, ECONNRESET, EINTR, EPIPE, errno
from libc.stdlib cimport free, malloc
from libc.string cimport strerror

from cgrcore._fast.jsontree import NotJson

cdef extern from "sys/epoll.h" nogil:
    ctypedef union epoll_data_t:
        int fd
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int fd, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int size, int timeout_ms)
    int EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, EPOLL_CLOEXEC
    unsigned int EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP

cdef extern from "sys/socket.h" nogil:
    Py_ssize_t c_recv "recv"(int fd, void *buffer, size_t size, int flags)
    Py_ssize_t c_send "send"(int fd, const void *buffer, size_t size, int flags)
    int MSG_DONTWAIT, MSG_NOSIGNAL

cdef extern from "unistd.h" nogil:
    int c_close "close"(int fd)

cdef enum:
    # What one socket may have read in one drain: some hundred requests, a millisecond or two of work.
    BUFFER_BYTES = 65536
    EVENT_COUNT = 512
    ACCEPT_COUNT = 64


cdef str _reason_of(int error):
    """A client that has left needs no line in the log."""
    return "" if error == ECONNRESET or error == EPIPE else strerror(error).decode()


cdef class Connection:
    """One client. `deliver` queues a reply; it leaves with the next `Sockets.flush`."""

    def __init__(self, Sockets owner, object socket, str peer, Py_ssize_t request_bytes):
        self._sockets = owner
        self.socket = socket
        self.peer = peer
        self.frames = Frames(request_bytes)
        self.ending = ""
        self._fd = socket.fileno()
        self._out = []

    cpdef deliver(self, bytes reply):
        """Answer one of the calls in work."""
        self.in_work -= 1
        if not self.is_closed:
            self.queue(reply)

    def queue(self, bytes reply not None):
        """Queue bytes to be sent; none when nothing is to be said, which may still be what an ending waited for."""
        if PyBytes_GET_SIZE(reply):
            self._out.append(reply)
            self.unsent += PyBytes_GET_SIZE(reply)
            if PyBytes_GET_SIZE(reply) > self._largest:
                self._largest = PyBytes_GET_SIZE(reply)
        if not self._is_dirty:
            self._is_dirty = True
            self._sockets._dirty.append(self)

    def send(self, bytes data not None):
        """Send what nobody asked for, at once."""
        if not self.is_closed:
            self.queue(data)
            self._sockets.flush()


cdef class Sockets:
    """All connections of one listener.

    `receive(frame, connection)` returns a reply, or None when it will be delivered later, or raises NotJson; a reply
    without a byte answers nothing. `accepted(connection)`, if given, may set the connection's `client`, which is then
    told of the end by `closed()`;
    `begin()` and `end()` stand around the requests of one drain; `log(event, **fields)` is told what went wrong.
    `now` is the owner's clock in seconds, as of the current drain.
    """

    def __cinit__(self):
        self.epoll_fd = -1

    def __init__(self, listener, receive, begin, end, log, limits, accepted=None):
        self._accepted = accepted
        self._listener = listener
        self._receive = receive
        self._begin = begin
        self._end = end
        self._log = log
        self._limits = limits
        self._request_bytes = limits.request_bytes
        self._unsent_bytes = limits.unsent_bytes
        self._calls = limits.calls
        self._connection_limit = limits.connections
        self.connections = {}
        self.unfinished = set()
        self.blocked = set()
        self.counts = {"connections": 0, "dropped": 0, "requests": 0, "bytes_in": 0, "bytes_out": 0}
        self._dirty = []
        self._buffer = <unsigned char *>malloc(BUFFER_BYTES)
        self._events = malloc(EVENT_COUNT * sizeof(epoll_event))
        if self._buffer == NULL or self._events == NULL:
            raise MemoryError
        self.epoll_fd = epoll_create1(EPOLL_CLOEXEC)
        if self.epoll_fd < 0:
            raise OSError(errno, "epoll_create1")
        self._control(EPOLL_CTL_ADD, listener.fileno(), EPOLLIN)
        self.is_accepting = True

    def __dealloc__(self):
        free(self._buffer)
        free(self._events)
        if self.epoll_fd >= 0:
            c_close(self.epoll_fd)

    cdef int _control(self, int operation, int fd, unsigned int interest) except -1:
        cdef epoll_event event
        event.events = interest
        event.data.fd = fd
        if epoll_ctl(self.epoll_fd, operation, fd, &event) < 0:
            raise OSError(errno, "epoll_ctl")
        return 0

    def drain(self) -> int:
        """Serve every socket that is ready, once. Return how many were; 0 means that waiting is in order."""
        cdef epoll_event *events = <epoll_event *>self._events
        cdef int count, index, fd
        cdef unsigned int what
        cdef Connection connection
        count = epoll_wait(self.epoll_fd, events, EVENT_COUNT, 0)
        if count < 0:
            if errno == EINTR:
                return 0
            raise OSError(errno, "epoll_wait")
        if count == 0:
            return 0
        self._begin()
        for index in range(count):
            fd = events[index].data.fd
            what = events[index].events
            connection = self.connections.get(fd)
            if connection is None:
                if self.is_accepting and fd == self._listener.fileno():
                    self._accept()
                continue
            if what & EPOLLOUT:
                self._send(connection)
            if what & (EPOLLIN | EPOLLERR | EPOLLHUP) and not connection.is_closed:
                if connection._interest & EPOLLIN:
                    self._read(connection)
                elif what & (EPOLLERR | EPOLLHUP):
                    self._drop(connection, "the client is gone")
        self._end()
        self.flush()
        return count

    def flush(self):
        """Send what was queued since the last flush."""
        cdef Connection connection
        cdef list dirty
        while self._dirty:
            dirty = self._dirty
            self._dirty = []
            for connection in dirty:
                connection._is_dirty = False
                if not connection.is_closed:
                    self._send(connection)

    def resume_accepting(self):
        """Accept again after accepting has failed; the owner calls it now and then."""
        if not self.is_accepting and not self.is_stopping:
            self._control(EPOLL_CTL_ADD, self._listener.fileno(), EPOLLIN)
            self.is_accepting = True

    def stop_accepting(self):
        """Accept and read no more; calls in work are still answered."""
        self.is_stopping = True
        if self.is_accepting:
            self._control(EPOLL_CTL_DEL, self._listener.fileno(), 0)
            self.is_accepting = False
        for connection in list(self.connections.values()):
            self._end_reading(connection, "ended")

    def drop(self, Connection connection not None, str reason not None):
        """Close a connection at once, and log why."""
        self._drop(connection, reason)

    def close(self):
        """Close every connection and the epoll object."""
        for connection in list(self.connections.values()):
            self._drop(connection, "")
        if self.epoll_fd >= 0:
            c_close(self.epoll_fd)
            self.epoll_fd = -1

    cdef int _accept(self) except -1:
        cdef int _index
        for _index in range(ACCEPT_COUNT):
            try:
                client, address = self._listener.accept()
            except BlockingIOError:
                return 0
            except OSError as error:
                # Most likely out of descriptors: the listener would stay ready, so it is left alone for a while.
                self._log("a connection could not be accepted", error=str(error))
                self._control(EPOLL_CTL_DEL, self._listener.fileno(), 0)
                self.is_accepting = False
                return 0
            peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "local"
            if len(self.connections) >= self._connection_limit:
                self._log("a connection was refused, there are too many", peer=peer, limit=self._connection_limit)
                self.counts["dropped"] += 1
                client.close()
                continue
            client.setblocking(False)
            if client.family != sockets.AF_UNIX:
                client.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            connection = Connection(self, client, peer, self._request_bytes)
            (<Connection>connection)._interest = EPOLLIN
            self._control(EPOLL_CTL_ADD, client.fileno(), EPOLLIN)
            self.connections[client.fileno()] = connection
            self.counts["connections"] += 1
            if self._accepted is not None:
                self._accepted(connection)
        return 0

    cdef int _read(self, Connection connection) except -1:
        cdef Py_ssize_t size
        cdef list frames
        with nogil:
            size = c_recv(connection._fd, self._buffer, BUFFER_BYTES, MSG_DONTWAIT)
        if size < 0:
            if errno != EAGAIN and errno != EINTR:
                self._drop(connection, _reason_of(errno))
            return 0
        if size == 0:
            self._handle(connection, connection.frames.finish())
            self._end_reading(connection, "ended")
            return 0
        self.counts["bytes_in"] += size
        frames = connection.frames.take(self._buffer, size)
        if frames:
            self._handle(connection, frames)
        if connection.is_closed or connection.ending:
            return 0
        if connection.frames.error:
            if connection.frames.error.startswith("request larger"):
                connection.queue(b'{"id":null,"result":null,"error":"%b"}\n' % connection.frames.error.encode())
            self._end_reading(connection, connection.frames.error)
        elif connection.frames.held:
            if frames or connection not in self.unfinished:
                connection.since = self.now
                self.unfinished.add(connection)
        elif connection in self.unfinished:
            self.unfinished.discard(connection)
        return 0

    cdef int _handle(self, Connection connection, list frames) except -1:
        cdef bytes frame
        for frame in frames:
            self.counts["requests"] += 1
            connection.in_work += 1
            try:
                reply = self._receive(frame, connection)
            except NotJson:
                connection.in_work -= 1
                self._end_reading(connection, "not JSON")
                return 0
            if reply is not None:
                connection.in_work -= 1
                connection.queue(reply)
        if connection.in_work >= self._calls:
            self._watch(connection)
        return 0

    cdef int _send(self, Connection connection) except -1:
        cdef Py_ssize_t sent, size
        cdef bytes data
        cdef list out = connection._out
        cdef const char *start
        if out:
            data = <bytes>out[0] if len(out) == 1 else b"".join(out)
            size = PyBytes_GET_SIZE(data) - connection._sent_of_first
            start = PyBytes_AS_STRING(data) + connection._sent_of_first
            with nogil:
                sent = c_send(connection._fd, start, size, MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent < 0:
                if errno != EAGAIN and errno != EINTR:
                    self._drop(connection, _reason_of(errno))
                    return 0
                sent = 0
            self.counts["bytes_out"] += sent
            connection.unsent -= sent
            if sent == size:
                connection._out = []
                connection._sent_of_first = 0
                connection._largest = 0
                if connection in self.blocked:
                    self.blocked.discard(connection)
            else:
                connection._out = [data]
                connection._sent_of_first += sent
                if connection.unsent > self._unsent_bytes + connection._largest:
                    self._drop(connection, f"the client leaves more than {self._unsent_bytes} bytes unread")
                    return 0
                if sent or connection not in self.blocked:
                    connection.blocked_since = self.now
                    self.blocked.add(connection)
        if connection.ending and not connection._out and connection.in_work == 0:
            self._drop(connection, "" if connection.ending == "ended" else connection.ending)
            return 0
        return self._watch(connection)

    cdef int _watch(self, Connection connection) except -1:
        """Tell the kernel what this connection waits for."""
        cdef unsigned int interest = 0
        if not connection.ending and connection.unsent <= self._unsent_bytes // 2 and connection.in_work < self._calls:
            interest = EPOLLIN
        if connection._out:
            interest |= EPOLLOUT
        if interest == connection._interest:
            return 0
        if connection.frames.held and (interest ^ connection._interest) & EPOLLIN and not connection.ending:
            # The time in which we do not read is not the client's.
            if interest & EPOLLIN:
                connection.since = self.now
                self.unfinished.add(connection)
            else:
                self.unfinished.discard(connection)
        connection._interest = interest
        return self._control(EPOLL_CTL_MOD, connection._fd, interest)

    cdef int _end_reading(self, Connection connection, str reason) except -1:
        """Read no more; close once the calls in work are answered and the answers sent."""
        if connection.is_closed or connection.ending:
            return 0
        connection.ending = reason
        self.unfinished.discard(connection)
        if not connection._is_dirty:
            connection._is_dirty = True
            self._dirty.append(connection)
        return 0

    cdef int _drop(self, Connection connection, str reason) except -1:
        if connection.is_closed:
            return 0
        connection.is_closed = True
        del self.connections[connection._fd]
        self.unfinished.discard(connection)
        self.blocked.discard(connection)
        connection._out = []
        connection.unsent = 0
        connection.socket.close()
        if connection.client is not None:
            connection.client.closed()
        if reason:
            self.counts["dropped"] += 1
            self._log("a connection was closed", peer=connection.peer, reason=reason)
        return 0
