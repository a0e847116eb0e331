"""The page on tariff plans lists the files as they are."""

import pytest

from cgrcore.tariffplan import KINDS, Kind
from tests.tariffplan.worlds import READY_PLANS

PAGE = (READY_PLANS.parent / "docs" / "tariffplans.md").read_text()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_page_lists_the_columns_of_every_file(kind: Kind) -> None:
    assert f"| {kind.file} | {', '.join(column.name for column in kind.columns)} |\n" in PAGE
