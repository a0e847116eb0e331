"""The command line: `cgrcore COMMAND ...`.

Rules: a command is a function in a file of its own, which is imported only when it is called; exit status 0 is success,
1 a refusal or a mistake in what was given, 2 a wrong use of the command line. The first page of help and the
version are printed without importing anything else.
"""

import sys
from collections.abc import Container
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["COMMANDS", "Command", "command_line", "main"]


class Command(NamedTuple):
    """One command: its name, where its function is, and what it does in one line."""

    name: str
    target: str
    summary: str


SUMMARY = "Real-time charging for telecom operators: exact money, durable debits, CGRateS on the wire."

COMMANDS = (
    Command("serve", "cgrserver.cli.serve:serve", "Run the server until it is stopped."),
    Command("demo", "cgrserver.cli.demo:demo", "Charge a call over TCP and rate a million CDRs, in under a minute."),
    Command(
        "check-config", "cgrserver.cli.check_config:check_config", "Check a configuration, and tell every mistake."
    ),
    Command("check-tariff", "cgrserver.cli.check_tariff:check_tariff", "Check the CSV files of a tariff plan."),
    Command("rate", "cgrserver.cli.rate:rate", "Price one call under a tariff, and explain the price line by line."),
    Command("call", "cgrserver.cli.call:call", "Call a method of a running server and print its reply."),
    Command("account history", "cgrserver.cli.account:history", "Show every change of an account's balances."),
    Command(
        "account balances", "cgrserver.cli.account:balances", "Show what an account's balances held at an instant."
    ),
    Command("dead-letters list", "cgrserver.cli.dead_letters:list_", "Show what could not be delivered outside."),
    Command("dead-letters replay", "cgrserver.cli.dead_letters:replay", "Send again what could not be delivered."),
    Command("dead-letters drop", "cgrserver.cli.dead_letters:drop", "Forget what could not be delivered."),
    Command("rerate", "cgrserver.cli.rerate:rerate", "Rate files or tables of CDRs anew."),
    Command("migrate", "cgrserver.cli.migrate:migrate", "Bring the store's schema up to date."),
    Command("doctor", "cgrserver.cli.doctor:doctor", "Check that this machine can run the server, and how well."),
)

_EXAMPLES = """\
  cgrcore serve --config /etc/cgrcore --set listen.rpc_json=127.0.0.1:2012
  cgrcore check-config --config /etc/cgrcore
  cgrcore check-tariff tariffplans/fosdem
  cgrcore rate --tariff tariffplans/fosdem --subject 1001 --to 1002 --usage 2m10s --at 2023-06-01T10:00:00Z
  cgrcore call APIerSv2.GetAccounts 'AccountIDs=["1001"]'
  cgrcore rerate --tariff tariffplans/retail --input march.csv.gz --output march.parquet
  cgrcore account history 1001
  cgrcore call SessionSv1.GetActiveSessions '{"Limit": 10}' --server 127.0.0.1:2012
"""


def main() -> None:
    """Run the command of this process's arguments, and exit with its status."""
    arguments = sys.argv[1:]
    if arguments in ([], ["--help"], ["-h"]):
        print(_first_page())
    elif arguments in (["--version"], ["version"]):
        print(f"cgrcore {_version()}")
    else:
        sys.exit(_run(arguments))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("cgrcore")
    except PackageNotFoundError:
        return "(not installed)"


def _first_page() -> str:
    commands = "\n".join(f"  {command.name:<22}{command.summary}" for command in COMMANDS)
    return (
        "Usage: cgrcore COMMAND [OPTIONS]\n\n"
        f"{SUMMARY}\n\n"
        f"Commands:\n{commands}\n"
        f"  {'--install-completion':<22}Make your shell complete commands and options.\n"
        f"  {'--version':<22}Print the version.\n"
        f"  {'--help, -h':<22}Print this page; after a command, its options.\n\n"
        f"Examples:\n{_EXAMPLES}\n"
        "Every option of every command: cgrcore COMMAND --help"
    )


def command_line(resolved: Container[str] = ()) -> "App":
    """Return the commands as one application. Those in `resolved`, by group or name, are imported at once."""
    from pkgutil import resolve_name

    from cyclopts import App

    app = App(name="cgrcore", help=SUMMARY, version=_version)
    groups: dict[str, App] = {"": app}
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        if group not in groups:
            groups[group] = App(name=group)
            app.command(groups[group])
        is_resolved = group in resolved or command.name in resolved
        groups[group].command(resolve_name(command.target) if is_resolved else command.target, name=name)
    app.register_install_completion_command()
    return app


def _run(arguments: list[str]) -> int:
    """Run one command; return the exit status."""
    from cyclopts import CycloptsError

    from cgrcore.errors import CgrError

    # A group's own page of help needs the summaries of its commands, which are in their functions.
    app = command_line({arguments[0]} if arguments else ())
    try:
        return int(app(arguments, exit_on_error=False, result_action="return_int_as_exit_code_else_zero"))
    except CycloptsError:  # told already
        return 2
    except CgrError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
