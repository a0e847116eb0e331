"""The recorded bytes of a real CGRateS on its JSON-RPC port, against ours. WIRE names the folder of the recordings."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import trio
from cgrserver.rpc import methods

from tests.transports.conftest import read, read_to_end, start

__all__ = ["start"]

FOLDER = Path(os.environ.get("WIRE", Path(__file__).resolve().parents[3] / "shared" / "wire"))

#: Where we differ on purpose, or another test looks.
LEFT_OUT = {
    "tcp/invalid/string": "closed at its first byte, not at the next one",
    "tcp/invalid/true": "closed at its first byte, not at the next one",
    "tcp/answer/event_returned": "needs a tariff plan; played by the conformance tests",
    "tcp/answer/map_sorted_and_html": "needs a tariff plan; played by the conformance tests",
    "tcp/size/many_calls": "the answers are only counted there; test_json_tcp has more",
}

PING = b'{"method":"CoreSv1.Ping","params":[{}],"id":"after"}'
PONG = b'{"id":"after","result":"Pong","error":null}\n'


def recorded() -> list[Any]:
    file = FOLDER / "tcp.jsonl"
    if not file.exists():
        assert not os.environ.get("CI"), f"the recordings of bytes are missing: {file}"
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"THE RECORDINGS ARE MISSING: {file}"))]
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    # The bidirectional port and limits that need another configuration have tests of their own.
    return [
        pytest.param(case, id=case["case"])
        for case in cases
        if not case["case"].startswith(("tcp/birpc/", "tcp/caps/")) and case["case"] not in LEFT_OUT
    ]


def segments(case: dict[str, Any]) -> list[bytes]:
    if case["send"] is not None:
        return [segment.encode("latin-1") for segment in case["send"]]
    kind, size = case["case"].split("/")[1:]
    if kind == "nesting":
        value = b"[" * int(size) + b"1" + b"]" * int(size)
        return [b'{"method":"CoreSv1.Ping","params":[{"Event":{"n":%b}}],"id":1}' % value]
    count = {"100k": 100_000, "2m": 2_000_000}[size]
    return [b'{"method":"CoreSv1.Ping","params":[{"ID":"%b"}],"id":1}' % (b"x" * count)]


@pytest.mark.parametrize("case", recorded())
async def test_answers_are_the_recorded_bytes(start, autojump_clock, case):
    methods.load_all()
    server = await start()
    expected = case["received"].encode("latin-1")
    async with await server.connect() as stream:
        for segment in segments(case):
            try:
                await stream.send_all(segment)
            except trio.BrokenResourceError:
                break  # closed for what came before, as recorded
            await trio.testing.wait_all_tasks_blocked()
        if case.get("half_close_after_send"):
            await stream.send_eof()
        if case["server"] in ("closed", "reset"):
            received = await read_to_end(stream)
        else:
            received = await read(stream, len(expected))
        # Answers come as they are ready.
        assert sorted(received.splitlines()) == sorted(expected.splitlines())
        if case.get("after"):
            after = case["after"]
            wanted = {"answers": PONG, "closed": b""}.get(after, after.encode("latin-1"))
            await stream.send_all(PING)
            assert await read(stream, len(wanted) or 1) == wanted
