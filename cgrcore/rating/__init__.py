"""Rating: what a call costs, by its destination, its time and its length."""

from cgrcore.rating.accountstate import AccountState, BalanceState
from cgrcore.rating.bulk import ERRORS, Breakdown, CallColumns, RatedColumns, call_at, rate_columns
from cgrcore.rating.callcost import CallCost, CostSpan, Increment, Paid, PaidMoney, PaidUnit, compressed
from cgrcore.rating.calls import Call, Span
from cgrcore.rating.columns import Coded, Texts
from cgrcore.rating.compile import Tariff, tariff_of
from cgrcore.rating.eventcost import EventCost, pause_cost
from cgrcore.rating.explain import Quote, QuotePart, explain_quote
from cgrcore.rating.quote import (
    check_usage,
    cost_span,
    longest_rounding,
    quote,
    quote_by_tariff,
    quote_on_plan,
    rate_call,
)
from cgrcore.rating.records import Activation, Destination, PlanRate, Rate, Rating, RatingPlan, RatingProfile, Timing
from cgrcore.rating.split import rate

__all__ = [
    "ERRORS",
    "TABLES",
    "AccountState",
    "Activation",
    "BalanceState",
    "Breakdown",
    "Call",
    "CallColumns",
    "CallCost",
    "Coded",
    "CostSpan",
    "Destination",
    "EventCost",
    "Increment",
    "Paid",
    "PaidMoney",
    "PaidUnit",
    "PlanRate",
    "Quote",
    "QuotePart",
    "Rate",
    "RatedColumns",
    "Rating",
    "RatingPlan",
    "RatingProfile",
    "Span",
    "Tariff",
    "Texts",
    "Timing",
    "call_at",
    "check_usage",
    "compressed",
    "cost_span",
    "explain_quote",
    "longest_rounding",
    "pause_cost",
    "quote",
    "quote_by_tariff",
    "quote_on_plan",
    "rate",
    "rate_call",
    "rate_columns",
    "tariff_of",
]

#: The tables of this subject and the records in them.
TABLES = {"destinations": Destination, "timings": Timing, "rating_plans": RatingPlan, "rating_profiles": RatingProfile}
