"""Chargers: which charging runs an event causes."""

from cgrcore.chargers.records import ChargerProfile

__all__ = ["TABLES", "ChargerProfile"]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"chargers": ChargerProfile}
