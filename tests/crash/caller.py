"""A client that asks for charging work of many kinds, and notes what it was told. It has no sockets and no clock.

A caller wants one thing at a time and asks for it, the same way, until it has an answer: with an idempotency key, or
without one where the name of the call makes the request safe to repeat. All usage is in steps of 100 ms at 0.001, so
what every call must cost is known. The tests of crashes drive it over TCP, those of simulations in memory.
Does not know: how requests travel, what a store is.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from cgrcore.timing import format_time

__all__ = [
    "POOR",
    "PRICE_NANO",
    "QUEUE_SETTINGS",
    "SAVINGS",
    "SILENCE_S",
    "STEP_NS",
    "TENANT",
    "Call",
    "Caller",
    "Notes",
    "Wish",
    "openings",
    "plan_files",
]

#: The unit of usage, and what it costs.
STEP_NS = 100_000_000
PRICE_NANO = 1_000_000

TENANT = "cgrates.org"
HOST = "crash"

#: Calls that a caller has under way at once.
MOST_CALLS = 4

#: An account that is only ever added to: what was read of it may never be taken back.
SAVINGS = "savings"

#: An account with little in it: its calls are granted less than they ask for, and some are ended by the server.
POOR = "poor"

#: How long the server waits for a call whose client is never heard of again.
SILENCE_S = 2

#: What a repeated request without a key is answered when its first attempt was done.
DONE_BEFORE = ("EXISTS", "PARTIALLY_EXECUTED")

#: Begins the answers after which the same is asked for again: nobody knows whether it was done, or it must wait.
UNSETTLED = ("SERVER_ERROR: the store cannot be ", "SERVER_ERROR: shutting down", "RATING_QUEUE_FULL")

#: What the queue of CDRs that wait for their charge is set to: small, so that it is full now and then.
QUEUE_SETTINGS = ("cdrs.rating_queue=60", "cdrs.rating_batch=9")

#: How many CDRs come together, at least and at most: so many that those nobody pays for are priced as columns.
CDRS_TOGETHER = (2, 12)


class Wish(msgspec.Struct):
    """One thing a caller wants done, for a call or several. `sent_count` tells how often it was asked for."""

    kind: str
    method: str
    params: dict[str, Any]
    key: str = ""
    call: "Call | None" = None
    others: "tuple[Call, ...]" = ()
    account: str = ""
    amount_nano: int = 0
    sent_count: int = 0


class Call(msgspec.Struct):
    """One call: what was asked, what was granted, and how far it is acknowledged.

    `stage` is the last kind of request that was acknowledged: "", "begin", "end", "cdr". Of one that is not `is_exact`
    the server decides how long it lasts; one that `is_silent` is begun and then left to the server. `request_type` is
    that of its events: `*prepaid`, or for calls that come as CDRs alone `*postpaid` or `*rated`, which nobody pays for.
    """

    origin: str
    account: str
    answered: str
    is_ticking: bool = False
    request_type: str = "*prepaid"
    is_exact: bool = True
    is_silent: bool = False
    stage: str = ""
    wanted: str = ""
    granted_ns: int = 0
    used_ns: int = 0


class Notes(msgspec.Struct):
    """What all callers of a run were told, and what they asked for."""

    calls: dict[str, Call] = {}
    answers: dict[str, Any] = {}
    topups: dict[str, tuple[str, int]] = {}
    acknowledged: int = 0
    refused: dict[str, int] = {}
    savings_seen_nano: int = 0


class Caller:
    """One client. `accounts` are rich, and shared with other callers; `clock_ns` is only asked when a call begins.

    With `needs_keys` it gives a key to everything.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        accounts: Sequence[str],
        clock_ns: Callable[[], int],
        notes: Notes,
        *,
        needs_keys: bool = False,
    ) -> None:
        self.is_finishing = False
        self._name = name
        self._random = random.Random(f"{name}:{seed}")
        self._accounts = accounts
        self._clock_ns = clock_ns
        self._notes = notes
        self._needs_keys = needs_keys
        self._count = 0
        self._live: list[Call] = []
        self._ended: list[Call] = []

    @property
    def is_through(self) -> bool:
        """Tell whether nothing is left to ask for once `is_finishing` is set."""
        return not self._live and not self._ended

    def wish(self) -> Wish:
        """Return the next thing to ask for."""
        draw = self._random
        if self._ended and (self.is_finishing or draw.random() < 0.5):
            return self._cdr(draw.choice(self._ended))
        if self.is_finishing:
            return self._end(draw.choice(self._live)) if self._live else self._read()
        kinds = ("topup", "begin", "update", "end", "message", "postpaid", "cdrs", "read")
        kind = draw.choices(kinds, (3, 4, 4, 4, 1, 2, 1, 1))[0]
        if kind == "begin" and len(self._live) < MOST_CALLS:
            return self._begin()
        if kind == "update" and self._live:
            return self._update(draw.choice(self._live))
        if kind == "end" and self._live:
            return self._end(draw.choice(self._live))
        if kind == "message":
            return self._message()
        if kind == "postpaid":
            return self._postpaid()
        if kind == "cdrs":
            return self._cdrs()
        return self._read() if kind == "read" else self._topup()

    def answered(self, wish: Wish, result: Any, error: str | None) -> bool:
        """Take an answer; return False when it settles nothing and the wish must be sent again."""
        if error is not None and error.startswith(UNSETTLED):
            return False
        if error is not None and not (error in DONE_BEFORE and wish.sent_count > 1 and not wish.key):
            self._refused(wish, error)
            return True
        self._notes.acknowledged += 1
        if wish.key and error is None:
            self._notes.answers[f"{wish.method}:{wish.key}"] = result
        call = wish.call
        if wish.kind == "read":
            self._notes.savings_seen_nano = max(self._notes.savings_seen_nano, _held_nano(result))
        elif call is not None:
            self._advance(wish, call, result)
        return True

    def _refused(self, wish: Wish, error: str) -> None:
        call = wish.call
        if call is None or call.is_exact:
            self._notes.refused[error] = self._notes.refused.get(error, 0) + 1
        if call is None:
            return
        if wish.kind in ("begin", "message", "postpaid", "cdrs"):
            for it in (call, *wish.others):
                it.stage = "refused"
        elif wish.kind == "end":
            call.stage = "refused"
            self._live.remove(call)
        elif wish.kind == "cdr":
            call.stage = "refused"
            (self._ended if call in self._ended else self._live).remove(call)

    def _advance(self, wish: Wish, call: Call, result: Any) -> None:
        if wish.kind == "begin":
            if not call.is_silent:
                self._live.append(call)
            call.stage = "begin"
        elif wish.kind == "end":
            self._live.remove(call)
            self._ended.append(call)
            call.stage = "end"
        elif wish.kind == "cdr":
            (self._ended if call in self._ended else self._live).remove(call)
            call.stage = "cdr"
        elif wish.kind == "message":
            call.stage = "end"
            self._ended.append(call)
        elif wish.kind in ("postpaid", "cdrs"):
            for it in (call, *wish.others):
                it.stage = "cdr"
        if wish.kind in ("begin", "update") and isinstance(result, dict):
            call.granted_ns += max(result.get("MaxUsage") or 0, 0)

    # --- what is asked -----------------------------------------------------------------------------------------------

    def _made(self, kind: str, method: str, params: dict[str, Any], *, needs_key: bool = True, **more: Any) -> Wish:
        """Return a wish; some of those that are safe without a key go without."""
        self._count += 1
        wish = Wish(kind, method, params, **more)
        if needs_key or self._needs_keys or self._random.random() < 0.6:
            wish.key = f"{self._name}:{self._count}"
            params["APIOpts"] = {**params.get("APIOpts", {}), "*idempotencyKey": wish.key}
        return wish

    def _new_call(self, **more: Any) -> Call:
        self._count += 1
        account = self._random.choice((*self._accounts, POOR))
        call = Call(f"{self._name}-{self._count}", account, format_time(self._clock_ns()), **more)
        call.is_exact = account != POOR and not call.is_silent
        self._notes.calls[call.origin] = call
        return call

    def _event(self, call: Call, usage_ns: int | None = None) -> dict[str, Any]:
        event: dict[str, Any] = {
            "ToR": "*voice",
            "RequestType": call.request_type,
            "OriginID": call.origin,
            "OriginHost": HOST,
            "Tenant": TENANT,
            "Category": "call",
            "Account": call.account,
            "Destination": "4915170011",
            "SetupTime": call.answered,
            "AnswerTime": call.answered,
        }
        if usage_ns is not None:
            event["Usage"] = usage_ns
        return event

    def _usage_ns(self) -> int:
        return self._random.randint(1, 50) * STEP_NS

    def _topup(self) -> Wish:
        account = self._random.choice((*self._accounts, SAVINGS))
        amount = self._random.randint(5, 9)
        balance = {"ID": "main", "Weight": 10}
        params = {"Tenant": TENANT, "Account": account, "BalanceType": "*monetary", "Value": amount, "Balance": balance}
        wish = self._made("topup", "APIerSv1.AddBalance", params, account=account, amount_nano=amount * 10**9)
        self._notes.topups[f"{wish.method}:{wish.key}"] = (account, wish.amount_nano)
        return wish

    def _read(self) -> Wish:
        params = {"Tenant": TENANT, "Account": SAVINGS}
        return Wish("read", "APIerSv2.GetAccount", params)

    def _begin(self) -> Wish:
        call = self._new_call(is_ticking=self._random.random() < 0.3, is_silent=self._random.random() < 0.1)
        call.wanted = "begin"
        params: dict[str, Any] = {"InitSession": True, "Event": self._event(call, self._usage_ns()), "APIOpts": {}}
        if call.is_ticking:
            params["APIOpts"]["*sessionsDebitInterval"] = f"{self._random.randint(1, 3) * 100}ms"
        if call.is_silent:
            params["APIOpts"]["*sessionsTTL"] = f"{SILENCE_S}s"
        return self._made("begin", "SessionSv1.InitiateSession", params, needs_key=False, call=call)

    def _update(self, call: Call) -> Wish:
        params = {"UpdateSession": True, "Event": self._event(call, self._usage_ns())}
        return self._made("update", "SessionSv1.UpdateSession", params, call=call)

    def _end(self, call: Call) -> Wish:
        """End a call with less usage than was granted, or more; some by their CDR alone."""
        call.used_ns = self._usage_ns() if call.is_ticking else self._random.randint(0, call.granted_ns // STEP_NS + 9)
        if not call.is_ticking:
            call.used_ns *= STEP_NS
        if self._random.random() < 0.2:
            return self._cdr(call)
        call.wanted = "end"
        params = {"TerminateSession": True, "Event": self._event(call, call.used_ns)}
        return self._made("end", "SessionSv1.TerminateSession", params, needs_key=False, call=call)

    def _cdr(self, call: Call) -> Wish:
        call.wanted = "cdr"
        params = {"Event": self._event(call, call.used_ns)}
        return self._made("cdr", "SessionSv1.ProcessCDR", params, needs_key=False, call=call)

    def _message(self) -> Wish:
        call = self._new_call(used_ns=self._usage_ns())
        call.wanted = "message"
        params = {"Debit": True, "Event": self._event(call, call.used_ns)}
        return self._made("message", "SessionSv1.ProcessMessage", params, call=call)

    def _postpaid(self) -> Wish:
        """Send the CDR of a call that had no session: to be charged at once, or when its turn in the queue comes."""
        call = self._unsaid("*postpaid")
        flags = self._random.choice((["*rals"], ["*rals", "*queue:false"]))
        params = {"Flags": flags, "Event": self._event(call, call.used_ns)}
        return self._made("postpaid", "CDRsV1.ProcessEvent", params, needs_key=False, call=call)

    def _cdrs(self) -> Wish:
        """Send the CDRs of several such calls together, some of which nobody pays for."""
        count = self._random.randint(*CDRS_TOGETHER)
        calls = [self._unsaid(self._random.choice(("*postpaid", "*rated", "*rated"))) for _ in range(count)]
        events = [{"Tenant": TENANT, "Event": self._event(call, call.used_ns)} for call in calls]
        params = {"Flags": ["*rals"], "CGREvents": events}
        return self._made(
            "cdrs", "CDRsV1.ProcessEvents", params, needs_key=False, call=calls[0], others=tuple(calls[1:])
        )

    def _unsaid(self, request_type: str) -> Call:
        """Return a call of which the server has heard nothing before its CDR comes."""
        return self._new_call(used_ns=self._usage_ns(), request_type=request_type, wanted="cdr")


def _held_nano(account: Any) -> int:
    held = (account or {}).get("BalanceMap") or {}
    return sum(round(balance["Value"] * 10**9) for balance in held.get("*monetary", ()))


def openings(accounts: Sequence[str]) -> list[dict[str, Any]]:
    """Return the requests of APIerSv1.AddBalance that give every account what it begins with."""
    amounts = {**dict.fromkeys((*accounts, SAVINGS), 1000), POOR: 0.15}
    balance = {"ID": "main", "Weight": 10}
    return [
        {
            "Tenant": TENANT,
            "Account": account,
            "BalanceType": "*monetary",
            "Value": amount,
            "Balance": balance,
            "APIOpts": {"*idempotencyKey": f"open:{account}"},
        }
        for account, amount in amounts.items()
    ]


def plan_files() -> dict[str, str]:
    """Return the tariff plan that all calls are charged by: each 100 ms cost 0.001."""
    return {
        "Destinations": "#Id,Prefix\nDST,49\n",
        "Rates": "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\nRT,0,0.01,1s,100ms,0s\n",
        "DestinationRates": "#Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy\n"
        "DR,DST,RT,*up,9,0,\n",
        "RatingPlans": "#Id,DestinationRatesId,TimingTag,Weight\nRP,DR,*any,10\n",
        "RatingProfiles": "#Tenant,Category,Subject,ActivationTime,RatingPlanId,RatesFallbackSubject\n"
        "cgrates.org,call,*any,2020-01-01T00:00:00Z,RP,\n",
        "Chargers": "#Tenant,ID,FilterIDs,ActivationInterval,RunID,AttributeIDs,Weight\n"
        "cgrates.org,DEFAULT,,,*default,*none,0\n",
    }
