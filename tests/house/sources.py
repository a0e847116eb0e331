"""The project's own files, as the tests of the house read them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_PACKAGES = ((ROOT, "cgrcore"), (ROOT / "server", "cgrserver"))


class Source(NamedTuple):
    """One file: its module name, whether it is a package's `__init__`, and its text."""

    path: Path
    module: str
    is_package: bool
    text: str

    @property
    def unit(self) -> str:
        """Return the folder or top-level file it belongs to: `cgrcore.rating`, `cgrserver.app`."""
        return unit_of(self.module)

    def imports(self) -> set[str]:
        """Return the modules it imports, also inside functions, but for those imported for types only."""
        if self.path.suffix == ".py":
            return _python_imports(ast.parse(self.text))
        return {
            first or second
            for first, second in re.findall(r"^\s*(?:from\s+([\w.]+)\s+c?import|c?import\s+([\w.]+))", self.text, re.M)
        }


def unit_of(module: str) -> str:
    """Return the first two parts of a module's name."""
    return ".".join(module.split(".")[:2])


def sources(*suffixes: str, package: str = "") -> list[Source]:
    """Return our files with one of the suffixes, in order of path, of one package or both."""
    found = []
    for folder, name in _PACKAGES:
        if package not in ("", name):
            continue
        for path in sorted((folder / name).rglob("*")):
            if path.suffix not in suffixes:
                continue
            parts = path.relative_to(folder).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            module = ".".join(parts[:-1] if is_package else parts)
            found.append(Source(path, module, is_package, path.read_text(encoding="utf-8")))
    assert found
    return found


def _python_imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which way they point"
            module = node.module or ""
            if module in ("cgrcore", "cgrserver"):
                found.update(f"{module}.{alias.name}" for alias in node.names)
            else:
                found.add(module)
    return found


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Give every node, but for the bodies of `if TYPE_CHECKING:`."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield from _runtime_nodes(child)
