"""Telling thresholds that an account has changed.

Rules: the event is counted in a decision of its own, after the one that changed the account is durable, so that what it
causes is not mixed with what caused it. Where nobody can decide later (`world.parts["decide"]` is absent) it is
counted at once, and what its own actions change is not told again.
Does not know: who changes accounts; they call `world.parts["account_updates"]`.
"""

from typing import Any

from cgrcore.accounting import Account, account_summary
from cgrcore.errors import CgrError
from cgrcore.event import CgrEvent
from cgrcore.thresholds.process import process_event
from cgrcore.timing import Moment
from cgrcore.world import World

__all__ = ["install", "update_event"]


def install(world: World) -> None:
    """Let thresholds be asked by sessions (`thresholds_process_event`) and told of accounts (`account_updates`)."""
    world.parts["thresholds_process_event"] = process_event
    world.parts["account_updates"] = announce
    world.parts["publish_account"] = announce


def update_event(world: World, account: Account) -> CgrEvent:
    """Return the event that tells of an account as it is now."""
    tenant, _, name = account.id.partition(":")
    summary: dict[str, Any] = dict(account_summary(account))
    fields = {**summary, "AccountID": name, "EventType": "AccountUpdate", "EventSource": "AccountS"}
    return CgrEvent(tenant, world.new_id(), Moment(world.now_at, 0), fields, {"*eventType": "AccountUpdate"})


def announce(world: World, account: Account) -> None:
    """Tell thresholds of an account, now or once what changed it is durable. What fails there is theirs alone."""
    if not world.state.table("threshold_profiles").records or world.parts.get("account_updates_running"):
        return
    event = update_event(world, account)
    decide = world.parts.get("decide")
    if decide is None:
        _count(world, event)
    else:
        world.state.effects.after.append(lambda: decide("account update", lambda later: _count(later, event)))


def _count(world: World, event: CgrEvent) -> None:
    world.parts["account_updates_running"] = True
    try:
        process_event(world, event)
    except CgrError:
        pass
    finally:
        world.parts["account_updates_running"] = False
