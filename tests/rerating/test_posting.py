"""Corrections posted to a real server: the difference, once, whoever is killed in the middle."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cgrserver.cli.call import ErrorReply, ask
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.posting import Posted, Posting, post, tell
from cgrserver.rerating.rating import Plan
from cgrserver.tariffs import read_folder

from cgrcore.errors import BadRequest, CgrError, Refused, Unavailable
from cgrcore.money import NANO
from tests.rerating.calls import PLAN, run, write_csv
from tests.server_process import ROOT, ServerProcess

COUNT = 240
CREDIT = 1000

#: Germany costs 0.06 a minute when it is charged, and 0.09 when it is corrected.
CHARGED, CORRECTED = Decimal("0.06"), Decimal("0.09")

#: A client that says each time it was answered, and may be killed.
CLIENT = """
import sys
from pathlib import Path
from cgrcore.errors import Refused
from cgrserver.cli.call import ErrorReply, ask
from cgrserver.rerating.mapping import Mapping
from cgrserver.rerating.posting import Posting, post, tell
from cgrserver.rerating.rating import Plan
from cgrserver.tariffs import read_folder

output, plan, server = sys.argv[1:]

def send(request):
    reply = ask(server, request, 30.0)
    print("answered", flush=True)
    return reply

done = post(Posting((output,), Plan(read_folder(Path(plan))), Mapping(), "", False, batch_size=5), send)
print(done.counts, done.taken_nano, flush=True)
"""


@pytest.fixture
def server(tmp_path: Path, plan: Path) -> Iterator[ServerProcess]:
    """A server that has charged account 1001 for calls of a minute."""
    folder = tmp_path / "server"
    folder.mkdir()
    process = ServerProcess(folder)
    try:
        process.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(plan))
        process.call("APIerSv2.SetBalance", Account="1001", BalanceType="*monetary", Value=CREDIT, Balance={"ID": "m"})
        flags = ["*rals", "*store:true", "*attributes:false", "*chargers:false"]
        events = [{"Tenant": "cgrates.org", "Event": _event(number)} for number in range(COUNT)]
        process.call("CDRsV1.ProcessEvents", Flags=flags, CGREvents=events)
        yield process
    finally:
        if process.process.poll() is None:
            process.kill()


def _event(number: int) -> dict[str, Any]:
    moment = "2026-03-02T10:00:00Z"
    return {
        "OriginID": f"call-{number}",
        "OriginHost": "switch",
        "RequestType": "*postpaid",
        "ToR": "*voice",
        "Tenant": "cgrates.org",
        "Category": "call",
        "Account": "1001",
        "Subject": "1001",
        "Destination": "4930",
        "SetupTime": moment,
        "AnswerTime": moment,
        "Usage": "1m",
    }


@pytest.fixture
def dearer(tmp_path: Path) -> Path:
    """The same tariff at 0.09."""
    folder = tmp_path / "dearer"
    folder.mkdir()
    for name, content in PLAN.items():
        (folder / name).write_text(content.replace("RT_DE,0,0.06", "RT_DE,0,0.09"))
    return folder


@pytest.fixture
def rated(server: ServerProcess, dearer: Path, tmp_path: Path) -> Path:
    """The server's CDRs rated anew."""
    output = tmp_path / "rated.parquet"
    run(dearer, server.folder / "store.db", output=output, threads=1, quiet=True)
    return output


def _post(server: ServerProcess, rated: Path, plan: Path, *, is_dry_run: bool = False, **options: Any) -> Posted:
    def send(request: bytes) -> bytes:
        try:
            return ask(f"127.0.0.1:{server.port}", request, 30.0)
        except ErrorReply as error:
            raise Refused(str(error)) from None

    return post(Posting((str(rated),), Plan(read_folder(plan)), Mapping(), "", is_dry_run, **options), send)


def _money(server: ServerProcess) -> Decimal:
    account = json.loads(json.dumps(server.call("APIerSv2.GetAccount", Account="1001")), parse_float=Decimal)
    return sum((balance["Value"] for balance in account["BalanceMap"]["*monetary"]), Decimal(0))


