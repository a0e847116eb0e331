"""What one run of an action set is made with, and what its steps leave for those after them.

Does not know: any kind of action.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cgrcore.accounting import Account, Balance
from cgrcore.actions.records import Action
from cgrcore.errors import CgrError
from cgrcore.event import CgrEvent
from cgrcore.world import World

__all__ = ["Moved", "Run", "Step", "UnreadableFilter", "call_method", "require_account"]


class UnreadableFilter(CgrError):
    """The filters of an action do not exist or cannot be read: its set stops, undone, and nobody is told."""


class Moved(msgspec.Struct, frozen=True):
    """What a transfer did, for the CDR that logs it. Values are those before and after."""

    source: Balance
    source_before_nano: int
    destination: Balance
    destination_before_nano: int
    destination_account_id: str
    units_nano: int


class Run(msgspec.Struct, kw_only=True):
    """One run of a set. `account` is being edited, or None; `event` is what triggered it, if an event did.

    `last_summary` is the account as its last rated CDR left it (the wire's AccountSummary), empty when it has none, and
    None when the caller did not read that.

    `threshold_id` is the profile of the threshold that causes the run, "" for none.

    `place` is the index in `actions` of what runs now; by it `values_nano`, `removed` and `moved` tell what an action
    left in a balance, which balances it removed and what it transferred.
    """

    world: World
    account: Account | None
    actions: tuple[Action, ...]
    event: CgrEvent | None = None
    extra: Any = None
    last_summary: Mapping[str, Any] | None = None
    threshold_id: str = ""
    place: int = 0
    is_removed: bool = False
    values_nano: dict[int, int] = {}
    removed: dict[int, list[Balance]] = {}
    moved: dict[int, Moved] = {}


#: What one kind of action does. Raises a CgrError when it fails.
Step = Callable[[Run, Action], None]


def require_account(run: Run) -> Account:
    assert run.account is not None, "a step that needs an account was run without one"
    return run.account


def call_method(run: Run, name: str, params: Any) -> Any:
    """Call an RPC method within the open decision and return its reply; its error is the action's."""
    call = run.world.parts.get("call_method")
    if call is None:
        raise CgrError(f"no way to call {name} from here")
    return call(run.world, name, params)
