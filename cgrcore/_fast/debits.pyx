# cython: overflowcheck=False
# The check knows 64-bit integers only; amounts have 128 bits. `times` and `later` check what could leave its range.
"""The debit kernel: how far balances reach into a call, in closed form.

Rules: increments are counted by division, never walked; what is paid is written down as payments, runs of equal
increments paid by the same balances; an error undoes what was paid. Prices come from outside, as spans.
Does not know: which balances an event may use, tariffs, records of costs, storage.
"""

from libc.stdint cimport int64_t

cimport cython

from cgrcore._fast.accounts cimport AccountBase, Balance, int128, int_of
from cgrcore._fast.flatprices cimport CAP_DISCONNECT, CAP_FREE, CAP_NONE, Cap, PricedSpan
from cgrcore._fast.payments cimport (
    Part,
    Payment,
    Source,
    add_plain,
    free_payment,
    later,
    money_payment,
    reach,
    times,
    units_of,
    unpaid,
)
from cgrcore._fast.rules cimport Rules
from cgrcore._fast.soles cimport Sole

from cgrcore.errors import CgrError, Refused


@cython.no_gc
cdef class Debit(Sole):
    """One debit under way, then the record of what it did. `run` pays from balances, `overdraw` charges the rest to the
    default balance, `conclude` does what follows a change; where one balance pays for all, `follow_plan` does instead.

    `account` is the one that is charged: in a dry run a copy, or as it was before, if it is to be undone.
    """

    cdef list units, money
    #: The connect fee went to the default balance, since no balance had it.
    cdef readonly bint is_fee_owed
    #: A cap that disconnects was reached.
    cdef readonly bint is_capped
    #: The default balance was asked to pay what others could not.
    cdef readonly bint is_default_asked
    #: A rate had a cap that disconnects.
    cdef readonly bint has_cap
    cdef object money_before
    cdef bint had_money_type
    #: A balance that blocks could not pay all.
    cdef readonly bint is_blocked
    cdef Payment fee
    #: What the account's balances held before, once that cannot be told from the payments any more.
    cdef dict held

    cdef int choose(self) except -1:
        """Find the balances that may pay."""
        self.read_rest()
        self.paid = []
        self.changed = []
        self.made = []
        self.units = []
        self.money = []
        if not self.choose_plainly():
            self.units, self.money = self.rules.choose(self.call, self.account, self.is_dry)
        return 0

    cdef bint choose_plainly(self) except -1:
        """False when a balance asks for a destination, a category or a shared group: then more must be known."""
        cdef str tor = self.tor or "*voice"
        if not add_plain(self.account, tor, self.start_at, self.units):
            return False
        if tor != "*monetary" and tor != "*generic":
            if not add_plain(self.account, "*generic", self.start_at, self.units):
                return False
        return add_plain(self.account, "*monetary", self.start_at, self.money)

    @property
    def is_covered(self):
        return self.start_at >= self.end_at

    @property
    def max_cost_so_far_nano(self):
        return int_of(self.cost_so_far)

    cpdef bint run(self) except -1:
        """Pay from the balances as far as they reach. True when nothing more may be charged: all is paid, or blocked.

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
                                self.is_blocked = True
                                if self.is_dry:
                                    return True
                                raise Refused("INSUFFICIENT_CREDIT_BALANCE_BLOCKER")
        except CgrError:
            self.undo()
            raise
        return False

    cpdef undo(self):
        """Give back everything that was paid."""
        cdef Payment payment
        for payment in self.made:
            if payment.unit is not None:
                payment.unit.value += payment.unit_amount * payment.count
            if payment.money is not None:
                payment.money.value += payment.cost * payment.count
        if self.is_default_asked:
            if self.money_before is not None or self.had_money_type:
                self.account.balances["*monetary"] = self.money_before
            else:
                self.account.balances.pop("*monetary", None)
            self.is_default_asked = False
        self.made = []
        self.paid = []

    cdef int change(self, Source source) except -1:
        """Announce that a balance changes."""
        if self.is_dry:
            return 0
        self.touch(source.account)
        source.balance.is_dirty = True
        return 0

    cdef int touch(self, AccountBase owner) except -1:
        """Announce that an account changes, once."""
        if self.is_dry:
            return 0
        cdef AccountBase account
        for account in self.changed:
            if account is owner:
                return 0
        self.rules.accounts.edit(owner.id)
        self.changed.append(owner)
        return 0

    cdef Source default_source(self):
        """The balance that goes into debt. That it was asked for is noted, and how the money was without it."""
        cdef object group = self.account.balances.get("*monetary")
        cdef bint had_type = "*monetary" in self.account.balances
        cdef Source source
        self.touch(self.account)
        source = self.rules.default_of(self.account)
        if not self.is_default_asked:
            self.is_default_asked = True
            self.had_money_type = had_type
            self.money_before = group
        return source

    cdef bint pay(self, Source source, bint is_unit) except -1:
        cdef Balance balance = source.balance
        cdef int64_t step
        if balance.value <= 0 or balance.is_disabled:
            return False
        if not self.is_active(balance):
            return False
        step = -1
        if is_unit or balance.terms.rating_subject:
            step = self.rules.zero_increment(balance.terms.rating_subject, self.tor, is_unit)
        if step >= 0:
            return self.pay_units(source, step)
        return self.pay_rated(source, is_unit)

    cdef bint is_active(self, Balance balance) except -1:
        if balance.terms.timings is None:
            return True
        return self.rules.is_active(balance, self.start_at, self.offset_s)

    cdef bint pay_units(self, Source source, int64_t step) except -1:
        """Pay with units that are worth their usage, in whole steps."""
        cdef Balance balance = source.balance
        cdef int64_t usage = self.end_at - self.start_at
        cdef int64_t count = usage // step + (1 if usage % step else 0)
        cdef int64_t extension = step - usage % step if usage % step else 0
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
        part.end_at = later(self.start_at, step, paid)
        part.duration_index_ns = max(extension - (count - paid) * step, 0)
        part.increment_ns = step
        part.payments = [payment]
        self.made.append(payment)
        self.paid.append(part)
        self.start_at = part.end_at
        return True

    cdef int count_slots_from_start(self) except -1:
        """Count the slots of rates from the start of all that was asked for."""
        if self.duration_index_ns < self.asked_ns:
            self.duration_index_ns = self.asked_ns
        return 0

    cdef list spans_of(self, str subject):
        """Rate what is left. The usage index is raised to it, and stays so for what is rated after."""
        cdef int64_t usage = self.end_at - self.start_at
        if self.duration_index_ns < usage:
            self.duration_index_ns = usage
        return self.rules.spans(self, subject, self.start_at, usage, self.duration_index_ns)

    cdef bint pay_rated(self, Source source, bint is_unit) except -1:
        """Pay spans of the tariff; with units too when the balance has units. The part that cannot be paid is left."""
        cdef Balance balance = source.balance
        cdef str subject = balance.terms.rating_subject or None
        cdef list spans = self.spans_of(subject)
        cdef PricedSpan span
        cdef list payments
        cdef int64_t count, paid
        cdef bint is_paid = False
        if not spans:
            return False
        if self.is_first and not self.paid:
            if not self.pay_fee((<PricedSpan>spans[0]).terms.fee, True):
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

    cdef int add_part(self, PricedSpan span, list payments, int64_t paid) except -1:
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
        self.paid.append(part)
        self.start_at = part.end_at
        return 0

    cdef int64_t pay_span(self, Source source, bint is_unit, str subject, PricedSpan span, list payments) except -1:
        """Pay a span's increments and return how many. A cap that disconnects counts only in a dry run."""
        cdef int64_t count = span.increment_count
        cdef int128 cost = span.cost
        cdef int64_t usage = span.increment_ns
        cdef int64_t before = count, paid
        cdef Cap cap = span.terms.cap
        cdef int128 left
        if cap == CAP_DISCONNECT:
            self.has_cap = True
            if not self.is_dry:
                cap = CAP_NONE
        if cap != CAP_NONE:
            left = span.terms.max_cost - self.cost_so_far
            if left <= 0:
                before = 0
            elif cost > 0:
                before = reach(left + cost - 1, cost, count)
        paid = self.pay_run(source, is_unit, subject, usage, cost, before, payments)
        if paid < before or paid == count:
            return paid
        if cap == CAP_FREE:
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
        balance.value -= times(cost, paid)
        self.cost_so_far += cost * paid
        payment = money_payment(source, usage, cost, paid)
        payment.money_subject = subject
        self.made.append(payment)
        payments.append(payment)
        return paid

    cdef int64_t pay_mixed(self, Source source, str subject, int64_t usage, int128 cost, int64_t count,
                           list payments) except -1:
        """Pay increments with units, and their price with the first money that has it, else the default balance."""
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
                payer.balance.value -= times(cost, paid)
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
            self.made.append(payment)
            payments.append(payment)
            left -= paid
            total += paid
        return total

    cdef Source payer_of(self, int128 cost):
        """The money that pays the price of an increment; the default balance when none has it and debts are allowed."""
        cdef Source source
        for source in self.money:
            if source.balance.value >= cost:
                return source
        if not self.is_dry or self.account.allow_negative:
            return self.default_source()
        return None

    cdef bint pay_fee(self, int128 fee, bint heeds_blockers) except -1:
        """Pay the connect fee whole from the first balance that has it, else from the default one. False when blocked.

        Its payment is left in `fee`.
        """
        cdef Source source
        for source in self.money:
            if source.balance.value >= fee and self.is_active(source.balance):
                break
            if source.balance.is_blocker and heeds_blockers:
                return False
        else:
            source = None
        if fee <= 0:
            return True
        if source is None:
            source = self.default_source()
            self.is_fee_owed = True
        self.change(source)
        source.balance.value -= fee
        self.fee = money_payment(source, 0, fee, 1)
        self.made.append(self.fee)
        return True

    cpdef overdraw(self, bint may_go_negative):
        """Charge what is left to the default balance, below zero if need be; what costs nothing is charged in any case.

        Raises what `rate` raises; then nothing was paid.
        """
        try:
            self.charge_rest(may_go_negative)
        except CgrError:
            self.undo()
            raise

    cdef int charge_rest(self, bint may_go_negative) except -1:
        cdef list spans = self.spans_of(None), payments
        cdef PricedSpan span
        cdef int128 total = 0, fee, cost
        cdef int64_t count
        cdef Source source
        cdef Payment payment
        if not spans:
            return 0
        fee = (<PricedSpan>spans[0]).terms.fee if self.is_first else 0
        for span in spans:
            total += times(span.cost, span.increment_count)
        if total + fee == 0:
            for span in spans:
                self.add_part(span, [unpaid(self.account.id, span)], span.increment_count)
            return 0
        if total + fee < 0 or not may_go_negative:
            return 0
        if fee > 0 and not self.paid:
            self.pay_fee(fee, False)
        source = self.default_source()
        self.change(source)
        for span in spans:
            payments = self.take_fee()
            count = span.increment_count
            cost = span.cost
            source.balance.value -= times(cost, count)
            payment = money_payment(source, span.increment_ns, cost, count)
            self.made.append(payment)
            payments.append(payment)
            self.add_part(span, payments, count)
        return 0

    # --- what follows ---

    cdef int conclude(self) except -1:
        """Count what was used, then settle and announce every account that changed."""
        cdef AccountBase account
        if self.changed is None:
            if not (self.account.unit_counters or self.rules.must_settle(self.account)):
                self.tell(self.account)
                return 0
            self.write_down()
            self.rules.accounts.edit(self.account.id)  # what follows may change more of it than the balance that paid
        for account in self.changed:
            if account.unit_counters:
                self.held = self.initial()
                self.rules.count(self.call, self.changed, self.paid)
                break
        for account in self.changed:
            if self.rules.must_settle(account):
                self.held = self.initial()
                self.rules.settle(account)
            self.tell(account)
        return 0

    cdef int tell(self, AccountBase account) except -1:
        if self.rules.parts.get("account_updates") is not None:
            self.rules.announce(account)
        return 0

    cpdef dict initial(self):
        """Return what each balance of the account held before, by balance."""
        cdef Payment payment
        cdef dict found = self.held
        if found is None:
            found = self.account.values()
            if self.made is None:
                found[self.sole] += int_of(self.sole_fee + self.sole_each * self.stretch.count)
                return found
            for payment in self.made:
                if payment.unit is not None and payment.unit in found:
                    found[payment.unit] += int_of(payment.unit_amount * payment.count)
                if payment.money is not None and payment.money in found:
                    found[payment.money] += int_of(payment.cost * payment.count)
        return found

    cdef int64_t paid_ns(self) except -1:
        """The usage that was paid for."""
        cdef int64_t total = 0
        cdef Part part
        cdef Payment payment
        for part in self.paid:
            for payment in part.payments:
                total += payment.usage_ns * payment.count
        return total


