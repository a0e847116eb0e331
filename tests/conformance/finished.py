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
    "wire": frozenset(
        {"empty_object", "event_values", "field_names", "method", "ping", "size", "text", "text_account"}
    ),
    "core": frozenset(
        {
            "config",
            "config_json",
            "config_wrong",
            "guardian",
            "guardian_timeout",
            "guardian_wrong",
            "service_status",
            "status",
            "ping",
            "methods",
            "params",
            "sleep",
            "profiling",
        }
    ),
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
    "loading": frozenset(
        {
            "accounts_all",
            "accounts_v1",
            "accounts_v1_all",
            "accounts_v2",
            "mandatory",
            "mistake_accounts",
            "mistake_accounts_one",
            "mistake_rating",
            "mistake_rating_one",
            "rating_all",
            "rating_cost",
            "rating_dest",
            "rating_dry",
            "rating_plan_profile",
            "rating_v2",
            "rating_validate",
            "remove_from_stordb",
            "remove_rating_profile",
            "set_destination",
            "set_rating_profile",
            "zip",
        }
    ),
}
