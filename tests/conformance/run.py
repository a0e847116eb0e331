"""Plays the recorded conversations of a real CGRateS against this server, and shows how far the answers agree.

    python -m tests.conformance.run                     all case files
    python -m tests.conformance.run wire core/ping      these files, or topics of a file
    python -m tests.conformance.run wire --verbose      every difference
    python -m tests.conformance.run charging_cdrs --store postgres

The recordings lie in the folder that CONFORMANCE names, ../shared/conformance by default; their own replay.py plays
them, on a fresh server with an empty store for each tariff plan: memory, as recorded, a file of SQLite, or a
database of a PostgreSQL server that is started for it. Exit status 1 when a topic of `finished.FINISHED` does
not agree wholly, when a file could not be played, and, with CI set, when the folder is missing.
"""

import argparse
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.conformance.finished import FINISHED
from tests.postgres_server import PostgresServer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = Path(os.environ.get("CONFORMANCE", ROOT.parent / "shared" / "conformance"))
KNOWN = HERE / "known_differences.json"

#: Files that are no target: they record what the original does wrongly.
LEFT_OUT = frozenset({"doubtful"})

#: The longest a file may take; the largest play in well under a minute.
FILE_TIMEOUT_S = 900

#: How the dispatcher logs a decision that broke, and how much of the logs is shown.
BROKEN_DECISION = "a decision failed"
LOG_TAIL = 6000

AREA = re.compile(r"^(\S+): (\d+) of (\d+) agree$")

#: What else a server would listen on without a certificate; the recordings need one port, and servers run side by side.
UNUSED_LISTENERS = ("rpc_gob", "http", "birpc_json")


@dataclass
class Played:
    """What came of one case file: agreeing and all cases by topic, what replay.py printed, what the servers logged."""

    name: str
    seconds: float = 0.0
    topics: dict[str, tuple[int, int]] = field(default_factory=dict)
    output: str = ""
    logs: str = ""

    @property
    def failures(self) -> int:
        """Decisions that broke: our mistakes, whatever was answered."""
        return self.logs.count(BROKEN_DECISION)

    @property
    def agreed(self) -> int:
        return sum(agreed for agreed, _ in self.topics.values())

    @property
    def total(self) -> int:
        return sum(total for _, total in self.topics.values())

    def broken(self) -> list[str]:
        """Return the finished topics that do not agree wholly."""
        finished = FINISHED.get(self.name, frozenset())
        return [
            topic
            for topic, (agreed, total) in self.topics.items()
            if agreed < total and (finished == "*" or topic in finished)
        ]


def serve_command(store: str = "internal", conninfo: str = "") -> str:
    """Return the command that replay.py starts servers with: {port}, {config} and {work} are its to fill."""
    options = ["serve", "--config {config}", "--set listen.rpc_json=127.0.0.1:{port}"]
    options += [f"--set listen.{name}=" for name in UNUSED_LISTENERS]
    program = "-c 'from cgrserver.cli import main; main()'"
    if store == "postgres":
        program = f"-m tests.conformance.on_postgres {shlex.quote(conninfo)}"
    elif store == "sqlite":
        options.append("--set data_db.db_type=*sqlite --set data_db.db_name={work}/store.db")
    return " ".join([sys.executable, program, *options])


