"""The kinds of objects of a tariff plan, each described once: its file, columns, record, key, and names on the wire.

A column is written `Name=field:type`: its name in the file, the field of the record that it fills (`.field`: of the
inner object of the row), and how it is read: `text` when nothing is said, `number`, `whole`, `bool`, `duration`,
`list` (parted by `;`), `interval`. An inner column marked `!` must not be empty for the row to hold an inner object.
Everything that knows kinds (reading, the store, RPC methods, exporting) reads this table.
"""

from typing import Any

import msgspec

from cgrcore.tariffplan import records as tp

__all__ = ["KINDS", "KINDS_BY_FILE", "Column", "Inner", "Kind"]


class Column(msgspec.Struct, frozen=True):
    """One column: its name, the field it fills, how it is read; whether the field belongs to the inner object."""

    name: str
    field: str
    type: str = "text"
    is_inner: bool = False
    is_marker: bool = False


class Inner(msgspec.Struct, frozen=True):
    """The inner objects of a kind: the field that lists them (or holds the only one), and their record."""

    field: str
    record: Any
    is_single: bool = False


class Kind(msgspec.Struct, frozen=True):
    """One kind of object.

    `key` are the fields of its id, joined by `:`, after the plan's id; `model` is the name CGRateS's errors give a row;
    `wire` is the part of method names (SetTP<wire>), `ids_method` the method that lists ids, `mandatory` what SetTP*
    must be given.
    """

    name: str
    file: str
    record: Any
    model: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    wire: str
    ids_method: str
    mandatory: tuple[str, ...]
    inner: Inner | None = None

    @property
    def table(self) -> str:
        return f"tp_{self.name}"

    @property
    def has_tenant(self) -> bool:
        return "Tenant" in self.key

    def id_of(self, item: Any) -> str:
        """Return the id of an object within its plan."""
        return ":".join(getattr(item, field) for field in self.key)


def _kind(
    name: str,
    file: str,
    record: Any,
    model: str,
    columns: str,
    *,
    wire: str,
    ids: str,
    mandatory: str = "ID",
    key: str = "",
    inner: tuple[Any, ...] | None = None,
) -> Kind:
    parsed = tuple(_column(text) for text in columns.split())
    fields = record.__struct_fields__
    names = tuple(key.split()) or (("Tenant", "ID") if "Tenant" in fields else ("ID",))
    within = Inner(*inner) if inner else None
    return Kind(name, file, record, model, parsed, names, wire, ids, ("TPid", *mandatory.split()), within)


def _column(text: str) -> Column:
    is_marker = text.endswith("!")
    name, _, rest = text.rstrip("!").partition("=")
    field, _, kind = rest.partition(":")
    if not rest:
        name, _, kind = name.partition(":")
        field = name
    return Column(name, field.lstrip("."), kind or "text", field.startswith("."), is_marker)


