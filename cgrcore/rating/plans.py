"""The plans of a tariff as the kernel reads them: made once, when first asked for.

Does not know: what is in them.
"""

from cgrcore._fast.bulk import BulkRater
from cgrcore._fast.plans import Plans
from cgrcore.rating.compile import Hours, Tariff
from cgrcore.rating.records import Timing

__all__ = ["plans_of", "rater_of"]


def plans_of(tariff: Tariff) -> Plans | None:
    """Return the plans of a tariff; None for a passing twin of another tariff, which is not worth the making."""
    found: Plans | None = tariff.kernel_plans
    if found is None:
        found = tariff.kernel_plans = _made(tariff)
    return found if found.tariff is tariff else None


def rater_of(tariff: Tariff) -> BulkRater:
    """Return what rates columns of calls under a tariff. All who ask get the same."""
    found: BulkRater | None = tariff.bulk_rater
    if found is None or found.plans.tariff is not tariff:
        found = tariff.bulk_rater = BulkRater(plans_of(tariff) or _made(tariff))
    return found


def _made(tariff: Tariff) -> Plans:
    step_nano: int = 10 ** (9 - min(tariff.rounding_decimals, 9))
    return Plans(tariff, tariff.numbers.index, lambda timing: Hours(timing or Timing()), step_nano)
