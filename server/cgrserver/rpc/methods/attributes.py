"""AttributeSv1, and the attribute profiles of APIerSv1 and APIerSv2."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from cgrcore.attributes import Attribute, AttributeProfile, find_profile, process
from cgrcore.errors import CgrError, mandatory_missing, server_error
from cgrcore.filters import parse_rsr, split_rsr
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
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []

TABLE = "attributes"


class RuleArgs(Args):
    Rules: str = ""


class AttributeArgs(Args):
    FilterIDs: list[str] | None = None
    Path: str = ""
    Type: str = ""
    Value: list[RuleArgs] | None = None


class ExternalAttributeArgs(Args):
    FilterIDs: list[str] | None = None
    Path: str = ""
    Type: str = ""
    Value: str = ""


class ProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Contexts: list[str] | None = None
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    Attributes: list[AttributeArgs] | None = None
    Blocker: bool = False
    Weight: Decimal = Decimal(0)
    APIOpts: dict[str, Any] | None = None


class ExternalProfileArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Contexts: list[str] | None = None
    FilterIDs: list[str] | None = None
    ActivationInterval: IntervalArgs | None = None
    Attributes: list[ExternalAttributeArgs] | None = None
    Blocker: bool = False
    Weight: Decimal = Decimal(0)
    APIOpts: dict[str, Any] | None = None


def _store(world: World, args: ProfileArgs | ExternalProfileArgs, attributes: Iterable[Attribute]) -> None:
    record = AttributeProfile(
        tenant=world.tenant(args.Tenant),
        id=args.ID,
        contexts=texts(args.Contexts),
        filter_ids=texts(args.FilterIDs),
        activation=interval_of(world, args.ActivationInterval),
        attributes=tuple(attributes),
        is_blocker=args.Blocker,
        weight_nano=weight_of(args.Weight),
    )
    store(world, TABLE, record, args.APIOpts)


def _check_rules(rules: Iterable[str]) -> None:
    """Raise `SERVER_ERROR: ...` for a rule that cannot be parsed."""
    try:
        for rule in rules:
            parse_rsr(rule)
    except CgrError as error:
        raise server_error(error) from None


@method("APIerSv1.SetAttributeProfile", mandatory=("ID", "Attributes"), aliases=("ApierV1.SetAttributeProfile",))
def set_attribute_profile(world: World, args: ProfileArgs) -> str:
    """Keep an attribute profile whose values are lists of rules."""
    attributes = []
    for item in args.Attributes or ():
        if not item.Path:
            raise mandatory_missing(("Path",))
        rules = None if item.Value is None else tuple(rule.Rules for rule in item.Value)
        if rules and not all(rules):
            raise mandatory_missing(("Rules",))
        _check_rules(rules or ())
        attributes.append(Attribute(item.Path, item.Type, rules, texts(item.FilterIDs)))
    _store(world, args, attributes)
    return "OK"


@method("APIerSv2.SetAttributeProfile", mandatory=("ID", "Attributes"), aliases=("ApierV2.SetAttributeProfile",))
def set_external_attribute_profile(world: World, args: ExternalProfileArgs) -> str:
    """Keep an attribute profile whose values are texts, their rules parted by the configured separator."""
    separator = str(world.settings.get("general", {}).get("rsr_separator") or ";")
    attributes = []
    for item in args.Attributes or ():
        if not item.Path:
            raise mandatory_missing(("Path",))
        if not item.Value:
            raise server_error(mandatory_missing(("Value",)))
        try:
            rules = tuple(split_rsr(item.Value, separator))
        except CgrError as error:
            raise server_error(error) from None
        _check_rules(rules)
        attributes.append(Attribute(item.Path, item.Type, rules, texts(item.FilterIDs)))
    _store(world, args, attributes)
    return "OK"


declare_profiles("AttributeProfile", TABLE, "attribute profile", is_counted=True)


@method("AttributeSv1.GetAttributeForEvent")
def get_attribute_for_event(world: World, args: EventArgs) -> dict[str, Any]:
    """Return the attribute profile that an event would be altered by."""
    return find_profile(world, args.event(world)).as_wire()


@method("AttributeSv1.ProcessEvent")
def process_event(world: World, args: EventArgs) -> dict[str, Any]:
    """Alter an event by attribute profiles and return it, with what was done."""
    return process(world, args.full_event(world)).as_wire()
