"""The objects of tariff plans as they are written down: texts and numbers under the names of the wire.

One type for each kind. They are what APIerSv1.SetTP* takes and GetTP* shows, what a row of a CSV file becomes, and what
the tables `tp_*` keep under `tpid:id`. A list that is None was not given (null on the wire).
Rules: nothing is interpreted here; an object in a table is never changed. Does not know: what an object means.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec

__all__ = [
    "TpAccountActions",
    "TpAction",
    "TpActionPlan",
    "TpActionTiming",
    "TpActionTrigger",
    "TpActionTriggers",
    "TpActions",
    "TpAttribute",
    "TpAttributeProfile",
    "TpCharger",
    "TpDestination",
    "TpDestinationRate",
    "TpDispatcherHost",
    "TpDispatcherProfile",
    "TpFilter",
    "TpFilterRule",
    "TpHostConn",
    "TpHostProfile",
    "TpInterval",
    "TpIp",
    "TpMetric",
    "TpPool",
    "TpRanking",
    "TpRate",
    "TpRateBinding",
    "TpRateSlot",
    "TpRatingActivation",
    "TpRatingPlan",
    "TpRatingPlanBinding",
    "TpRatingProfile",
    "TpResource",
    "TpRoute",
    "TpRouteProfile",
    "TpSharedGroup",
    "TpSharedGroups",
    "TpStat",
    "TpThreshold",
    "TpTiming",
    "TpTrend",
]

ZERO: Final = Decimal(0)


class TpTiming(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    Years: str = ""
    Months: str = ""
    MonthDays: str = ""
    WeekDays: str = ""
    Time: str = ""


class TpDestination(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    Prefixes: list[str] | None = None


class TpRateSlot(msgspec.Struct, gc=False):
    ConnectFee: Decimal = ZERO
    Rate: Decimal = ZERO
    RateUnit: str = ""
    RateIncrement: str = ""
    GroupIntervalStart: str = ""


class TpRate(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    RateSlots: list[TpRateSlot] | None = None


class TpRateBinding(msgspec.Struct, gc=False):
    """A destination with its rate. `Rate` is always null: it is what CGRateS shows where it could show the rate."""

    DestinationId: str = ""
    RateId: str = ""
    Rate: Any = None
    RoundingMethod: str = ""
    RoundingDecimals: int = 0
    MaxCost: Decimal = ZERO
    MaxCostStrategy: str = ""


class TpDestinationRate(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    DestinationRates: list[TpRateBinding] | None = None


class TpRatingPlanBinding(msgspec.Struct, gc=False):
    DestinationRatesId: str = ""
    TimingId: str = ""
    Weight: Decimal = ZERO


class TpRatingPlan(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    RatingPlanBindings: list[TpRatingPlanBinding] | None = None


class TpRatingActivation(msgspec.Struct, gc=False):
    ActivationTime: str = ""
    RatingPlanId: str = ""
    FallbackSubjects: str = ""


class TpRatingProfile(msgspec.Struct, gc=False):
    TPid: str = ""
    LoadId: str = ""
    Tenant: str = ""
    Category: str = ""
    Subject: str = ""
    RatingPlanActivations: list[TpRatingActivation] | None = None


class TpSharedGroup(msgspec.Struct, gc=False):
    Account: str = ""
    Strategy: str = ""
    RatingSubject: str = ""


class TpSharedGroups(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    SharedGroups: list[TpSharedGroup] | None = None


class TpAction(msgspec.Struct, gc=False):
    Identifier: str = ""
    BalanceId: str = ""
    BalanceUuid: str = ""
    BalanceType: str = ""
    Units: str = ""
    ExpiryTime: str = ""
    Filters: str = ""
    TimingTags: str = ""
    DestinationIds: str = ""
    RatingSubject: str = ""
    Categories: str = ""
    SharedGroups: str = ""
    BalanceWeight: str = ""
    ExtraParameters: str = ""
    BalanceBlocker: str = ""
    BalanceDisabled: str = ""
    Weight: Decimal = ZERO


class TpActions(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    Actions: list[TpAction] | None = None


class TpActionTiming(msgspec.Struct, gc=False):
    ActionsId: str = ""
    TimingId: str = ""
    Weight: Decimal = ZERO


class TpActionPlan(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    ActionPlan: list[TpActionTiming] | None = None


class TpActionTrigger(msgspec.Struct, gc=False):
    Id: str = ""
    UniqueID: str = ""
    ThresholdType: str = ""
    ThresholdValue: Decimal = ZERO
    Recurrent: bool = False
    MinSleep: str = ""
    ExpirationDate: str = ""
    ActivationDate: str = ""
    BalanceId: str = ""
    BalanceType: str = ""
    BalanceDestinationIds: str = ""
    BalanceWeight: str = ""
    BalanceExpirationDate: str = ""
    BalanceTimingTags: str = ""
    BalanceRatingSubject: str = ""
    BalanceCategories: str = ""
    BalanceSharedGroups: str = ""
    BalanceBlocker: str = ""
    BalanceDisabled: str = ""
    ActionsId: str = ""
    Weight: Decimal = ZERO


class TpActionTriggers(msgspec.Struct, gc=False):
    TPid: str = ""
    ID: str = ""
    ActionTriggers: list[TpActionTrigger] | None = None


class TpAccountActions(msgspec.Struct, gc=False):
    TPid: str = ""
    LoadId: str = ""
    Tenant: str = ""
    Account: str = ""
    ActionPlanId: str = ""
    ActionTriggersId: str = ""
    AllowNegative: bool = False
    Disabled: bool = False


class TpInterval(msgspec.Struct, gc=False):
    ActivationTime: str = ""
    ExpiryTime: str = ""


class TpFilterRule(msgspec.Struct, gc=False):
    Type: str = ""
    Element: str = ""
    Values: list[str] | None = None


class TpFilter(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    Filters: list[TpFilterRule] | None = None
    ActivationInterval: TpInterval | None = None


class TpResource(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    UsageTTL: str = ""
    Limit: str = ""
    AllocationMessage: str = ""
    Blocker: bool = False
    Stored: bool = False
    Weight: Decimal = ZERO
    ThresholdIDs: list[str] | None = None


class TpPool(msgspec.Struct, gc=False):
    ID: str = ""
    FilterIDs: list[str] | None = None
    Type: str = ""
    Range: str = ""
    Strategy: str = ""
    Message: str = ""
    Weight: Decimal = ZERO
    Blocker: bool = False


class TpIp(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    TTL: str = ""
    Stored: bool = False
    Weight: Decimal = ZERO
    Pools: list[TpPool] | None = None


class TpMetric(msgspec.Struct, gc=False):
    FilterIDs: list[str] | None = None
    MetricID: str = ""


class TpStat(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    QueueLength: int = 0
    TTL: str = ""
    Metrics: list[TpMetric] | None = None
    Blocker: bool = False
    Stored: bool = False
    Weight: Decimal = ZERO
    MinItems: int = 0
    ThresholdIDs: list[str] | None = None


class TpTrend(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    Schedule: str = ""
    StatID: str = ""
    Metrics: list[str] | None = None
    TTL: str = ""
    QueueLength: int = 0
    MinItems: int = 0
    CorrelationType: str = ""
    Tolerance: Decimal = ZERO
    Stored: bool = False
    ThresholdIDs: list[str] | None = None


class TpRanking(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    Schedule: str = ""
    StatIDs: list[str] | None = None
    MetricIDs: list[str] | None = None
    Sorting: str = ""
    SortingParameters: list[str] | None = None
    Stored: bool = False
    ThresholdIDs: list[str] | None = None


class TpThreshold(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    MaxHits: int = 0
    MinHits: int = 0
    MinSleep: str = ""
    Blocker: bool = False
    Weight: Decimal = ZERO
    ActionIDs: list[str] | None = None
    EeIDs: list[str] | None = None
    Async: bool = False


class TpRoute(msgspec.Struct, gc=False):
    ID: str = ""
    FilterIDs: list[str] | None = None
    AccountIDs: list[str] | None = None
    RatingPlanIDs: list[str] | None = None
    ResourceIDs: list[str] | None = None
    StatIDs: list[str] | None = None
    Weight: Decimal = ZERO
    Blocker: bool = False
    RouteParameters: str = ""


class TpRouteProfile(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    Sorting: str = ""
    SortingParameters: list[str] | None = None
    Routes: list[TpRoute] | None = None
    Weight: Decimal = ZERO


class TpAttribute(msgspec.Struct, gc=False):
    FilterIDs: list[str] | None = None
    Path: str = ""
    Type: str = ""
    Value: str = ""


class TpAttributeProfile(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    Contexts: list[str] | None = None
    Attributes: list[TpAttribute] | None = None
    Blocker: bool = False
    Weight: Decimal = ZERO


class TpCharger(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    RunID: str = ""
    AttributeIDs: list[str] | None = None
    Weight: Decimal = ZERO


class TpHostProfile(msgspec.Struct, gc=False):
    ID: str = ""
    FilterIDs: list[str] | None = None
    Weight: Decimal = ZERO
    Params: list[Any] | None = None
    Blocker: bool = False


class TpDispatcherProfile(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    Subsystems: list[str] | None = None
    FilterIDs: list[str] | None = None
    ActivationInterval: TpInterval | None = None
    Strategy: str = ""
    StrategyParams: list[Any] | None = None
    Weight: Decimal = ZERO
    Hosts: list[TpHostProfile] | None = None


class TpHostConn(msgspec.Struct, gc=False):
    Address: str = ""
    Transport: str = ""
    ConnectAttempts: int = 0
    Reconnects: int = 0
    MaxReconnectInterval: int = 0
    ConnectTimeout: int = 0
    ReplyTimeout: int = 0
    TLS: bool = False
    ClientKey: str = ""
    ClientCertificate: str = ""
    CaCertificate: str = ""


class TpDispatcherHost(msgspec.Struct, gc=False):
    TPid: str = ""
    Tenant: str = ""
    ID: str = ""
    Conn: TpHostConn | None = None
