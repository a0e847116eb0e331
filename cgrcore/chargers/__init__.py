"""Chargers: which charging runs an event causes."""

from cgrcore.chargers.records import ChargerProfile
from cgrcore.chargers.runs import Run, profiles_for, runs_of

__all__ = ["TABLES", "ChargerProfile", "Run", "profiles_for", "runs_of"]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"chargers": ChargerProfile}
