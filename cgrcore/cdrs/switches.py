"""Which steps the processing of a CDR takes: from configuration, then the event's options, then flags.

A flag is a word (`*store`), or a word that switches off (`*store:false`). The later of equal flags counts.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.event import boolean_option
from cgrcore.world import World

__all__ = ["Switches", "flag_values", "switches_for"]


class Switches(msgspec.Struct, frozen=True):
    """The steps to take. `rerate` refunds and rates again; `reprocess` takes a CDR that came before.

    With `queue` a CDR that came for the first time is charged later.
    """

    attributes: bool = False
    chargers: bool = False
    store: bool = False
    export: bool = False
    thresholds: bool = False
    stats: bool = False
    rals: bool = False
    rerate: bool = False
    refund: bool = False
    reprocess: bool = False
    queue: bool = False


#: The flag that sets each switch, and the event option that does.
FLAGS = {name: f"*{name}" for name in Switches.__struct_fields__}
OPTIONS = {
    "attributes": "*attributeS",
    "chargers": "*chargerS",
    "stats": "*statS",
    "thresholds": "*thresholdS",
    "rals": "*ralS",
    "rerate": "*rerate",
    "refund": "*refund",
}
OPTION_NAMES = frozenset(OPTIONS.values())

#: Combinations of flags kept at hand.
MAX_KNOWN = 256


def flag_values(flags: Iterable[str]) -> dict[str, bool]:
    """Return what each flag says: True unless it ends in ":false"."""
    values = {}
    for flag in flags:
        word, _, value = flag.partition(":")
        values[word] = value != "false"
    return values


def configured(world: World) -> Switches:
    """Return the steps that the configuration asks for."""
    section = world.settings["cdrs"]
    return Switches(
        attributes=bool(section["attributes_conns"]),
        chargers=bool(section["chargers_conns"]),
        store=section["store_cdrs"],
        export=bool(section["online_cdr_exports"] or section["ees_conns"]),
        thresholds=bool(section["thresholds_conns"]),
        stats=bool(section["stats_conns"]),
        rals=bool(section["rals_conns"]),
        queue=section["rating_queue"] > 0,
    )


def switches_for(base: Switches, options: Mapping[str, Any], flags: Iterable[str]) -> Switches:
    """Return `base` as the options and then the flags change it.

    Rerating implies rating and a refund; a refund without rerating does not rate; what is refunded is processed again.
    An explicit rating flag wins. Raises BadRequest for an option that is no truth value.
    """
    said = flag_values(flags)
    if OPTION_NAMES.isdisjoint(options):
        return _with_flags(base, frozenset(said.items()))
    given: dict[str, bool] = {}
    for name, option in OPTIONS.items():
        if options.get(option) is not None:
            try:
                given[name] = boolean_option(options, option)
            except BadRequest as error:
                raise BadRequest(f"failed to configure processing args: {error}") from None
    return _chosen(base, given, said)


@lru_cache(maxsize=MAX_KNOWN)
def _with_flags(base: Switches, said: frozenset[tuple[str, bool]]) -> Switches:
    """Return `base` as flags alone change it: the same few for every CDR."""
    return _chosen(base, {}, dict(said))


def _chosen(base: Switches, given: dict[str, bool], said: dict[str, bool]) -> Switches:
    for name, flag in FLAGS.items():
        if flag in said:
            given[name] = said[flag]
    chosen = msgspec.structs.replace(base, **given)
    implied: dict[str, bool] = {}
    if chosen.rerate:
        implied = {"rals": True, "refund": True, "reprocess": True}
    elif chosen.refund:
        implied = {"rals": False, "reprocess": True}
    if FLAGS["rals"] in said:
        implied["rals"] = said[FLAGS["rals"]]
    return msgspec.structs.replace(chosen, **implied)
