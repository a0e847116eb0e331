"""The page on actions names every kind."""

from pathlib import Path

import pytest

from cgrcore.actions.steps import STEPS

PAGE = (Path(__file__).parents[2] / "docs" / "actions.md").read_text()


@pytest.mark.parametrize("kind", sorted(STEPS))
def test_every_kind_of_action_is_in_the_documentation(kind: str) -> None:
    assert f"`{kind}`" in PAGE
