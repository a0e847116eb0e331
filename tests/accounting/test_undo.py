"""What a debit saves of the account before it changes it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrcore.accounting import Account, change_balances, debit
from cgrcore.actions import BalanceFilter
from cgrcore.errors import CgrError
from cgrcore.world import World
from tests.accounting.small_world import balance, call, make_account, make_world, money, values
from tests.oracle.ledger import changes

WORLD = make_world()
KEY = ("accounts", "cgrates.org:1001")

amounts = st.integers(0, 90).map(str)
#: Steps of one decision: a debit of so many seconds, or a topup of money or units.
steps = st.lists(st.tuples(st.sampled_from(["debit", "debit", "*monetary", "*voice"]), st.integers(1, 90)), max_size=4)


def _account(world: World, units: str, first: str, second: str) -> Account:
    return make_account(
        world,
        balance(world, "*voice", "units", units),
        balance(world, "*monetary", "first", first, weight_nano=money(10)),
        balance(world, "*monetary", "second", second),
    )


def _do(world: World, kind: str, amount: int) -> None:
    if kind == "debit":
        debit(world, call(amount))
    else:
        account = world.state.table("accounts").edit("cgrates.org:1001")
        change_balances(world, account, BalanceFilter(type=kind, id="units" if kind == "*voice" else "first"), -amount)


@given(amounts, amounts, amounts, steps)
@settings(max_examples=200, deadline=None)
def test_whatever_a_decision_did_is_undone(units: str, first: str, second: str, done: list[tuple[str, int]]) -> None:
    account = _account(WORLD, units, first, second)
    before = account.copy()
    for kind, amount in done:
        try:
            _do(WORLD, kind, amount)
        except CgrError:
            break
    WORLD.state.rollback()
    after = WORLD.state.table("accounts").require(account.id)
    assert after.encode() == before.encode()
    assert [it.is_dirty for group in after.balances.values() for it in group or ()] == [False] * 3


def test_a_change_after_a_debit_saves_the_account_as_it_was_before_the_debit() -> None:
    account = _account(WORLD, "0", "5", "5")
    before = account.copy()
    debit(WORLD, call(60))
    WORLD.state.table("accounts").edit(account.id)
    saved = WORLD.state.take().before[KEY][2]
    assert saved.encode() == before.encode()
    assert changes(saved, account)


def test_debits_of_two_balances_in_one_decision_save_both() -> None:
    account = _account(WORLD, "0", "0.6", "5")
    before = values(account)
    debit(WORLD, call(60))
    debit(WORLD, call(60))
    assert values(account) == {"units": "0", "first": "0", "second": "4.4"}
    WORLD.state.rollback()
    assert values(WORLD.state.table("accounts").require(account.id)) == before
