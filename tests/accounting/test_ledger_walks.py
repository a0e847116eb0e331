"""Whatever happens to accounts, their ledger adds up after every commit: actions, triggers, schedules, refunds, expiry.

A walk is a list of requests and waits on a virtual clock, given to a whole node without listeners.
"""

import gc
import itertools
import json
from collections import Counter
from typing import Any

import trio
import trio.testing
from cgrserver.app import Application, Surroundings
from cgrserver.settings import load
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cgrcore.timing import SECOND_NS
from tests.server_process import ROOT

PLAN = ROOT / "tariffplans" / "fosdem"
START_AT = 1_772_443_800 * SECOND_NS

NAMES = ("1001", "1002", "1003", "new")
KINDS = ("*monetary", "*voice")

#: Sets of actions, run by requests, triggers and plans.
ACTIONS: dict[str, list[dict[str, Any]]] = {
    "TOPUP": [{"Identifier": "*topup", "BalanceType": "*monetary", "BalanceId": "main", "Units": "5"}],
    "SHORT": [{"Identifier": "*topup", "BalanceType": "*voice", "Units": "90s", "ExpiryTime": "+1h"}],
    "AGAIN": [{"Identifier": "*topup_reset", "BalanceType": "*monetary", "BalanceId": "main", "Units": "3"}],
    "TAKE": [{"Identifier": "*debit", "BalanceType": "*monetary", "Units": "2"}],
    "ZERO": [{"Identifier": "*debit_reset", "BalanceType": "*monetary", "Units": "1"}],
    "REMOVE": [{"Identifier": "*remove_balance", "BalanceType": "*monetary", "BalanceId": "main", "Units": "1"}],
    "EXPIRED": [{"Identifier": "*remove_expired", "BalanceType": "*voice"}],
    "DENY": [{"Identifier": "*disable_account"}, {"Identifier": "*reset_counters"}],
    "ALLOW": [{"Identifier": "*enable_account"}, {"Identifier": "*reset_triggers"}],
    "BREAKS": [{"Identifier": "*topup", "BalanceType": "*monetary", "Units": "7"}, {"Identifier": "*unknown"}],
    "GONE": [{"Identifier": "*remove_account"}],
}


