"""`cgrcore doctor`: whether this machine can run the server, said before it has to."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter

if TYPE_CHECKING:
    from cgrcore.config import Settings

__all__ = ["doctor"]

#: Free space below which the disk of the database is called nearly full, in bytes.
LOW_SPACE = 1 << 30

#: File descriptors the server needs besides those of its clients.
OWN_FILES = 100


class _Finding(NamedTuple):
    """What one check found: `ok`, `warning` or `failure`, what was looked at, and what it is."""

    grade: str
    subject: str
    text: str


def doctor(
    *,
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    quick: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Check that this machine can run the server, and how well.

    Looks at the compiled core, the configuration, the addresses, the database, the ledger, the disk, the limits of the
    process.
    Changes nothing; a server may be running. Exit status 1 when something would keep the server from starting, or when
    a balance is not what its lines in the ledger say: each is named.

    Parameters
    ----------
    config:
        A configuration file, or a folder whose *.json files are read in alphabetical order.
    set_:
        One setting over the configuration, as section.key=value; may be given again and again.
    quick:
        Leave out what reads the whole database.
    """
    from rich.console import Console

    from cgrcore.errors import CgrError
    from cgrserver.settings import find_setting_mistakes

    findings = [*_machine()]
    try:
        settings, mistakes = find_setting_mistakes(config, set_ or ())
        findings += [_Finding("failure", "configuration", str(mistake)) for mistake in mistakes]
        if not mistakes:
            findings.append(_Finding("ok", "configuration", "sound"))
            findings += [*_addresses(settings), *_database(settings, quick), *_limits(settings)]
            if not quick and not any(finding.grade == "failure" for finding in findings):
                findings += _ledger(settings)
    except CgrError as error:
        findings.append(_Finding("failure", "configuration", str(error)))
    console = Console(highlight=False, soft_wrap=True)
    colours = {"ok": "green", "warning": "yellow", "failure": "red"}
    for finding in findings:
        console.print(f"[{colours[finding.grade]}]{finding.grade:<8}[/] {finding.subject}: ", end="")
        console.print(finding.text, markup=False)
    return 1 if any(finding.grade == "failure" for finding in findings) else 0


def _machine() -> Iterator[_Finding]:
    import importlib
    import platform
    import sqlite3
    from zoneinfo import available_timezones

    import cgrcore

    yield _Finding("ok", "python", f"{platform.python_version()} on {platform.machine()}")
    names = sorted(path.stem for path in Path(cgrcore.__path__[0], "_fast").glob("*.pyx"))
    missing = []
    for name in names:
        try:
            importlib.import_module(f"cgrcore._fast.{name}")
        except ImportError:
            missing.append(name)
    if missing:
        yield _Finding("failure", "compiled core", f"not built: {', '.join(missing)}; run make build")
    else:
        yield _Finding("ok", "compiled core", f"{len(names)} modules")
    yield _Finding("ok", "sqlite", sqlite3.sqlite_version)
    zones = len(available_timezones())
    yield _Finding("ok" if zones else "warning", "time zones", f"{zones} known" if zones else "install tzdata")


def _addresses(settings: "Settings") -> Iterator[_Finding]:
    import socket

    for key, address in settings["listen"].items():
        if not address or (key.endswith("_tls") and not settings["tls"]["server_certificate"]):
            continue
        host, _, port = address.rpartition(":")
        try:
            socket.create_server(
                (host.strip("[]"), int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET
            ).close()
            yield _Finding("ok", f"listen.{key}", f"{address} is free")
        except (OSError, ValueError) as error:
            yield _Finding("warning", f"listen.{key}", f"{address}: {error}; a server that runs already?")


def _database(settings: "Settings", quick: bool) -> Iterator[_Finding]:
    import os
    import shutil
    import sqlite3

    section, kind = settings["data_db"], settings["data_db"]["db_type"]
    if kind == "*internal":
        yield _Finding("warning", "database", "*internal: everything is lost when the server stops")
    elif kind == "*sqlite":
        path = Path(section["db_name"]).absolute()
        if not os.access(path.parent, os.W_OK):
            yield _Finding("failure", "database", f"{path.parent} is no folder that can be written to")
            return
        if path.exists():
            try:
                connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
                check = "PRAGMA schema_version" if quick else "PRAGMA quick_check(1)"
                answer = connection.execute(check).fetchone()[0]
                answer = "ok" if quick else answer
                connection.close()
            except sqlite3.Error as error:
                answer = str(error)
            grade = "ok" if answer == "ok" else "failure"
            yield _Finding(grade, "database", f"{path}: {'sound' if grade == 'ok' else answer}")
        else:
            yield _Finding("ok", "database", f"{path} will be created")
        free = shutil.disk_usage(path.parent).free
        yield _Finding("ok" if free > LOW_SPACE else "warning", "disk", f"{free >> 20} MB free below {path.parent}")
    else:
        yield from _postgres(section)


def _postgres(section: dict[str, object]) -> Iterator[_Finding]:
    try:
        import psycopg
    except ImportError:
        yield _Finding("failure", "database", "psycopg is missing: pip install 'cgrcore[postgres]'")
        return
    try:
        with psycopg.connect(
            host=str(section["db_host"]),
            port=str(section["db_port"]),
            dbname=str(section["db_name"]),
            user=str(section["db_user"]),
            password=str(section["db_password"]) or None,
            connect_timeout=5,
        ) as connection:
            version = connection.info.server_version
        yield _Finding("ok", "database", f"PostgreSQL {version // 10000} on {section['db_host']}")
    except psycopg.Error as error:
        yield _Finding("failure", "database", " ".join(str(error).split()))


def _ledger(settings: "Settings") -> Iterator[_Finding]:
    """Hold every balance against its lines in the ledger."""
    from cgrcore.errors import CgrError

    section, kind = settings["data_db"], settings["data_db"]["db_type"]
    if kind == "*internal" or (kind == "*sqlite" and not Path(section["db_name"]).exists()):
        return
    try:
        if kind == "*sqlite":
            from cgrserver.storage.ledger_check import check_sqlite

            checks = check_sqlite(Path(section["db_name"]).absolute())
        else:
            from cgrserver.storage.ledger_check import check_postgres
            from cgrserver.storage.postgres import conninfo_of

            checks = check_postgres(conninfo_of(section))
        for checked in checks:
            is_sound = True
            for disagreement in checked:
                is_sound = False
                yield _Finding("failure", "ledger", str(disagreement))
            if is_sound:
                left = f"; of {checked.unchecked_count} balances no lines are left" if checked.unchecked_count else ""
                text = f"adds up to the balances of all {checked.account_count} accounts{left}"
                yield _Finding("ok", "ledger", text)
    except CgrError as error:
        yield _Finding("failure", "ledger", str(error))


def _limits(settings: "Settings") -> Iterator[_Finding]:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings["limits"]["max_connections"] + OWN_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        yield _Finding("ok", "open files", f"up to {soft}")
    else:
        text = f"up to {soft}, but limits.max_connections wants {wanted}: raise it (ulimit -n, LimitNOFILE)"
        yield _Finding("warning", "open files", text)
    if settings["general"]["durability"] != "commit":
        text = f"{settings['general']['durability']}: a crash may lose what was answered"
        yield _Finding("warning", "general.durability", text)
