"""The command line as a user meets it: pages of help, commands, exit status."""

import importlib
import inspect
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cgrserver.cli import COMMANDS


def cgrcore(*arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "cgrserver.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def test_the_first_page_names_every_command() -> None:
    page = cgrcore("--help")
    assert page.returncode == 0
    for command in COMMANDS:
        assert f"  {command.name} " in page.stdout
        assert command.summary in page.stdout


def test_the_first_page_and_the_version_import_nothing_heavy() -> None:
    code = "import sys; import cgrserver.cli as c; sys.argv = ['cgrcore', '--help']; c.main(); print('#', *sys.modules)"
    page = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = page.stdout.partition("#")[2].split()
    assert "sys" in modules
    assert not {"cyclopts", "rich", "trio", "numpy", "msgspec", "cgrcore"} & set(modules)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_summary_of_a_command_is_that_of_its_function(command: object) -> None:
    module, _, name = command.target.partition(":")  # type: ignore[attr-defined]
    documentation = inspect.getdoc(getattr(importlib.import_module(module), name)) or ""
    assert documentation.split("\n")[0] == command.summary  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_page_of_help(command: object) -> None:
    page = cgrcore(*command.name.split(), "--help")  # type: ignore[attr-defined]
    assert page.returncode == 0
    assert "Usage: cgrcore" in page.stdout


def test_the_page_of_a_group_says_what_its_commands_do() -> None:
    page = cgrcore("account", "--help").stdout
    assert "Show every change of an account's balances." in page


def test_an_unknown_command_is_a_wrong_use() -> None:
    assert cgrcore("nonsense").returncode == 2


def test_a_sound_configuration_is_called_sound(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"general": {"node_id": "a"}}')
    checked = cgrcore("check-config", "--config", str(tmp_path))
    assert (checked.returncode, checked.stdout) == (0, "the configuration is sound\n")


def test_every_mistake_of_a_configuration_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"rals": {"enable": 1}}')
    checked = cgrcore("check-config", "--config", str(tmp_path), "--set", "cores.caps=x", "--set", "cores.capz=1")
    assert checked.returncode == 1
    assert checked.stderr.splitlines() == [
        f"{tmp_path}/a.json:1:11: rals has no key 'enable'; did you mean 'enabled'?",
        "--set cores.caps=x: cores.caps: expected a whole number from 0, got 'x'",
        "--set cores.capz=1: cores has no key 'capz'; did you mean 'caps'?",
        "3 mistakes: the server will not start with this",
    ]


def test_the_whole_configuration_can_be_printed() -> None:
    printed = cgrcore("check-config", "--print", "--set", "general.node_id=x")
    assert json.loads(printed.stdout)["general"]["node_id"] == "x"


