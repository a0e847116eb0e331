"""How settings must fit together: connections, databases, addresses.

Rules: each mistake names the place of the setting to change; texts about connections are those CGRateS has on the wire.
Does not know: whether a service is built yet (`unserved` is told), whether a database or a host can be reached.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from cgrcore.config.keys import Object
from cgrcore.config.kinds import Texts
from cgrcore.config.text import Mistake
from cgrcore.config.vocabulary import SECTIONS

if TYPE_CHECKING:
    from cgrcore.config.read import Settings

__all__ = ["check", "enabled_sections", "unserved"]

#: Connections that lead to services of this node.
_HERE = {"*internal", "*birpc_internal"}

#: Sections of services, and what CGRateS calls them in errors.
_COMPONENTS = {
    "rals": "RALs",
    "schedulers": "SchedulerS",
    "cdrs": "CDRs",
    "sessions": "SessionS",
    "attributes": "AttributeS",
    "chargers": "ChargerS",
    "filters": "FilterS",
    "resources": "ResourceS",
    "stats": "StatS",
    "trends": "TrendS",
    "rankings": "RankingS",
    "thresholds": "ThresholdS",
    "routes": "RouteS",
    "ips": "IPs",
    "ers": "ERs",
    "ees": "EEs",
    "apiers": "APIerSv1",
    "dispatchers": "DispatcherS",
    "analyzers": "AnalyzerS",
    "asterisk_agent": "AsteriskAgent",
    "freeswitch_agent": "FreeSWITCHAgent",
    "kamailio_agent": "KamailioAgent",
    "diameter_agent": "DiameterAgent",
    "radius_agent": "RadiusAgent",
    "dns_agent": "DNSAgent",
    "sip_agent": "SIPAgent",
    "janus_agent": "JanusAgent",
    "prometheus_agent": "PrometheusAgent",
}

#: Connections that CGRateS lets pass, so that a request to change the configuration must not be refused for them.
_UNCHECKED = {("thresholds", "sessions_conns"), ("apiers", "thresholds_conns"), ("apiers", "stats_conns")}

#: Words in `<word>_conns` that are not the name of the section they lead to.
_SECTION_OF = {"scheduler": "schedulers"}


def check(settings: "Settings", mistakes: list[Mistake]) -> None:
    """Add what does not fit together to the mistakes."""
    _check_connections(settings, mistakes)
    _check_databases(settings, mistakes)
    _check_addresses(settings, mistakes)


def enabled_sections(settings: dict[str, Any]) -> list[str]:
    """Return the sections whose service is switched on, in the order of the documentation."""
    names = [name for name, values in settings.items() if isinstance(values, dict) and values.get("enabled")]
    return names + (["http_agent"] if settings["http_agent"] else [])


def unserved(settings: dict[str, Any], served: Collection[str]) -> list[str]:
    """Return the sections that are switched on although this version has no such service."""
    return [name for name in enabled_sections(settings) if name not in served]


def _check_connections(settings: "Settings", mistakes: list[Mistake]) -> None:
    # Services come first, in CGRateS's order: only the first mistake is the answer to a request.
    for name in dict.fromkeys((*_COMPONENTS, *SECTIONS)):
        section, values = SECTIONS[name], settings[name]
        if not isinstance(section.kind, Object) or not values.get("enabled", name in _COMPONENTS):
            continue
        component = _COMPONENTS.get(name, name)
        for key in section.kind.keys.values():
            if not isinstance(key.kind, Texts) or not key.kind.connects_to or (name, key.name) in _UNCHECKED:
                continue
            target = _SECTION_OF.get(key.kind.connects_to, key.kind.connects_to)
            for connection in values[key.name]:
                text = _connection_mistake(settings, component, connection, target)
                if text:
                    mistakes.append(Mistake(settings.place(name, key.name), text))


def _connection_mistake(settings: "Settings", component: str, connection: str, target: str) -> str:
    if connection not in settings["rpc_conns"]:
        return f"<{component}> connection with id: <{connection}> not defined"
    if connection in _HERE and target in _COMPONENTS and not settings[target].get("enabled", True):
        return f"<{_COMPONENTS[target]}> not enabled but requested by <{component}> component"
    return ""


def _check_databases(settings: "Settings", mistakes: list[Mistake]) -> None:
    data, stored = settings["data_db"], settings["stor_db"]
    if stored["db_type"] == "*internal":
        return  # all is kept in data_db; it only says how CDRs are listed
    is_mixed = data["db_type"] == "*internal"
    keys = ("db_type",) if is_mixed else ("db_type", "db_host", "db_port", "db_name")
    for key in keys:
        if data[key] != stored[key]:
            text = (
                f"data_db.{key} is {data[key]!r} and stor_db.{key} {stored[key]!r}: "
                "they must be one database, as one transaction holds both"
            )
            mistakes.append(Mistake(settings.place("stor_db", key), text))


def _check_addresses(settings: "Settings", mistakes: list[Mistake]) -> None:
    seen: dict[str, str] = {}
    for key, address in settings["listen"].items():
        if not address:
            continue
        _, colon, port = address.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            mistakes.append(
                Mistake(settings.place("listen", key), f"listen.{key}: expected host:port, got {address!r}")
            )
        elif address in seen and port != "0":
            mistakes.append(
                Mistake(settings.place("listen", key), f"listen.{key}: listen.{seen[address]} has {address} already")
            )
        seen.setdefault(address, key)
