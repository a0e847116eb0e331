"""Dispatcher profiles and hosts as they are kept.

Does not know: how a request reaches a host.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from cgrcore.filters.records import ActivationInterval
from cgrcore.money import number_from_nano

__all__ = ["DispatcherHost", "DispatcherProfile", "ProfileHost", "named_parameters"]


class ProfileHost(msgspec.Struct, frozen=True):
    """A host of a profile: which requests it takes, how heavy it is, and parameters of the strategy."""

    id: str
    filter_ids: tuple[str, ...] | None = None
    weight_nano: int = 0
    parameters: dict[str, Any] | None = None
    is_blocker: bool = False

    def as_wire(self) -> dict[str, Any]:
        return {
            "ID": self.id,
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "Weight": number_from_nano(self.weight_nano),
            "Params": self.parameters,
            "Blocker": self.is_blocker,
        }


class DispatcherProfile(msgspec.Struct, frozen=True):
    """Which hosts answer requests to `subsystems` that pass the filters. Table "dispatcher_profiles"."""

    tenant: str
    id: str
    subsystems: tuple[str, ...] | None = None
    filter_ids: tuple[str, ...] | None = None
    activation: ActivationInterval | None = None
    strategy: str = ""
    strategy_parameters: dict[str, Any] | None = None
    weight_nano: int = 0
    hosts: tuple[ProfileHost, ...] | None = None

    @property
    def contexts(self) -> tuple[str, ...] | None:
        """The subsystems, as indexes of profiles call them."""
        return self.subsystems

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Subsystems": None if self.subsystems is None else list(self.subsystems),
            "FilterIDs": None if self.filter_ids is None else list(self.filter_ids),
            "ActivationInterval": None if self.activation is None else self.activation.as_wire(),
            "Strategy": self.strategy,
            "StrategyParams": self.strategy_parameters,
            "Weight": number_from_nano(self.weight_nano),
            "Hosts": None if self.hosts is None else [host.as_wire() for host in self.hosts],
        }


class DispatcherHost(msgspec.Struct, frozen=True):
    """Where a node listens and how it is connected to. Table "dispatcher_hosts"."""

    tenant: str
    id: str
    address: str = ""
    transport: str = ""
    connect_attempts: int = 0
    reconnects: int = 0
    max_reconnect_interval_ns: int = 0
    connect_timeout_ns: int = 0
    reply_timeout_ns: int = 0
    uses_tls: bool = False
    client_key: str = ""
    client_certificate: str = ""
    ca_certificate: str = ""

    def as_wire(self) -> dict[str, Any]:
        return {
            "Tenant": self.tenant,
            "ID": self.id,
            "Address": self.address,
            "Transport": self.transport,
            "ConnectAttempts": self.connect_attempts,
            "Reconnects": self.reconnects,
            "MaxReconnectInterval": self.max_reconnect_interval_ns,
            "ConnectTimeout": self.connect_timeout_ns,
            "ReplyTimeout": self.reply_timeout_ns,
            "TLS": self.uses_tls,
            "ClientKey": self.client_key,
            "ClientCertificate": self.client_certificate,
            "CaCertificate": self.ca_certificate,
        }


def named_parameters(texts: Iterable[Any]) -> dict[str, Any]:
    """Return parameters of a tariff plan by name: `name:value`; one without a name is called by its place."""
    named: dict[str, Any] = {}
    for place, text in enumerate(texts):
        name, colon, value = str(text).partition(":")
        if colon:
            named[name] = value
        elif name:
            named[str(place)] = name
    return named