cdef Debit debit_of(Rules rules, call, bint is_dry):
    cdef Debit run = Debit.__new__(Debit)
    run.read(rules, call)
    run.rules = rules
    run.is_dry = is_dry
    rules.refresh()
    return run


def charge(Rules rules not None, call, AccountBase account, bint is_dry, bint may_go_negative):
    """Charge a call and return the record of it; `account` None for the one that the call names.

    A dry run is made on a copy. Raises as `cgrcore.accounting.debit`, but for the limit of usage.
    """
    cdef Debit run = debit_of(rules, call, is_dry)
    if account is None:
        account = rules.find_account(run)
    run.account = account.copy() if is_dry else account
    if not is_dry and run.make_plan():
        run.follow_plan()
        run.conclude()
        return run
    run.choose()
    if not run.run() and run.start_at < run.end_at:
        run.overdraw(may_go_negative)
    if run.changed:
        run.conclude()
    return run


def charge_covered(Rules rules not None, call):
    """Charge a call that its account can plainly pay in full, as a maximum debit would; None when that is not plain.

    Then nothing is charged, and a dry run must tell how far the account reaches. Raises as `max_debit`.
    """
    cdef Debit run = debit_of(rules, call, False)
    rules.check_usage(run)
    run.account = rules.find_account(run)
    if run.asked_ns == 0 or run.account.allow_negative or run.max_rate:
        return None
    run.count_slots_from_start()
    if run.make_plan():
        run.follow_plan()
        run.conclude()
        return run
    run.choose()
    try:
        run.run()
    except CgrError:
        return None
    if run.start_at < run.end_at or run.is_default_asked or run.has_cap:
        run.undo()
        return None
    run.conclude()
    return run


def max_usage(Rules rules not None, call):
    """Return how long the account can pay for a call (ns), at most its usage; -1 when it may go into debt.

    None for a call with a maximum rate, which takes a closer look. Raises as `max_debit`.
    """
    cdef Debit run = debit_of(rules, call, True)
    cdef int64_t paid
    rules.check_usage(run)
    run.account = rules.find_account(run)
    if run.account.allow_negative:
        return -1
    if run.asked_ns == 0:
        return 0
    if run.max_rate:
        return None
    run.count_slots_from_start()
    if run.make_plan():
        return run.asked_ns
    run.choose()
    try:
        # On the account itself, since copying it takes longer than giving everything back.
        if not run.run() and run.start_at < run.end_at:
            run.overdraw(False)
        paid = 0 if run.is_fee_owed else run.paid_ns()
    finally:
        run.undo()
    return min(paid, run.asked_ns)
