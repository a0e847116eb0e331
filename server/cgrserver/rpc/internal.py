"""RPC methods called from within a decision, by actions: decoded, checked and decided as if a client had asked.

The call is part of the open decision: its changes are committed or undone with it, and its error is the caller's to
handle. A call that needs the store first (`fetch` answers an awaitable) cannot be made so.
"""

from collections.abc import Awaitable, Coroutine, Mapping
from typing import Any

import msgspec

from cgrcore.codecs import Arguments, GoTypes
from cgrcore.errors import BadRequest, Unavailable
from cgrcore.world import World
from cgrserver.rpc.dispatcher import check_mandatory
from cgrserver.rpc.gotypes import load_go_types
from cgrserver.rpc.registry import METHODS, Method

__all__ = ["InternalCalls"]

_encode_json = msgspec.json.Encoder(decimal_format="number").encode


class InternalCalls:
    """Calls methods by name. One for the whole server, `world.parts["call_method"]`."""

    def __init__(self, methods: Mapping[str, Method] = METHODS, go_types: GoTypes | None = None) -> None:
        self._methods = methods
        self._go_types = go_types or load_go_types()
        self._arguments: dict[str, Arguments] = {}

    def __call__(self, world: World, name: str, params: Any) -> Any:
        """Return the reply of a method.

        Raises BadRequest for an unknown one and for params that do not fit, and its errors.
        """
        method = self._methods.get(name)
        if method is None:
            raise BadRequest(f"rpc: can't find method {name}")
        arguments = self._arguments.get(name)
        if arguments is None:
            go_type = self._go_types.argument(name, method.args)
            arguments = self._arguments[name] = Arguments(method.args, go_type, self._go_types)
        args = arguments.decode(_encode_json([params]))
        check_mandatory(args, method.mandatory)
        if method.fetch is None:
            return method.decide(world, args)
        fetched = method.fetch(None, world, args)
        if isinstance(fetched, Awaitable):
            if isinstance(fetched, Coroutine):
                fetched.close()
            raise Unavailable(f"{name} needs the store and cannot be called by an action")
        return method.decide(world, args, fetched)
