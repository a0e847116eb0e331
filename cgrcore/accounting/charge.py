"""Charging a call to an account: which balances are asked, the kernel that pays from them, what follows a change.

Rules: a debit is made whole or not at all; a dry run works on copies and changes nothing. What a call may use is chosen
once, at its start; prices come from the tariff in force. Does not know: sessions, CDRs, who asks.
"""

from functools import lru_cache
from typing import cast

import msgspec

from cgrcore._fast.debits import Debit
from cgrcore._fast.payments import Source, plain_sources
from cgrcore.accounting.activity import is_balance_active_at
from cgrcore.accounting.change import settle
from cgrcore.accounting.counting import count_usage
from cgrcore.accounting.records import DEFAULT_ID, Account, Balance, account_id_of
from cgrcore.accounting.selection import Wanted, select
from cgrcore.errors import BadRequest, CgrError, Refused
from cgrcore.rating import Call, Span, rate, tariff_of
from cgrcore.timing import SECOND_NS, parse_duration
from cgrcore.world import World

__all__ = ["Charge", "account_of", "announce", "charge", "charge_covered", "default_source", "zero_increment_of"]

MONETARY = "*monetary"
ZERO = "*zero"


class Charge(msgspec.Struct, frozen=True, gc=False):
    """What a debit did: the kernel's record of payments, and the account as it is now (a copy, in a dry run).

    `initial` holds the values of the account's balances before.
    """

    call: Call
    debit: Debit
    account: Account
    initial: dict[Balance, int]


def account_of(world: World, call: Call) -> Account:
    """Return the account a call is charged to. Raises Refused ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED."""
    account_id = account_id_of(call.tenant, call.account or call.subject)
    account: Account | None = world.state.table("accounts").get(account_id)
    if account is None:
        raise Refused("ACCOUNT_NOT_FOUND", subject="accounts", subject_id=account_id)
    if account.is_disabled:
        raise Refused("ACCOUNT_DISABLED", subject="accounts", subject_id=account_id)
    return account


def charge(world: World, call: Call, account: Account, *, is_dry_run: bool, may_go_negative: bool) -> Charge:
    """Charge a call to its account and return the payments as the kernel wrote them down. Errors as `debit`."""
    if is_dry_run:
        account = account.copy()
    initial = account.values()
    run = _kernel(world, call, account, is_dry_run)
    if not run.run() and not run.is_covered:
        run.overdraw(may_go_negative)
    if run.touched:
        _conclude(world, call, run)
    return Charge(call, run, account, initial)


def charge_covered(world: World, call: Call, account: Account) -> Charge | None:
    """Charge a call that the account can plainly pay in full, as a maximum debit would; None when that is not plain.

    Then nothing is charged, and a dry run must tell how far the account reaches.
    """
    initial = account.values()
    run = _kernel(world, call, account, is_dry_run=False)
    try:
        run.run()
    except CgrError:
        return None
    if not run.is_covered or run.is_default_asked or run.has_cap:
        run.undo()
        return None
    _conclude(world, call, run)
    return Charge(call, run, account, initial)


def _kernel(world: World, call: Call, account: Account, is_dry_run: bool) -> Debit:
    rules = world.parts.get("debit_rules")
    if rules is None:
        rules = world.parts["debit_rules"] = Rules(world)
    tor = call.tor or "*voice"
    units = plain_sources(account, tor, call.start_at)
    money = plain_sources(account, MONETARY, call.start_at)
    if units is None or money is None:
        units, money = _chosen(world, call, account, tor, is_dry_run)
    return Debit(account, call, units, money, rules, is_dry_run)


def _chosen(
    world: World, call: Call, account: Account, tor: str, is_dry_run: bool
) -> tuple[list[Source], list[Source]]:
    """Return the units and the money that may pay, where balances ask for more than being there."""
    members = {account.id: account}
    accounts = world.state.table("accounts")

    def member_of(account_id: str) -> Account | None:
        found = members.get(account_id) or accounts.get(account_id)
        if found is not None and account_id not in members:
            members[account_id] = found = found.copy() if is_dry_run else found
        return found

    tariff = tariff_of(world)
    wanted = Wanted(tor, call.destination, call.category, call.start_at)
    units = select(world, tariff, account, wanted, member_of)
    return units, select(world, tariff, account, wanted._replace(kind=MONETARY), member_of)


class Rules:
    """What the kernel asks of the world while it pays."""

    __slots__ = ("_accounts", "_defaults", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._accounts = world.state.table("accounts")
        self._defaults: dict[str, str] = world.settings["rals"]["balance_rating_subject"]

    def spans(
        self, call: Call, subject: str | None, start_at: int, usage_ns: int, duration_index_ns: int
    ) -> list[Span]:
        """Return the rest of the call priced, by another subject if one is given."""
        if subject is not None:
            call = msgspec.structs.replace(call, subject=subject, account=subject)
        if start_at != call.start_at or duration_index_ns != call.duration_index_ns:
            call = msgspec.structs.replace(
                call, start_at=start_at, usage_ns=usage_ns, duration_index_ns=duration_index_ns
            )
        tariff = tariff_of(self._world)
        flat = tariff.flat_prices
        if flat is not None and flat.tariff is tariff:
            found = flat.spans(call)
            if found is not None:
                return cast(list[Span], found)
        return rate(tariff, call)

    def zero_increment(self, subject: str, tor: str, is_unit: bool) -> int:
        """Return the step of free units that a subject means (ns), -1 when it is none; units have one by default."""
        if is_unit and subject in ("", "*any"):
            subject = self._defaults.get(tor or "*voice") or self._defaults.get("*any", "")
        return zero_increment_of(subject)

    def is_active(self, balance: Balance, at: int, offset_s: int) -> bool:
        return is_balance_active_at(balance, at, offset_s)

    def touch(self, account: Account) -> None:
        """Save how the account was."""
        self._accounts.edit(account.id)

    def default_of(self, account: Account) -> Source:
        return default_source(self._world, account)


@lru_cache(maxsize=1024)
def zero_increment_of(subject: str) -> int:
    """Return the step of free units that a `*zero` subject names (ns), -1 for any other subject."""
    if not subject.startswith(ZERO):
        return -1
    try:
        step_ns = parse_duration(subject[len(ZERO) :])
    except BadRequest:
        return -1
    return step_ns if step_ns > 0 else SECOND_NS


def default_source(world: World, account: Account) -> Source:
    """Return the balance that goes into debt, made when the account has none."""
    group = account.balances.get(MONETARY) or []
    for balance in group:
        if balance.id == DEFAULT_ID:
            return Source(balance, account)
    balance = Balance(world.new_id(), DEFAULT_ID, MONETARY)
    account.balances[MONETARY] = [*group, balance]
    return Source(balance, account)


def _conclude(world: World, call: Call, run: Debit) -> None:
    """Count what was used, then settle and announce every account that changed."""
    count_usage(world, call, run.touched, run.parts)
    for account in run.touched:
        settle(world, account)
        announce(world, account)


def announce(world: World, account: Account) -> None:
    """Tell those who watch accounts that one has changed."""
    publish = world.parts.get("account_updates")
    if publish is not None:
        publish(world, account)
