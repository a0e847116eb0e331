"""The recorded bytes of a real CGRateS on its bidirectional JSON-RPC port, against ours."""

import json
from typing import Any

import pytest
import trio

from tests.transports.conftest import read, read_to_end
from tests.transports.test_birpc import start
from tests.wire.test_tcp import FOLDER

__all__ = ["start"]

#: Where we differ on purpose, or another test looks.
LEFT_OUT = {"tcp/birpc/disconnect_from_server": "needs a tariff plan; see tests/services/test_session_clients.py"}


def recorded() -> list[Any]:
    file = FOLDER / "tcp.jsonl"
    if not file.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"THE RECORDINGS ARE MISSING: {file}"))]
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    return [
        pytest.param(case, id=case["case"])
        for case in cases
        if case["case"].startswith("tcp/birpc/") and case["case"] not in LEFT_OUT
    ]


@pytest.mark.parametrize("case", recorded())
async def test_answers_are_the_recorded_bytes(start, autojump_clock, case):
    server = await start()
    expected = "".join(case["received"]).encode("latin-1")
    async with await trio.open_tcp_stream(*server.address) as stream:
        for segment in case["send"]:
            await stream.send_all(segment.encode("latin-1"))
            await trio.testing.wait_all_tasks_blocked()
        if case.get("half_close_after_send"):
            await stream.send_eof()
        if case["server"] == "closed":
            assert await read_to_end(stream) == expected
        elif case["server"] == "answered":
            assert await read(stream, len(expected)) == expected
        else:
            with trio.move_on_after(1):
                assert await read(stream, 1) == b""
