"""Tariff plans: CSV files and stored objects that say what everything costs, what happens when, and who has which
account.
"""

from typing import Any

from cgrcore.tariffplan.export import write_files
from cgrcore.tariffplan.kinds import KINDS, KINDS_BY_FILE, Kind
from cgrcore.tariffplan.load import load, unload
from cgrcore.tariffplan.mistakes import Mistake, PlanRefused
from cgrcore.tariffplan.read import Plan, read_files
from cgrcore.tariffplan.rows import Defaults
from cgrcore.tariffplan.single import (
    load_account_actions,
    load_destination,
    load_rating_plans,
    load_rating_profiles,
    load_shared_group,
)
from cgrcore.tariffplan.store import (
    find_item,
    ids_of_plan,
    items_of_plan,
    plan_ids,
    remove_item,
    remove_stored_plan,
    store_item,
    store_plan,
    stored_plan,
)

__all__ = [
    "KINDS",
    "KINDS_BY_FILE",
    "TABLES",
    "Defaults",
    "Kind",
    "Mistake",
    "Plan",
    "PlanRefused",
    "find_item",
    "ids_of_plan",
    "items_of_plan",
    "load",
    "load_account_actions",
    "load_destination",
    "load_rating_plans",
    "load_rating_profiles",
    "load_shared_group",
    "plan_ids",
    "read_files",
    "remove_item",
    "remove_stored_plan",
    "store_item",
    "store_plan",
    "stored_plan",
    "unload",
    "write_files",
]

#: The tables of this subject: stored plans (key `tpid:id`).
TABLES: dict[str, Any] = {kind.table: kind.record for kind in KINDS}
