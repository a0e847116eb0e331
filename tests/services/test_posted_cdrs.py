"""CDRs that switches post to a server process: taken once, kept through a crash, refused with a reason."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.codecs.test_posted_cdrs import freeswitch
from tests.server_process import ServerProcess, free_port
from tests.slides.conftest import balance, load_plan


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    port = free_port()
    folder = tmp_path_factory.mktemp("posted")
    running = ServerProcess(folder, (f"listen.http=127.0.0.1:{port}",))
    running.http_port = port  # type: ignore[attr-defined]
    load_plan(running)
    yield running
    running.kill()


def post(server: ServerProcess, path: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}{path}", body)  # type: ignore[attr-defined]
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


CALL = b"RequestType=*postpaid&Account=1001&Destination=1002&AnswerTime=2023-01-07T17:00:10Z&Usage=5m&OriginID="


def test_a_posted_form_is_charged_once_and_kept_through_a_crash(server):
    assert post(server, "/cdr_http", CALL + b"form") == (200, b"")
    assert post(server, "/cdr_http", CALL + b"form") == (200, b"")
    server.kill()
    server.start()
    assert str(balance(server)) == "0.875"
    found = server.call("CDRsV1.GetCDRs", OriginIDs=["form"])
    assert [(it["Cost"], it["Usage"], it["RunID"]) for it in found] == [(9.125, 300_000_000_000, "*default")]


def test_a_form_may_be_asked_for_by_its_query(server):
    assert post(server, "/cdr_http?OriginID=query", CALL.removesuffix(b"&OriginID=")) == (200, b"")
    assert server.call("CDRsV1.GetCDRsCount", OriginIDs=["query"]) == 1


def test_a_call_of_freeswitch_is_a_cdr(server):
    assert post(server, "/freeswitch_json", freeswitch(uuid="fs-1", cgr_reqtype="*rated")) == (200, b"")
    (cdr,) = server.call("CDRsV1.GetCDRs", OriginIDs=["fs-1"])
    assert (cdr["Source"], cdr["Usage"], cdr["SetupTime"]) == (
        "freeswitch_json",
        62_000_000_000,
        "2026-03-02T09:30:00Z",
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/cdr_http", b"Account=1001"),
        ("/cdr_http", CALL.replace(b"5m", b"long") + b"bad-usage"),
        ("/cdr_http", CALL.replace(b"2023-01-07T17:00:10Z", b"noon") + b"bad-time"),
        ("/freeswitch_json", b"{}"),
        ("/freeswitch_json", freeswitch(start_epoch="noon", uuid="bad-time")),
    ],
)
def test_what_cannot_be_read_is_the_senders_mistake(server, path, body):
    status, why = post(server, path, body)
    assert (status, why != b"") == (400, True)


def test_calls_are_made_over_http_too(server):
    body = {"method": "CDRsV1.GetCDRsCount", "params": [{"OriginIDs": ["nobody"]}], "id": 7}
    assert post(server, "/jsonrpc", json.dumps(body).encode()) == (200, b'{"id":7,"result":0,"error":null}\n')
