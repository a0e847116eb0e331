# cython: overflowcheck=False
# The check knows 64-bit integers only; amounts have 128 bits, and every product is one of an int64 count and a value within ±10^36.
"""The debit kernel: how far balances reach into a call, in closed form.

Rules: increments are counted by division, never walked; what is paid is written down as payments, runs of equal increments
paid by the same balances; an error undoes what was paid. Prices come from outside, as spans.
Does not know: which balances an event may use, tariffs, records of costs, storage.
"""

from libc.stdint cimport int64_t

from cgrcore._fast.accounts cimport AccountBase, Balance, int128, int128_of, int_of

from cgrcore.errors import CgrError, Refused

cdef int64_t NANO = 1000000000
#: Consumed units are rounded up to five decimals when a factor applies: one step in nano.
cdef int64_t FACTOR_STEP = 10000

cdef enum Cap:
    NONE = 0
    FREE = 1
    DISCONNECT = 2


cdef class Source:
    """A balance that may pay, and the account that owns it. `precision` is the length of the prefix it was chosen by."""

    def __cinit__(self, Balance balance, AccountBase account, int64_t precision=0):
        self.balance = balance
        self.account = account
        self.precision = precision


cdef class Payment:
    """`count` increments of `usage_ns`, each costing `cost_nano`, and what paid them.

    `unit` gave `unit_amount_nano` for each and held `unit_value_nano` after the last; `money` gave the cost and held
    `money_value_nano`. A subject is given when the balance was rated by one of its own.
    """

    @property
    def cost_nano(self):
        return int_of(self.cost)

    @property
    def unit_amount_nano(self):
        return int_of(self.unit_amount)

    @property
    def unit_value_nano(self):
        return int_of(self.unit_value)

    @property
    def money_value_nano(self):
        return int_of(self.money_value)


cdef class Part:
    """A stretch of the call that is paid: a span of the tariff, or of `free_units`, cut where the payer had no more."""


cdef inline int64_t reach(int128 value, int128 amount, int64_t count) noexcept nogil:
    """How many of `count` increments of `amount` a value pays."""
    cdef int128 times
    if amount <= 0:
        return count
    if value < amount:
        return 0
    times = value / amount
    return count if times > count else <int64_t>times


