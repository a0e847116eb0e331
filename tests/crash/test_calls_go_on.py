"""Calls that the server debits by itself, over a kill: the debits resume, and none is made twice."""

import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cgrcore.timing import format_time
from tests.crash.caller import TENANT
from tests.crash.run import Run

pytestmark = pytest.mark.slow

INTERVAL_S = 0.1
PRICE_OF_INTERVAL = Decimal("0.001")


def used_ns(run: Run) -> int:
    """Return what has been debited for the call."""
    (session,) = run.server.call("SessionSv1.GetActiveSessions")
    return int(session["Usage"])


def until_more(run: Run, than_ns: int) -> int:
    """Wait until more is debited than that, and return how much is."""
    deadline = time.monotonic() + 15
    while (usage_ns := used_ns(run)) <= than_ns:
        assert time.monotonic() < deadline, "no debit is made"
        time.sleep(0.02)  # another process's timer has no event to wait for
    return usage_ns


def test_debits_of_the_server_resume_after_a_kill(tmp_path: Path) -> None:
    with closing(Run(tmp_path, 0)) as run:
        began = time.time()
        event: dict[str, Any] = {"ToR": "*voice", "RequestType": "*prepaid", "OriginID": "ticking", "OriginHost": "h"}
        event |= {"Tenant": TENANT, "Category": "call", "Account": "1001", "Destination": "4915170011"}
        event["AnswerTime"] = format_time(time.time_ns())
        options = {"*sessionsDebitInterval": f"{INTERVAL_S}s"}
        run.server.call("SessionSv1.InitiateSession", InitSession=True, Event=event, APIOpts=options)
        before_ns = until_more(run, 0)
        for _ in range(3):
            run.server.kill()
            run.check()
            run.server.start()
            before_ns = until_more(run, before_ns)
        assert before_ns / 10**9 <= time.time() - began + 2 * INTERVAL_S
        assert (
            run.server.call("SessionSv1.TerminateSession", TerminateSession=True, Event={**event, "Usage": "30s"})
            == "OK"
        )
        assert run.server.call("SessionSv1.ProcessCDR", Event={**event, "Usage": "30s"}) == "OK"
        (cdr,) = run.server.call("CDRsV1.GetCDRs", OriginIDs=["ticking"])
        assert (cdr["Cost"], cdr["Usage"]) == (0.3, 30 * 10**9)
        run.server.kill()
        run.check()
