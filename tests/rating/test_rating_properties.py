"""Rating agrees with the model in exact fractions, one call at a time and in columns."""

from functools import partial
from random import Random

import pytest

from tests.rating.agreement import Agreement, compare


def _told(found: Agreement) -> str:
    return "\n".join(
        f"{difference}\n  again: python -m tests.rating.agreement --seed {difference.split()[1].rstrip(',')}"
        for difference in found.differences
    )


@pytest.mark.slow
def test_twenty_thousand_calls_cost_what_the_model_says() -> None:
    found = compare(0, 20_000, processes=1)
    assert found.calls == 20_000
    assert not found.differences, _told(found)


@pytest.mark.nightly
def test_ten_million_calls_cost_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    first_seed = Random().randrange(10**6, 10**12)
    with capsys.disabled():
        tell = partial(print, flush=True)
        tell(f"\nagain: python -m tests.rating.agreement --calls 10000000 --first-seed {first_seed}")
        found = compare(first_seed, 10_000_000, tell=tell)
    assert not found.differences, _told(found)
