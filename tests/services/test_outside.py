"""What actions send outside: delivered, tried again, given up, sent again; against a real HTTP server."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import trio
from cgrserver.rpc.methods.outside import ReplayArgs, replay_failed_posts
from cgrserver.services.outside import OutsideTask

from cgrcore.actions import Message
from cgrcore.actions.run import run_actions
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID, make_world, step
from tests.triggers.test_triggers import define


class Receiver(HTTPServer):
    """Keeps what was posted to it; fails the first `failures` times."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Any] = []
        self.failures = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.failures:
            self.server.failures -= 1
            self.send_error(503)
            return
        self.server.received.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def world() -> World:
    world = make_world()
    world.state.take()
    return world


def decider(world: World) -> Callable[[str, Callable[[World], Any]], Any]:
    def decide(reason: str, decide: Callable[[World], Any]) -> Any:
        world.state.begin(reason)
        result = decide(world)
        for call in world.state.take().after:
            call()
        return result

    return decide


async def sending(world: World, is_done: Callable[[], bool]) -> None:
    """Run the task until a condition holds."""
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(OutsideTask(world, decider(world), world.settings, first_pause_s=0.001).run)
            while not is_done():
                await trio.sleep(0.002)
            nursery.cancel_scope.cancel()


def post(world: World, url: str) -> None:
    decide = decider(world)
    decide("define", lambda world: define(world, "POST", step("*http_post", extra_parameters=url)))
    decide("run", lambda world: run_actions(world, "POST", ACCOUNT_ID))


def dead(world: World) -> list[Message]:
    return list(world.state.table("dead_letters").records.values())


async def test_a_message_is_delivered_and_forgotten(world: World, receiver: Receiver) -> None:
    post(world, receiver.url)
    await sending(world, lambda: bool(receiver.received) and not len(world.state.table("outbox")))
    assert receiver.received[0]["ID"] == ACCOUNT_ID


async def test_a_failed_message_is_tried_again(world: World, receiver: Receiver) -> None:
    receiver.failures = 2
    post(world, receiver.url)
    await sending(world, lambda: not len(world.state.table("outbox")))
    assert (len(receiver.received), dead(world)) == (1, [])


async def test_after_the_last_attempt_it_is_kept_as_a_dead_letter(world: World, receiver: Receiver) -> None:
    receiver.failures = 99
    post(world, receiver.url)
    await sending(world, lambda: bool(dead(world)))
    assert [(it.attempts, it.last_error) for it in dead(world)] == [(3, "HTTP status 503")]


async def test_a_dead_letter_can_be_sent_again(world: World, receiver: Receiver) -> None:
    post(world, "nowhere")
    await sending(world, lambda: bool(dead(world)))
    fixed = Message(dead(world)[0].uuid, "*http_post", receiver.url, "{}", 0)
    world.state.table("dead_letters").records[fixed.uuid] = fixed
    decider(world)("replay", lambda world: replay_failed_posts(world, ReplayArgs()))
    await sending(world, lambda: bool(receiver.received))
    assert dead(world) == []


async def test_what_waits_in_the_outbox_is_sent_after_a_restart(world: World, receiver: Receiver) -> None:
    world.state.table("outbox").records["u"] = Message("u", "*http_post", receiver.url, '{"a": 1}', 0)
    await sending(world, lambda: bool(receiver.received))
    assert receiver.received == [{"a": 1}]
