"""`cgrcore doctor` beside a running server: the ledger of its store adds up, and what does not is named."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_commands import cgrcore
from tests.server_process import ServerProcess


@pytest.mark.slow
def test_the_doctor_checks_the_ledger_of_a_running_server(tmp_path: Path) -> None:
    settings = ("--set", f"data_db.db_name={tmp_path}/store.db", "--set", "limits.max_connections=10")
    server = ServerProcess(tmp_path)
    try:
        for name in ("1001", "1002"):
            account = {"Tenant": "cgrates.org", "Account": name, "Value": 12.5, "Balance": {"ID": "main"}}
            assert server.call("APIerSv1.AddBalance", BalanceType="*monetary", **account) == "OK"
        looked = cgrcore("doctor", *settings)
        assert (looked.returncode, "adds up to the balances of all 2 accounts" in looked.stdout) == (0, True)
    finally:
        server.kill()
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("UPDATE ledger SET amount = '12' WHERE account_id = 'cgrates.org:1002'")
    connection.commit()
    connection.close()
    looked = cgrcore("doctor", *settings)
    wrong = [line for line in looked.stdout.splitlines() if line.startswith("failure")]
    assert looked.returncode == 1
    assert len(wrong) == 1
    assert "cgrates.org:1002: balance" in wrong[0] and "holds 12.5 and is 12 by its lines" in wrong[0]
    assert "ledger" not in cgrcore("doctor", "--quick", *settings).stdout
