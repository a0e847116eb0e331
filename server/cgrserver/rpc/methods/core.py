"""CoreSv1, and Ping of every service: whether the server lives, how it fares, and waiting on purpose."""

import os
import platform
import resource
import threading
from datetime import UTC, datetime, tzinfo
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import trio

from cgrcore.errors import BadRequest, Refused
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method

__all__: list[str] = []

#: The services that answer to Ping. A service that the configuration switches off is unknown altogether.
PINGED = (
    "APIerSv1",
    "APIerSv2",
    "ApierV1",
    "ApierV2",
    "AttributeSv1",
    "CacheSv1",
    "CDRsV1",
    "CDRsV2",
    "ChargerSv1",
    "ConfigSv1",
    "CoreSv1",
    "GuardianSv1",
    "RALsV1",
    "RankingSv1",
    "ReplicatorSv1",
    "ResourceSv1",
    "Responder",
    "RouteSv1",
    "SchedulerSv1",
    "ServiceManagerV1",
    "SessionSv1",
    "SMGenericV1",
    "StatSv1",
    "ThresholdSv1",
    "TrendSv1",
)

#: The longest time a client may have the server wait.
SLEEP_LIMIT_S = 10


class PingArgs(Args):
    Tenant: str = ""
    ID: str = ""
    Time: str | None = None
    Event: dict[str, Any] | None = None
    APIOpts: dict[str, Any] | None = None


class DurationArgs(Args):
    Duration: int = 0
    APIOpts: dict[str, Any] | None = None
    Tenant: str = ""


class StatusArgs(Args):
    Debug: bool = False
    Timezone: str = ""
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


class NothingArgs(Args):
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


@method(f"{PINGED[0]}.Ping", aliases=tuple(f"{service}.Ping" for service in PINGED[1:]))
def ping(world: World, args: PingArgs) -> str:
    """Answer "Pong"."""
    return "Pong"


@method("_goRPC_.Cancel")
def cancel(world: World, args: dict[str, Any]) -> bool:
    """Answer false: there is no call of that number to cancel."""
    return False


async def _sleep(store: Any, world: World, args: DurationArgs) -> None:
    if args.Duration > SLEEP_LIMIT_S * 10**9:
        raise BadRequest(f"Duration is limited to {SLEEP_LIMIT_S}s")
    await trio.sleep(max(args.Duration, 0) / 10**9)


@method("CoreSv1.Sleep", fetch=_sleep, aliases=("SessionSv1.Sleep",))
def sleep(world: World, args: DurationArgs, fetched: None) -> str:
    """Answer "OK" after a duration (ns)."""
    return "OK"


@method("CoreSv1.Status")
def status(world: World, args: StatusArgs) -> dict[str, Any]:
    """Show what the process uses: memory, CPU time, threads, open files, and since when it runs."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    with open("/proc/self/statm") as file:
        total_pages, resident_pages = (int(word) for word in file.read().split()[:2])
    threads = threading.active_count()
    return {
        "active_memory": _mebibytes(resident_pages * page_bytes),
        "cpu_time": f"{int((usage.ru_utime + usage.ru_stime) * 1000)}ms",
        "go_version": f"Python {platform.python_version()}",
        "goroutines": threads,
        "node_id": str(world.settings.get("general", {}).get("node_id", "")),
        "open_files": len(os.listdir("/proc/self/fd")),
        "os_threads_in_use": threads,
        "pid": os.getpid(),
        "resident_memory": _mebibytes(resident_pages * page_bytes),
        "running_since": _started(_zone(args.Timezone)),
        "system_memory": _mebibytes(total_pages * page_bytes),
        "version": f"cgrcore@{_version()}",
    }


def _mebibytes(size_bytes: int) -> str:
    tenths = size_bytes * 10 // (1 << 20)
    return f"{tenths // 10}.{tenths % 10}MiB"


def _zone(name: str) -> tzinfo:
    if not name or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(f"could not convert StatusMetrics to map[string]any: unknown time zone {name}") from None


def _started(zone: tzinfo) -> str:
    """Return when the process began, as `date` prints it."""
    began = datetime.fromtimestamp(int(os.stat("/proc/self").st_ctime), zone)
    return f"{began:%a %b} {began.day:2d} {began:%H:%M:%S %Z %Y}"


def _version() -> str:
    try:
        return version("cgrcore")
    except PackageNotFoundError:
        return "unknown"


@method("CoreSv1.StopCPUProfiling")
def stop_cpu_profiling(world: World, args: NothingArgs) -> str:
    """End CPU profiling, which this server leaves to tools from outside (py-spy, perf)."""
    raise Refused("stop CPU profiling: not started yet")


@method("CoreSv1.StopMemoryProfiling")
def stop_memory_profiling(world: World, args: NothingArgs) -> str:
    """End memory profiling, which this server leaves to tools from outside (memray)."""
    raise Refused("stop memory profiling: not started yet")


@method("Responder.Shutdown")
def shutdown(world: World, args: NothingArgs) -> str:
    """Stop the node in order, as SIGTERM does: what is under way is finished and written. Answers before."""
    stop = world.parts.get("stop")
    if stop is None:
        raise Refused("this node is stopped by who runs it")
    world.state.effects.after.append(stop)
    return "Done!"


class ServiceArgs(Args):
    ServiceID: str = ""
    Tenant: str = ""
    APIOpts: dict[str, Any] | None = None


@method("ServiceManagerV1.ServiceStatus", aliases=("ServiceManagerV1.StartService", "ServiceManagerV1.StopService"))
def service_status(world: World, args: ServiceArgs) -> str:
    """Refuse: services are switched on and off by the configuration, none by name while the node runs."""
    raise Refused("UNSUPPORTED_SERVICE_ID")