class Walker:
    """A node at work, asked one thing after another; its books are checked after each commit."""

    def __init__(self) -> None:
        ids = itertools.count(1)
        self._later_ns = 0
        given_settings = load(None, ("data_db.db_type=*internal", "stor_db.db_type=*internal", "general.node_id=n"), {})
        around = Surroundings(self._now_at, lambda: f"00000000-0000-4000-8000-{next(ids):012x}")
        self.application = Application(given_settings, around)
        gc.unfreeze()  # what the application froze would stay for ever
        self.application.committer.on_durable(lambda durable: self.check())
        self.checks = 0
        self._calls = itertools.count(1)

    def _now_at(self) -> int:
        return START_AT + self._later_ns + round(trio.current_time() * SECOND_NS)

    def check(self) -> None:
        """Hold every account against its lines, unless more was decided meanwhile."""
        if self.application.committer.written < self.application.committer.ticket:
            return
        accounts = self.application.world.state.table("accounts")
        for name in NAMES:
            account = accounts.records.get(f"cgrates.org:{name}")
            held: Counter[tuple[str, str]] = Counter()
            for kind, balances in (account.balances if account else {}).items():
                for balance in balances or ():
                    held[kind, balance.uuid] += balance.value_nano
            lines: Counter[tuple[str, str]] = Counter()
            for line in self.application.store.history(f"cgrates.org:{name}"):
                lines[line.balance_type, line.balance_uuid] += line.amount_nano
                assert line.before_nano + line.amount_nano == line.after_nano
            differences = {key for key in held.keys() | lines.keys() if held[key] != lines[key]}
            assert not differences, (name, differences)
        self.checks += 1

    async def ask(self, method: str, **params: Any) -> Any:
        """Return what is answered, an error's text too."""
        replies: list[bytes] = []
        answered = trio.Event()

        class Channel:
            @staticmethod
            def deliver(reply: bytes) -> None:
                replies.append(reply)
                answered.set()

        dispatcher = self.application.dispatcher
        dispatcher.begin_batch()
        frame = json.dumps({"method": method, "params": [{"Tenant": "cgrates.org"} | params], "id": 1})
        reply = dispatcher.receive(frame.encode(), Channel())
        dispatcher.end_batch()
        if reply is None:
            await answered.wait()
            reply = replies[0]
        told = json.loads(reply)
        return told["error"] or told["result"]

    async def prepare(self) -> None:
        """Load the tariff, define actions, attach a plan and triggers."""
        assert await self.ask("APIerSv1.LoadTariffPlanFromFolder", FolderPath=str(PLAN)) == "OK"
        for name, actions in ACTIONS.items():
            rows = [{"Weight": 10, "ExpiryTime": "*unlimited", "Units": "1"} | action for action in actions]
            told = await self.ask("APIerSv2.SetActions", ActionsId=name, Actions=rows)
            assert told == "OK", (name, told)
        hourly = [{"ActionsId": "SHORT", "Time": "*hourly", "Weight": 10}]
        told = await self.ask("APIerSv1.SetActionPlan", Id="HOURLY", ActionPlan=hourly, ReloadScheduler=True)
        assert told == "OK", told

    async def step(self, name: str, account: str, amount: int, choice: str) -> None:
        who = {"Account": account}
        usual = {
            "Subject": account,
            "Destination": "1002",
            "Category": "call",
            "ToR": "*voice",
            "RequestType": "*prepaid",
        }
        call = who | usual | {"OriginID": f"c{amount % 4}", "OriginHost": "h", "AnswerTime": "2026-03-02T09:00:00Z"}
        kind = KINDS[amount % 2]
        match name:
            case "change":
                method = ("AddBalance", "DebitBalance", "SetBalance", "RemoveBalances")[amount % 4]
                balance = {"ID": "main" if amount % 3 else "other", "Value": amount, "ExpiryTime": "+1h"}
                await self.ask(f"APIerSv1.{method}", BalanceType=kind, Value=amount, Balance=balance, **who)
            case "actions":
                await self.ask("APIerSv1.ExecuteAction", ActionsId=choice, **who)
            case "trigger":
                threshold = {
                    "ThresholdType": ("*min_balance", "*max_event_counter")[amount % 2],
                    "ThresholdValue": amount,
                }
                options = {"GroupID": "G", "ActionsID": choice, "Recurrent": amount % 3 == 0, "BalanceType": kind}
                await self.ask("APIerSv1.AddTriggeredAction", **who, **threshold, **options)
            case "plan":
                await self.ask("APIerSv1.SetAccount", ActionPlanID="HOURLY", ReloadScheduler=True, **who)
            case "session":
                method, flag = (("Initiate", "Init"), ("Update", "Update"), ("Terminate", "Terminate"))[amount % 3]
                event = call | {"Usage": f"{amount}s"}
                await self.ask(f"SessionSv1.{method}Session", Event=event, **{f"{flag}Session": True})
            case "cdr":
                flags = (["*rals"], ["*rals", "*refund"], ["*rals", "*rerate"])[amount % 3]
                await self.ask("CDRsV1.ProcessEvent", Flags=flags, Event=call | {"Usage": f"{amount}s"})
            case "refund":
                times = {"TimeStart": "2026-03-02T09:00:00Z", "TimeEnd": f"2026-03-02T09:{amount % 60:02}:30Z"}
                cost = await self.ask("Responder.Debit", **who, **usual, **times)
                if isinstance(cost, dict):
                    increments = [it for span in cost["Timespans"] for it in span["Increments"] or ()]
                    await self.ask("Responder.RefundIncrements", **who, **usual, **times, Increments=increments)
            case "transfer":
                reference = {"DestinationAccountID": NAMES[amount % 4], "DestinationBalanceID": "main"}
                source = {"SourceAccountID": account, "SourceBalanceID": "main", "Units": amount}
                await self.ask("APIerSv1.TransferBalance", **source, **reference)
            case "prepaid on first use":
                event = call | {
                    "RequestType": "*dynaprepaid",
                    "Usage": f"{amount}s",
                    "OriginID": f"d{next(self._calls)}",
                }
                await self.ask("CDRsV1.ProcessEvent", Flags=["*rals"], Event=event)
            case "wait":
                self._later_ns += amount * 60 * SECOND_NS
                self.application.world.parts["wake_scheduler"]()
                await trio.sleep(0.1)
            case "remove":
                await self.ask("APIerSv1.RemoveAccount", **who)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("change", "change", "actions", "actions", "session", "session", "cdr", "refund", "trigger", "plan"),
                *("transfer", "prepaid on first use", "wait", "remove"),
            )
        ),
        st.sampled_from(NAMES),
        st.integers(1, 150),
        st.sampled_from(sorted(ACTIONS)),
    ),
    max_size=40,
)


#: A call that began before its balance expired is charged after: one decision takes from the balance and drops it.
EXPIRING = [
    ("change", "1003", 64, "TOPUP"),
    ("wait", "1003", 90, "TOPUP"),
    ("prepaid on first use", "1003", 33, "TOPUP"),
]


@settings(max_examples=25, deadline=None)
@given(STEPS)
@example(EXPIRING)
def test_the_ledger_adds_up_after_every_commit(steps: list[tuple[str, str, int, str]]) -> None:
    walker: Walker

    async def walk() -> None:
        nonlocal walker
        walker = Walker()

        async def take_steps(nursery: trio.Nursery) -> None:
            await walker.prepare()
            for step in steps:
                await walker.step(*step)
            await walker.application.committer.drain()

        await walker.application.work(take_steps)

    trio.run(walk, clock=trio.testing.MockClock(autojump_threshold=0))
    assert walker.checks > 0
