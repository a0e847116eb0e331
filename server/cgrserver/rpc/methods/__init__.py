"""RPC methods by subject. `load_all` declares them all."""

import importlib
import pkgutil

__all__ = ["load_all"]


def load_all() -> None:
    """Import every module of this package, so that the registry holds its methods."""
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(found.name)
