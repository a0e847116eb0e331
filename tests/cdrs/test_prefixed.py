"""CDRs that stand for every session whose OriginID begins alike."""

import pytest
from cgrserver.rpc.methods.cdrs import CdrEventArgs, fetch_event
from cgrserver.storage.memory import MemoryStore
from cgrserver.storage.tables import Codecs, declared_tables

from cgrcore.cdrs.records import SessionCost
from cgrcore.errors import Conflict
from cgrcore.ports import Batch
from cgrcore.sessions import closed_sessions
from tests.accounting.small_world import money
from tests.cdrs.arriving import Office
from tests.sessions.calls import Phone, held


def call(phone: Phone, origin_id: str, usage: str, **fields: str) -> None:
    phone.initiate(usage, OriginID=origin_id, **fields)
    phone.terminate(usage, OriginID=origin_id, **fields)


def costs(office: Office) -> dict[str, tuple[int | None, int]]:
    return {cdr.origin_id: (cdr.cost_nano, cdr.usage_ns // 10**9) for cdr in office.stored.cdrs.values()}


def test_each_session_gives_a_cdr_with_its_cost_and_nothing_is_charged_again(office: Office, phone: Phone) -> None:
    call(phone, "leg-1", "60s")
    call(phone, "leg-2", "30s")
    call(phone, "other", "10s")
    before = held(phone.world)
    office.take(phone.event(OriginID="whole", OriginIDPrefix="leg-"))
    assert costs(office) == {"leg-1": (money("0.6"), 60), "leg-2": (money("0.3"), 30)}
    assert held(phone.world) == before


def test_a_session_of_another_host_is_not_meant(office: Office, phone: Phone) -> None:
    call(phone, "leg-1", "60s", OriginHost="a")
    call(phone, "leg-2", "30s", OriginHost="b")
    office.take(phone.event(OriginID="whole", OriginIDPrefix="leg-", OriginHost="b"))
    assert costs(office) == {"leg-2": (money("0.3"), 30)}


def test_a_usage_that_differs_is_charged_anew(office: Office, phone: Phone) -> None:
    call(phone, "leg-1", "60s")
    (session,) = list(closed_sessions(phone.world).records.values())
    closed_sessions(phone.world).remove(session.cgrid)
    phone.world.state.take()
    run = session.runs[0]
    office.stored.session_costs[session.cgrid, run.run_id] = SessionCost(
        cgrid=session.cgrid,
        origin_host=session.event["OriginHost"],
        origin_id="leg-1",
        usage_ns=run.total_usage_ns,
        cost_details=run.cost,
    )
    office.take(phone.event("90s", OriginID="whole", OriginIDPrefix="leg-"))
    assert (costs(office), held(phone.world)) == ({"leg-1": (money("0.9"), 90)}, {"m": "9.1"})


def test_without_such_a_session_the_cdr_is_charged_for_itself(office: Office, phone: Phone) -> None:
    office.take(phone.event("60s", OriginID="whole", OriginIDPrefix="leg-"))
    assert costs(office) == {"whole": (money("0.6"), 60)}


def test_such_a_cdr_is_taken_once(office: Office, phone: Phone) -> None:
    call(phone, "leg-1", "60s")
    office.take(phone.event(OriginID="whole", OriginIDPrefix="leg-"))
    with pytest.raises(Conflict, match="EXISTS"):
        office.take(phone.event(OriginID="whole", OriginIDPrefix="leg-"))


async def test_what_the_store_keeps_of_such_sessions_is_fetched(phone: Phone) -> None:
    class Reads:
        """The store without the wait for what was decided before."""

        def __init__(self, store: MemoryStore) -> None:
            self.store = store

        async def find_session_costs(self, **given: str) -> list[SessionCost]:
            return self.store.find_session_costs(**given)

        async def find_calls(self, cgrids: list[str]) -> object:
            return self.store.find_calls(cgrids)

    store = MemoryStore(Codecs(declared_tables()))
    kept = [SessionCost(cgrid=name, run_id="*default", origin_id=name) for name in ("leg-1", "leg-2", "other")]
    store.commit(Batch(session_costs=kept))
    args = CdrEventArgs(Event={"OriginID": "whole", "OriginIDPrefix": "leg-"})
    stored = await fetch_event(Reads(store), phone.world, args)
    assert sorted(cgrid for cgrid, _ in stored.session_costs) == ["leg-1", "leg-2"]
