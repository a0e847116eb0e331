# cython: overflowcheck=False
# The check knows 64-bit integers only; amounts have 128 bits. `times` and `later` check what could leave its range.
"""Calls that one balance pays for, as nearly always: no list of balances, no payments until somebody reads them.

Rules: what is found is what the kernel in general would do; when another balance could come first, when more than one
pays, or when more must be known of the call, nothing is found. Finding it changes nothing.
Does not know: how balances share a call. Benchmark: bench/workloads/charging.py; oracle: tests/oracle/debits.py.
"""

from libc.stdint cimport int64_t

cimport cython

from cgrcore._fast.accounts cimport Balance, int128_of, int_of, note_value
from cgrcore._fast.flatprices cimport CAP_NONE, FlatPrice, PricedSpan
from cgrcore._fast.payments cimport Part, Payment, Source, heaviest, later, money_payment, reach, units_of
from cgrcore._fast.rules cimport Ask

cdef int64_t NANO = 1000000000


@cython.no_gc
cdef class Sole(Ask):
    """A call, the account it is charged to, and the one balance that pays for it, if there is such a one."""

    cdef int read_rest(self) except -1:
        """Take the fields of the call that few debits need."""
        cdef dict extra_fields = self.call.extra_fields
        self.cost_so_far = int128_of(self.call.max_cost_so_far_nano)
        if extra_fields:
            self.factor_id = extra_fields.get("BalanceFactorID")
        return 0

    cdef int64_t factor_of(self, Balance balance) except? -1:
        cdef object factors = balance.terms.factors
        if factors is None or self.factor_id is None:
            return NANO
        return factors.get(self.factor_id, NANO)

    cdef bint make_plan(self) except -1:
        """Find the one balance that pays for all, where no other could come first; False when that takes a longer look.

        Nothing changes. What is found is what `run` would do.
        """
        cdef bint is_plain = True
        cdef str tor = self.tor or "*voice"
        cdef Balance units = heaviest(self.account, tor, self.start_at, None, &is_plain)
        cdef Balance money
        if self.start_at >= self.end_at:
            return False
        if is_plain and tor != "*monetary" and tor != "*generic":
            units = heaviest(self.account, "*generic", self.start_at, units, &is_plain)
        if not is_plain:
            return False
        money = heaviest(self.account, "*monetary", self.start_at, None, &is_plain)
        if not is_plain:
            return False
        if units is not None:
            return self.plan_units(units)
        return money is not None and self.plan_money(money)

    cdef bint plan_units(self, Balance units) except -1:
        cdef int64_t usage = self.end_at - self.start_at, step, count
        if units.value <= 0 or units.terms.timings is not None:
            return False
        step = self.rules.zero_increment(units.terms.rating_subject, self.tor, True)
        if step < 0:
            return False
        count = usage // step + (1 if usage % step else 0)
        self.read_rest()
        self.sole_factor = self.factor_of(units)
        self.sole_each = units_of(step, self.sole_factor)
        if reach(units.value, self.sole_each, count) < count:
            return False
        self.sole = units
        self.plan = PLAN_UNITS
        self.stretch.increment = step
        self.stretch.count = count
        self.stretch.end_at = later(self.start_at, step, count)
        self.stretch.index_ns = step - usage % step if usage % step else 0
        return True

    cdef bint plan_money(self, Balance money) except -1:
        cdef int64_t usage = self.end_at - self.start_at, midnight_at
        cdef FlatPrice price
        if money.value <= 0 or money.terms.timings is not None or money.terms.rating_subject or self.rules.flat is None:
            return False
        price = self.rules.flat.find(self.tenant, self.category, self.subject, self.destination, self.tor,
                                     self.start_at, usage, self.offset_s, &midnight_at)
        if price is None or price.terms.cap != CAP_NONE:
            return False
        if not price.single(self.start_at, usage, max(self.duration_index_ns, usage), midnight_at, &self.stretch):
            return False
        self.terms = price.terms
        self.sole_fee = self.terms.fee if self.is_first else 0
        self.sole_each = self.stretch.cost
        if self.sole_fee < 0 or self.sole_each < 0 or money.value < self.sole_fee:
            return False
        if reach(money.value - self.sole_fee, self.sole_each, self.stretch.count) < self.stretch.count:
            return False
        self.sole = money
        self.plan = PLAN_MONEY
        return True

    cdef int follow_plan(self) except -1:
        """Have the one balance pay for all."""
        note_value(self.rules.accounts, self.account, self.sole)
        self.sole.is_dirty = True
        self.sole.value -= self.sole_fee + self.sole_each * self.stretch.count
        self.sole_held = self.sole.value
        self.start_at = self.stretch.end_at
        return 0

    cdef int write_down(self) except -1:
        """Make the payments of what one balance paid."""
        cdef Source source = Source.__new__(Source)
        cdef Payment payment
        cdef Part part = Part.__new__(Part)
        cdef int64_t start_at = self.stretch.end_at - self.stretch.increment * self.stretch.count
        source.balance = self.sole
        source.account = self.account
        part.start_at = start_at
        part.end_at = self.stretch.end_at
        part.increment_ns = self.stretch.increment
        part.duration_index_ns = self.stretch.index_ns
        part.payments = []
        self.made = []
        self.changed = [self.account]
        self.paid = [part]
        payment = money_payment(source, self.stretch.increment, self.sole_each, self.stretch.count)
        payment.money_value = self.sole_held
        if self.plan == PLAN_UNITS:
            payment.unit, payment.money = self.sole, None
            payment.unit_amount, payment.cost = self.sole_each, 0
            payment.unit_value, payment.money_value = self.sole_held, 0
            payment.factor_nano = self.sole_factor
            part.free_units = self.sole
        else:
            part.span = self.whole_span(start_at)
            if self.sole_fee > 0:
                part.payments.append(self.fee_payment(source))
        part.payments.append(payment)
        self.made.extend(part.payments)
        return 0

    cdef Payment fee_payment(self, Source source):
        cdef Payment payment = money_payment(source, 0, self.sole_fee, 1)
        payment.money_value = self.sole_held + self.sole_each * self.stretch.count
        return payment

    cdef PricedSpan whole_span(self, int64_t start_at):
        cdef PricedSpan span = PricedSpan.__new__(PricedSpan)
        span.start_at = start_at
        span.end_at = self.stretch.end_at
        span.duration_index_ns = self.stretch.index_ns
        span.increment_ns = self.stretch.increment
        span.increment_count = self.stretch.count
        span.cost = self.stretch.cost
        span.terms = self.terms
        return span

    @property
    def parts(self):
        if self.paid is None:
            self.write_down()
        return self.paid

    @property
    def touched(self):
        if self.changed is None:
            self.write_down()
        return self.changed

    def only(self):
        """Return what one balance paid for the whole call, None when there is more to tell.

        A tuple: the balance, whether it gave units, the terms of its price (None for units), the usage of a step (ns),
        its cost or its units (nano), how many steps, the connect fee (nano), the factor of units (nano), and when what
        was paid for begins and ends.
        """
        if self.plan == PLAN_NONE:
            return None
        return (
            self.sole,
            self.plan == PLAN_UNITS,
            self.terms,
            self.stretch.increment,
            int_of(self.sole_each),
            self.stretch.count,
            int_of(self.sole_fee),
            self.sole_factor,
            self.stretch.end_at - self.stretch.increment * self.stretch.count,
            self.stretch.end_at,
        )
