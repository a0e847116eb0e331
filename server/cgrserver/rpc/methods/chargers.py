"""ChargerSv1, and the charger profiles of APIerSv1."""

from decimal import Decimal
from typing import Any

from cgrcore.chargers import ChargerProfile, profiles_for, runs_of
from cgrcore.world import World
from cgrserver.rpc.profiles import (
    EventArgs,
    IntervalArgs,
    declare_profiles,
    interval_of,
    store,
    texts,
    weight_of,
)
from cgrserver.rpc.registry import Args, apier_names, method

__all__: list[str] = []

TABLE = "chargers"


class ChargerArgs(Args):
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    RunID: str = ""
    AttributeIDs: list[str] | None = None
    Weight: Decimal = Decimal(0)
    APIOpts: dict[str, Any] | None = None


@method("APIerSv1.SetChargerProfile", mandatory=("ID",), aliases=apier_names("SetChargerProfile"))
def set_charger_profile(world: World, args: ChargerArgs) -> str:
    """Keep a charger profile, in place of one with the same id."""
    record = ChargerProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        run_id=args.RunID,
        attribute_ids=texts(args.AttributeIDs),
        weight_nano=weight_of(args.Weight),
    )
    store(world, TABLE, record, args.APIOpts)
    return "OK"


declare_profiles("ChargerProfile", TABLE, "charger profile")


@method("ChargerSv1.GetChargersForEvent")
def get_chargers_for_event(world: World, args: EventArgs) -> list[dict[str, Any]]:
    """Return the charger profiles that an event matches, heaviest first."""
    return [profile.as_wire() for profile in profiles_for(world, args.event(world))]


@method("ChargerSv1.ProcessEvent")
def process_event(world: World, args: EventArgs) -> list[dict[str, Any]]:
    """Return the charging runs of an event."""
    return [run.as_wire() for run in runs_of(world, args.full_event(world))]
