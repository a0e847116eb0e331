"""How the cost of each call came about, as one JSON text a row.

Rules: a list of the call's priced spans: `StartTime`, `Usage`, `Increment`, `Count`, `IncrementCost`; amounts are exact
decimal texts. The connect fee, the cap and the rounding of the whole are what the sum lacks to the cost. A row without
a cost has no breakdown. Does not know: tariffs.
"""

import numpy
import pyarrow as pa
from numpy import bool_, int32
from numpy.typing import NDArray

from cgrcore.money import format_nano
from cgrcore.rating import Breakdown
from cgrcore.timing import format_duration, format_time

__all__ = ["breakdown_texts"]


def breakdown_texts(
    breakdown: Breakdown, offsets_s: int | NDArray[int32], is_refused: NDArray[bool_]
) -> pa.StringArray:
    """Return the texts. `offsets_s` is the clock that times are told on; usage is told as a duration."""
    count = len(is_refused)
    spans_of = numpy.diff(breakdown.first)
    if isinstance(offsets_s, int):
        clocks = [offsets_s] * int(breakdown.first[-1])
    else:
        clocks = numpy.repeat(offsets_s, spans_of).tolist()
    columns = (
        breakdown.starts_at,
        breakdown.usages_ns,
        breakdown.increments_ns,
        breakdown.increment_counts,
        breakdown.increment_costs_nano,
    )
    spans = [
        f'{{"StartTime":"{format_time(start_at, offset_s)}","Usage":"{format_duration(usage_ns)}",'
        f'"Increment":"{format_duration(increment_ns)}","Count":{steps},"IncrementCost":{format_nano(cost_nano)}}}'
        for offset_s, start_at, usage_ns, increment_ns, steps, cost_nano in zip(
            clocks, *(column.tolist() for column in columns), strict=True
        )
    ]
    first = breakdown.first.tolist()
    refused = is_refused.tolist()
    return pa.array(
        [None if refused[row] else f"[{','.join(spans[first[row] : first[row + 1]])}]" for row in range(count)],
        pa.string(),
    )