def _costs(server: ServerProcess) -> set[Decimal]:
    cdrs = server.call("CDRsV1.GetCDRs")
    assert len(cdrs) == COUNT
    return {Decimal(str(cdr["Cost"])) for cdr in cdrs}


def _assert_corrected_once(server: ServerProcess) -> None:
    """The account paid each call's new cost, every CDR has it, and the ledger says how that came to be."""
    assert _costs(server) == {CORRECTED}
    assert _money(server) == CREDIT - COUNT * CORRECTED
    lines = json.loads(json.dumps(server.call("LedgerSv1.GetHistory", Account="1001")), parse_float=Decimal)
    moved = [-line["Amount"] for line in lines if line["Reason"] == "CDRsV1.CorrectCosts"]
    assert sum(moved) == COUNT * (CORRECTED - CHARGED)


@pytest.mark.slow
def test_a_dry_run_tells_the_difference_and_changes_nothing(server: ServerProcess, rated: Path, dearer: Path) -> None:
    done = _post(server, rated, dearer, is_dry_run=True)
    assert done.counts == {"POSTED": COUNT}
    assert done.taken_nano == COUNT * (CORRECTED - CHARGED) * NANO
    assert (_costs(server), _money(server)) == ({CHARGED}, CREDIT - COUNT * CHARGED)


@pytest.mark.slow
def test_only_the_difference_is_taken_and_only_once(server: ServerProcess, rated: Path, dearer: Path) -> None:
    assert _post(server, rated, dearer).counts == {"POSTED": COUNT}
    assert _post(server, rated, dearer).counts == {"UNCHANGED": COUNT}
    _assert_corrected_once(server)


@pytest.mark.slow
def test_the_tariff_they_were_charged_by_corrects_nothing(server: ServerProcess, plan: Path, tmp_path: Path) -> None:
    output = tmp_path / "same.csv"
    run(plan, server.folder / "store.db", output=output, threads=1, quiet=True)
    assert _post(server, output, plan).counts == {"UNCHANGED": COUNT}


@pytest.mark.slow
def test_a_client_that_was_killed_goes_on_when_run_again(server: ServerProcess, rated: Path, dearer: Path) -> None:
    client = _client(server, rated, dearer)
    _wait_for_answers(client, 7)
    client.kill()
    client.communicate()
    done = _post(server, rated, dearer)
    assert done.counts["UNCHANGED"] >= 35
    assert 0 < done.counts["POSTED"] <= COUNT - 35
    _assert_corrected_once(server)


@pytest.mark.slow
def test_a_server_that_was_killed_is_waited_for(server: ServerProcess, rated: Path, dearer: Path) -> None:
    client = _client(server, rated, dearer)
    _wait_for_answers(client, 7)
    server.kill()
    server.start()
    told, _ = client.communicate(timeout=120)
    assert client.returncode == 0
    assert told.splitlines()[-1] == f"{{'POSTED': {COUNT}}} {int(COUNT * (CORRECTED - CHARGED) * NANO)}"
    _assert_corrected_once(server)


@pytest.mark.slow
def test_two_clients_at_once_correct_each_cdr_once(server: ServerProcess, rated: Path, dearer: Path) -> None:
    clients = [_client(server, rated, dearer) for _ in range(2)]
    posted = 0
    for client in clients:
        told, _ = client.communicate(timeout=120)
        counts, _, _ = told.splitlines()[-1].rpartition(" ")
        posted += ast.literal_eval(counts).get("POSTED", 0)
    assert posted == COUNT
    _assert_corrected_once(server)


