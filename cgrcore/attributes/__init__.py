"""Attributes: profiles that alter events."""

from cgrcore.attributes.records import Attribute, AttributeProfile

__all__ = ["TABLES", "Attribute", "AttributeProfile"]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"attributes": AttributeProfile}
