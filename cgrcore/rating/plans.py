"""The plans of a tariff as the kernel reads them: made once, when first asked for.

Does not know: what is in them.
"""

from cgrcore._fast.plans import Plans
from cgrcore.rating.compile import Tariff

__all__ = ["plans_of"]


def plans_of(tariff: Tariff) -> Plans | None:
    """Return the plans of a tariff; None for a passing twin of another tariff, which is not worth the making."""
    found: Plans | None = tariff.kernel_plans
    if found is None:
        step_nano: int = 10 ** (9 - min(tariff.rounding_decimals, 9))
        numbers = tariff.numbers
        found = tariff.kernel_plans = Plans(tariff, numbers.index, numbers.owners_by_place, step_nano)
    return found if found.tariff is tariff else None
