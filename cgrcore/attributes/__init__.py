"""Attributes: profiles that alter events."""

from cgrcore.attributes.process import Altered, find_profile, process
from cgrcore.attributes.records import Attribute, AttributeProfile

__all__ = ["TABLES", "Altered", "Attribute", "AttributeProfile", "find_profile", "process"]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"attributes": AttributeProfile}
