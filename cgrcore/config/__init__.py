"""Configuration: texts in the words of CGRateS become settings, every mistake told with its place.

`SECTIONS` is the whole vocabulary as data; the documentation of the configuration is made from it.
"""

from cgrcore.config.keys import Key, Object, RecordMap, Records
from cgrcore.config.kinds import Kind, node_of
from cgrcore.config.maps import Map
from cgrcore.config.read import Settings, Source, changed, find_mistakes, read_settings
from cgrcore.config.sanity import enabled_sections, unserved
from cgrcore.config.show import KEPT_BY_INTERNAL, show_section, shown_sections
from cgrcore.config.text import Mistake, Node, Place, parse_text
from cgrcore.config.vocabulary import SECTIONS

__all__ = [
    "KEPT_BY_INTERNAL",
    "SECTIONS",
    "Key",
    "Kind",
    "Map",
    "Mistake",
    "Node",
    "Object",
    "Place",
    "RecordMap",
    "Records",
    "Settings",
    "Source",
    "changed",
    "enabled_sections",
    "find_mistakes",
    "node_of",
    "parse_text",
    "read_settings",
    "show_section",
    "shown_sections",
    "unserved",
]
