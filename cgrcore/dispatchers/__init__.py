"""Dispatchers: which node answers which requests. Profiles and hosts are kept and shown; requests stay here."""

from cgrcore.dispatchers.records import DispatcherHost, DispatcherProfile, ProfileHost, named_parameters

__all__ = ["TABLES", "DispatcherHost", "DispatcherProfile", "ProfileHost", "named_parameters"]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"dispatcher_profiles": DispatcherProfile, "dispatcher_hosts": DispatcherHost}
