"""Which recorded conversations must agree wholly: by case file, "*" or the topics (the second part of a case's name).

The one list: a subject that lands adds its topics here, and from then on `make conformance` fails when one of them does
not agree. Differences on purpose stand in known_differences.json, each with its reason.
"""

__all__ = ["FINISHED"]

FINISHED: dict[str, str | frozenset[str]] = {
    "wire": frozenset({"method", "ping"}),
    "core": frozenset(
        {
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
    "filters": frozenset(
        {
            "accounts",
            "affix",
            "ai",
            "compare",
            "crud",
            "destinations",
            "element_converters",
            "empty_exists",
            "filter_update",
            "index_attributes",
            "index_compute",
            "index_wrong",
            "inline_errors",
            "ipnet",
            "libphonenumber",
            "nested",
            "paths",
            "regex",
            "rsr",
            "rule_errors",
            "stored",
            "string",
            "wrong",
        }
    ),
    "attributes": "*",
    "chargers": "*",
    "thresholds": "*",
}
