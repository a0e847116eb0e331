"""Filters: which events something applies to."""

from cgrcore.filters.records import ActivationInterval, Filter, FilterRule, interval_from_text, interval_from_wire

__all__ = ["TABLES", "ActivationInterval", "Filter", "FilterRule", "interval_from_text", "interval_from_wire"]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"filters": Filter}
