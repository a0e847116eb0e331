"""The declarations of Go's argument types that come with the server, for the error texts that clients know."""

from importlib.resources import files

from cgrcore.codecs import GoTypes

__all__ = ["load_go_types"]


def load_go_types() -> GoTypes:
    """Return the declarations of `gotypes.txt`."""
    return GoTypes(files("cgrserver.rpc").joinpath("gotypes.txt").read_text("utf-8").splitlines())
