"""Which recorded conversations must agree wholly: by case file, "*" or the topics (the second part of a case's name).

The one list: a subject that lands adds its topics here, and from then on `make conformance` fails when one of them does
not agree. Differences on purpose stand in known_differences.json, each with its reason.
"""

__all__ = ["FINISHED"]

FINISHED: dict[str, str | frozenset[str]] = {
    "caches": "*",
    "charging_accounts": "*",
    "charging_cdrs": "*",
    "charging_sessions": "*",
    "rating": "*",
    "trends_rankings": "*",
    "wire": "*",
    "core": "*",
    "filters": "*",
    "attributes": "*",
    "chargers": "*",
    "thresholds": "*",
    "stats": "*",
    "resources": "*",
    "routes": "*",
    "triggers": "*",
    "actions": "*",
    "scheduler": "*",
    "fosdem": "*",
    "tpcrud": "*",
    "loading": "*",
}
