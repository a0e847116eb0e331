"""The configuration of this node: which files are read, the environment they see, what is said about them.

Rules: `--config` names one file or a folder, of which every *.json below is read in alphabetical order of its path;
without it the configuration that comes with the program holds (every service there is, on this machine). Overrides
come last.
Does not know: what the settings are (cgrcore.config).
"""

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cgrcore.config import Mistake, Settings, Source, find_mistakes, unserved
from cgrcore.errors import BadRequest

__all__ = ["DEFAULT_CONFIG", "find_setting_mistakes", "load", "served_sections", "unserved_warning"]

#: The configuration that comes with the program.
DEFAULT_CONFIG = Path(__file__).parent / "default_config"

#: The longest configuration file that is read, in bytes: one that is longer is something else.
MAX_FILE_SIZE = 16 << 20

#: How the methods of a service begin: a service is there once it has one.
_METHODS = {
    "rals": "Responder.",
    "schedulers": "SchedulerSv1.",
    "cdrs": "CDRsV1.",
    "sessions": "SessionSv1.",
    "attributes": "AttributeSv1.",
    "chargers": "ChargerSv1.",
    "resources": "ResourceSv1.",
    "stats": "StatSv1.",
    "trends": "TrendSv1.",
    "rankings": "RankingSv1.",
    "thresholds": "ThresholdSv1.",
    "routes": "RouteSv1.",
    "ips": "IPsv1.",
    "ers": "ErSv1.",
    "ees": "OutboxSv1.",  # actions reach exporters; what waits for them is listed there
    "apiers": "APIerSv1.",
    "dispatchers": "DispatcherSv1.",
    "analyzers": "AnalyzerSv1.",
}


def load(
    config: Path | None = None, overrides: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings; a node without id gets a random one, and `Local` becomes the name of this machine's zone.

    Raises BadRequest with one line `file:line:column: what` for each mistake.
    """
    settings, mistakes = find_setting_mistakes(config, overrides, environ)
    if mistakes:
        raise BadRequest("\n".join(str(mistake) for mistake in mistakes))
    if not settings["general"]["node_id"]:
        settings["general"]["node_id"] = settings.raw["general"]["node_id"] = secrets.token_hex(4)[:7]
    if settings["general"]["default_timezone"] == "Local":
        settings["general"]["default_timezone"] = _local_zone()
    return settings


def find_setting_mistakes(
    config: Path | None = None, overrides: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> tuple[Settings, list[Mistake]]:
    """Return the settings as far as they can be read, and everything that is wrong with them.

    Raises BadRequest when there is no configuration to read.
    """
    sources = _sources(DEFAULT_CONFIG if config is None else config)
    settings, mistakes = find_mistakes(sources, os.environ if environ is None else environ, overrides)
    zone = settings["general"]["default_timezone"]
    if zone != "Local" and not _is_zone(zone):
        mistakes.append(
            Mistake(settings.place("general", "default_timezone"), f"there is no time zone {zone!r} on this machine")
        )
    return settings, mistakes


def served_sections(method_names: Iterable[str]) -> set[str]:
    """Return the sections whose service this version has, told by its methods."""
    working = [name for name in method_names if not name.endswith(".Ping")]
    return {section for section, prefix in _METHODS.items() if any(name.startswith(prefix) for name in working)}


def unserved_warning(settings: Settings, method_names: Iterable[str]) -> str:
    """Return one sentence on services that are switched on and not there, "" when all are."""
    missing = unserved(settings, served_sections(method_names))
    return f"this version has no service for: {', '.join(missing)}; they stay off" if missing else ""


def _sources(config: Path) -> list[Source]:
    if config.is_file():
        paths = [config]
    elif config.is_dir():
        paths = sorted(config.rglob("*.json"))
        if not paths:
            raise BadRequest(f"{config}: no *.json file in this folder")
    else:
        raise BadRequest(f"{config}: no such file or folder")
    return [Source(str(path), _text(path)) for path in paths]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_SIZE:
            raise BadRequest(f"{path}: longer than {MAX_FILE_SIZE >> 20} MB")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path}: not UTF-8 text at byte {error.start}") from None


def _local_zone() -> str:
    """Return the name of this machine's zone, as the environment or /etc says it; UTC when neither does."""
    names = [os.environ.get("TZ", "").lstrip(":")]
    names.append(os.path.realpath("/etc/localtime").rpartition("/zoneinfo/")[2])
    return next((name for name in names if name and _is_zone(name)), "UTC")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
