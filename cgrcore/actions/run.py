"""Running action sets: in order of weight, for one account or for none, whole or not at all.

Rules: the heaviest action first. A failing action undoes everything that its set did for that account and stops it;
other accounts keep theirs. An action whose filters do not pass is skipped; filters that cannot be read stop the
account's set, undone, without an error. An expiry is read when its action runs. Does not know: what the kinds of
actions do (`steps`), schedules, triggers.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from cgrcore.accounting import account_as_wire, edit_account
from cgrcore.actions.balance_filter import BalanceFilter
from cgrcore.actions.context import Run, UnreadableFilter
from cgrcore.actions.records import Action
from cgrcore.actions.steps import NEEDS_ACCOUNT, STEPS
from cgrcore.errors import BadRequest, CgrError, NotFound, PartiallyExecuted
from cgrcore.event import CgrEvent
from cgrcore.filters import Scope, passes_in
from cgrcore.state import Effects, State
from cgrcore.timing import parse_time
from cgrcore.world import World

__all__ = ["run_actions", "run_for_accounts", "run_step", "sorted_actions", "undone_on_failure"]

#: Sets that are there without being defined, unless they are.
BUILT_IN = {"*sy_publish": (Action("*sy_publish", "*sy_publish"),)}


def run_actions(
    world: World,
    set_id: str,
    account_id: str | None,
    event: CgrEvent | None = None,
    extra: Any = None,
    last_summary: Mapping[str, Any] | None = None,
    threshold_id: str = "",
) -> None:
    """Run an action set for an account, which is made when it is missing, or for none.

    `last_summary` is what the account's last rated CDR says of it, for `*reset_account_cdr`; empty when it has none.
    `threshold_id` is the threshold profile that causes it. Raises NotFound for an unknown set, PartiallyExecuted when
    an action failed; then nothing of it stays.
    """
    given = Run(world=world, account=None, actions=(), event=event, extra=extra, last_summary=last_summary)
    given.threshold_id = threshold_id
    _run_for(given, set_id, [account_id])


def run_for_accounts(
    world: World, set_id: str, account_ids: list[str], event: CgrEvent | None = None, extra: Any = None
) -> None:
    """Run an action set for each account by itself, errors as `run_actions`: accounts that did not fail keep theirs."""
    _run_for(Run(world=world, account=None, actions=(), event=event, extra=extra), set_id, [*account_ids] or [None])


def _run_for(given: Run, set_id: str, account_ids: list[str | None]) -> None:
    actions = sorted_actions(given.world, set_id)
    if actions is None:
        actions = BUILT_IN.get(set_id)
    if actions is None:
        raise NotFound(subject="actions", subject_id=set_id)
    failed = False
    for account_id in account_ids:
        try:
            with undone_on_failure(given.world.state):
                account = None if account_id is None else edit_account(given.world, account_id)
                _run_set(msgspec.structs.replace(given, account=account, actions=actions, **_nothing_left()))
        except UnreadableFilter:
            pass
        except CgrError:
            failed = True
    if failed:
        raise PartiallyExecuted(subject="actions", subject_id=set_id)


def sorted_actions(world: World, set_id: str) -> tuple[Action, ...] | None:
    """Return the actions of a set in the order they run, None for an unknown set."""
    found = world.state.table("actions").get(set_id)
    if found is None:
        return None
    return tuple(sorted(found.actions, key=lambda action: -action.weight_nano))


@contextmanager
def undone_on_failure(state: State) -> Iterator[None]:
    """Undo what is changed within the block when it raises, and only that; the decision around it stays open."""
    outer, state.effects = state.effects, Effects(state.effects.reason)
    try:
        yield
    except BaseException:
        state.rollback()
        state.effects = outer
        raise
    inner = state.take()
    state.effects = outer
    for key, change in inner.before.items():
        outer.before.setdefault(key, change)
    outer.rows += inner.rows
    outer.after += inner.after


def _nothing_left() -> dict[str, Any]:
    """Return what steps leave to those after them, as it is before any ran."""
    return {"values_nano": {}, "removed": {}, "moved": {}}


def _run_set(run: Run) -> None:
    for place in range(len(run.actions)):
        run_step(run, place)


def run_step(run: Run, place: int) -> None:
    """Run the action at a place of the set, if its filters pass and it has the account it needs.

    Raises UnreadableFilter, BadRequest for an unknown kind, and whatever error ends the action.
    """
    action = run.actions[place]
    if action.filters and not _passes(run, action):
        return
    step = STEPS.get(action.type)
    if step is None:
        raise BadRequest(f"unknown action type: {action.type}", subject="actions", subject_id=action.id)
    if run.account is None and action.type in NEEDS_ACCOUNT:
        return
    run.place = place
    step(run, _with_expiry(run.world, action))


def _passes(run: Run, action: Action) -> bool:
    request = _AccountFields() if run.account is None else _AccountFields(account_as_wire(run.account))
    try:
        tenant = run.world.tenant("" if run.account is None else run.account.tenant)
        return passes_in(Scope(run.world, {"*req": request, "*tenant": tenant}), tenant, action.filters or ())
    except CgrError as error:
        raise UnreadableFilter(str(error)) from error


class _AccountFields(dict[str, Any]):
    """The wire fields of an account. Another field is a mistake in the filter, not one that happens to be absent."""

    def get(self, key: str, default: Any = None) -> Any:
        return self[key]

    def __missing__(self, key: str) -> Any:
        raise BadRequest(f"unsupported field prefix: <{key}>")


def _with_expiry(world: World, action: Action) -> Action:
    """Return the action with the instant its expiry means now. A text that is no time means no expiry."""
    balance = action.balance or BalanceFilter()
    if action.expiration:
        zone = str(world.settings["general"].get("default_timezone") or "UTC")
        try:
            expires = parse_time(action.expiration, world.now_at, zone)
        except BadRequest:
            return msgspec.structs.replace(action, balance=balance)
        balance = msgspec.structs.replace(balance, expires_at=expires.at, expires_offset_s=expires.offset_s)
    return msgspec.structs.replace(action, balance=balance)