@contextmanager
def serving(store: str) -> Iterator[str]:
    """Yield the command that starts servers on a kind of store, with a PostgreSQL server running when that is it."""
    if store != "postgres":
        yield serve_command(store)
        return
    server = PostgresServer()
    try:
        yield serve_command(store, server.conninfo)
    finally:
        server.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def play(path: Path, topic: str, verbose: bool, serve: str) -> Played:
    """Play one case file, or one topic of it."""
    command = [sys.executable, str(FOLDER / "replay.py"), str(path), "--port", str(free_port()), "--known", str(KNOWN)]
    command += ["--serve", serve, "--plans", str(FOLDER / "plans"), "--config", str(FOLDER / "config")]
    if topic:
        command += ["--case", f"^{path.stem}/{topic}/"]
    if verbose:
        command.append("--verbose")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="conformance-") as work:
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "server"))), "TMPDIR": work}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=FILE_TIMEOUT_S, env=environ)
            output = done.stdout + done.stderr
        except subprocess.TimeoutExpired as expired:
            output = f"{_text(expired.stdout)}\nnot done within {FILE_TIMEOUT_S} s"
        logs = "".join(log.read_text("utf-8", "replace") for log in Path(work).glob("replay-*/out"))
    played = Played(path.stem, time.monotonic() - began, output=output, logs=logs)
    for line in output.splitlines():
        if match := AREA.match(line):
            name = match[1].split("/")[1] if "/" in match[1] else match[1]
            agreed, total = played.topics.get(name, (0, 0))
            played.topics[name] = (agreed + int(match[2]), total + int(match[3]))
    return played


def _text(output: str | bytes | None) -> str:
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""


def chosen(names: Sequence[str]) -> list[tuple[Path, str]]:
    """Return the case files (and topics) that the arguments name, all files without arguments.

    Exits on an unknown one.
    """
    files = {path.stem: path for path in sorted((FOLDER / "cases").glob("*.jsonl"))}
    if not names:
        return [(path, "") for name, path in files.items() if name not in LEFT_OUT]
    pairs = []
    for name in names:
        file, _, topic = name.partition("/")
        if file not in files:
            sys.exit(f"no case file {file}: expected one of {', '.join(files)}")
        pairs.append((files[file], topic))
    return pairs


def show(console: Console, results: Sequence[Played], verbose: bool) -> None:
    """Print agreement by file and topic."""
    table = Table("file", "topic", "agree", "of", "", title="Agreement with recorded CGRateS")
    for played in results:
        for topic, (agreed, total) in sorted(played.topics.items()):
            finished = FINISHED.get(played.name, frozenset())
            mark = "finished" if finished == "*" or topic in finished else ""
            style = "green" if agreed == total else ("red" if mark else "yellow")
            table.add_row(played.name, topic, str(agreed), str(total), mark, style=style)
        note = f"{played.seconds:.0f} s" + (f", {played.failures} broken decisions" if played.failures else "")
        table.add_row(played.name, "", str(played.agreed), str(played.total), note, style="bold")
        table.add_section()
    for played in results:
        if verbose or played.broken() or not played.topics:
            console.print(f"[bold]{played.name}[/bold]")
            console.print(played.output, markup=False, highlight=False)
        if not played.topics or (verbose and played.failures):
            console.print(played.logs[-LOG_TAIL:], markup=False, highlight=False)
    console.print(table)
    agreed, total = sum(played.agreed for played in results), sum(played.total for played in results)
    console.print(f"{agreed} of {total} cases agree")


def main() -> int:
    """Play what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="FILE[/TOPIC]")
    parser.add_argument(
        "--store", choices=("sqlite", "postgres", "internal"), default="internal", help="where servers keep all"
    )
    parser.add_argument("--jobs", "-j", type=int, default=2, help="files played side by side")
    parser.add_argument("--verbose", "-v", action="store_true", help="every difference")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    if not (FOLDER / "replay.py").exists():
        console.print(f"[bold red]THE RECORDED CONVERSATIONS ARE MISSING: no {FOLDER}/replay.py. NOTHING WAS PLAYED.")
        console.print("Set CONFORMANCE to their folder.")
        return 1 if os.environ.get("CI") or os.environ.get("CONFORMANCE") else 0
    with serving(options.store) as serve, ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda pair: play(*pair, options.verbose, serve), chosen(options.names)))
    show(console, results, options.verbose)
    broken = [f"{played.name}/{topic}" for played in results for topic in played.broken()]
    unplayed = [played.name for played in results if not played.topics]
    if broken:
        console.print(f"[bold red]finished, and yet they do not agree: {', '.join(broken)}")
    if unplayed:
        console.print(f"[bold red]not played: {', '.join(unplayed)}")
    return 1 if broken or unplayed else 0


if __name__ == "__main__":
    sys.exit(main())
