"""Starting and stopping a process: signals, the ready line, what is written at the end."""

import io
import os
import signal

import pytest
import trio
from cgrserver.lifecycle import EXIT_CUT_SHORT, Lifecycle, run, set_up_logging

HOUR_NS = 3600 * 10**9


class Story:
    """Notes what happened, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []

    async def finish(self) -> None:
        self.events.append("finished")


def signal_self(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_a_stop_and_what_is_under_way_ends_first(number: int) -> None:
    story = Story()

    async def serve(lifecycle: Lifecycle) -> None:
        signal_self(number)
        await lifecycle.stopping.wait()
        story.events.append("drained")

    assert run(serve, story.finish, HOUR_NS) == 0
    assert story.events == ["drained", "finished"]


def test_what_does_not_end_in_time_is_cancelled_and_changes_are_written() -> None:
    story = Story()

    async def serve(_: Lifecycle) -> None:
        signal_self(signal.SIGTERM)
        await trio.sleep_forever()

    assert run(serve, story.finish, 0) == 0
    assert story.events == ["finished"]


def test_a_second_signal_ends_at_once() -> None:
    story = Story()

    async def serve(lifecycle: Lifecycle) -> None:
        signal_self(signal.SIGTERM)
        await lifecycle.stopping.wait()
        signal_self(signal.SIGTERM)
        await trio.sleep_forever()

    async def finish() -> None:
        await trio.lowlevel.checkpoint()
        story.events.append("finished")

    assert run(serve, finish, HOUR_NS) == EXIT_CUT_SHORT
    assert story.events == []


def test_a_failure_is_raised_after_changes_are_written() -> None:
    story = Story()

    async def serve(_: Lifecycle) -> None:
        raise OSError("address in use")

    with pytest.raises(OSError, match="address in use"):
        run(serve, story.finish, HOUR_NS)
    assert story.events == ["finished"]


def test_returning_ends_the_process() -> None:
    story = Story()

    async def serve(_: Lifecycle) -> None:
        story.events.append("served")

    assert run(serve, story.finish, HOUR_NS) == 0
    assert story.events == ["served", "finished"]


def test_one_line_says_that_the_node_is_ready() -> None:
    output = io.StringIO()
    Lifecycle().announce([("json", "127.0.0.1:2012"), ("http", "127.0.0.1:2080")], output)
    assert output.getvalue() == "cgrcore ready: json 127.0.0.1:2012 http 127.0.0.1:2080\n"


def test_logs_are_json_lines_from_the_level_asked_for() -> None:
    import structlog

    output = io.StringIO()
    set_up_logging(4, output)
    log = structlog.get_logger()
    log.info("not written")
    log.warning("written", account="1001")
    set_up_logging(6)
    assert output.getvalue().count("\n") == 1
    assert '"event": "written"' in output.getvalue()
    assert '"account": "1001"' in output.getvalue()
