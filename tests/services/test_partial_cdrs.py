"""Interim records over the wire: merged by a process, also after a crash; charged when the last does not come."""

from collections.abc import Callable

import pytest

from tests.server_process import CallRefused, ServerProcess, until
from tests.slides.conftest import balance, cdrs, event, start

__all__ = ["start"]

PARTIAL = {"*partial": True}


def send(server: ServerProcess, usage: str, **options: object) -> None:
    fields = {**event(usage), "Tenant": "cgrates.org", "RequestType": "*postpaid"}
    assert server.call("CDRsV1.ProcessEvent", Event=fields, APIOpts=options) == "OK"


def test_interim_records_are_one_cdr_also_after_a_crash(start: Callable[..., ServerProcess]) -> None:
    server = start()
    send(server, "1m", **PARTIAL)
    server.kill()
    server.start()
    send(server, "2m", **PARTIAL)
    with pytest.raises(CallRefused):
        cdrs(server)
    assert balance(server) == 10
    send(server, "5m")
    assert [(it["Usage"], it["Partial"]) for it in cdrs(server)] == [(300_000_000_000, False)]
    assert str(balance(server)) == "0.875"


def test_a_call_whose_last_record_does_not_come_is_charged(start: Callable[..., ServerProcess]) -> None:
    server = start("cdrs.partial_ttl=300ms")
    send(server, "1m", **PARTIAL)
    send(server, "5m", **PARTIAL)
    until(lambda: balance(server) != 10, 20)
    assert [(it["Usage"], it["Partial"]) for it in cdrs(server)] == [(300_000_000_000, True)]
