"""IPs: which addresses are given to whom. Profiles are kept and shown; addresses are not given yet."""

from cgrcore.ips.records import IpPool, IpProfile

__all__ = ["TABLES", "IpPool", "IpProfile"]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"ip_profiles": IpProfile}