cdef class Debit:
    """One debit under way. `run` pays from balances, `overdraw` charges the rest to the default balance.

    `rate(subject, start_at, usage_ns, duration_index_ns)` returns spans, subject None for the call's own;
    `zero_increment(subject, is_unit)` the step of a `*zero` subject in ns, -1 for others; `is_active(balance, at)` tells
    whether its timings allow it; `touch(account)` is called before an account changes; `default_of()` returns the source of
    the default balance, made when it is missing.
    """

    cdef object rate, zero_increment, is_active, touch, default_of
    cdef list units, money
    cdef readonly list parts
    cdef readonly AccountBase account
    cdef readonly int64_t start_at, end_at, duration_index_ns
    cdef int128 cost_so_far
    cdef str factor_id
    cdef bint is_first, is_dry
    #: The connect fee went to the default balance, since no balance had it.
    cdef readonly bint is_fee_owed
    #: A cap that disconnects was reached.
    cdef readonly bint is_capped
    #: The accounts that changed.
    cdef readonly list touched
    cdef Payment fee

    def __init__(self, AccountBase account, list units, list money, *, rate, zero_increment, is_active, touch, default_of,
                 int64_t start_at, int64_t usage_ns, int64_t duration_index_ns, bint is_first, bint is_dry,
                 max_cost_so_far_nano, str factor_id):
        self.account = account
        self.units = units
        self.money = money
        self.rate = rate
        self.zero_increment = zero_increment
        self.is_active = is_active
        self.touch = touch
        self.default_of = default_of
        self.start_at = start_at
        self.end_at = start_at + usage_ns
        self.duration_index_ns = duration_index_ns
        self.is_first = is_first
        self.is_dry = is_dry
        self.cost_so_far = int128_of(max_cost_so_far_nano)
        self.factor_id = factor_id
        self.parts = []
        self.touched = []

    @property
    def is_covered(self):
        return self.start_at >= self.end_at

    @property
    def max_cost_so_far_nano(self):
        return int_of(self.cost_so_far)

    def run(self):
        """Pay from the balances as far as they reach. True when nothing more may be charged: all is paid, or a blocker says so.

        Units go before money; both are tried again while something was paid, since a balance may become active.
        Raises Refused INSUFFICIENT_CREDIT_BALANCE_BLOCKER, and what `rate` raises; then nothing was paid.
        """
        cdef bint progress = True, again
        cdef Source source
        cdef int kind
        cdef list sources
        try:
            while progress:
                progress = False
                for kind in range(2):
                    sources = self.units if kind == 0 else self.money
                    again = True
                    while again:
                        again = False
                        for source in sources:
                            if self.pay(source, kind == 0):
                                progress = again = True
                                if self.start_at >= self.end_at:
                                    return True
                            if self.is_capped:
                                return True
                            if source.balance.is_blocker:
                                if self.is_dry:
                                    return True
                                raise Refused("INSUFFICIENT_CREDIT_BALANCE_BLOCKER")
        except CgrError:
            self.undo()
            raise
        return False

    def undo(self):
        """Give back everything that was paid."""
        cdef Part part
        cdef Payment payment
        for part in self.parts:
            for payment in part.payments:
                if payment.unit is not None:
                    payment.unit.value += payment.unit_amount * payment.count
                if payment.money is not None:
                    payment.money.value += payment.cost * payment.count
        self.parts = []

    cdef int change(self, Source source) except -1:
        """Announce that a balance of an account changes."""
        source.balance.is_dirty = True
        if self.is_dry:
            return 0
        if source.account not in self.touched:
            self.touch(source.account)
            self.touched.append(source.account)
        return 0

    cdef bint pay(self, Source source, bint is_unit) except -1:
        cdef Balance balance = source.balance
        cdef int64_t step
        if balance.value <= 0 or balance.is_disabled:
            return False
        if balance.terms.timings is not None and not self.is_active(balance, self.start_at):
            return False
        step = -1
        if is_unit or balance.terms.rating_subject:
            step = self.zero_increment(balance.terms.rating_subject, is_unit)
        if step >= 0:
            return self.pay_units(source, step)
        return self.pay_rated(source, is_unit)

    cdef int64_t factor_of(self, Balance balance) except? -1:
        cdef object factors = balance.terms.factors
        if factors is None or self.factor_id is None:
            return NANO
        return factors.get(self.factor_id, NANO)

    cdef bint pay_units(self, Source source, int64_t step) except -1:
        """Pay with units that are worth their usage, in whole steps."""
        cdef Balance balance = source.balance
        cdef int64_t usage = self.end_at - self.start_at
        cdef int64_t count = (usage + step - 1) // step
        cdef int64_t extension = count * step - usage
        cdef int64_t factor = self.factor_of(balance)
        cdef int128 amount = units_of(step, factor)
        cdef int64_t paid = reach(balance.value, amount, count)
        cdef Payment payment
        cdef Part part
        if paid == 0:
            return False
        self.change(source)
        balance.value -= amount * paid
        payment = Payment.__new__(Payment)
        payment.usage_ns = step
        payment.count = paid
        payment.account_id = source.account.id
        payment.unit = balance
        payment.unit_amount = amount
        payment.unit_value = balance.value
        payment.factor_nano = factor
        part = Part.__new__(Part)
        part.free_units = balance
        part.start_at = self.start_at
        part.end_at = self.start_at + paid * step
        part.duration_index_ns = max(extension - (count - paid) * step, 0)
        part.increment_ns = step
        part.payments = [payment]
        self.parts.append(part)
        self.start_at = part.end_at
        return True

    cdef list spans_of(self, str subject):
        """Rate what is left. The usage index is raised to it, and stays so for what is rated after."""
        cdef int64_t usage = self.end_at - self.start_at
        if self.duration_index_ns < usage:
            self.duration_index_ns = usage
        return self.rate(subject, self.start_at, usage, self.duration_index_ns)

    cdef bint pay_rated(self, Source source, bint is_unit) except -1:
        """Pay spans of the tariff; with units too when the balance has units. The part that cannot be paid is left."""
        cdef Balance balance = source.balance
        cdef str subject = balance.terms.rating_subject or None
        cdef list spans = self.spans_of(subject)
        cdef object span, rating
        cdef list payments
        cdef int64_t count, paid
        cdef bint is_paid = False
        if not spans:
            return False
        if self.is_first and not self.parts:
            rating = spans[0].interval.rating
            if not self.pay_fee(int128_of(rating.connect_fee_nano), True):
                return False
        for span in spans:
            payments = self.take_fee()
            count = span.increment_count
            paid = self.pay_span(source, is_unit, subject, span, payments)
            # A span without increments is free.
            if payments or count == 0:
                self.add_part(span, payments, paid)
                is_paid = True
            if paid < count:
                break
        return is_paid

    cdef list take_fee(self):
        """Return the payments that a span begins with: the connect fee, once."""
        cdef list payments = [] if self.fee is None else [self.fee]
        self.fee = None
        return payments

    cdef int add_part(self, object span, list payments, int64_t paid) except -1:
        cdef Part part = Part.__new__(Part)
        cdef int64_t count = span.increment_count
        part.span = span
        part.start_at = span.start_at
        part.increment_ns = span.increment_ns
        part.duration_index_ns = span.duration_index_ns
        part.end_at = span.end_at
        if paid < count:
            part.end_at = part.start_at + paid * part.increment_ns
            part.duration_index_ns = max(part.duration_index_ns - (count - paid) * part.increment_ns, 0)
        part.payments = payments
        self.parts.append(part)
        self.start_at = part.end_at
        return 0

    cdef int64_t pay_span(self, Source source, bint is_unit, str subject, object span, list payments) except -1:
        """Pay a span's increments and return how many. A cap that disconnects counts only for what an account can afford."""
        cdef object rating = span.interval.rating
        cdef int64_t count = span.increment_count
        cdef int128 cost = int128_of(span.increment_cost_nano)
        cdef int64_t usage = span.increment_ns
        cdef int64_t before = count, paid
        cdef Cap cap = cap_of(rating.max_cost_strategy)
        cdef int128 left
        if cap == Cap.DISCONNECT and not self.is_dry:
            cap = Cap.NONE
        if cap != Cap.NONE:
            left = int128_of(rating.max_cost_nano) - self.cost_so_far
            if left <= 0:
                before = 0
            elif cost > 0:
                before = reach(left + cost - 1, cost, count)
        paid = self.pay_run(source, is_unit, subject, usage, cost, before, payments)
        if paid < before or paid == count:
            return paid
        if cap == Cap.FREE:
            payments.append(free_payment(source, usage, count - paid, subject))
            return count
        self.is_capped = True
        return paid

    cdef int64_t pay_run(self, Source source, bint is_unit, str subject, int64_t usage, int128 cost, int64_t count,
                         list payments) except -1:
        """Pay up to `count` equal increments and return how many."""
        cdef Balance balance = source.balance
        cdef Payment payment
        cdef int64_t paid
        if count == 0:
            return 0
        if is_unit:
            return self.pay_mixed(source, subject, usage, cost, count, payments)
        paid = reach(balance.value, cost, count)
        if paid == 0:
            return 0
        self.change(source)
        balance.value -= cost * paid
        self.cost_so_far += cost * paid
        payment = money_payment(source, usage, cost, paid)
        payment.money_subject = subject
        payments.append(payment)
        return paid

    cdef int64_t pay_mixed(self, Source source, str subject, int64_t usage, int128 cost, int64_t count,
                           list payments) except -1:
        """Pay increments with units, and their price with money: the first money balance that has it, else the default one."""
        cdef Balance balance = source.balance
        cdef int64_t factor = self.factor_of(balance)
        cdef int128 amount = units_of(usage, factor)
        cdef int64_t left = reach(balance.value, amount, count), total = 0, paid
        cdef Source payer
        cdef Payment payment
        while left > 0:
            payer = None
            paid = left
            if cost != 0:
                payer = self.payer_of(cost)
                if payer is None:
                    break
                if payer.balance.value >= cost:
                    paid = reach(payer.balance.value, cost, left)
                self.change(payer)
                payer.balance.value -= cost * paid
                self.cost_so_far += cost * paid
                payment = money_payment(payer, usage, cost, paid)
            else:
                payment = Payment.__new__(Payment)
                payment.usage_ns = usage
                payment.count = paid
            self.change(source)
            balance.value -= amount * paid
            payment.account_id = source.account.id
            payment.unit = balance
            payment.unit_amount = amount
            payment.unit_value = balance.value
            payment.factor_nano = factor
            payment.unit_subject = balance.terms.rating_subject
            payments.append(payment)
            left -= paid
            total += paid
        return total

    cdef Source payer_of(self, int128 cost):
        """The money balance that pays the price of an increment; the default one in debt when none can and debts are allowed."""
        cdef Source source
        for source in self.money:
            if source.balance.value >= cost:
                return source
        if not self.is_dry or self.account.allow_negative:
            return self.default_of()
        return None

    cdef bint pay_fee(self, int128 fee, bint heeds_blockers) except -1:
        """Pay the connect fee whole from the first balance that has it, else from the default one. False when a blocker forbids.

        Its payment is left in `fee`.
        """
        cdef Source source
        for source in self.money:
            if source.balance.value >= fee and (
                source.balance.terms.timings is None or self.is_active(source.balance, self.start_at)
            ):
                break
            if source.balance.is_blocker and heeds_blockers:
                return False
        else:
            source = None
        if fee <= 0:
            return True
        if source is None:
            source = self.default_of()
            self.is_fee_owed = True
        self.change(source)
        source.balance.value -= fee
        self.fee = money_payment(source, 0, fee, 1)
        return True

    def overdraw(self, bint may_go_negative):
        """Charge what is left to the default balance, below zero if need be; what costs nothing is charged in any case.

        Raises what `rate` raises; then nothing was paid.
        """
        cdef list spans, payments
        cdef object span
        cdef int128 total = 0, fee, cost
        cdef int64_t count
        cdef Source source
        try:
            spans = self.spans_of(None)
        except CgrError:
            self.undo()
            raise
        if not spans:
            return
        fee = int128_of(spans[0].interval.rating.connect_fee_nano) if self.is_first else 0
        for span in spans:
            total += int128_of(span.increment_cost_nano) * <int64_t>span.increment_count
        if total + fee == 0:
            for span in spans:
                self.add_part(span, [unpaid(self.account.id, span)], span.increment_count)
            return
        if total + fee < 0 or not may_go_negative:
            return
        if fee > 0 and not self.parts:
            self.pay_fee(fee, False)
        source = self.default_of()
        self.change(source)
        for span in spans:
            payments = self.take_fee()
            count = span.increment_count
            cost = int128_of(span.increment_cost_nano)
            source.balance.value -= cost * count
            payments.append(money_payment(source, span.increment_ns, cost, count))
            self.add_part(span, payments, count)