def _client(server: ServerProcess, rated: Path, plan: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CLIENT, str(rated), str(plan), f"127.0.0.1:{server.port}"]
    environ = {"PYTHONPATH": f"{ROOT}:{ROOT / 'server'}", "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)


def _wait_for_answers(client: "subprocess.Popen[str]", count: int) -> None:
    assert client.stdout is not None
    for _ in range(count):
        assert client.stdout.readline() == "answered\n"


@pytest.mark.slow
def test_accounts_that_are_in_the_store_alone_are_corrected_too(plan: Path, dearer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    server = ServerProcess(folder, ["limits.resident_accounts=2"])
    try:
        server.call("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(plan))
        names = [f"a{number}" for number in range(20)]
        for name in names:
            server.call("APIerSv2.SetBalance", Account=name, BalanceType="*monetary", Value=10, Balance={"ID": "m"})
        flags = ["*rals", "*store:true", "*attributes:false", "*chargers:false"]
        for number, name in enumerate(names):
            event = {**_event(number), "Account": name, "Subject": name}
            server.call("CDRsV1.ProcessEvent", Flags=flags, Tenant="cgrates.org", Event=event)
        output = tmp_path / "rated.parquet"
        run(dearer, folder / "store.db", output=output, threads=1, quiet=True)
        assert _post(server, output, dearer).counts == {"POSTED": 20}
        for name in names:
            account = server.call("APIerSv2.GetAccount", Account=name)
            assert Decimal(str(account["BalanceMap"]["*monetary"][0]["Value"])) == 10 - CORRECTED
    finally:
        server.kill()


@pytest.mark.slow
def test_the_command_posts_what_it_rated(server: ServerProcess, dearer: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"output": tmp_path / "out.csv", "post": True, "server": f"127.0.0.1:{server.port}"}
    dry = run(dearer, server.folder / "store.db", **options)
    assert f"would be corrected {COUNT:>10} CDRs; accounts would pay 7.2 and get 0 back" in dry.printed
    assert "nothing was changed: with --no-dry-run it is" in dry.printed
    assert _costs(server) == {CHARGED}
    real = run(dearer, server.folder / "store.db", **options, dry_run=False)
    assert f"corrected          {COUNT:>10} CDRs; accounts paid 7.2 and got 0 back" in real.printed
    _assert_corrected_once(server)


# --- without a server ------------------------------------------------------------------------------------------------


def _nobody(request: bytes) -> bytes:
    raise Unavailable("nobody there")


def _posting(place: Path, plan: Path, **options: Any) -> Posting:
    return Posting((str(place),), Plan(read_folder(plan)), Mapping(), "", True, **options)


def test_a_server_that_stays_away_is_told_with_what_to_do(plan: Path, tmp_path: Path, capsys: Any) -> None:
    place = write_csv(tmp_path / "rated.csv", [{**_row(), "CGRID": "c", "Cost": "1"}])
    with pytest.raises(Unavailable, match="nobody there; what was posted stays posted: run again to go on"):
        post(_posting(place, plan, patience_s=0), _nobody)


@pytest.mark.parametrize("missing", ["CGRID", "Cost"])
def test_a_file_without_a_column_is_refused(plan: Path, tmp_path: Path, missing: str) -> None:
    row = {**_row(), "CGRID": "c", "Cost": "1"}
    del row[missing]
    place = write_csv(tmp_path / "rated.csv", [row])
    with pytest.raises(BadRequest, match=f"there is no column {missing}, which posting needs"):
        post(_posting(place, plan), _nobody)


def test_costs_that_are_floats_are_refused(plan: Path, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{**_row(), "CGRID": "c", "Cost": 0.1}]), tmp_path / "rated.parquet")
    with pytest.raises(BadRequest, match="floats, which are not exact"):
        post(_posting(tmp_path / "rated.parquet", plan), _nobody)


def test_what_a_server_refuses_is_told(plan: Path, tmp_path: Path) -> None:
    def refuse(request: bytes) -> bytes:
        raise Refused("rpc: can't find service CDRsV1")

    place = write_csv(tmp_path / "rated.csv", [{**_row(), "CGRID": "c", "Cost": "1"}])
    with pytest.raises(CgrError, match="can't find service"):
        post(_posting(place, plan), refuse)


def test_rows_go_in_batches_with_their_price_and_their_debit(plan: Path, tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def take(request: bytes) -> bytes:
        argument = json.loads(request)["params"][0]
        asked.append(argument)
        reply = {"Status": "UNCHANGED", "Account": "", "Difference": 0}
        return json.dumps([reply] * len(argument["Corrections"])).encode()

    rows = [{**_row(), "CGRID": f"c{number}", "Cost": "" if number == 1 else "0.5"} for number in range(4)]
    done = post(_posting(write_csv(tmp_path / "rated.csv", rows), plan, batch_size=2, least_nano=10**6), take)
    assert [one["LeastDifference"] for one in asked] == [0.001, 0.001]
    sent = [(it["CGRID"], it["RunID"], it["Cost"], it["DebitedCost"]) for one in asked for it in one["Corrections"]]
    assert sent == [(cgrid, "*default", 0.5, 0.06) for cgrid in ("c0", "c2", "c3")]
    assert [len(one["Corrections"]) for one in asked] == [2, 1]
    assert (done.counts, done.unrated_count) == ({"UNCHANGED": 3}, 1)


def test_a_call_without_a_subject_is_priced_as_it_was(tmp_path: Path) -> None:
    """The account has a price of its own, which sessions found and CDRs did not."""
    folder = tmp_path / "own"
    folder.mkdir()
    own = "cgrates.org,call,1001,2020-01-01T00:00:00Z,RP_OWN,\n"
    more = {
        "RatingProfiles.csv": PLAN["RatingProfiles.csv"] + own,
        "RatingPlans.csv": PLAN["RatingPlans.csv"] + "RP_OWN,DR_OWN,*any,10\n",
        "DestinationRates.csv": PLAN["DestinationRates.csv"] + "DR_OWN,DST_DE,RT_OWN,*up,4,0,\n",
        "Rates.csv": PLAN["Rates.csv"] + "RT_OWN,0,0.03,60s,1s,0s\n",
    }
    for name, content in {**PLAN, **more}.items():
        (folder / name).write_text(content)
    sent: list[tuple[str, float, float]] = []

    def take(request: bytes) -> bytes:
        corrections = json.loads(request)["params"][0]["Corrections"]
        sent.extend((it["CGRID"], it["Cost"], it["DebitedCost"]) for it in corrections)
        return json.dumps([{"Status": "UNCHANGED", "Account": "", "Difference": 0}] * len(corrections)).encode()

    rows = [
        {**_row(), "CGRID": cgrid, "Subject": "", "CostSource": source, "Cost": "0.03"}
        for cgrid, source in (("session", "*sessions"), ("cdr", "*cdrs"))
    ]
    post(_posting(write_csv(tmp_path / "rated.csv", rows), folder), take)
    assert sent == [("session", 0.03, 0.03), ("cdr", 0.06, 0.06)]


def test_a_report_has_a_line_for_each_correction(plan: Path, tmp_path: Path) -> None:
    def take(request: bytes) -> bytes:
        reply = {"CGRID": "c", "RunID": "*default", "Account": "cgrates.org:1001", "Status": "POSTED"}
        return json.dumps([{**reply, "Before": 0.06, "After": 0.0600001, "Difference": 0.0000001}]).encode()

    place = write_csv(tmp_path / "rated.csv", [{**_row(), "CGRID": "c", "Cost": "1"}])
    report = tmp_path / "report.csv"
    line = "c,*default,cgrates.org:1001,POSTED,0.06,0.0600001,0.0000001"
    posting = _posting(place, plan, report=report)
    for is_dry_run, lines in ((True, 1), (True, 1), (False, 2), (False, 3)):
        post(posting._replace(is_dry_run=is_dry_run), take)
        head, *found = report.read_text().splitlines()
        assert head == "CGRID,RunID,Account,Status,Before,After,Difference"
        assert found == [line] * lines


def test_a_report_that_cannot_be_written_is_told_before_anything_is_posted(plan: Path, tmp_path: Path) -> None:
    place = write_csv(tmp_path / "rated.csv", [{**_row(), "CGRID": "c", "Cost": "1"}])
    with pytest.raises(Unavailable, match="No such file or directory"):
        post(_posting(place, plan, report=tmp_path / "nowhere" / "report.csv"), _nobody)


def _row() -> dict[str, Any]:
    return {"Account": "1001", "Destination": "4930", "AnswerTime": "2026-03-02T10:00:00Z", "Usage": "1m"}


def test_what_became_of_corrections_is_told(capsys: Any) -> None:
    tell(Posted({"POSTED": 3, "PAID_WITH_UNITS": 1}, 5 * 10**8, 0, 2), is_dry_run=False)
    assert capsys.readouterr().out.splitlines() == [
        "corrected                   3 CDRs; accounts paid 0.5 and got 0 back",
        "                            1 PAID_WITH_UNITS",
        "                            2 without a new cost",
    ]
