# cython: overflowcheck=False
# The check would hold instants and usages to 64 bits in one build only; who reads a request bounds them.
"""What the debit kernel asks of the world: prices, accounts, steps of free units.

Rules: what was found is kept until a table of the tariff or the settings have moved, which is looked at each time; what
is rare is asked of the subclass, in Python. Does not know: how a call is paid.
Benchmark: bench/workloads/charging.py; oracle: tests/oracle/debits.py.
"""

cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport INT64_MAX, int64_t

from cgrcore._fast.accounts cimport AccountBase
from cgrcore._fast.flatprices cimport FlatPrice, priced
from cgrcore._fast.tables cimport Table

from types import MemberDescriptorType

from cgrcore.errors import BadRequest, Refused

cdef extern from "structmember.h":
    ctypedef struct PyMemberDef:
        Py_ssize_t offset

cdef extern from "Python.h":
    ctypedef struct PyMemberDescrObject:
        PyMemberDef *d_member

#: Steps of free units remembered by rating subject, which clients make up. Beyond it all are forgotten.
cdef Py_ssize_t MOST_STEPS = 1024


@cython.no_gc
cdef class Ask:
    """A call, its fields read once. `start_at` moves on as the call is paid; `asked_ns` stays what was asked for."""

    cdef int read(self, Rules rules, call) except -1:
        """Take the fields of a `cgrcore.rating.Call`."""
        cdef char *base = <char *><PyObject *>call
        cdef Py_ssize_t *places = rules.places
        if type(call) is not rules.call_type:
            raise TypeError(f"expected a call, got {type(call).__name__}")
        self.call = call
        self.tenant = <str>(<PyObject **>(base + places[0]))[0]
        self.category = <str>(<PyObject **>(base + places[1]))[0]
        self.subject = <str>(<PyObject **>(base + places[2]))[0]
        self.account_name = <str>(<PyObject **>(base + places[3]))[0]
        self.destination = <str>(<PyObject **>(base + places[4]))[0]
        self.tor = <str>(<PyObject **>(base + places[5]))[0]
        self.start_at = <object>(<PyObject **>(base + places[6]))[0]
        self.asked_ns = <object>(<PyObject **>(base + places[7]))[0]
        self.offset_s = <object>(<PyObject **>(base + places[8]))[0]
        self.duration_index_ns = <object>(<PyObject **>(base + places[9]))[0]
        self.is_first = <object>(<PyObject **>(base + places[10]))[0]
        self.max_rate = <object>(<PyObject **>(base + places[11]))[0]
        self.end_at = self.start_at + self.asked_ns
        return 0


cdef class Rules:
    """One for a world; the subclass answers what is rare.

    `tariff_in_force()`; `flat_prices(tariff)`, None when a call's price takes a longer look; `rate(call, subject,
    start_at, usage_ns, duration_index_ns)` the spans of any call, subject None for the call's own; `step_of(subject)`
    the step of a `*zero` subject in ns, -1 for others; `choose(call, account, is_dry)` the units and the money that may
    pay; `is_active(balance, at, offset_s)` whether its timings allow a balance; `default_of(account)` the source of the
    default balance, made when it is missing; `count(call, accounts, parts)`, `settle(account)` and `announce(account)`
    what follows a change.
    """

    def __init__(self, world, call_type, Table accounts not None, Table destinations not None, Table plans not None,
                 Table profiles not None):
        self.world = world
        self.parts = world.parts
        self.accounts = accounts
        self.destinations = destinations
        self.plans = plans
        self.profiles = profiles
        self.destinations_version = -1
        self.learn(call_type)
        self.steps = {}

    cdef int learn(self, call_type) except -1:
        """Note where a call has its fields, as its descriptors tell: asking each time takes as long as a price."""
        cdef int field = 0
        cdef object slot
        for name in ("tenant", "category", "subject", "account", "destination", "tor", "start_at", "usage_ns",
                     "offset_s", "duration_index_ns", "is_first", "max_rate_nano"):
            slot = getattr(call_type, name)
            if type(slot) is not MemberDescriptorType:
                raise TypeError(f"a call has no slot for {name}")
            self.places[field] = (<PyMemberDescrObject *><PyObject *>slot).d_member.offset
            field += 1
        self.call_type = call_type
        return 0

    cdef int refresh(self) except -1:
        """Take over the tariff in force."""
        if (
            self.destinations_version == self.destinations.version
            and self.plans_version == self.plans.version
            and self.profiles_version == self.profiles.version
        ):
            return 0
        self.tariff = self.tariff_in_force()
        self.flat = self.flat_prices(self.tariff)
        self.limits = self.tariff.max_usage_ns
        self.limited_tor = None
        self.destinations_version = self.destinations.version
        self.plans_version = self.plans.version
        self.profiles_version = self.profiles.version
        return 0

    cdef int check_usage(self, Ask ask) except -1:
        """Raise what `cgrcore.rating.check_usage` does."""
        if ask.asked_ns < 0:
            raise BadRequest(f"negative usage: {ask.asked_ns}")
        cdef object limit
        if ask.tor != self.limited_tor:
            limit = self.limits.get(ask.tor, self.limits.get("*any"))
            self.limit = INT64_MAX if limit is None or limit > INT64_MAX else limit
            self.limited_tor = ask.tor
        if ask.asked_ns > self.limit:
            raise Refused("MAX_USAGE_EXCEEDED", subject="usage", subject_id=str(ask.asked_ns))
        return 0

    cdef AccountBase find_account(self, Ask ask):
        """The account a call is charged to. Raises Refused ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED."""
        cdef str account_id = f"{ask.tenant}:{ask.account_name or ask.subject}"
        cdef AccountBase account = self.accounts.find(account_id)
        if account is None:
            raise Refused("ACCOUNT_NOT_FOUND", subject="accounts", subject_id=account_id)
        if account.is_disabled:
            raise Refused("ACCOUNT_DISABLED", subject="accounts", subject_id=account_id)
        return account

    cdef list spans(self, Ask ask, str subject, int64_t start_at, int64_t usage, int64_t index_ns):
        """The rest of a call priced, by another subject if one is given."""
        cdef int64_t midnight_at
        cdef FlatPrice price
        if self.flat is not None:
            price = self.flat.find(ask.tenant, ask.category, ask.subject if subject is None else subject,
                                   ask.destination, ask.tor, start_at, usage, ask.offset_s, &midnight_at)
            if price is not None:
                return price.spans(start_at, usage, index_ns if index_ns > usage else usage, midnight_at)
        return [priced(span) for span in self.rate(ask.call, subject, start_at, usage, index_ns)]

    cdef int64_t zero_increment(self, str subject, str tor, bint is_unit) except -2:
        """The step of free units that a subject means, -1 when it is none; units have one by default."""
        cdef object step
        cdef object rals = (<dict>self.world.settings)["rals"]
        if rals is not self.rals:
            self.rals = rals
            self.defaults = rals["balance_rating_subject"]
            self.stepped_tor = None
        if is_unit and (not subject or subject == "*any"):
            if tor != self.stepped_tor:
                subject = self.defaults.get(tor or "*voice") or self.defaults.get("*any", "")
                self.default_step = self.step_of(subject)
                self.stepped_tor = tor
            return self.default_step
        step = self.steps.get(subject)
        if step is None:
            if len(self.steps) >= MOST_STEPS:
                self.steps.clear()
            step = self.steps[subject] = self.step_of(subject)
        return step

    cdef bint must_settle(self, AccountBase account) except -1:
        """True when more follows a change of the account than telling about it."""
        return bool(account.triggers) or account.has_expired(self.world.now_at)
