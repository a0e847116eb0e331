"""`python -m bench`: run benchmarks, show their figures, keep them as JSON.

python -m bench --list
python -m bench ping sessions              those whose name contains one of the words
python -m bench --seconds 5 --json out.json
python -m bench ping --command 'cgrcore serve --set listen.rpc_json=127.0.0.1:{port}'
python -m bench ping --server 127.0.0.1:2012
"""

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.registry import BENCHMARKS, Benchmark, Context, Measure, Wrong, load_all


def main() -> int:
    """Run what the command line asks for; exit status 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="run benchmarks whose name contains one of these")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("--seconds", type=float, default=2.0, help="time of each measurement")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--command", default="", help="start this server: {port} and {work} are replaced")
    parser.add_argument("--server", default="", help="measure the server at HOST:PORT")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    load_all()
    chosen = [b for b in BENCHMARKS.values() if not options.names or any(name in b.name for name in options.names)]
    if options.list or not chosen:
        for found in BENCHMARKS.values():
            console.print(f"{found.name:<16}{found.summary}", highlight=False)
        return 0 if options.list else 1
    host, _, port = options.server.rpartition(":")
    address = (host, int(port)) if options.server else None
    context = Context(options.seconds, options.command, address)
    measures: dict[str, list[Measure]] = {}
    wrong: dict[str, str] = {}
    for found in chosen:
        measures[found.name] = []
        try:
            with console.status(found.name):
                measures[found.name].extend(found.run(context))
        except (Wrong, OSError) as error:
            wrong[found.name] = str(error)
    console.print(_table(chosen, measures))
    for name, text in wrong.items():
        console.print(f"[bold red]{name}[/bold red]: {text}", markup=True, highlight=False)
    if options.json:
        options.json.write_text(json.dumps(_report(measures, wrong), indent=1) + "\n")
    return 1 if wrong else 0


def _table(chosen: list[Benchmark], measures: dict[str, list[Measure]]) -> Table:
    table = Table("benchmark", "what", "figure", "unit", "more")
    for found in chosen:
        for measure in measures[found.name]:
            more = "  ".join(f"{name} {_number(value)}" for name, value in measure.more.items())
            table.add_row(found.name, measure.name, _number(measure.value), measure.unit, more)
        table.add_section()
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _report(measures: dict[str, list[Measure]], wrong: dict[str, str]) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "measures": {
            name: [{"name": m.name, "value": m.value, "unit": m.unit, **m.more} for m in found]
            for name, found in measures.items()
        },
        "wrong": wrong,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
