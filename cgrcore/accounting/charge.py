"""Charging a call to an account: which balances are asked, the kernel that pays from them, what follows a change.

Rules: a debit is made whole or not at all; a dry run changes nothing. What a call may use is chosen once, at its start;
prices come from the tariff in force. Does not know: sessions, CDRs, who asks.
"""

import msgspec

from cgrcore._fast import debits, rules
from cgrcore._fast.debits import Debit
from cgrcore._fast.flatprices import FlatPrices
from cgrcore._fast.payments import Part, Source
from cgrcore.accounting.activity import is_balance_active_at
from cgrcore.accounting.change import settle
from cgrcore.accounting.counting import count_usage
from cgrcore.accounting.records import DEFAULT_ID, Account, Balance, account_id_of
from cgrcore.accounting.selection import Wanted, select
from cgrcore.errors import BadRequest, Refused
from cgrcore.rating import Call, Span, Tariff, rate, tariff_of
from cgrcore.rating.flat import flat_prices_of
from cgrcore.timing import SECOND_NS, parse_duration
from cgrcore.world import World

__all__ = ["account_of", "announce", "charge", "default_source", "rules_of", "zero_increment_of"]

MONETARY = "*monetary"
ZERO = "*zero"


def account_of(world: World, call: Call) -> Account:
    """Return the account a call is charged to. Raises Refused ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED."""
    account_id = account_id_of(call.tenant, call.account or call.subject)
    account: Account | None = world.state.table("accounts").get(account_id)
    if account is None:
        raise Refused("ACCOUNT_NOT_FOUND", subject="accounts", subject_id=account_id)
    if account.is_disabled:
        raise Refused("ACCOUNT_DISABLED", subject="accounts", subject_id=account_id)
    return account


def charge(
    world: World, call: Call, account: Account | None = None, *, is_dry_run: bool, may_go_negative: bool
) -> Debit:
    """Charge a call to its account and return the kernel's record of payments. Errors as `debit`.

    A dry run is made on a copy, which the record then holds.
    """
    return debits.charge(rules_of(world), call, account, is_dry_run, may_go_negative)


def rules_of(world: World) -> rules.Rules:
    """Return what the kernel asks of the world."""
    found: rules.Rules | None = world.parts.get("debit_rules")
    if found is None:
        tables = (world.state.table(name) for name in ("accounts", "destinations", "rating_plans", "rating_profiles"))
        found = world.parts["debit_rules"] = Rules(world, Call, *tables)
    return found


class Rules(rules.Rules):
    """What the kernel asks of the world while it pays, where that is rare."""

    __slots__ = ()

    def tariff_in_force(self) -> Tariff:
        return tariff_of(self.world)

    def flat_prices(self, tariff: Tariff) -> FlatPrices | None:
        """Return the prices that hold round the clock; None where hours are of the tenant's zone."""
        return None if tariff.zones else flat_prices_of(tariff)

    def rate(self, call: Call, subject: str | None, start_at: int, usage_ns: int, duration_index_ns: int) -> list[Span]:
        """Return the rest of the call priced, by another subject if one is given."""
        if subject is not None:
            call = msgspec.structs.replace(call, subject=subject, account=subject)
        if start_at != call.start_at or duration_index_ns != call.duration_index_ns:
            call = msgspec.structs.replace(
                call, start_at=start_at, usage_ns=usage_ns, duration_index_ns=duration_index_ns
            )
        return rate(tariff_of(self.world), call)

    def step_of(self, subject: str) -> int:
        return zero_increment_of(subject)

    def choose(self, call: Call, account: Account, is_dry_run: bool) -> tuple[list[Source], list[Source]]:
        """Return the units and the money that may pay, where balances ask for more than being there."""
        members = {account.id: account}
        accounts = self.world.state.table("accounts")

        def member_of(account_id: str) -> Account | None:
            found = members.get(account_id) or accounts.get(account_id)
            if found is not None and account_id not in members:
                members[account_id] = found = found.copy() if is_dry_run else found
            return found

        tariff = tariff_of(self.world)
        wanted = Wanted(call.tor or "*voice", call.destination, call.category, call.start_at)
        units = select(self.world, tariff, account, wanted, member_of)
        return units, select(self.world, tariff, account, wanted._replace(kind=MONETARY), member_of)

    def is_active(self, balance: Balance, at: int, offset_s: int) -> bool:
        return is_balance_active_at(balance, at, offset_s)

    def default_of(self, account: Account) -> Source:
        return default_source(self.world, account)

    def count(self, call: Call, accounts: list[Account], parts: list[Part]) -> None:
        count_usage(self.world, call, accounts, parts)

    def settle(self, account: Account) -> None:
        settle(self.world, account)

    def announce(self, account: Account) -> None:
        announce(self.world, account)


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


def announce(world: World, account: Account) -> None:
    """Tell those who watch accounts that one has changed."""
    publish = world.parts.get("account_updates")
    if publish is not None:
        publish(world, account)