class Server:
    """Takes one connection, keeps what it is sent and answers with a fixed text."""

    def __init__(self, reply: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.reply = reply
        self.request = b""
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            self.request = connection.recv(65536)
            for part in (self.reply[:10], self.reply[10:]):
                connection.sendall(part)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join()
        self.listener.close()


def test_a_call_prints_the_reply_with_its_numbers_as_they_came() -> None:
    with Server(b'{"id":1,"result":{"Cost":0.10},"error":null}\n') as server:
        called = cgrcore("call", "A.B", 'X=["1"]', "Name=some text", "--server", server.address)
    assert called.stdout == '{\n  "Cost": 0.10\n}\n'
    assert json.loads(server.request) == {"method": "A.B", "params": [{"X": ["1"], "Name": "some text"}], "id": 1}


def test_a_call_may_take_its_argument_as_one_object() -> None:
    with Server(b'{"id":1,"result":"OK","error":null}') as server:
        called = cgrcore("call", "A.B", '{"X": 1.50}', "--server", server.address, "--raw")
    assert called.stdout == '"OK"\n'
    assert b'"params":[{"X":1.50}]' in server.request


def test_an_error_is_printed_and_is_the_exit_status() -> None:
    with Server(b'{"id":1,"result":null,"error":"NOT_FOUND"}') as server:
        called = cgrcore("call", "A.B", "--server", server.address)
    assert (called.returncode, called.stdout, called.stderr) == (1, "", "NOT_FOUND\n")


def test_a_server_that_is_not_there_is_told() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    called = cgrcore("call", "A.B", "--server", address)
    assert called.returncode == 1
    assert called.stderr.startswith(f"{address}: ")


def test_the_changes_of_an_account_are_a_table_with_exact_amounts() -> None:
    line = (
        b'{"Time":"2026-01-01T00:00:00Z","BalanceType":"*monetary","BalanceID":"main","BalanceUUID":"u","Before":10,'
        b'"Amount":-0.000000001,"After":9.999999999,"Reason":"Responder.Debit","IdempotencyKey":""}'
    )
    with Server(b'{"id":1,"result":[' + line + b'],"error":null}') as server:
        shown = cgrcore("account", "history", "1001", "--from", "-24h", "--server", server.address)
    assert shown.stdout.splitlines()[1].split() == [
        *("2026-01-01T00:00:00Z", "*monetary", "main", "10", "-0.000000001", "9.999999999", "Responder.Debit")
    ]
    assert json.loads(server.request) == {
        "method": "LedgerSv1.GetHistory",
        "params": [{"Tenant": "", "Account": "1001", "TimeStart": "-24h", "TimeEnd": ""}],
        "id": 1,
    }


def test_an_account_nobody_knows_is_told() -> None:
    with Server(b'{"id":1,"result":null,"error":"NOT_FOUND"}') as server:
        shown = cgrcore("account", "balances", "1001", "--server", server.address)
    assert (shown.returncode, shown.stderr) == (1, "nothing is known of this account\n")


def test_the_doctor_finds_a_sound_machine_sound(tmp_path: Path) -> None:
    looked = cgrcore("doctor", "--set", f"data_db.db_name={tmp_path}/a.db", "--set", "limits.max_connections=10")
    assert looked.returncode == 0
    assert "failure" not in looked.stdout
    assert f"{tmp_path}/a.db will be created" in looked.stdout


def test_the_doctor_finds_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database" * 1000)
    looked = cgrcore("doctor", "--set", f"data_db.db_name={tmp_path}/a.db")
    assert looked.returncode == 1
    assert "file is not a database" in looked.stdout


PLAN = Path(__file__).parents[2] / "tariffplans" / "fosdem"


def test_a_sound_tariff_plan_is_called_sound() -> None:
    checked = cgrcore("check-tariff", str(PLAN))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.endswith("the tariff plan is sound\n")


def test_a_mistake_in_a_tariff_plan_is_told_with_its_place(tmp_path: Path) -> None:
    for path in PLAN.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "Rates.csv").write_text(
        "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\nR,x,1,1s,1s,0s\n"
    )
    (tmp_path / "Rate.csv").write_text("")
    checked = cgrcore("check-tariff", str(tmp_path))
    assert checked.returncode == 1
    lines = checked.stderr.splitlines()
    assert lines[0] == "warning: Rate.csv is no file of a tariff plan"
    assert "Rates.csv:2:3: expected a number for ConnectFee, got 'x'" in lines
    assert lines[-1].endswith("this plan would not be loaded")


def test_a_folder_without_a_tariff_plan_is_told(tmp_path: Path) -> None:
    assert cgrcore("check-tariff", str(tmp_path)).returncode == 1
    assert cgrcore("check-tariff", str(tmp_path / "missing")).returncode == 1


def test_a_dry_run_of_migrating_says_what_would_run(tmp_path: Path) -> None:
    database = ("--set", f"data_db.db_name={tmp_path}/a.db", "--set", f"stor_db.db_name={tmp_path}/a.db")
    looked = cgrcore("migrate", "--dry-run", *database)
    assert (looked.returncode, looked.stdout) == (0, "would run 0001_initial\n")
    assert cgrcore("migrate", *database).stdout == "ran 0001_initial\n"
    assert cgrcore("migrate", *database).stdout == "the schema is up to date\n"
