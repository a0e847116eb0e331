"""Modules say what they are for and what is public; compiled modules have stubs that agree with them."""

import ast
import re

import pytest

from tests.house.sources import Source, sources

MODULES = [source for source in sources(".py") if source.text.strip()]
COMPILED = sources(".pyx")


def _public_names(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "__all__" for to in node.targets):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def _bound_names(tree: ast.Module) -> set[str]:
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            bound.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
    return bound


@pytest.mark.parametrize("source", MODULES, ids=lambda source: source.module)
def test_a_module_opens_with_what_it_is_for(source: Source) -> None:
    assert ast.get_docstring(ast.parse(source.text))


@pytest.mark.parametrize("source", MODULES, ids=lambda source: source.module)
def test_every_public_name_is_there(source: Source) -> None:
    tree = ast.parse(source.text)
    names = _public_names(tree)
    has_definitions = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
    declares_methods = source.module.startswith("cgrserver.rpc.methods.")
    assert names is not None or not has_definitions or declares_methods, (
        "a module with definitions says in __all__ which are public"
    )
    assert set(names or ()) <= _bound_names(tree)


@pytest.mark.parametrize("source", MODULES, ids=lambda source: source.module)
def test_a_name_with_an_underscore_stays_in_its_module(source: Source) -> None:
    taken = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(source.text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("cgrcore", "cgrserver"))
        for alias in node.names
        if alias.name.startswith("_") and alias.name != "_fast"
    ]
    assert taken == []


@pytest.mark.parametrize("source", COMPILED, ids=lambda source: source.module)
def test_a_compiled_module_has_a_stub_with_the_same_public_names(source: Source) -> None:
    stub = source.path.with_suffix(".pyi")
    assert stub.exists()
    told = {
        node.name
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    functions = re.findall(r"^(?:def|cpdef\s[^(\n]*?)\s*\b(\w+)\(", source.text, re.M)
    classes = re.findall(r"^(?:cdef\s+)?class\s+(\w+)", source.text, re.M)
    assert told == {name for name in functions + classes if not name.startswith("_")}


def test_no_folder_or_file_is_named_for_what_has_no_owner() -> None:
    names = {source.path.stem for source in sources(".py", ".pyx")}
    assert not names & {"util", "utils", "helper", "helpers", "common", "consts", "constants", "manager", "misc"}
