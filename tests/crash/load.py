"""Callers under load over TCP: each has a connection and asks on, whatever becomes of the server.

A caller whose connection breaks connects again and repeats what it had not been answered. Does not know: who ends the
server, how stores are checked.
"""

import json
from collections.abc import Sequence

import trio

from tests.crash.caller import Caller, Wish

__all__ = ["ask_all", "drive"]

#: How long a caller waits before it asks again, and for an answer.
PAUSE_S = 0.02
ANSWER_TIMEOUT_S = 30.0


async def drive(port: int, callers: Sequence[Caller], open_wishes: dict[Caller, Wish], *, keep_trying: bool) -> None:
    """Let callers ask until cancelled, or until they are through when they are finishing.

    Without `keep_trying` a caller whose connection breaks is done, and its wish stays in `open_wishes`.
    """
    async with trio.open_nursery() as nursery:
        for caller in callers:
            nursery.start_soon(_drive_one, port, caller, open_wishes, keep_trying)


async def _drive_one(port: int, caller: Caller, open_wishes: dict[Caller, Wish], keep_trying: bool) -> None:
    while True:
        try:
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            async with stream:
                await ask_all(stream, caller, open_wishes)
                return
        except (OSError, trio.BrokenResourceError):
            if not keep_trying:
                return
            await trio.sleep(PAUSE_S)


async def ask_all(stream: trio.SocketStream, caller: Caller, open_wishes: dict[Caller, Wish]) -> None:
    """Ask on one connection until the caller is through. Raises BrokenResourceError when it breaks."""
    received = b""
    while True:
        wish = open_wishes.get(caller)
        if wish is None:
            if caller.is_finishing and caller.is_through:
                return
            wish = open_wishes[caller] = caller.wish()
        wish.sent_count += 1
        await stream.send_all(json.dumps({"method": wish.method, "params": [wish.params], "id": 1}).encode() + b"\n")
        with trio.fail_after(ANSWER_TIMEOUT_S):
            while b"\n" not in received:
                more = await stream.receive_some()
                if not more:
                    raise trio.BrokenResourceError("the server has closed")
                received += more
        line, _, received = received.partition(b"\n")
        reply = json.loads(line)
        if caller.answered(wish, reply["result"], reply["error"]):
            del open_wishes[caller]
        else:
            await trio.sleep(PAUSE_S)
