"""Resources: counted things that events take for a time."""

from cgrcore.resources.allocate import (
    allocate,
    authorise,
    install,
    release,
    remove_profile,
    resource_of,
    resources_for,
    store_profile,
)
from cgrcore.resources.records import Resource, ResourceProfile, Usage

__all__ = [
    "TABLES",
    "Resource",
    "ResourceProfile",
    "Usage",
    "allocate",
    "authorise",
    "install",
    "release",
    "remove_profile",
    "resource_of",
    "resources_for",
    "store_profile",
]

#: The tables of this subject, with their records; the key is `tenant:id`.
TABLES: dict[str, type] = {"resource_profiles": ResourceProfile, "resources": Resource}
