"""What docs/operating.md promises is shown by tests that exist."""

import ast
import re

import pytest

from tests.house.sources import ROOT

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "operating.md").read_text())


def test_failures_are_promised_something() -> None:
    assert len(NAMED) > 15


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda part: part)
def test_a_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_row_names_a_test() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    table = text.partition("| Failure | Promise | Shown by |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert [row for row in table.splitlines() if "::" not in row] == []
