"""The files of a tariff plan and their columns, in the order they are loaded.

Rules: fields are parted by commas, quoted as RFC 4180 says; a line that begins with `#` is a comment; every line has as many
fields as the file has columns. Does not know: what the fields mean together.
"""

import csv
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["FILES", "Mistake", "Row", "read_rows"]

FILES: dict[str, tuple[str, ...]] = {
    "Destinations.csv": ("Tag", "Prefix"),
    "Timings.csv": ("Tag", "Years", "Months", "MonthDays", "WeekDays", "Time"),
    "Rates.csv": ("Tag", "ConnectFee", "Rate", "RateUnit", "RateIncrement", "GroupIntervalStart"),
    "DestinationRates.csv": (
        "Tag", "DestinationsTag", "RatesTag", "RoundingMethod", "RoundingDecimals", "MaxCost", "MaxCostStrategy",
    ),
    "RatingPlans.csv": ("Tag", "DestratesTag", "TimingTag", "Weight"),
    "RatingProfiles.csv": ("Tenant", "Category", "Subject", "ActivationTime", "RatingPlanTag", "FallbackSubjects"),
    "SharedGroups.csv": ("Tag", "Account", "Strategy", "RatingSubject"),
    "Actions.csv": (
        "Tag", "Action", "ExtraParameters", "Filters", "BalanceTag", "BalanceType", "Categories", "DestinationTags",
        "RatingSubject", "SharedGroups", "ExpiryTime", "TimingTags", "Units", "BalanceWeight", "BalanceBlocker",
        "BalanceDisabled", "Weight",
    ),
    "ActionPlans.csv": ("Tag", "ActionsTag", "TimingTag", "Weight"),
    "ActionTriggers.csv": (
        "Tag", "UniqueId", "ThresholdType", "ThresholdValue", "Recurrent", "MinSleep", "ExpiryTime", "ActivationTime",
        "BalanceTag", "BalanceType", "BalanceCategories", "BalanceDestinationTags", "BalanceRatingSubject",
        "BalanceSharedGroups", "BalanceExpiryTime", "BalanceTimingTags", "BalanceWeight", "BalanceBlocker",
        "BalanceDisabled", "ActionsTag", "Weight",
    ),
    "AccountActions.csv": ("Tenant", "Account", "ActionPlanTag", "ActionTriggersTag", "AllowNegative", "Disabled"),
    "Filters.csv": ("Tenant", "ID", "Type", "Element", "Values", "ActivationInterval"),
    "Resources.csv": (
        "Tenant", "ID", "FilterIDs", "ActivationInterval", "UsageTTL", "Limit", "AllocationMessage", "Blocker", "Stored",
        "Weight", "ThresholdIDs",
    ),
    "IPs.csv": (
        "Tenant", "ID", "FilterIDs", "ActivationInterval", "TTL", "Stored", "Weight", "PoolID", "PoolFilterIDs", "PoolType",
        "PoolRange", "PoolStrategy", "PoolMessage", "PoolWeight", "PoolBlocker",
    ),
    "Stats.csv": (
        "Tenant", "ID", "FilterIDs", "ActivationInterval", "QueueLength", "TTL", "MinItems", "MetricIDs",
        "MetricFilterIDs", "Stored", "Blocker", "Weight", "ThresholdIDs",
    ),
    "Trends.csv": (
        "Tenant", "ID", "Schedule", "StatID", "Metrics", "TTL", "QueueLength", "MinItems", "CorrelationType", "Tolerance",
        "Stored", "ThresholdIDs",
    ),
    "Rankings.csv": (
        "Tenant", "ID", "Schedule", "StatIDs", "MetricIDs", "Sorting", "SortingParameters", "Stored", "ThresholdIDs",
    ),
    "Thresholds.csv": (
        "Tenant", "ID", "FilterIDs", "ActivationInterval", "MaxHits", "MinHits", "MinSleep", "Blocker", "Weight",
        "ActionIDs", "Async", "EeIDs",
    ),
    "Routes.csv": (
        "Tenant", "ID", "FilterIDs", "ActivationInterval", "Sorting", "SortingParameters", "RouteID", "RouteFilterIDs",
        "RouteAccountIDs", "RouteRatingplanIDs", "RouteResourceIDs", "RouteStatIDs", "RouteWeight", "RouteBlocker",
        "RouteParameters", "Weight",
    ),
    "Attributes.csv": (
        "Tenant", "ID", "Contexts", "FilterIDs", "ActivationInterval", "AttributeFilterIDs", "Path", "Type", "Value",
        "Blocker", "Weight",
    ),
    "Chargers.csv": ("Tenant", "ID", "FilterIDs", "ActivationInterval", "RunID", "AttributeIDs", "Weight"),
    "DispatcherProfiles.csv": (
        "Tenant", "ID", "Subsystems", "FilterIDs", "ActivationInterval", "Strategy", "StrategyParameters", "ConnID",
        "ConnFilterIDs", "ConnWeight", "ConnBlocker", "ConnParameters", "Weight",
    ),
    "DispatcherHosts.csv": (
        "Tenant", "ID", "Address", "Transport", "ConnectAttempts", "Reconnects", "MaxReconnectInterval", "ConnectTimeout",
        "ReplyTimeout", "TLS", "ClientKey", "ClientCertificate", "CaCertificate",
    ),
}  # fmt: skip


class Mistake(NamedTuple):
    """What is wrong in a plan, and where. `text` is what CGRateS would say, where it says something."""

    file: str
    line: int
    column: int
    expected: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.expected}"


class Row(NamedTuple):
    """One line of a file: its fields and where they stand."""

    file: str
    line: int
    fields: list[str]

    def mistake(self, column: str, expected: str, text: str = "") -> Mistake:
        """Return a mistake at the start of the named column."""
        index = FILES[self.file].index(column)
        place = sum(len(field) + 1 for field in self.fields[:index]) + 1
        return Mistake(self.file, self.line, place, expected, text)


def read_rows(file: str, content: bytes, mistakes: list[Mistake]) -> Iterator[Row]:
    """Yield the rows of a file; note what cannot be read in `mistakes`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        mistakes.append(Mistake(file, line, column, f"expected UTF-8 text, got the byte 0x{content[error.start]:02x}"))
        return
    count = len(FILES[file])
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            mistakes.append(Mistake(file, line, 1, f"expected fields quoted as RFC 4180 says: {error}"))
            return
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) != count:
            got = f"{len(fields)} field{'' if len(fields) == 1 else 's'}"
            mistakes.append(Mistake(file, line, 1, f"expected {count} fields ({', '.join(FILES[file])}), got {got}"))
            continue
        yield Row(file, line, fields)
