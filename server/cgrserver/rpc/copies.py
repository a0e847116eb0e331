"""Records as other nodes copy them: the methods of ReplicatorSv1 that are alike for every kind."""

from collections.abc import Callable
from typing import Any

from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__ = ["KeyArgs", "declare_copies"]


class KeyArgs(Args):
    Tenant: str = ""
    Arg: str = ""
    APIOpts: dict[str, Any] | None = None


def declare_copies(name: str, table_name: str, what: str, as_wire: Callable[[Any], dict[str, Any]]) -> None:
    """Declare the methods that give a record, by its key in the table, to another node and remove it as that did.

    `name` is what the wire calls the kind (`RatingPlan`), `what` its name in words.
    """

    def get(world: World, args: KeyArgs) -> dict[str, Any]:
        return as_wire(world.state.table(table_name).require(args.Arg))

    def drop(world: World, args: KeyArgs) -> str:
        world.state.table(table_name).remove(args.Arg)
        return "OK"

    method(f"ReplicatorSv1.Get{name}", summary=f"Return {what} to another node.")(get)
    method(f"ReplicatorSv1.Remove{name}", summary=f"Remove {what} as another node did.")(drop)
