"""How refused tariff plans are told: to clients in CGRateS's words, to operators with every mistake and its place."""

import structlog

from cgrcore.errors import CgrError, server_error
from cgrcore.tariffplan import PlanRefused

__all__ = ["told"]

log = structlog.get_logger()

#: What CGRateS answers without a prefix.
_BARE = frozenset(("invalid data",))


def told(error: CgrError, source: str) -> CgrError:
    """Return an error as clients read it. All that is wrong with a plan goes to the log, with its places."""
    if isinstance(error, PlanRefused):
        for line in error.report:
            log.warning("tariff plan refused", source=source, mistake=line)
        return PlanRefused(error.mistakes, "" if str(error) in _BARE else "SERVER_ERROR: ")
    return server_error(error)
