"""From frame to reply: lookup, mandatory fields, errors, commits, calls that wait for the store."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog
import trio
from cgrserver.rpc.commits import MemoryCommitter
from cgrserver.rpc.dispatcher import CallLimits, Dispatcher
from cgrserver.rpc.registry import Args, Method

from cgrcore.codecs import GoTypes, NotJson
from cgrcore.errors import NotFound, PartiallyExecuted
from cgrcore.world import World


class KeyArgs(Args):
    Key: str = ""
    Items: list[str] | None = None
    Event: dict[str, Any] | None = None


class Inbox:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []

    def deliver(self, reply: bytes) -> None:
        self.replies.append(reply)


def put(world: World, args: KeyArgs) -> str:
    world.state.table("accounts").put(args.Key, args.Items)
    return "OK"


def put_profile(world: World, args: KeyArgs) -> str:
    world.state.table("filters").put(args.Key, args.Items)
    return "OK"


def get(world: World, args: KeyArgs) -> Any:
    return world.state.table("accounts").require(args.Key)


def put_then_fail(world: World, args: KeyArgs) -> str:
    put(world, args)
    raise NotFound()


def put_then_fail_partly(world: World, args: KeyArgs) -> str:
    put(world, args)
    raise PartiallyExecuted()


def put_then_break(world: World, args: KeyArgs) -> str:
    put(world, args)
    return 1 // 0  # type: ignore[return-value]


def unsayable(world: World, args: KeyArgs) -> Any:
    put(world, args)
    return object()


def now(world: World, args: KeyArgs) -> int:
    return world.now_at


def methods(**decides: Callable[..., Any]) -> dict[str, Method]:
    return {f"Test.{name}": Method(f"Test.{name}", decide, KeyArgs) for name, decide in decides.items()}


METHODS = methods(
    Put=put,
    PutProfile=put_profile,
    Get=get,
    Fail=put_then_fail,
    FailPartly=put_then_fail_partly,
    Break=put_then_break,
    Unsayable=unsayable,
    Now=now,
) | {"Test.Need": Method("Test.Need", put, KeyArgs, mandatory=("Key", "Items"))}


class Bench:
    """A dispatcher with its world, and one client."""

    def __init__(self, committer: MemoryCommitter | None = None, **options: Any) -> None:
        self.world = World({"general": {}}, lambda: "id")
        self.committer = committer or MemoryCommitter()
        self.clock_ns = 1_000
        table = options.pop("methods", METHODS)
        self.dispatcher = Dispatcher(
            self.world, self.committer, lambda: self.clock_ns, methods=table, go_types=GoTypes(), **options
        )
        self.client = Inbox()

    def ask(self, method: str, params: str = "{}", id_: str = "1") -> str | None:
        frame = f'{{"method":"{method}","params":[{params}],"id":{id_}}}'
        reply = self.dispatcher.receive(frame.encode(), self.client)
        return None if reply is None else reply.decode()


def result(value: str) -> str:
    return f'{{"id":1,"result":{value},"error":null}}\n'


def error(text: str) -> str:
    return f'{{"id":1,"result":null,"error":"{text}"}}\n'


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("Ping", "rpc: service/method request ill-formed: Ping"),
        ("", "rpc: service/method request ill-formed: "),
        ("Nothing.Get", "rpc: can't find service Nothing.Get"),
        ("Test.Get.X", "rpc: can't find service Test.Get.X"),
        ("Test.get", "rpc: can't find method Test.get"),
        ("Test.", "rpc: can't find method Test."),
        (".Get", "rpc: can't find service .Get"),
    ],
)
def test_an_unknown_method_is_told_with_what_is_unknown_of_it(method, text):
    assert Bench().ask(method) == error(text)


def test_a_disabled_service_is_unknown():
    assert Bench(disabled=frozenset({"Test"})).ask("Test.Get") == error("rpc: can't find service Test.Get")


def test_an_unknown_method_is_told_before_missing_params():
    bench = Bench()
    assert (
        bench.dispatcher.receive(b'{"method":"Test.X","id":1}', bench.client)
        == error("rpc: can't find method Test.X").encode()
    )


def test_missing_params_are_told():
    bench = Bench()
    assert (
        bench.dispatcher.receive(b'{"method":"Test.Get","id":1}', bench.client)
        == error("jsonrpc: request body missing params").encode()
    )


def test_what_is_no_json_is_for_the_transport_to_end():
    bench = Bench()
    with pytest.raises(NotJson):
        bench.dispatcher.receive(b'{"method":}', bench.client)


def test_missing_mandatory_fields_are_listed_in_order():
    assert Bench().ask("Test.Need") == error("MANDATORY_IE_MISSING: [Key Items]")


@pytest.mark.parametrize("params", ['{"Key":"  ","Items":["a"]}', '{"Key":null,"Items":["a"]}'])
def test_a_blank_text_is_missing(params):
    assert Bench().ask("Test.Need", params) == error("MANDATORY_IE_MISSING: [Key]")


def test_an_empty_list_is_missing():
    assert Bench().ask("Test.Need", '{"Key":"a","Items":[]}') == error("MANDATORY_IE_MISSING: [Items]")


def test_mandatory_texts_are_trimmed():
    bench = Bench()
    bench.ask("Test.Need", '{"Key":" a\\n","Items":["x"]}')
    assert list(bench.world.state.table("accounts")) == ["a"]


def test_a_reply_without_effects_leaves_at_once():
    bench = Bench(MemoryCommitter(is_held=True))
    assert bench.ask("Test.Now") == result("0")


def test_an_error_undoes_its_decision():
    bench = Bench()
    assert bench.ask("Test.Fail", '{"Key":"a"}') == error("NOT_FOUND")
    assert len(bench.world.state.table("accounts")) == 0


def test_an_error_that_keeps_changes_commits_them():
    bench = Bench()
    assert bench.ask("Test.FailPartly", '{"Key":"a"}') == error("PARTIALLY_EXECUTED")
    assert list(bench.world.state.table("accounts")) == ["a"]
    assert bench.committer.effects_count == 1


@pytest.mark.parametrize("method", ["Test.Break", "Test.Unsayable"])
def test_our_own_mistake_is_undone_logged_counted_and_served_on(method):
    bench = Bench()
    with structlog.testing.capture_logs() as logs:
        assert bench.ask(method, '{"Key":"a"}') == error("SERVER_ERROR: internal error")
    assert len(bench.world.state.table("accounts")) == 0
    assert [entry["method"] for entry in logs] == [method]
    assert bench.dispatcher.counts["failures"] == 1
    assert bench.ask("Test.Put", '{"Key":"b"}') == result('"OK"')


def test_all_requests_of_a_batch_share_one_instant():
    bench = Bench()
    bench.dispatcher.begin_batch()
    bench.clock_ns = 2_000
    assert bench.ask("Test.Now") == bench.ask("Test.Now") == result("1000")


def test_a_reply_waits_for_the_commit_of_its_effects():
    bench = Bench(MemoryCommitter(is_held=True))
    assert bench.ask("Test.Put", '{"Key":"a"}') is None
    assert bench.client.replies == []
    bench.committer.release()
    assert bench.client.replies == [result('"OK"').encode()]


def test_a_reader_of_what_is_uncommitted_waits_behind_it():
    bench = Bench(MemoryCommitter(is_held=True))
    bench.ask("Test.Put", '{"Key":"a","Items":["x"]}')
    assert bench.ask("Test.Get", '{"Key":"a"}') is None
    bench.committer.release()
    assert bench.client.replies[1] == result('["x"]').encode()


def test_an_error_from_reading_what_is_uncommitted_waits_too():
    bench = Bench(MemoryCommitter(is_held=True))
    bench.ask("Test.Put", '{"Key":"a"}')
    assert bench.ask("Test.Fail", '{"Key":"a"}') == error("NOT_FOUND")  # put only writes
    assert bench.ask("Test.Get", '{"Key":"a"}') is None


def test_a_reader_of_other_keys_does_not_wait():
    bench = Bench(MemoryCommitter(is_held=True))
    bench.world.state.table("accounts").records["b"] = ["y"]
    bench.ask("Test.Put", '{"Key":"a"}')
    assert bench.ask("Test.Get", '{"Key":"b"}') == result('["y"]')


def test_everyone_waits_for_a_change_of_what_is_read_compiled():
    bench = Bench(MemoryCommitter(is_held=True))
    bench.ask("Test.PutProfile", '{"Key":"a"}')
    assert bench.ask("Test.Now") is None
    bench.committer.release()
    assert bench.ask("Test.Now") == result("0")


def test_a_partial_commit_frees_only_what_it_holds():
    bench = Bench(MemoryCommitter(is_held=True))
    bench.ask("Test.Put", '{"Key":"a"}')
    bench.ask("Test.Put", '{"Key":"b"}')
    bench.committer.release(1)
    assert len(bench.client.replies) == 1
    bench.world.state.table("accounts").records["a"] = ["x"]
    assert bench.ask("Test.Get", '{"Key":"a"}') == result('["x"]')
    assert bench.ask("Test.Get", '{"Key":"b"}') is None


def test_after_all_commits_nothing_is_marked_uncommitted():
    bench = Bench(MemoryCommitter(is_held=True))
    for key in "aab":
        bench.ask("Test.Put", f'{{"Key":"{key}"}}')
    bench.committer.release()
    assert bench.world.state.table("accounts").uncommitted == {}
    assert bench.dispatcher.in_work_count == 0


def test_calls_after_a_commit_are_made_once_it_is_durable():
    bench = Bench(MemoryCommitter(is_held=True))
    made: list[str] = []
    bench.dispatcher.decide("test", lambda world: world.state.effects.after.append(lambda: made.append("a")))
    assert made == []
    bench.committer.release()
    assert made == ["a"]


def test_a_failing_call_after_a_commit_stops_nobody():
    bench = Bench(MemoryCommitter(is_held=True))
    bench.dispatcher.decide("test", lambda world: world.state.effects.after.append(lambda: 1 // 0))
    bench.ask("Test.Put", '{"Key":"a"}')
    with structlog.testing.capture_logs():
        bench.committer.release()
    assert len(bench.client.replies) == 1


def test_a_decision_of_the_server_itself_is_undone_by_its_error():
    bench = Bench()
    with pytest.raises(NotFound):
        bench.dispatcher.decide("test", lambda world: put_then_fail(world, KeyArgs(Key="a")))
    assert len(bench.world.state.table("accounts")) == 0


async def test_perform_returns_once_durable():
    bench = Bench(MemoryCommitter(is_held=True))
    done = []

    async def perform() -> None:
        done.append(await bench.dispatcher.perform("test", lambda world: put(world, KeyArgs(Key="a"))))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(perform)
        await trio.testing.wait_all_tasks_blocked()
        assert done == []
        bench.committer.release()
    assert done == ["OK"]


def fetching(fetch: Any, **options: Any) -> Bench:
    def decide(world: World, args: KeyArgs, fetched: str) -> str:
        return fetched

    table = METHODS | {"Test.Fetch": Method("Test.Fetch", decide, KeyArgs, fetch=fetch)}
    return Bench(methods=table, **options)


async def test_a_call_that_waits_for_the_store_is_overtaken(nursery):
    gate = trio.Event()

    async def fetch(store: Any, world: World, args: KeyArgs) -> str:
        await gate.wait()
        return f"{store} {args.Key}"

    bench = fetching(fetch, store="store")
    await nursery.start(bench.dispatcher.run)
    assert bench.ask("Test.Fetch", '{"Key":"a"}') is None
    assert bench.ask("Test.Now") == result("0")
    gate.set()
    await trio.testing.wait_all_tasks_blocked()
    assert bench.client.replies == [result('"store a"').encode()]


async def test_a_store_that_does_not_answer_is_given_up(nursery, autojump_clock):
    async def fetch(store: Any, world: World, args: KeyArgs) -> None:
        await trio.sleep_forever()

    bench = fetching(fetch)
    await nursery.start(bench.dispatcher.run)
    bench.ask("Test.Fetch")
    with structlog.testing.capture_logs():
        await trio.sleep(31)
    assert bench.client.replies == [error("SERVER_ERROR: the store does not answer").encode()]


async def test_an_error_of_the_store_is_the_answer(nursery):
    async def fetch(store: Any, world: World, args: KeyArgs) -> None:
        raise NotFound()

    bench = fetching(fetch)
    await nursery.start(bench.dispatcher.run)
    bench.ask("Test.Fetch")
    await trio.testing.wait_all_tasks_blocked()
    assert bench.client.replies == [error("NOT_FOUND").encode()]


async def slow(store: Any, world: World, args: KeyArgs) -> str:
    await trio.sleep(1)
    return "slow"


async def test_calls_above_the_caps_are_refused(nursery, autojump_clock):
    bench = fetching(slow, limits=CallLimits(caps=1))
    await nursery.start(bench.dispatcher.run)
    assert bench.ask("Test.Now") == result("0")
    bench.ask("Test.Fetch")
    assert bench.ask("Test.Now") == error("MAX_CONCURRENT_RPC_EXCEEDED")
    assert bench.ask("Test.No") == error("rpc: can't find method Test.No")
    await trio.sleep(2)
    assert bench.ask("Test.Now") == result("1000")


async def test_calls_above_the_caps_wait_when_they_are_to(nursery, autojump_clock):
    bench = fetching(slow, limits=CallLimits(caps=1, caps_queues=True))
    await nursery.start(bench.dispatcher.run)
    bench.ask("Test.Fetch")
    assert bench.ask("Test.Now") is None
    await trio.sleep(2)
    assert bench.client.replies == [result('"slow"').encode(), result("1000").encode()]


async def test_calls_in_work_are_bounded(nursery, autojump_clock):
    bench = fetching(slow, limits=CallLimits(calls=2))
    await nursery.start(bench.dispatcher.run)
    assert [bench.ask("Test.Fetch") for _ in range(3)] == [None, None, error("SERVER_ERROR: too many calls in work")]


class Notebook:
    """Keeps answers by key, in a table, as the owner of replays will."""

    def __init__(self, world: World) -> None:
        self._table = world.state.table("replies")

    def name(self, method: str, args: KeyArgs, params: Any) -> str:
        return str((args.Event or {}).get("key", ""))

    def find(self, name: str) -> bytes | None:
        return self._table.get(name)

    def keep(self, name: str, result: bytes) -> None:
        self._table.put(name, result)


def test_a_repeated_request_gets_the_first_answer_and_changes_nothing():
    bench = Bench()
    bench.dispatcher.replays = Notebook(bench.world)
    first = bench.ask("Test.Put", '{"Key":"a","Event":{"key":"k1"}}')
    assert bench.ask("Test.Put", '{"Key":"b","Event":{"key":"k1"}}') == first
    assert list(bench.world.state.table("accounts")) == ["a"]
