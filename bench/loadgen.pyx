# cython: boundscheck=False, wraparound=False, initializedcheck=False
# Directives: indexes stay within the arrays allocated for the lanes and templates of the run. This is the benchmark
# itself.
"""A load generator: asks in lanes, each with one question in flight, and takes the time of every answer.

A connection carries `depth` lanes; a lane sends the requests of its cycle one after the other, each once the answer to
the one before has come, and then begins the cycle anew. In a template `@LANE@` (6 bytes) becomes the lane's number and
`@CYCLE@@@@` (10 bytes) the number of the cycle, unique over the run; the id must be the text `"@LANE@"`, by which
answers that overtake each other find their lane. Every answer is checked: it must hold the text its template expects.

Closed loop: a lane asks as soon as it may. Open loop (`rate` above 0): questions fall due at even intervals whatever
the server does, and the time of an answer counts from when its question was due, so that a stall shows in all it
delayed. Rules: one thread, no Python in the loop. Does not know: what the requests mean.
"""

import socket
from dataclasses import dataclass

from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset

cdef extern from "string.h" nogil:
    void *memmem(const void *haystack, size_t size, const void *needle, size_t needle_size)

cdef extern from "time.h" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec *out)
    int CLOCK_MONOTONIC

cdef extern from "sys/epoll.h" nogil:
    ctypedef union epoll_data_t:
        int fd
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int fd, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int size, int timeout_ms)
    int EPOLL_CTL_ADD
    unsigned int EPOLLIN

cdef extern from "sys/socket.h" nogil:
    Py_ssize_t recv(int fd, void *buffer, size_t size, int flags)
    Py_ssize_t send(int fd, const void *buffer, size_t size, int flags)
    int MSG_NOSIGNAL

cdef extern from "unistd.h" nogil:
    int c_close "close"(int fd)

cdef enum:
    REPLY_BYTES = 1 << 20
    OUT_BYTES = 1 << 20
    FINE_COUNT = 100000      # times in steps of a microsecond
    COARSE_COUNT = 60000     # and above 0.1 s in steps of a millisecond
    LANE_DIGITS = 6
    CYCLE_DIGITS = 10


@dataclass(frozen=True)
class Template:
    """One request of a cycle, and the text its answer must hold."""

    request: bytes
    expect: bytes = b'"error":null'


@dataclass(frozen=True)
class Outcome:
    """What a run found. Times are in microseconds, from question (or when it was due) to answer."""

    answered: int
    wrong: int
    first_wrong: str
    elapsed_s: float
    p50_us: float
    p90_us: float
    p99_us: float
    p999_us: float
    max_us: float

    @property
    def per_second(self) -> float:
        return self.answered / self.elapsed_s


cdef struct Request:
    uint8_t *text
    int size
    int lane_at[4]
    int lane_count
    int cycle_at[8]
    int cycle_count
    const char *expect
    int expect_size


cdef struct Lane:
    int connection
    int step
    int64_t cycle
    int64_t asked_ns
    bint is_busy


cdef struct Wire:
    int fd
    int first_step       # where this connection's cycle lies among all requests
    int step_count
    int held
    int unsent
    uint8_t *inbox
    uint8_t *outbox


cdef inline int64_t now_ns() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_MONOTONIC, &t)
    return <int64_t>t.tv_sec * 1000000000 + t.tv_nsec


cdef inline void write_digits(uint8_t *at, int64_t value, int count) noexcept nogil:
    cdef int index
    for index in range(count - 1, -1, -1):
        at[index] = 48 + value % 10
        value //= 10


