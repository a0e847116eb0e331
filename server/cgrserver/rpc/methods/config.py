"""ConfigSv1: the configuration as it holds, and changing it while the node runs.

Rules: a change is checked whole before anything of it holds; it lasts until the node stops, as files are not written.
What is read at start-up only (addresses, databases, which services run) is refused, since it would not take effect.
"""

from pathlib import Path
from typing import Any

import msgspec
import trio

from cgrcore.config import Mistake, Node, Settings, changed, node_of, parse_text, show_section, shown_sections
from cgrcore.errors import BadRequest, Refused
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method
from cgrserver.settings import load

__all__: list[str] = []

#: Sections whose settings are read once, when the node starts.
AT_START = frozenset({"listen", "limits", "tls", "data_db", "stor_db", "cores", "rpc_conns", "http", "caches"})

_SORTED = msgspec.json.Encoder(order="sorted", decimal_format="number")


class SectionArgs(Args):
    APIOpts: dict[str, Any] | None = None
    Tenant: str = ""
    Section: str = ""


class SetConfigArgs(Args):
    APIOpts: dict[str, Any] | None = None
    Tenant: str = ""
    Config: dict[str, Any] | None = None
    DryRun: bool = False


class SetConfigFromJSONArgs(Args):
    APIOpts: dict[str, Any] | None = None
    Tenant: str = ""
    Config: str = ""
    DryRun: bool = False


class ReloadArgs(Args):
    APIOpts: dict[str, Any] | None = None
    Tenant: str = ""
    Path: str = ""
    Section: str = ""
    DryRun: bool = False


@method("ConfigSv1.GetConfig")
def get_config(world: World, args: SectionArgs) -> dict[str, Any]:
    """Show one section of the configuration with its defaults, or all of them."""
    settings = world.settings
    assert isinstance(settings, Settings)
    return {name: show_section(settings, name) for name in ([args.Section] if args.Section else shown_sections())}


@method("ConfigSv1.GetConfigAsJSON")
def get_config_as_json(world: World, args: SectionArgs) -> str:
    """Show one section of the configuration, or all of them, as a JSON text with its keys in order."""
    return _SORTED.encode(get_config(world, args)).decode()


@method("ConfigSv1.SetConfig")
def set_config(world: World, args: SetConfigArgs) -> str:
    """Change settings until the node stops, or only check them with DryRun."""
    return _change(world, node_of(args.Config or {}), args.DryRun)


@method("ConfigSv1.SetConfigFromJSON")
def set_config_from_json(world: World, args: SetConfigFromJSONArgs) -> str:
    """Change settings given as a JSON text until the node stops, or only check them with DryRun."""
    mistakes: list[Mistake] = []
    node = parse_text(args.Config, "Config", {}, mistakes)
    if mistakes or node is None:
        is_cut_off = mistakes[0].text.endswith("found the end of the file")
        raise BadRequest("unexpected EOF" if is_cut_off else str(mistakes[0]))
    return _change(world, node, args.DryRun)


async def _read_files(store: Any, world: World, args: ReloadArgs) -> Settings:
    return await trio.to_thread.run_sync(load, Path(args.Path))


@method("ConfigSv1.ReloadConfig", mandatory=("Path",), fetch=_read_files)
def reload_config(world: World, args: ReloadArgs, found: Settings) -> str:
    """Read the configuration's files again, and let one section of them hold, or all that can change."""
    if args.Section and args.Section not in found:
        raise BadRequest(f"Invalid section: <{args.Section}>")
    names = [args.Section] if args.Section else [name for name in found if name not in AT_START]
    return _change(world, node_of({name: found.raw[name] for name in names}), args.DryRun)


def _change(world: World, changes: Node, is_dry_run: bool) -> str:
    """Let changes hold, all or none. Raises BadRequest for what is wrong with them, Refused for what cannot change."""
    settings = world.settings
    assert isinstance(settings, Settings)
    for name in changes.value if isinstance(changes.value, dict) else ():
        if name not in settings:
            raise BadRequest(f"Invalid section: <{name}>")
    new, mistakes = changed(settings, changes)
    serious = [mistake for mistake in mistakes if not mistake.is_unknown_key]
    if serious:
        raise BadRequest(serious[0].text)
    if is_dry_run:
        return "OK"
    for name in changes.value:
        is_switched = isinstance(new[name], dict) and new[name].get("enabled") != settings[name].get("enabled")
        if new[name] != settings[name] and (name in AT_START or is_switched):
            raise Refused(f"SERVER_ERROR: section <{name}> is read when the node starts")
    settings.update(new)
    settings.raw, settings.places = new.raw, new.places
    return "OK"