cdef Cap cap_of(object strategy):
    if not strategy:
        return Cap.NONE
    if strategy == "*free":
        return Cap.FREE
    return Cap.DISCONNECT if strategy == "*disconnect" else Cap.NONE


cdef inline int128 units_of(int64_t usage, int64_t factor) noexcept nogil:
    """The units that an increment takes, in nano; with a factor rounded up to five decimals."""
    cdef int128 amount = <int128>usage * factor
    cdef int128 rest
    if factor == NANO:
        return amount
    rest = amount % FACTOR_STEP
    if rest > 0:
        amount += FACTOR_STEP - rest
    return amount


cdef Payment money_payment(Source source, int64_t usage, int128 cost, int64_t count):
    cdef Payment payment = Payment.__new__(Payment)
    payment.usage_ns = usage
    payment.count = count
    payment.cost = cost
    payment.account_id = source.account.id
    payment.money = source.balance
    payment.money_value = source.balance.value
    return payment


cdef Payment free_payment(Source source, int64_t usage, int64_t count, str subject):
    cdef Payment payment = money_payment(source, usage, 0, count)
    payment.money_subject = subject
    return payment


cdef Payment unpaid(str account_id, object span):
    """Increments that cost nothing and that no balance paid."""
    cdef Payment payment = Payment.__new__(Payment)
    payment.usage_ns = span.increment_ns
    payment.count = span.increment_count
    payment.account_id = account_id
    return payment
