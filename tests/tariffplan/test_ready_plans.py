"""The plans in `tariffplans/` give the results that stand beside them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cgrserver.rpc import methods
from cgrserver.rpc.registry import METHODS
from cgrserver.tariffs import read_folder

from cgrcore.codecs import encode
from cgrcore.errors import CgrError
from cgrcore.scheduling.due import reload_schedule
from cgrcore.tariffplan import Defaults, load, read_files
from cgrcore.world import World
from tests.tariffplan.worlds import READY_PLANS, empty_world

methods.load_all()


def results(plan: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((plan / "expected.json").read_text(), parse_float=Decimal)
    return found


PLANS = sorted(path.parent for path in READY_PLANS.glob("*/expected.json"))
CASES = [(plan, case) for plan in PLANS for case in results(plan)]


def loaded(plan: Path) -> World:
    world = empty_world()
    load(world, read_files(read_folder(plan), Defaults(world.tenant(""))), must_be_sound=plan.name != "retail")
    reload_schedule(world)
    return world


def holds(wanted: Any, got: Any) -> bool:
    """Tell whether an answer has all that is wanted: maps may have more keys, lists are equally long."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(key in got and holds(value, got[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(holds, wanted, got))
    return bool(wanted == got)


def ask(world: World, name: str, params: dict[str, Any]) -> Any:
    """Return the answer of a method, as it reads after the wire."""
    method = METHODS[name]
    reply = method.decide(world, msgspec.convert(params, method.args))
    return json.loads(encode(reply), parse_float=Decimal)


@pytest.mark.parametrize(("plan", "case"), CASES, ids=[f"{plan.name}: {case['why']}" for plan, case in CASES])
def test_a_ready_plan_gives_what_it_promises(plan: Path, case: dict[str, Any]) -> None:
    world = loaded(plan)
    if "error" in case:
        with pytest.raises(CgrError) as refused:
            ask(world, case["method"], case["params"])
        assert str(refused.value) == case["error"]
        return
    reply = ask(world, case["method"], case["params"])
    assert holds(case["expect"], reply), reply


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_a_ready_plan_says_why(plan: Path) -> None:
    assert (plan / "why.md").read_text().startswith(f"# {plan.name}: ")


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_loading_a_ready_plan_again_changes_no_balance(plan: Path) -> None:
    world = loaded(plan)
    accounts = {key: account.encode() for key, account in world.state.table("accounts").records.items()}
    load(world, read_files(read_folder(plan), Defaults(world.tenant(""))))
    assert {key: account.encode() for key, account in world.state.table("accounts").records.items()} == accounts