cdef class _Run:
    cdef Request *requests
    cdef int request_count
    cdef Lane *lanes
    cdef int lane_count
    cdef Wire *wires
    cdef int wire_count
    cdef int epoll_fd
    cdef int *by_fd
    cdef int fd_limit
    cdef int64_t next_cycle
    cdef int64_t answered
    cdef int64_t wrong
    cdef int64_t fine[FINE_COUNT]
    cdef int64_t coarse[COARSE_COUNT]
    cdef int64_t longest_ns
    cdef bytes first_wrong
    cdef list keep

    def __dealloc__(self):
        cdef int index
        if self.wires != NULL:
            for index in range(self.wire_count):
                free(self.wires[index].inbox)
                free(self.wires[index].outbox)
        if self.requests != NULL:
            for index in range(self.request_count):
                free(self.requests[index].text)
        free(self.wires)
        free(self.requests)
        free(self.lanes)
        free(self.by_fd)
        if self.epoll_fd > 0:
            c_close(self.epoll_fd)

    def __init__(self, sockets, cycles, int depth):
        cdef int index, lane, total = 0
        cdef epoll_event event
        self.keep = []
        self.wire_count = len(sockets)
        self.lane_count = depth * self.wire_count
        self.wires = <Wire *>calloc(self.wire_count, sizeof(Wire))
        self.lanes = <Lane *>calloc(self.lane_count, sizeof(Lane))
        self.request_count = sum(len(cycle) for cycle in cycles)
        self.requests = <Request *>calloc(self.request_count, sizeof(Request))
        self.fd_limit = max(s.fileno() for s in sockets) + 1
        self.by_fd = <int *>calloc(self.fd_limit, sizeof(int))
        self.epoll_fd = epoll_create1(0)
        for index, (sock, cycle) in enumerate(zip(sockets, cycles)):
            self.wires[index].fd = sock.fileno()
            self.wires[index].first_step = total
            self.wires[index].step_count = len(cycle)
            self.wires[index].inbox = <uint8_t *>malloc(REPLY_BYTES)
            self.wires[index].outbox = <uint8_t *>malloc(OUT_BYTES)
            self.by_fd[sock.fileno()] = index
            for template in cycle:
                self._load(&self.requests[total], template)
                total += 1
            event.events = EPOLLIN
            event.data.fd = sock.fileno()
            epoll_ctl(self.epoll_fd, EPOLL_CTL_ADD, sock.fileno(), &event)
            for lane in range(depth):
                self.lanes[index * depth + lane].connection = index

    cdef int _load(self, Request *request, object template) except -1:
        cdef bytes text = template.request, expect = template.expect
        cdef Py_ssize_t at
        if b'"id":"@LANE@"' not in text:
            raise ValueError('a template needs "id":"@LANE@"')
        self.keep.append(expect)
        request.size = len(text)
        request.text = <uint8_t *>malloc(len(text))
        memcpy(request.text, <const char *>text, len(text))
        request.expect = expect
        request.expect_size = len(expect)
        at = text.find(b"@LANE@")
        while at >= 0 and request.lane_count < 4:
            request.lane_at[request.lane_count] = at
            request.lane_count += 1
            at = text.find(b"@LANE@", at + 1)
        at = text.find(b"@CYCLE@@@@")
        while at >= 0 and request.cycle_count < 8:
            request.cycle_at[request.cycle_count] = at
            request.cycle_count += 1
            at = text.find(b"@CYCLE@@@@", at + 1)
        return 0

    cdef int _ask(self, int index, int64_t due_ns) noexcept nogil:
        """Put the lane's next question in its connection's outbox; -1 when that is full."""
        cdef Lane *lane = &self.lanes[index]
        cdef Wire *wire = &self.wires[lane.connection]
        cdef Request *request = &self.requests[wire.first_step + lane.step]
        cdef uint8_t *at = wire.outbox + wire.unsent
        cdef int place
        if wire.unsent + request.size > OUT_BYTES:
            return -1
        if lane.step == 0:
            lane.cycle = self.next_cycle
            self.next_cycle += 1
        memcpy(at, request.text, request.size)
        for place in range(request.lane_count):
            write_digits(at + request.lane_at[place], index, LANE_DIGITS)
        for place in range(request.cycle_count):
            write_digits(at + request.cycle_at[place], lane.cycle, CYCLE_DIGITS)
        wire.unsent += request.size
        lane.is_busy = True
        lane.asked_ns = due_ns
        return 0

    cdef int _flush(self, Wire *wire) noexcept nogil:
        cdef Py_ssize_t sent
        if wire.unsent == 0:
            return 0
        sent = send(wire.fd, wire.outbox, wire.unsent, MSG_NOSIGNAL)
        if sent < 0:
            return 0 if errno == EAGAIN or errno == EINTR else -1
        if sent < wire.unsent:
            memmove(wire.outbox, wire.outbox + sent, wire.unsent - sent)
        wire.unsent -= sent
        return 0

    cdef int _answer(self, const uint8_t *line, Py_ssize_t size, int64_t at_ns) noexcept nogil:
        """Take one answer; return its lane, -1 when it names none."""
        cdef int index = 0, digit
        cdef Lane *lane
        cdef Request *request
        cdef int64_t took_ns
        if size < 16 or memcmp(line, b'{"id":"', 7) != 0:
            return -1
        for digit in range(LANE_DIGITS):
            index = index * 10 + (line[7 + digit] - 48)
        if index < 0 or index >= self.lane_count or not self.lanes[index].is_busy:
            return -1
        lane = &self.lanes[index]
        request = &self.requests[self.wires[lane.connection].first_step + lane.step]
        took_ns = at_ns - lane.asked_ns
        lane.is_busy = False
        lane.step = (lane.step + 1) % self.wires[lane.connection].step_count
        self.answered += 1
        if took_ns > self.longest_ns:
            self.longest_ns = took_ns
        if took_ns < FINE_COUNT * 1000:
            self.fine[took_ns // 1000] += 1
        elif took_ns < <int64_t>COARSE_COUNT * 1000000:
            self.coarse[took_ns // 1000000] += 1
        else:
            self.coarse[COARSE_COUNT - 1] += 1
        if memmem(line, size, request.expect, request.expect_size) == NULL:
            self.wrong += 1
            if self.wrong == 1:
                with gil:
                    self.first_wrong = line[:size]
        return index

    cdef int _read(self, Wire *wire, int64_t *due_ns, int64_t step_ns) noexcept nogil:
        """Take the answers that have come, and let their lanes ask again (or wait until a question is due)."""
        cdef Py_ssize_t got, at = 0
        cdef uint8_t *end
        cdef int lane
        cdef int64_t at_ns
        got = recv(wire.fd, wire.inbox + wire.held, REPLY_BYTES - wire.held, 0)
        if got < 0:
            return 0 if errno == EAGAIN or errno == EINTR else -1
        if got == 0:
            return -1
        at_ns = now_ns()
        wire.held += got
        while True:
            end = <uint8_t *>memchr(wire.inbox + at, 10, wire.held - at)
            if end == NULL:
                break
            lane = self._answer(wire.inbox + at, end - (wire.inbox + at), at_ns)
            if lane < 0:
                return -1
            at = end - wire.inbox + 1
            if step_ns == 0:
                self._ask(lane, at_ns)
            elif due_ns[0] <= at_ns:
                self._ask(lane, due_ns[0])
                due_ns[0] += step_ns
        wire.held -= at
        if at:
            memmove(wire.inbox, wire.inbox + at, wire.held)
        return self._flush(wire)

    cdef int _loop(self, int64_t until_ns, int64_t *due_ns, int64_t step_ns) noexcept nogil:
        """Ask and take answers until then; -1 when a connection was lost."""
        cdef epoll_event events[256]
        cdef int count, index, wire
        cdef int64_t at_ns
        while True:
            at_ns = now_ns()
            if at_ns >= until_ns:
                return 0
            if step_ns:
                for index in range(self.lane_count):
                    if due_ns[0] > at_ns:
                        break
                    if not self.lanes[index].is_busy:
                        self._ask(index, due_ns[0])
                        self._flush(&self.wires[self.lanes[index].connection])
                        due_ns[0] += step_ns
            count = epoll_wait(self.epoll_fd, events, 256, 0 if step_ns else 10)
            for index in range(count):
                wire = self.by_fd[events[index].data.fd]
                if self._read(&self.wires[wire], due_ns, step_ns) < 0:
                    return -1
            for wire in range(self.wire_count):
                if self.wires[wire].unsent and self._flush(&self.wires[wire]) < 0:
                    return -1

    cdef void _forget(self) noexcept nogil:
        self.answered = 0
        self.longest_ns = 0
        memset(self.fine, 0, sizeof(self.fine))
        memset(self.coarse, 0, sizeof(self.coarse))

    def go(self, double warm_up_s, double seconds, double rate) -> Outcome:
        cdef int64_t start_ns = now_ns(), due_ns = start_ns, step_ns = 0, warm_ns, until_ns
        cdef int index, status
        if rate > 0:
            step_ns = max(<int64_t>(1e9 / rate), 1)
        else:
            for index in range(self.lane_count):
                self._ask(index, start_ns)
        warm_ns = start_ns + <int64_t>(warm_up_s * 1e9)
        with nogil:
            status = self._loop(warm_ns, &due_ns, step_ns)
        if status == 0:
            self._forget()
            start_ns = now_ns()
            until_ns = start_ns + <int64_t>(seconds * 1e9)
            with nogil:
                status = self._loop(until_ns, &due_ns, step_ns)
        if status < 0:
            raise ConnectionError("the server closed a connection, or an answer named no lane")
        elapsed_ns = now_ns() - start_ns
        return Outcome(
            answered=self.answered,
            wrong=self.wrong,
            first_wrong=(self.first_wrong or b"").decode("utf-8", "replace"),
            elapsed_s=elapsed_ns / 1e9,
            p50_us=self._percentile(0.5),
            p90_us=self._percentile(0.9),
            p99_us=self._percentile(0.99),
            p999_us=self._percentile(0.999),
            max_us=self.longest_ns / 1e3,
        )

    def _percentile(self, double share) -> float:
        cdef int64_t seen = 0, wanted = <int64_t>(self.answered * share)
        cdef int index
        for index in range(FINE_COUNT):
            seen += self.fine[index]
            if seen > wanted:
                return index + 0.5
        for index in range(COARSE_COUNT):
            seen += self.coarse[index]
            if seen > wanted:
                return index * 1000.0
        return self.longest_ns / 1e3


def run(
    address: tuple[str, int],
    cycles: list[list[Template]],
    *,
    depth: int = 1,
    seconds: float = 2.0,
    warm_up_s: float = 0.3,
    rate: float = 0.0,
) -> Outcome:
    """Open one connection for each cycle, load the server, and return what was found.

    `depth` lanes a connection; `rate` questions a second over all of them (0: closed loop). Raises OSError when the
    server cannot be reached or closes a connection, ValueError for a template without the lane as its id.
    """
    sockets = []
    try:
        for _ in cycles:
            sock = socket.create_connection(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            sockets.append(sock)
        return _Run(sockets, cycles, depth).go(warm_up_s, seconds, rate)
    finally:
        for sock in sockets:
            sock.close()
