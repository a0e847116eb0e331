"""Every section and key there is, with type, default and meaning.

The words are those of CGRateS; what is ours is marked. One module holds one group of sections.
"""

from cgrcore.config.keys import Key
from cgrcore.config.vocabulary import agents, charging, exchange, node, services, stores, tools

__all__ = ["SECTIONS"]

#: Every section by name, in the order of the documentation.
SECTIONS: dict[str, Key] = {
    section.name: section
    for group in (node, stores, charging, services, exchange, agents, tools)
    for section in group.SECTIONS
}
