"""Configuration: texts in the words of CGRateS become settings, every mistake told with its place.

`SECTIONS` is the whole vocabulary as data; the documentation of the configuration is made from it.
"""

from cgrcore.config.keys import Key, Object, RecordMap, Records
from cgrcore.config.kinds import Kind, Map
from cgrcore.config.read import Settings, Source, find_mistakes, read_settings
from cgrcore.config.sanity import enabled_sections, unserved
from cgrcore.config.show import show_section
from cgrcore.config.text import Mistake, Place
from cgrcore.config.vocabulary import SECTIONS

__all__ = [
    "SECTIONS",
    "Key",
    "Kind",
    "Map",
    "Mistake",
    "Object",
    "Place",
    "RecordMap",
    "Records",
    "Settings",
    "Source",
    "enabled_sections",
    "find_mistakes",
    "read_settings",
    "show_section",
    "unserved",
]
