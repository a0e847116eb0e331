"""The store of tariff plans: objects by plan and id, kept as they were written.

Rules: an object has the key `tpid:id`; ids match whole. Setting an object replaces it, removing one that is not there
is nothing. Does not know: what is in force.
"""

from typing import Any

from cgrcore.errors import NotFound
from cgrcore.tariffplan.kinds import KINDS, Kind
from cgrcore.tariffplan.read import Plan
from cgrcore.tariffplan.rows import Defaults
from cgrcore.world import World

__all__ = [
    "find_item",
    "ids_of_plan",
    "items_of_plan",
    "plan_ids",
    "remove_item",
    "remove_stored_plan",
    "store_item",
    "store_plan",
    "stored_plan",
]


def store_item(world: World, kind: Kind, item: Any) -> None:
    """Keep an object, in place of the one with its id. An empty tenant is the default one."""
    if kind.has_tenant and not item.Tenant:
        item.Tenant = world.tenant("")
    world.state.table(kind.table).put(f"{item.TPid}:{kind.id_of(item)}", item)


def find_item(world: World, kind: Kind, tpid: str, item_id: str) -> Any:
    """Return an object of a plan. Raises NotFound."""
    found = world.state.table(kind.table).get(f"{tpid}:{item_id}")
    if found is None:
        raise NotFound(subject=kind.table, subject_id=item_id)
    return found


def remove_item(world: World, kind: Kind, tpid: str, item_id: str) -> None:
    """Remove an object of a plan, if it is there."""
    world.state.table(kind.table).remove(f"{tpid}:{item_id}")


def items_of_plan(world: World, kind: Kind, tpid: str) -> dict[str, Any]:
    """Return a plan's objects of a kind by id, sorted."""
    table = world.state.table(kind.table)
    prefix = f"{tpid}:"
    keys = sorted(key for key in table if key.startswith(prefix))
    return {key[len(prefix) :]: table.records[key] for key in keys if table.records[key].TPid == tpid}


def ids_of_plan(world: World, kind: Kind, tpid: str) -> list[str]:
    """Return the ids of a plan's objects of a kind, sorted."""
    return list(items_of_plan(world, kind, tpid))


def plan_ids(world: World) -> list[str]:
    """Return the ids of all plans, sorted."""
    return sorted({item.TPid for kind in KINDS for item in world.state.table(kind.table).records.values()})


def stored_plan(world: World, tpid: str) -> Plan:
    """Return a plan of the store whole; one without objects for an unknown id."""
    plan = Plan(Defaults(world.tenant(""), tpid))
    for kind in KINDS:
        plan.objects[kind.name] = items_of_plan(world, kind, tpid)
    return plan


def store_plan(world: World, plan: Plan) -> None:
    """Keep all objects of a plan under its id, except those of files with mistakes."""
    for kind in KINDS:
        if kind.file not in plan.refused_files:
            for item in plan.objects[kind.name].values():
                store_item(world, kind, item)


def remove_stored_plan(world: World, tpid: str) -> None:
    """Remove all objects of a plan."""
    for kind in KINDS:
        for item_id in ids_of_plan(world, kind, tpid):
            remove_item(world, kind, tpid, item_id)
