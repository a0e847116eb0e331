"""What actions send outside: delivered, tried again, given up, sent again; to real servers of HTTP and mail."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import trio
from cgrserver.rpc.internal import InternalCalls
from cgrserver.rpc.methods import load_all
from cgrserver.rpc.methods.outside import (
    MessagesArgs,
    ReplayArgs,
    get_dead_letters,
    remove_dead_letters,
    replay_dead_letters,
    replay_failed_posts,
)
from cgrserver.services import lines, outside
from cgrserver.services.outside import OutsideTask

from cgrcore.actions import Action, Message
from cgrcore.actions.run import run_actions
from cgrcore.errors import NotFound, PartiallyExecuted
from cgrcore.world import World
from tests.actions.conftest import ACCOUNT_ID, make_world, step
from tests.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver
from tests.triggers.test_triggers import define


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as server:
        yield server


@pytest.fixture
def mailbox() -> Iterator[MailReceiver]:
    with mail_receiver() as server:
        yield server


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


def act(world: World, action: Action) -> None:
    decide = decider(world)
    decide("define", lambda world: define(world, "ACT", action))
    decide("run", lambda world: run_actions(world, "ACT", ACCOUNT_ID))


def post(world: World, url: str) -> None:
    act(world, step("*http_post", extra_parameters=url))


def dead(world: World) -> list[Message]:
    return list(world.state.table("dead_letters").records.values())


async def test_a_message_is_delivered_and_forgotten(world: World, receiver: HttpReceiver) -> None:
    post(world, receiver.url)
    await sending(world, lambda: bool(receiver.bodies) and not len(world.state.table("outbox")))
    assert receiver.received[0]["ID"] == ACCOUNT_ID


async def test_a_repeated_post_can_be_told_by_its_key(world: World, receiver: HttpReceiver) -> None:
    world.state.table("outbox").records["u"] = Message("u", "*http_post", receiver.url, '{"a": 1}', 0)
    await sending(world, lambda: bool(receiver.bodies))
    assert receiver.headers[0]["Idempotency-Key"] == "u"


async def test_a_failed_message_is_tried_again(world: World, receiver: HttpReceiver) -> None:
    receiver.failures = 2
    post(world, receiver.url)
    await sending(world, lambda: not len(world.state.table("outbox")))
    assert (len(receiver.bodies), dead(world)) == (1, [])


async def test_after_the_last_attempt_it_is_kept_as_a_dead_letter(world: World, receiver: HttpReceiver) -> None:
    receiver.failures = 99
    post(world, receiver.url)
    await sending(world, lambda: bool(dead(world)))
    assert [(it.attempts, it.last_error) for it in dead(world)] == [(3, "HTTP status 503")]


async def test_a_peer_who_answers_a_byte_at_a_time_is_cut_at_the_deadline(world: World, receiver: HttpReceiver) -> None:
    world.settings["general"]["reply_timeout"] = 50_000_000
    receiver.drips = True
    post(world, receiver.url)
    await sending(world, lambda: bool(dead(world)))
    assert dead(world)[0].last_error == "deadline passed"


async def test_a_peer_who_hangs_does_not_hold_up_the_others(world: World, receiver: HttpReceiver) -> None:
    with http_receiver() as slow:
        slow.drips = True
        for number in range(300):
            world.state.table("outbox").records[str(number)] = Message(
                str(number), "*http_post", slow.url, "{}", number
            )
        post(world, receiver.url)
        await sending(world, lambda: bool(receiver.bodies))


async def test_many_messages_are_all_delivered_though_few_are_under_way(
    world: World, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "UNDER_WAY", 3)
    for number in range(20):
        message = Message(str(number), "*http_post", receiver.url, "{}", number)
        world.state.table("outbox").records[message.uuid] = message
    await sending(world, lambda: not len(world.state.table("outbox")))
    assert len(receiver.bodies) == 20


async def test_what_was_queued_first_is_sent_first(
    world: World, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "UNDER_WAY", 1)
    for number in (3, 1, 2):
        message = Message(str(number), "*http_post", receiver.url, str(number), number)
        world.state.table("outbox").records[message.uuid] = message
    await sending(world, lambda: not len(world.state.table("outbox")))
    assert receiver.received == [1, 2, 3]


def test_beyond_so_many_messages_an_action_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrcore.actions.outside.MESSAGES_LIMIT", 1)
    post(world, "http://127.0.0.1:1/")
    with pytest.raises(PartiallyExecuted):
        post(world, "http://127.0.0.1:1/")


async def test_what_waits_in_the_outbox_is_sent_after_a_restart(world: World, receiver: HttpReceiver) -> None:
    world.state.table("outbox").records["u"] = Message("u", "*http_post", receiver.url, '{"a": 1}', 0)
    await sending(world, lambda: bool(receiver.bodies))
    assert receiver.received == [{"a": 1}]


async def test_an_account_kept_elsewhere_is_replaced_by_what_is_answered(world: World, receiver: HttpReceiver) -> None:
    load_all()
    world.parts["call_method"] = InternalCalls()
    balance = {"Uuid": "b", "ID": "far", "Value": 0.1}
    receiver.answer = json.dumps({"ID": ACCOUNT_ID, "BalanceMap": {"*monetary": [balance]}}).encode()
    act(world, step("*remote_set_account", extra_parameters=receiver.url))
    await sending(world, lambda: bool(receiver.bodies) and not len(world.state.table("outbox")))
    assert world.state.table("accounts").require(ACCOUNT_ID).balances["*monetary"][0].value_nano == 100_000_000


# --- mail -------------------------------------------------------------------------------------------------------------


def mail(world: World, mailbox: MailReceiver) -> None:
    world.settings["mailer"]["server"] = f"127.0.0.1:{mailbox.port}"
    act(world, step("*mail_async", extra_parameters="ops@example.com;boss@example.com"))


async def test_a_mail_arrives_with_the_account(world: World, mailbox: MailReceiver) -> None:
    mail(world, mailbox)
    await sending(world, lambda: bool(mailbox.mails) and not len(world.state.table("outbox")))
    assert mailbox.mails[0]["To"] == "ops@example.com, boss@example.com"
    assert json.loads(str(mailbox.mails[0].get_payload()))["ID"] == ACCOUNT_ID


async def test_a_mail_that_is_refused_for_now_is_tried_again(world: World, mailbox: MailReceiver) -> None:
    mailbox.failures = 2
    mail(world, mailbox)
    await sending(world, lambda: bool(mailbox.mails))
    assert dead(world) == []


async def test_a_mail_nobody_takes_is_a_dead_letter(world: World) -> None:
    world.settings["mailer"]["server"] = "127.0.0.1:1"
    act(world, step("*mail_async", extra_parameters="ops@example.com"))
    await sending(world, lambda: bool(dead(world)))
    assert "refused" in dead(world)[0].last_error


# --- exporters --------------------------------------------------------------------------------------------------------


def exporter(world: World, kind: str, path: str, **options: Any) -> None:
    world.settings["apiers"]["ees_conns"] = ["*internal"]
    default = world.settings["ees"]["exporters"][0]
    world.settings["ees"]["exporters"].append({**default, "id": "EXP", "type": kind, "export_path": path, **options})


async def test_an_exporter_posts_what_its_fields_say(world: World, receiver: HttpReceiver) -> None:
    fields = [
        {"path": "*exp.Account", "type": "*variable", "value": "~*req.ID"},
        {"path": "*exp.Source", "type": "*constant", "value": "cgrcore"},
    ]
    exporter(world, "*http_json_map", receiver.url, fields=fields)
    act(world, step("*export", extra_parameters="EXP"))
    await sending(world, lambda: bool(receiver.bodies))
    assert receiver.received == [{"Account": ACCOUNT_ID, "Source": "cgrcore"}]


async def test_an_exporter_posts_a_form(world: World, receiver: HttpReceiver) -> None:
    fields = [{"path": "*exp.Account", "type": "*variable", "value": "~*req.ID"}]
    exporter(world, "*http_post", receiver.url, fields=fields)
    act(world, step("*export", extra_parameters="EXP"))
    await sending(world, lambda: bool(receiver.bodies))
    assert receiver.bodies == [b"Account=cgrates.org%3A1001"]


async def test_an_exporter_has_its_own_number_of_attempts(world: World, receiver: HttpReceiver) -> None:
    exporter(world, "*http_json_map", receiver.url)
    receiver.failures = 99
    act(world, step("*export", extra_parameters="EXP"))
    await sending(world, lambda: bool(dead(world)))
    assert dead(world)[0].attempts == 1


async def test_an_exporter_may_want_failed_events_dropped(world: World) -> None:
    exporter(world, "*http_json_map", "http://127.0.0.1:1/", failed_posts_dir="*none")
    act(world, step("*export", extra_parameters="EXP"))
    await sending(world, lambda: not len(world.state.table("outbox")))
    assert dead(world) == []


def test_exporting_to_nobody_fails_the_set(world: World) -> None:
    exporter(world, "*http_json_map", "http://127.0.0.1:1/", filters=["*string:~*req.ID:other"])
    with pytest.raises(PartiallyExecuted):
        act(world, step("*export", extra_parameters="EXP"))


# --- dead letters -----------------------------------------------------------------------------------------------------


async def kill_one(world: World) -> str:
    """Have one message given up and return its id."""
    post(world, "nowhere")
    await sending(world, lambda: bool(dead(world)))
    return dead(world)[0].uuid


async def test_a_dead_letter_can_be_sent_again(world: World, receiver: HttpReceiver) -> None:
    fixed = Message(await kill_one(world), "*http_post", receiver.url, "{}", 0)
    world.state.table("dead_letters").records[fixed.uuid] = fixed
    decider(world)("replay", lambda world: replay_failed_posts(world, ReplayArgs()))
    await sending(world, lambda: bool(receiver.bodies))
    assert dead(world) == []


async def test_dead_letters_are_listed_with_what_went_wrong(world: World) -> None:
    uuid = await kill_one(world)
    listed = get_dead_letters(world, MessagesArgs())[0]
    assert (listed["UUID"], listed["Kind"], listed["Attempts"]) == (uuid, "*http_post", 3)
    assert listed["Error"] == "not a URL: nowhere"


async def test_only_the_kinds_asked_for_are_sent_again(world: World) -> None:
    await kill_one(world)
    with pytest.raises(NotFound):
        replay_dead_letters(world, MessagesArgs(Kinds=["*mail_async"]))
    assert replay_dead_letters(world, MessagesArgs(Kinds=["*http_post"])) == 1


async def test_a_dead_letter_can_be_forgotten(world: World) -> None:
    uuid = await kill_one(world)
    assert remove_dead_letters(world, MessagesArgs(UUIDs=[uuid, "other"])) == 1
    assert dead(world) == []


async def test_beyond_so_many_dead_letters_the_oldest_is_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "DEAD_LETTERS", 1)
    world.state.table("dead_letters").records["old"] = Message("old", "*http_post", "", "{}", 0)
    await kill_one(world)
    await sending(world, lambda: "old" not in world.state.table("dead_letters"))
    assert len(dead(world)) == 1


def test_amounts_go_out_exactly(world: World) -> None:
    act(world, step("*topup", 1, type="*monetary"))
    account = world.state.table("accounts").require(ACCOUNT_ID)
    account.balances["*monetary"][0].value_nano = 12_345_678_901_234_567_890_123_456_789
    post(world, "nowhere")
    (message,) = world.state.table("outbox").records.values()
    body = json.loads(message.body, parse_float=Decimal)
    assert body["BalanceMap"]["*monetary"][0]["Value"] == Decimal("12345678901234567890.123456789")
