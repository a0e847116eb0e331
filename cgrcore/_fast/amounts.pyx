# Directives: none but the shared ones. The one index stays within the text that was just written.
"""Amounts as the numbers and texts that people read: the shortest decimal form, exact.

Benchmark: bench/workloads/sessions.py; oracle: the arithmetic of `decimal`, in tests/test_money.py.
"""

from libc.stdio cimport snprintf

from decimal import Context, Decimal

cdef enum:
    NANO = 1_000_000_000

#: Wide enough for every amount: nothing is rounded by it.
_WIDE = Context(prec=60)


def number_from_nano(amount_nano):
    """Return an amount as the number that JSON prints shortest: an int when whole, else a Decimal."""
    cdef long long amount, rest
    cdef bint is_negative
    cdef char text[32]
    cdef int size
    if not -9_000_000_000_000_000_000 < amount_nano < 9_000_000_000_000_000_000:
        if amount_nano % NANO == 0:
            return amount_nano // NANO
        return Decimal(amount_nano).scaleb(-9, _WIDE).normalize(_WIDE)
    amount = amount_nano
    is_negative = amount < 0
    if is_negative:
        amount = -amount
    rest = amount % NANO
    if rest == 0:
        return (-amount if is_negative else amount) // NANO
    size = snprintf(text, 32, b"%s%lld.%09lld", b"-" if is_negative else b"", amount // NANO, rest)
    while text[size - 1] == c"0":
        size -= 1
    return Decimal(text[:size].decode("ascii"))