#: In the order of loading: an object may refer to those of the kinds before it.
KINDS: tuple[Kind, ...] = (
    _kind(
        "destinations",
        "Destinations.csv",
        tp.TpDestination,
        "DestinationMdl",
        "Tag=ID Prefix=Prefixes:item",
        wire="Destination",
        ids="GetTPDestinationIDs",
        mandatory="ID Prefixes",
    ),
    _kind(
        "timings",
        "Timings.csv",
        tp.TpTiming,
        "TimingMdl",
        "Tag=ID Years Months MonthDays WeekDays Time",
        wire="Timing",
        ids="GetTPTimingIds",
        mandatory="ID Years Months MonthDays WeekDays Time",
    ),
    _kind(
        "rates",
        "Rates.csv",
        tp.TpRate,
        "RateMdl",
        "Tag=ID ConnectFee=.ConnectFee:number Rate=.Rate:number RateUnit=.RateUnit:duration "
        "RateIncrement=.RateIncrement:duration GroupIntervalStart=.GroupIntervalStart:duration",
        wire="Rate",
        ids="GetTPRateIds",
        mandatory="ID RateSlots",
        inner=("RateSlots", tp.TpRateSlot),
    ),
    _kind(
        "destination_rates",
        "DestinationRates.csv",
        tp.TpDestinationRate,
        "DestinationRateMdl",
        "Tag=ID DestinationsTag=.DestinationId RatesTag=.RateId RoundingMethod=.RoundingMethod "
        "RoundingDecimals=.RoundingDecimals:whole MaxCost=.MaxCost:number MaxCostStrategy=.MaxCostStrategy",
        wire="DestinationRate",
        ids="GetTPDestinationRateIds",
        mandatory="ID DestinationRates",
        inner=("DestinationRates", tp.TpRateBinding),
    ),
    _kind(
        "rating_plans",
        "RatingPlans.csv",
        tp.TpRatingPlan,
        "RatingPlanMdl",
        "Tag=ID DestratesTag=.DestinationRatesId TimingTag=.TimingId Weight=.Weight:number",
        wire="RatingPlan",
        ids="GetTPRatingPlanIds",
        mandatory="ID RatingPlanBindings",
        inner=("RatingPlanBindings", tp.TpRatingPlanBinding),
    ),
    _kind(
        "rating_profiles",
        "RatingProfiles.csv",
        tp.TpRatingProfile,
        "RatingProfileMdl",
        "Tenant Category Subject ActivationTime=.ActivationTime RatingPlanTag=.RatingPlanId "
        "FallbackSubjects=.FallbackSubjects",
        wire="RatingProfile",
        ids="GetTPRatingProfileIds",
        mandatory="LoadId Category Subject RatingPlanActivations",
        key="LoadId Tenant Category Subject",
        inner=("RatingPlanActivations", tp.TpRatingActivation),
    ),
    _kind(
        "shared_groups",
        "SharedGroups.csv",
        tp.TpSharedGroups,
        "SharedGroupMdl",
        "Tag=ID Account=.Account Strategy=.Strategy RatingSubject=.RatingSubject",
        wire="SharedGroups",
        ids="GetTPSharedGroupIds",
        mandatory="ID SharedGroups",
        inner=("SharedGroups", tp.TpSharedGroup),
    ),
    _kind(
        "actions",
        "Actions.csv",
        tp.TpActions,
        "ActionMdl",
        "Tag=ID Action=.Identifier ExtraParameters=.ExtraParameters Filters=.Filters BalanceTag=.BalanceId "
        "BalanceType=.BalanceType Categories=.Categories DestinationTags=.DestinationIds RatingSubject=.RatingSubject "
        "SharedGroups=.SharedGroups ExpiryTime=.ExpiryTime TimingTags=.TimingTags Units=.Units "
        "BalanceWeight=.BalanceWeight BalanceBlocker=.BalanceBlocker BalanceDisabled=.BalanceDisabled "
        "Weight=.Weight:number",
        wire="Actions",
        ids="GetTPActionIds",
        mandatory="ID Actions",
        inner=("Actions", tp.TpAction),
    ),
    _kind(
        "action_plans",
        "ActionPlans.csv",
        tp.TpActionPlan,
        "ActionPlanMdl",
        "Tag=ID ActionsTag=.ActionsId TimingTag=.TimingId Weight=.Weight:number",
        wire="ActionPlan",
        ids="GetTPActionPlanIds",
        mandatory="ID ActionPlan",
        inner=("ActionPlan", tp.TpActionTiming),
    ),
    _kind(
        "action_triggers",
        "ActionTriggers.csv",
        tp.TpActionTriggers,
        "ActionTriggerMdl",
        "Tag=ID UniqueId=.UniqueID ThresholdType=.ThresholdType ThresholdValue=.ThresholdValue:number "
        "Recurrent=.Recurrent:bool MinSleep=.MinSleep ExpiryTime=.ExpirationDate ActivationTime=.ActivationDate "
        "BalanceTag=.BalanceId BalanceType=.BalanceType BalanceCategories=.BalanceCategories "
        "BalanceDestinationTags=.BalanceDestinationIds BalanceRatingSubject=.BalanceRatingSubject "
        "BalanceSharedGroups=.BalanceSharedGroups BalanceExpiryTime=.BalanceExpirationDate "
        "BalanceTimingTags=.BalanceTimingTags BalanceWeight=.BalanceWeight BalanceBlocker=.BalanceBlocker "
        "BalanceDisabled=.BalanceDisabled ActionsTag=.ActionsId Weight=.Weight:number",
        wire="ActionTriggers",
        ids="GetTPActionTriggerIds",
        inner=("ActionTriggers", tp.TpActionTrigger),
    ),
    _kind(
        "account_actions",
        "AccountActions.csv",
        tp.TpAccountActions,
        "AccountActionMdl",
        "Tenant Account ActionPlanTag=ActionPlanId ActionTriggersTag=ActionTriggersId AllowNegative:bool Disabled:bool",
        wire="AccountActions",
        ids="GetTPAccountActionIds",
        mandatory="LoadId Account ActionPlanId",
        key="LoadId Tenant Account",
    ),
    _kind(
        "filters",
        "Filters.csv",
        tp.TpFilter,
        "FilterMdl",
        "Tenant ID Type=.Type! Element=.Element Values=.Values:list ActivationInterval:interval",
        wire="FilterProfile",
        ids="GetTPFilterProfileIds",
        inner=("Filters", tp.TpFilterRule),
    ),
    _kind(
        "resources",
        "Resources.csv",
        tp.TpResource,
        "ResourceMdl",
        "Tenant ID FilterIDs:list ActivationInterval:interval UsageTTL Limit AllocationMessage Blocker:bool "
        "Stored:bool Weight:number ThresholdIDs:list",
        wire="Resource",
        ids="GetTPResourceIDs",
        mandatory="ID Limit",
    ),
    _kind(
        "ips",
        "IPs.csv",
        tp.TpIp,
        "IPMdl",
        "Tenant ID FilterIDs:list ActivationInterval:interval TTL Stored:bool Weight:number PoolID=.ID! "
        "PoolFilterIDs=.FilterIDs:list PoolType=.Type PoolRange=.Range PoolStrategy=.Strategy PoolMessage=.Message "
        "PoolWeight=.Weight:number PoolBlocker=.Blocker:bool",
        wire="",
        ids="",
        inner=("Pools", tp.TpPool),
    ),
    _kind(
        "stats",
        "Stats.csv",
        tp.TpStat,
        "StatMdl",
        "Tenant ID FilterIDs:list ActivationInterval:interval QueueLength:whole TTL MinItems:whole "
        "MetricIDs=.MetricID! MetricFilterIDs=.FilterIDs:list Stored:bool Blocker:bool Weight:number ThresholdIDs:list",
        wire="Stat",
        ids="GetTPStatIDs",
        inner=("Metrics", tp.TpMetric),
    ),
    _kind(
        "trends",
        "Trends.csv",
        tp.TpTrend,
        "TrendMdl",
        "Tenant ID Schedule StatID Metrics:list TTL QueueLength:whole MinItems:whole CorrelationType Tolerance:number "
        "Stored:bool ThresholdIDs:list",
        wire="Trend",
        ids="GetTPTrendIDs",
    ),
    _kind(
        "rankings",
        "Rankings.csv",
        tp.TpRanking,
        "RankingMdl",
        "Tenant ID Schedule StatIDs:list MetricIDs:list Sorting SortingParameters:list Stored:bool ThresholdIDs:list",
        wire="Ranking",
        ids="GetTPRankingIDs",
    ),
    _kind(
        "thresholds",
        "Thresholds.csv",
        tp.TpThreshold,
        "ThresholdMdl",
        "Tenant ID FilterIDs:list ActivationInterval:interval MaxHits:whole MinHits:whole MinSleep Blocker:bool "
        "Weight:number ActionIDs:list Async:bool EeIDs:list",
        wire="Threshold",
        ids="GetTPThresholdIDs",
    ),
    _kind(
        "routes",
        "Routes.csv",
        tp.TpRouteProfile,
        "RouteMdl",
        "Tenant ID FilterIDs:list ActivationInterval:interval Sorting SortingParameters:list RouteID=.ID! "
        "RouteFilterIDs=.FilterIDs:list RouteAccountIDs=.AccountIDs:list RouteRatingplanIDs=.RatingPlanIDs:list "
        "RouteResourceIDs=.ResourceIDs:list RouteStatIDs=.StatIDs:list RouteWeight=.Weight:number "
        "RouteBlocker=.Blocker:bool RouteParameters=.RouteParameters Weight:number",
        wire="RouteProfile",
        ids="GetTPRouteProfileIDs",
        inner=("Routes", tp.TpRoute),
    ),
    _kind(
        "attributes",
        "Attributes.csv",
        tp.TpAttributeProfile,
        "AttributeMdl",
        "Tenant ID Contexts:list FilterIDs:list ActivationInterval:interval AttributeFilterIDs=.FilterIDs:list "
        "Path=.Path! Type=.Type Value=.Value Blocker:bool Weight:number",
        wire="AttributeProfile",
        ids="GetTPAttributeProfileIds",
        inner=("Attributes", tp.TpAttribute),
    ),
    _kind(
        "chargers",
        "Chargers.csv",
        tp.TpCharger,
        "ChargerMdl",
        "Tenant ID FilterIDs:list ActivationInterval:interval RunID AttributeIDs:list Weight:number",
        wire="Charger",
        ids="GetTPChargerIDs",
    ),
    _kind(
        "dispatcher_profiles",
        "DispatcherProfiles.csv",
        tp.TpDispatcherProfile,
        "DispatcherProfileMdl",
        "Tenant ID Subsystems:list FilterIDs:list ActivationInterval:interval Strategy "
        "StrategyParameters=StrategyParams:list ConnID=.ID! ConnFilterIDs=.FilterIDs:list ConnWeight=.Weight:number "
        "ConnBlocker=.Blocker:bool ConnParameters=.Params:list Weight:number",
        wire="DispatcherProfile",
        ids="GetTPDispatcherProfileIDs",
        inner=("Hosts", tp.TpHostProfile),
    ),
    _kind(
        "dispatcher_hosts",
        "DispatcherHosts.csv",
        tp.TpDispatcherHost,
        "DispatcherHostMdl",
        "Tenant ID Address=.Address Transport=.Transport ConnectAttempts=.ConnectAttempts:whole "
        "Reconnects=.Reconnects:whole MaxReconnectInterval=.MaxReconnectInterval:nanoseconds "
        "ConnectTimeout=.ConnectTimeout:nanoseconds ReplyTimeout=.ReplyTimeout:nanoseconds TLS=.TLS:bool "
        "ClientKey=.ClientKey ClientCertificate=.ClientCertificate CaCertificate=.CaCertificate",
        wire="DispatcherHost",
        ids="GetTPDispatcherHostIDs",
        inner=("Conn", tp.TpHostConn, True),
    ),
)

KINDS_BY_FILE: dict[str, Kind] = {kind.file: kind for kind in KINDS}
