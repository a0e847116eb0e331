"""Imports point one way, and cgrcore touches nothing outside itself.

`ALLOWED` is the table of edges: a folder or file that is not in it, or imports what its row does not name, fails.
A row may also name one module, where a folder holds records that a lower layer keeps and code that stands above it.
"""

import re

import pytest

from tests.house.sources import Source, sources, unit_of

#: What everything above may import: plain values, and the world that decisions are made on.
VALUES = "errors money timing state world event"

#: Unit to what it may import, in the order of the layers: each row names only rows above it.
ALLOWED: dict[str, str] = {
    # errors, the compiled core, values
    "cgrcore.errors": "",
    "cgrcore._fast": "errors",
    "cgrcore.money": "errors _fast",
    "cgrcore.timing": "errors money _fast",
    "cgrcore.state": "errors _fast",
    "cgrcore.world": "errors state",
    "cgrcore.event": "errors money timing state world",
    "cgrcore.config": "errors money timing",
    # subjects
    "cgrcore.filters": VALUES + " _fast",
    "cgrcore.caches": VALUES + " config filters",
    "cgrcore.rating": VALUES + " _fast",
    "cgrcore.attributes": VALUES + " filters",
    "cgrcore.chargers": VALUES + " filters attributes",
    **dict.fromkeys(
        (f"cgrcore.actions.{name}" for name in ("__init__", "balance_filter", "build", "records")),
        VALUES + " filters rating",
    ),
    "cgrcore.accounting": VALUES + " _fast filters rating actions",
    "cgrcore.scheduling": VALUES + " filters rating actions accounting",
    "cgrcore.actions": VALUES + " filters rating accounting scheduling",
    "cgrcore.thresholds": VALUES + " filters accounting actions",
    "cgrcore.stats": VALUES + " filters thresholds",
    "cgrcore.queries": VALUES + " thresholds",
    "cgrcore.trends": VALUES + " filters thresholds stats queries",
    "cgrcore.rankings": VALUES + " filters thresholds stats queries",
    "cgrcore.resources": VALUES + " filters thresholds",
    "cgrcore.ips": VALUES + " filters thresholds",
    "cgrcore.dispatchers": VALUES + " filters",
    "cgrcore.routes": VALUES + " filters rating accounting attributes resources stats",
    "cgrcore.tariffplan": VALUES + " _fast filters rating accounting actions scheduling attributes chargers thresholds "
    "stats trends rankings resources ips routes dispatchers",
    "cgrcore.rating.library": VALUES + " config rating tariffplan",
    # flows
    "cgrcore.sessions": VALUES + " _fast filters rating accounting actions scheduling attributes chargers thresholds "
    "stats resources ips routes",
    "cgrcore.cdrs": VALUES + " _fast filters rating accounting actions scheduling attributes chargers thresholds stats "
    "sessions",
    # ports, formats on the wire
    "cgrcore.ports": VALUES + " _fast cdrs",
    "cgrcore.codecs": VALUES + " _fast",
}

#: The server's rows name only its own units; it may import all of cgrcore.
ALLOWED_IN_SERVER: dict[str, str] = {
    "cgrserver.settings": "",
    "cgrserver.lifecycle": "",
    "cgrserver.telemetry": "",
    "cgrserver.tariffs": "",
    "cgrserver.clients": "",
    # adapters
    "cgrserver.storage": "",
    "cgrserver.commit": "storage",
    "cgrserver.storage.reads": "storage commit",
    "cgrserver.bulk": "storage tariffs",
    "cgrserver.rerating": "storage tariffs",
    # services, rpc
    "cgrserver.services": "clients storage commit telemetry",
    "cgrserver.rpc": "clients storage commit services telemetry settings tariffs",
    "cgrserver.transports": "clients rpc telemetry",
    # the command line, and the one that wires it all
    "cgrserver.demo": "bulk storage",
    "cgrserver.app": "settings lifecycle telemetry clients storage commit bulk services rpc transports",
    "cgrserver.cli": "settings lifecycle app bulk demo rerating rpc storage tariffs",
}

#: Modules that reach outside: the clock, the disk, the network, chance, threads, other processes.
OUTSIDE = {
    *("os", "time", "socket", "ssl", "select", "trio", "asyncio", "threading", "subprocess", "multiprocessing"),
    *("random", "secrets", "uuid", "logging", "structlog", "sqlite3", "psycopg", "pathlib", "io", "tempfile", "shutil"),
    *("signal", "http", "urllib.request", "requests", "cgrserver"),
}

#: The one door: a notebook names a folder of CSV files, and `Tariff.load` reads it.
DOORS = {"cgrcore.rating.library": {"pathlib"}}

ALL = sources(".py", ".pyx", ".pxd")
CORE = sources(".py", ".pyx", ".pxd", package="cgrcore")


def _names(row: str, package: str) -> set[str]:
    return {f"{package}.{name}" for name in row.split()}


def _row_name(source: Source) -> str:
    return f"{source.module}.__init__" if source.is_package else source.module


def _edges(source: Source) -> set[str]:
    """Return the units of ours a file imports, besides its own."""
    units = {unit_of(name) for name in source.imports() if name.split(".")[0] in ("cgrcore", "cgrserver")}
    return units - {source.unit, "cgrcore", "cgrserver"}


def test_the_table_itself_points_one_way() -> None:
    for package, table in (("cgrcore", ALLOWED), ("cgrserver", ALLOWED_IN_SERVER)):
        above: set[str] = set()
        for unit, row in table.items():
            assert _names(row, package) <= above, unit
            above.add(unit_of(unit))


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.path.name)
def test_a_file_imports_only_what_the_table_allows(source: Source) -> None:
    if "." not in source.module:
        assert not _edges(source)
    elif source.module.startswith("cgrcore."):
        row = ALLOWED.get(_row_name(source), ALLOWED.get(source.unit))
        assert row is not None, f"{source.unit} has no row in the table"
        assert _edges(source) <= _names(row, "cgrcore")
    else:
        row = ALLOWED_IN_SERVER.get(_row_name(source), ALLOWED_IN_SERVER.get(source.unit))
        assert row is not None, f"{source.unit} has no row in the table"
        own = {unit for unit in _edges(source) if unit.startswith("cgrserver.")}
        assert own <= _names(row, "cgrserver")


@pytest.mark.parametrize("source", CORE, ids=lambda source: source.path.name)
def test_the_core_imports_nothing_that_reaches_outside(source: Source) -> None:
    names = source.imports()
    assert not (names | {name.split(".")[0] for name in names}) & (OUTSIDE - DOORS.get(source.module, set()))


@pytest.mark.parametrize("source", CORE, ids=lambda source: source.path.name)
def test_the_core_reads_no_clock_and_holds_no_float(source: Source) -> None:
    code = re.sub(r'"""(?s:.*?)"""|"[^"\n]*"|#[^\n]*', "", source.text)
    assert not re.findall(r"\bfloat\(|\bdouble\b|\.now\(|\.today\(|\bopen\(|\bprint\(", code)
