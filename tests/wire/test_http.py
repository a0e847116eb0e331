"""The recorded bytes of a real CGRateS on its HTTP port, against ours."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import trio
from cgrserver.rpc import methods
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import Dispatcher
from cgrserver.transports.http import serve_http

from cgrcore.config import read_settings
from cgrcore.world import World
from tests.wire.test_tcp import FOLDER

#: Where we differ on purpose, or another test looks.
LEFT_OUT = {
    "http/http_1_0": "we say HTTP/1.1, the highest we speak (RFC 9110, 2.5)",
    "http/http_1_0_keep_alive": "closed: keep-alive of HTTP/1.0 is not spoken",
    "http/method_head": "with a Content-Length",
    "http/chunked_bad": "a 400",
    "http/short_body_half_close": "a request that is cut off is not done",
    "http/registrar": "there is no registrar",
    "http/raw_json": "what is no head is told once its end, or the deadline, has come",
    "http/http2_preface": "another wording of a 4xx or 5xx",
    "http/bad_length": "the same with a wording of its own",
    "http/two_lengths": "the same with a wording of its own",
    "http/bad_version": "the same with a wording of its own",
    "ws/unmasked": "one close frame, with 1002",
    "ws/reserved_opcode": "closed with 1002",
    "ws/reserved_bit": "closed with 1002",
    "ws/auth_none": "closed after the refusal",
}


AUTH = {"use_basic_auth": True, "auth_users": {"maria": "czNjcmV0Ong=", "empty": ""}}


@pytest.fixture
async def start(nursery: trio.Nursery) -> AsyncIterator[Callable[..., Awaitable[tuple[str, int]]]]:
    async def begin(**http: Any) -> tuple[str, int]:
        methods.load_all()
        settings = read_settings([])
        settings["http"] |= http
        dispatcher = Dispatcher(World(settings, lambda: "id"), MemoryCommitter(), lambda: 1_000)
        await nursery.start(dispatcher.run)

        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            await serve_http("127.0.0.1:0", dispatcher, settings, task_status=task_status)

        address: tuple[str, int] = await nursery.start(run)
        return address

    yield begin


def recorded(prefix: str) -> list[Any]:
    file = FOLDER / "http.jsonl"
    if not file.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"THE RECORDINGS ARE MISSING: {file}"))]
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    return [
        pytest.param(case, id=case["case"])
        for case in cases
        if case["case"].startswith(prefix) and case["case"] not in LEFT_OUT and case["send"] and whole(case)
    ]


def whole(case: dict[str, Any]) -> bool:
    """Long answers were cut when they were recorded, and those of other configurations are other tests'."""
    return not any("\u2026" in text for text in case["received"] + case["send"]) and "large_answer" not in case["case"]


def without_date(data: bytes) -> bytes:
    return re.sub(rb"Date: [^\r]*\r\n", b"", data)


async def received(stream: trio.SocketStream, size: int) -> bytes:
    """Return what comes, until it is as much as was recorded, or nothing has come for a while."""
    data = b""
    while len(without_date(data)) < size:
        part = b""
        with trio.move_on_after(5):
            part = await stream.receive_some(65536)
        if not part:
            break
        data += part
    return without_date(data)


async def play(address: tuple[str, int], case: dict[str, Any]) -> None:
    async with await trio.open_tcp_stream(*address) as stream:
        for segment, answer in zip(case["send"], case["received"], strict=True):
            await stream.send_all(segment.encode("latin-1"))
            if case["case"] == "ws/half_close" and segment is case["send"][-1]:
                await stream.send_eof()
            expected = without_date(answer.encode("latin-1"))
            got = await received(stream, len(expected)) if expected else b""
            head, _, body = got.partition(b"\r\n\r\n")
            expected_head, _, expected_body = expected.partition(b"\r\n\r\n")
            # Answers come as they are ready.
            assert sorted(head.splitlines()) == sorted(expected_head.splitlines())
            assert sorted(body.splitlines()) == sorted(expected_body.splitlines())
        if case["server"] == "closed":
            with trio.fail_after(5):
                assert await stream.receive_some(1) == b""


@pytest.mark.parametrize("case", recorded("http/"))
async def test_answers_are_the_recorded_bytes(start, autojump_clock, case):
    await play(await start(**(AUTH if "/auth/" in case["case"] else {})), case)


@pytest.mark.parametrize("case", recorded("ws/"))
async def test_websockets_answer_the_recorded_bytes(start, autojump_clock, case):
    await play(await start(**(AUTH if "/auth" in case["case"] else {})), case)
