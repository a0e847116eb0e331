"""Which call a change of a balance was for, as ledger lines tell beside the request.

Rules: a decision that charges or refunds one call names it, one that does so for several says only that. Does not know:
requests, the ledger.
"""

from cgrcore.world import World

__all__ = ["name_call"]

_FOR = " for "
_SEVERAL = "several calls"


def name_call(world: World, cgrid: str) -> None:
    """Have the ledger lines of the open decision tell that it was for this call. Without a CGRID nothing is told."""
    if not cgrid:
        return
    effects = world.state.effects
    request, _, known = effects.reason.partition(_FOR)
    if known != cgrid:
        effects.reason = f"{request}{_FOR}{_SEVERAL if known else cgrid}"
