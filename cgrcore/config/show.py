"""Settings as ConfigSv1.GetConfig prints them: durations as texts, defaults included, names as CGRateS prints them.

Rules: what only we have is left out, as clients compare whole sections; the section `limits`, all ours, is shown whole.
Does not know: what a client may see.
"""

from typing import TYPE_CHECKING, Any

from cgrcore.config.vocabulary import SECTIONS
from cgrcore.errors import BadRequest

if TYPE_CHECKING:
    from cgrcore.config.read import Settings

__all__ = ["KEPT_BY_INTERNAL", "show_section", "shown_sections"]

#: Partitions that keep nothing with data_db *internal: everything is in memory already.
_KEPT_BY_INTERNAL = """
account_action_plans action_plans action_triggers actions attribute_filter_indexes attribute_profiles
charger_filter_indexes charger_profiles destinations dispatcher_filter_indexes dispatcher_hosts dispatcher_profiles
filters load_ids rating_plans rating_profiles reverse_destinations reverse_filter_indexes route_filter_indexes
route_profiles shared_groups timings
"""
KEPT_BY_INTERNAL = frozenset(f"*{name}" for name in _KEPT_BY_INTERNAL.split())

#: What CGRateS prints besides the settings, always the same.
_ALWAYS: dict[str, dict[str, Any]] = {
    "stor_db": {"remote_conns": None, "replication_conns": None},
    "migrator": {"users_filters": None},
    "ips": {"string_indexed_fields": None},
}


def shown_sections() -> list[str]:
    """Return the names of the sections that can be shown."""
    return [name for name, section in SECTIONS.items() if section.shown != ""]


def show_section(settings: "Settings", name: str) -> Any:
    """Return one section as JSON values. Raises BadRequest("Invalid section") for a name there is none of."""
    section = SECTIONS.get(name)
    if section is None or section.shown == "":
        raise BadRequest("Invalid section")
    shown = section.kind.show(settings[name])
    for key, value in _ALWAYS.get(name, {}).items():
        shown[key] = shown.get(key) or value
    if name == "caches" and settings["data_db"]["db_type"] == "*internal":
        for partition in KEPT_BY_INTERNAL:
            shown["partitions"][partition]["limit"] = 0
    if name == "general":  # the node resolves "Local" to a zone; clients see what was configured
        shown["default_timezone"] = settings.raw["general"]["default_timezone"]
    if name == "migrator":
        shown["out_stordb_opts"]["mysqlDSNParams"] = None
    return shown
