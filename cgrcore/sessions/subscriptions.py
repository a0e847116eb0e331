"""What a Sy session stands for: a threshold that fires once when its account meets the session's policy filters.

Rules: the profile `*sy_<OriginID>` counts updates of the account, fires its `*sy_publish` at the first that passes, and
is spent then until it is written anew. It lives thirty days at most, whatever becomes of the session.
Does not know: when sessions begin and end.
"""

from contextlib import suppress
from typing import Any

from cgrcore.errors import CgrError, NotFound, server_error
from cgrcore.event import text_of
from cgrcore.filters import ActivationInterval, check_filters
from cgrcore.sessions.records import Session
from cgrcore.thresholds import ThresholdProfile, remove_profile, stop_watching, store_profile, watch
from cgrcore.timing import SECOND_NS, Moment
from cgrcore.world import World

__all__ = ["POLICY_FILTERS", "SY", "is_policy", "subscribe", "unsubscribe"]

#: The request type of these sessions, and the option with the filters that the state of the account is held against.
SY = "*sy"
POLICY_FILTERS = "*syPolicyFilters"

LIFE_NS = 30 * 24 * 3600 * SECOND_NS


def is_policy(event: dict[str, Any]) -> bool:
    """Tell whether an event is about a Sy session: about what an account holds, with nothing to charge."""
    return event.get("RequestType") == SY


def _profile_id(origin_id: Any) -> str:
    return f"*sy_{text_of(origin_id)}"


def subscribe(world: World, session: Session) -> None:
    """Have the session's client told when its account meets its filters, the first time from now on.

    Raises CgrError `SERVER_ERROR: ...` for filters that cannot be read.
    """
    profile_id = _profile_id(session.event.get("OriginID"))
    account = text_of(session.event.get("Account"))
    filter_ids = (f"*string:~*req.AccountID:{account}", *(session.options.get(POLICY_FILTERS) or ()))
    try:
        check_filters(world, session.tenant, filter_ids, profile_id)
    except CgrError as error:
        raise server_error(error) from None
    with suppress(NotFound):  # what it has counted is over
        remove_profile(world, f"{session.tenant}:{profile_id}")
    since_at = (world.now_at - 1) // SECOND_NS * SECOND_NS  # the instant itself is not in the interval
    profile = ThresholdProfile(
        tenant=session.tenant,
        id=profile_id,
        filter_ids=filter_ids,
        activation=ActivationInterval(Moment(since_at, 0), Moment(since_at + LIFE_NS, 0)),
        max_hits=1,
        min_hits=1,
        is_async=True,
        action_ids=("*sy_publish",),
    )
    store_profile(world, profile)
    watch(world, profile_id, session.cgrid, session.connection_id)


def unsubscribe(world: World, tenant: str, origin_id: Any) -> None:
    """Have nobody told any more of what a session with that OriginID asked for. Raises NotFound when it asked nothing.

    What is there of it is gone in any case.
    """
    profile_id = _profile_id(origin_id)
    try:
        remove_profile(world, f"{tenant}:{profile_id}")
    finally:
        stop_watching(world, profile_id)
