"""The registry of RPC methods: each is declared once, with its argument record, and everything else reads it.

    class GetCostArgs(Args):
        Tenant: str = ""
        Usage: str = ""

    @method("APIerSv1.GetCost", mandatory=("Subject",), aliases=("ApierV1.GetCost",))
    def get_cost(world: World, args: GetCostArgs) -> object:
        ...

A method is a decision: synchronous, on the world, returning its reply (anything the JSON encoder takes; amounts as
`money.number_from_nano` gives them) or raising a CgrError. What it needs from the store is fetched before, by `fetch`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from cgrcore.world import World

__all__ = ["METHODS", "Args", "Method", "apier_names", "method"]


class Args(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of argument records: every field has its zero value as default, names are those on the wire.

    Every method takes `APIOpts`, also where CGRateS has none: an idempotency key is given there.
    """

    APIOpts: dict[str, Any] | None = None


class Method(msgspec.Struct, frozen=True):
    """One RPC method.

    `args` is the type of the single parameter (an Args record, `str`, ...); `mandatory` are the fields that must not
    have their zero value; `fetch(store, world, args)` reads from the store what the decision needs, and its result is
    the decision's third argument. `is_long`: it may take longer than `limits.store_timeout`, as it works in steps.
    """

    name: str
    decide: Callable[..., Any]
    args: Any
    mandatory: tuple[str, ...] = ()
    fetch: Callable[[Any, World, Any], Any] | None = None
    summary: str = ""
    is_long: bool = False


#: Every declared method by its wire name. Filled while the packages are imported, constant afterwards.
METHODS: dict[str, Method] = {}


def apier_names(name: str) -> tuple[str, ...]:
    """Return the other names that a method of APIerSv1 answers to."""
    return (f"ApierV1.{name}", f"APIerSv2.{name}", f"ApierV2.{name}")


def method(
    name: str,
    *,
    args: Any = None,
    mandatory: tuple[str, ...] = (),
    fetch: Callable[[Any, World, Any], Any] | None = None,
    aliases: tuple[str, ...] = (),
    is_long: bool = False,
    summary: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare the decorated function as RPC method `name` (and `aliases`).

    `summary` defaults to the first line of its docstring, `args` to the annotation of its second parameter.
    """

    def declare(decide: Callable[..., Any]) -> Callable[..., Any]:
        kind = args if args is not None else list(decide.__annotations__.values())[1]
        told = summary or (decide.__doc__ or "").strip().split("\n")[0]
        for wire_name in (name, *aliases):
            assert wire_name not in METHODS, f"{wire_name} is declared twice"
            METHODS[wire_name] = Method(wire_name, decide, kind, mandatory, fetch, told, is_long)
        return decide

    return declare
