"""The cost of an event as it is kept: in a session while it runs, in the CDR afterwards.

Charges hold what they need directly; the wire's form, in which parts have ids and are listed in maps, is made on being
asked for. An event cost is not changed: `merge`, `trim` and the like return new ones. Equal charges in a row are one
with a count, so it stays small however long the call. Does not know: how it came to be, where it is kept.
"""

import hashlib
from functools import lru_cache
from typing import Any

import msgspec

from cgrcore.errors import CgrError
from cgrcore.money import NANO, Rounding, nano_from_number, number_from_nano, round_nano
from cgrcore.rating.accountstate import AccountState, BalanceState, Number
from cgrcore.rating.callcost import CallCost, CostSpan, Increment, Paid, PaidMoney, PaidUnit, rates_as_wire
from cgrcore.rating.records import PlanRate, Rate, Rating, Timing
from cgrcore.timing import ZERO_AT, Moment, format_time, parse_time

__all__ = ["AccountState", "BalanceState", "Charge", "EventCost", "Payer", "Step", "pause_cost"]

PAUSE = "*pause"
ROUNDING = "*rounding"
NONE = "*none"

_pack = msgspec.msgpack.Encoder().encode

#: Begins a cost with an amount of more than 64 bits, which MessagePack cannot hold: JSON follows.
BIG = b"\xc1"

#: Parts of a tariff kept in the wire's form, of each kind; the characters and rates of one that is kept.
MAX_KEPT = 4096
MAX_KEPT_SIZE = 512
MAX_KEPT_RATES = 32

Days = tuple[int, ...] | None

#: The decimals that sums of a cost are rounded to.
DECIMALS = 5


class Payer(msgspec.Struct, array_like=True, gc=False):
    """The balances that paid a step: units consumed for each step, money, or both."""

    account_id: str = ""
    unit_uuid: str = ""
    consumed: Number = 0
    factor: Number = 1
    unit_interval: PlanRate | None = None
    money_uuid: str = ""
    money_interval: PlanRate | None = None


class Step(msgspec.Struct, array_like=True, gc=False):
    """`count` increments of `usage_ns` at `cost_nano` each. A connect fee and a rounding have no usage."""

    usage_ns: int
    cost_nano: int
    count: int = 1
    payer: Payer | None = None
    is_rounding: bool = False


class Charge(msgspec.Struct, array_like=True, gc=False):
    """`count` equal spans in a row: its rate, what matched, the steps of one. A pause has neither rate nor payer."""

    interval: PlanRate | None
    subject: str
    prefix: str
    destination_id: str
    plan_id: str
    steps: list[Step]
    count: int = 1
    is_pause: bool = False

    @property
    def usage_ns(self) -> int:
        """The usage of one of the equal spans."""
        total_ns = 0
        for step in self.steps:
            total_ns += step.usage_ns * step.count
        return total_ns

    @property
    def cost_nano(self) -> int:
        """The cost of one of the equal spans."""
        total_nano = 0
        for step in self.steps:
            total_nano += step.cost_nano * step.count
        return total_nano

    def has_rate_of(self, other: "Charge") -> bool:
        return (
            self.interval == other.interval
            and self.subject == other.subject
            and self.prefix == other.prefix
            and self.destination_id == other.destination_id
            and self.plan_id == other.plan_id
            and self.is_pause == other.is_pause
        )


class EventCost(msgspec.Struct, array_like=True, gc=False):
    """The cost of one run of an event."""

    cgrid: str
    run_id: str
    start_at: int
    offset_s: int
    charges: list[Charge]
    account: AccountState | None = None

    @property
    def usage_ns(self) -> int:
        total_ns = 0
        for charge in self.charges:
            total_ns += charge.usage_ns * charge.count
        return total_ns

    @property
    def cost_nano(self) -> int:
        total_nano = 0
        for charge in self.charges:
            total_nano += charge.cost_nano * charge.count
        return round_nano(total_nano, DECIMALS, Rounding.MIDDLE)

    @classmethod
    def from_call_cost(cls, cost: CallCost, cgrid: str = "", run_id: str = "") -> "EventCost":
        spans = cost.spans or []
        start_at, offset_s = (spans[0].start_at, spans[0].offset_s) if spans else (ZERO_AT, 0)
        return cls(cgrid, run_id, start_at, offset_s, [_charge(span) for span in spans], cost.account_state)

    def encode(self) -> bytes:
        """Return the cost as MessagePack, or as JSON behind `BIG` where an amount is too big for that."""
        try:
            return _pack(self)
        except OverflowError:
            return BIG + msgspec.json.encode(self)

    @staticmethod
    def decode(body: bytes) -> "EventCost":
        """Return the cost that was encoded. Raises msgspec.MsgspecError for bytes that are none."""
        return msgspec.json.decode(body[1:], type=EventCost) if body[:1] == BIG else _decode(body)

    def named(self, cgrid: str, run_id: str = "") -> "EventCost":
        """Return the same cost of another event."""
        return msgspec.structs.replace(self, cgrid=cgrid, run_id=run_id or self.run_id)

    renamed = named

    def merge(self, later: "EventCost") -> "EventCost":
        """Return this cost followed by a later one of the same event."""
        charges = self.charges.copy()
        for charge in later.charges:
            _append(charges, charge)
        account = self.account if later.account is None else later.account.after(self.account)
        start = later if self.start_at == ZERO_AT else self
        return EventCost(self.cgrid, self.run_id, start.start_at, start.offset_s, charges, account)

    def trim(self, usage_ns: int) -> "tuple[EventCost, EventCost | None]":
        """Return the cost of the first `usage_ns`, in whole increments, and of the rest (None: nothing is left)."""
        kept: list[Charge] = []
        rest: list[Charge] = []
        left_ns = usage_ns
        for charge in self.charges:
            if left_ns <= 0:
                rest.append(charge)
                continue
            span_ns = charge.usage_ns
            whole = charge.count if span_ns == 0 else min(charge.count, left_ns // span_ns)
            left_ns -= whole * span_ns
            if whole:
                kept.append(msgspec.structs.replace(charge, count=whole))
            if whole == charge.count:
                continue
            if left_ns > 0:
                left_ns = _cut(charge, left_ns, kept, rest)
                whole += 1
            if charge.count > whole:
                rest.append(msgspec.structs.replace(charge, count=charge.count - whole))
        if not rest:
            return self, None
        surplus = EventCost(self.cgrid, self.run_id, self.start_at, self.offset_s, rest, self.account)
        if not kept:
            return EventCost(self.cgrid, self.run_id, ZERO_AT, 0, [], self.account), surplus
        return msgspec.structs.replace(self, charges=kept), surplus

    def increments(self) -> list[Increment]:
        """Return every step as an increment with its payers: what a refund gives back."""
        return [
            Increment(step.usage_ns, step.cost_nano, step.count * charge.count, _paid(step.payer))
            for charge in self.charges
            for step in charge.steps
        ]

    def with_account(self, account: AccountState) -> "EventCost":
        """Return the cost with the account as it is now, its first values kept."""
        return msgspec.structs.replace(self, account=account.after(self.account))

    def as_wire(self, new_id: Any = None, *, is_fresh: bool = False) -> dict[str, Any]:
        """Return the cost as the wire shows it: parts have ids made of their content and are listed in maps.

        A charge without usage has the increments null in a fresh quote, an empty list in everything kept.
        """
        document = _Wire(self).document()
        if is_fresh:
            for charge in document["Charges"]:
                charge["Increments"] = charge["Increments"] or None
        return document

    @staticmethod
    def from_wire(document: dict[str, Any]) -> "EventCost":
        """Return the cost that a document in the wire's form describes. Raises CgrError for parts that are missing."""
        return _Parse(document).cost()


_decode = msgspec.msgpack.Decoder(EventCost).decode


def pause_cost(
    cgrid: str, run_id: str, start_at: int, offset_s: int, usage_ns: int, account: AccountState | None = None
) -> EventCost:
    """Return the cost of usage that is not charged."""
    charge = Charge(None, "", "", "", PAUSE, [Step(usage_ns, 0)], is_pause=True)
    return EventCost(cgrid, run_id, start_at, offset_s, [charge], account)


def _charge(span: CostSpan) -> Charge:
    steps = [Step(i.usage_ns, i.cost_nano, i.count, _payer(i.paid)) for i in span.increments]
    rounding = span.round_increment
    if rounding is not None:
        steps.append(Step(rounding.usage_ns, rounding.cost_nano, 1, _payer(rounding.paid), is_rounding=True))
    return Charge(
        span.interval,
        span.matched_subject,
        span.matched_prefix,
        span.matched_destination_id,
        span.rating_plan_id,
        steps,
        span.count,
    )


def _payer(paid: Paid | None) -> Payer | None:
    if paid is None or (paid.unit is None and paid.money is None):
        return None
    payer = Payer(paid.account_id)
    if paid.unit is not None:
        payer.unit_uuid = paid.unit.uuid
        payer.consumed = number_from_nano(paid.unit.consumed_nano)
        payer.factor = number_from_nano(paid.unit.factor_nano)
        payer.unit_interval = paid.unit.interval
    if paid.money is not None:
        payer.money_uuid = paid.money.uuid
        payer.money_interval = paid.money.interval
    return payer


def _paid(payer: Payer | None) -> Paid | None:
    if payer is None:
        return None
    unit = money = None
    if payer.unit_uuid:
        consumed, factor = nano_from_number(payer.consumed), nano_from_number(payer.factor)
        unit = PaidUnit(payer.unit_uuid, "", 0, "", consumed, factor, "", "", payer.unit_interval)
    if payer.money_uuid:
        money = PaidMoney(payer.money_uuid, "", 0, payer.money_interval)
    return Paid(payer.account_id, unit, money)


def _append(charges: list[Charge], charge: Charge) -> None:
    """Add a charge: an equal one counts once more, one that only goes on lengthens the last step."""
    last = charges[-1] if charges else None
    if last is None or not last.has_rate_of(charge):
        charges.append(charge)
        return
    steps = charge.steps
    if last.steps == steps:
        charges[-1] = msgspec.structs.replace(last, count=last.count + charge.count)
        return
    if last.count == charge.count == 1 and len(steps) == 1 and last.steps:
        tail, step = last.steps[-1], steps[0]
        if tail.usage_ns == step.usage_ns and tail.cost_nano == step.cost_nano and tail.payer == step.payer:
            longer = msgspec.structs.replace(tail, count=tail.count + step.count)
            charges[-1] = msgspec.structs.replace(last, steps=[*last.steps[:-1], longer])
            return
    charges.append(charge)


def _cut(charge: Charge, usage_ns: int, kept: list[Charge], rest: list[Charge]) -> int:
    """Cut one of the equal spans after `usage_ns`, in whole steps; return what of it could not be placed."""
    head: list[Step] = []
    tail: list[Step] = []
    left_ns = usage_ns
    for step in charge.steps:
        if left_ns <= 0:
            tail.append(step)
            continue
        if step.usage_ns == 0:
            head.append(step)
            continue
        count = min(step.count, -(-left_ns // step.usage_ns))
        left_ns -= count * step.usage_ns
        head.append(msgspec.structs.replace(step, count=count))
        if count < step.count:
            tail.append(msgspec.structs.replace(step, count=step.count - count))
    if head:
        kept.append(msgspec.structs.replace(charge, steps=head, count=1))
    if tail:
        rest.append(msgspec.structs.replace(charge, steps=tail, count=1))
    return left_ns


class _Wire:
    """Makes the wire's form: every part once, under an id of its content."""

    def __init__(self, cost: EventCost) -> None:
        self._cost = cost
        self._rating: dict[str, Any] = {}
        self._accounting: dict[str, Any] = {}
        self._filters: dict[str, Any] = {}
        self._rates: dict[str, Any] = {}
        self._timings: dict[str, Any] = {}
        self._always = ""

    def document(self) -> dict[str, Any]:
        cost = self._cost
        charges = [self._charge(charge) for charge in cost.charges]
        return {
            "CGRID": cost.cgrid,
            "RunID": cost.run_id,
            "StartTime": format_time(cost.start_at, cost.offset_s),
            "Usage": cost.usage_ns,
            "Cost": number_from_nano(cost.cost_nano),
            "Charges": charges,
            "AccountSummary": None if cost.account is None else cost.account.as_wire(),
            "Rating": self._rating,
            "Accounting": self._accounting,
            "RatingFilters": self._filters,
            "Rates": self._rates,
            "Timings": self._timings,
        }

    def _charge(self, charge: Charge) -> dict[str, Any]:
        return {
            "RatingID": self._pause() if charge.is_pause else self._rating_id(charge.interval, charge),
            "Increments": [self._step(step, charge) for step in charge.steps],
            "CompressFactor": charge.count,
        }

    def _step(self, step: Step, charge: Charge) -> dict[str, Any]:
        return {
            "Usage": step.usage_ns,
            "Cost": number_from_nano(step.cost_nano),
            "AccountingID": PAUSE if charge.is_pause else self._accounting_id(step, charge),
            "CompressFactor": step.count,
        }

    def _accounting_id(self, step: Step, charge: Charge) -> str:
        payer = step.payer
        if payer is None:
            return ""
        rating_id = ROUNDING if step.is_rounding else self._rating_id(payer.money_interval, charge)
        money = {
            "AccountID": payer.account_id,
            "BalanceUUID": payer.money_uuid,
            "RatingID": rating_id,
            "Units": number_from_nano(step.cost_nano),
            "ExtraChargeID": "",
        }
        if not payer.unit_uuid:
            return _keep(self._accounting, money)
        unit: dict[str, Any] = {
            "AccountID": payer.account_id,
            "BalanceUUID": payer.unit_uuid,
            "RatingID": self._rating_id(payer.unit_interval, charge),
            "Units": payer.consumed,
        }
        if payer.factor != 1:
            unit["BalanceFactor"] = payer.factor
        unit["ExtraChargeID"] = _keep(self._accounting, money) if payer.money_uuid else NONE
        return _keep(self._accounting, unit)

    def _rating_id(self, interval: PlanRate | None, charge: Charge) -> str:
        if interval is None:
            return ""
        rating = interval.rating
        matched = (charge.destination_id, charge.prefix, charge.plan_id, charge.subject)
        timing_id = "" if interval.timing is None else self._timing_id(interval.timing)
        is_small = _is_small(rating, matched)
        rates_id, rates = (_rates_part if is_small else _rates_part.__wrapped__)(rating)
        self._rates[rates_id] = rates
        filters_id, filters = (_filters_part if is_small else _filters_part.__wrapped__)(*matched)
        self._filters[filters_id] = filters
        name, part = (_rating_part if is_small else _rating_part.__wrapped__)(rating, timing_id, rates_id, filters_id)
        self._rating[name] = part
        return name

    def _timing_id(self, timing: Timing) -> str:
        return self._keep_timing(timing.years, timing.months, timing.month_days, timing.week_days, timing.start_time)

    def _keep_timing(
        self,
        years: Days,
        months: Days,
        month_days: Days,
        week_days: Days,
        start_time: str,
    ) -> str:
        """List a timing and return its id. Those that hold always are one, shown as the first of them was written."""
        holds_always = start_time == "00:00:00" and not (years or months or month_days or week_days)
        if holds_always and self._always:
            return self._always
        name, part = _timing_part(years, months, month_days, week_days, start_time)
        self._timings[name] = part
        if holds_always:
            self._always = name
        return name

    def _pause(self) -> str:
        """List the parts of a pause under their reserved name."""
        self._rating[PAUSE] = {
            "ConnectFee": 0,
            "RoundingMethod": "*up",
            "RoundingDecimals": DECIMALS,
            "MaxCost": 0,
            "MaxCostStrategy": "",
            "TimingID": self._keep_timing(None, None, None, None, "00:00:00"),
            "RatesID": PAUSE,
            "RatingFiltersID": PAUSE,
        }
        account = self._cost.account
        self._accounting[PAUSE] = {
            "AccountID": "" if account is None else account.account,
            "BalanceUUID": "",
            "RatingID": PAUSE,
            "Units": 0,
            "ExtraChargeID": "",
        }
        self._filters[PAUSE] = {"DestinationID": "", "DestinationPrefix": "", "RatingPlanID": PAUSE, "Subject": ""}
        self._rates[PAUSE] = [{"GroupIntervalStart": 0, "Value": 0, "RateIncrement": 1, "RateUnit": 1}]
        return PAUSE


def _keep(parts: dict[str, Any], part: Any) -> str:
    """List the part under the id of its content and return that."""
    name = _name_of(part)
    parts[name] = part
    return name


def _name_of(part: Any) -> str:
    return hashlib.sha1(msgspec.json.encode(part), usedforsecurity=False).hexdigest()[:7]


# Parts of a tariff are in many costs: they are made once, with their ids, and never changed.


def _is_small(rating: Rating, matched: tuple[str, ...]) -> bool:
    """True for parts of the size that tariffs have: what a client made up may be too large to be kept at hand."""
    texts = len(rating.rounding_method) + len(rating.max_cost_strategy) + sum(map(len, matched))
    return texts <= MAX_KEPT_SIZE and len(rating.rates) <= MAX_KEPT_RATES


@lru_cache(maxsize=MAX_KEPT)
def _rates_part(rating: Rating) -> tuple[str, list[dict[str, Number]]]:
    rates = rates_as_wire(rating)
    return _name_of(rates), rates


@lru_cache(maxsize=MAX_KEPT)
def _filters_part(destination_id: str, prefix: str, plan_id: str, subject: str) -> tuple[str, dict[str, str]]:
    part = {"DestinationID": destination_id, "DestinationPrefix": prefix, "RatingPlanID": plan_id, "Subject": subject}
    return _name_of(part), part


@lru_cache(maxsize=MAX_KEPT)
def _rating_part(rating: Rating, timing_id: str, rates_id: str, filters_id: str) -> tuple[str, dict[str, Any]]:
    part = {
        "ConnectFee": number_from_nano(rating.connect_fee_nano),
        "RoundingMethod": rating.rounding_method,
        "RoundingDecimals": rating.rounding_decimals,
        "MaxCost": number_from_nano(rating.max_cost_nano),
        "MaxCostStrategy": rating.max_cost_strategy,
        "TimingID": timing_id,
        "RatesID": rates_id,
        "RatingFiltersID": filters_id,
    }
    return _name_of(part), part


def _timing_part(
    years: Days, months: Days, month_days: Days, week_days: Days, start_time: str
) -> tuple[str, dict[str, Any]]:
    if years or months or month_days or week_days or len(start_time) > MAX_KEPT_SIZE:
        return _new_timing_part(years, months, month_days, week_days, start_time)
    return _dayless_timing_part(years, months, month_days, week_days, start_time)


def _new_timing_part(
    years: Days, months: Days, month_days: Days, week_days: Days, start_time: str
) -> tuple[str, dict[str, Any]]:
    days = {"Years": years, "Months": months, "MonthDays": month_days, "WeekDays": week_days}
    part: dict[str, Any] = {name: None if values is None else list(values) for name, values in days.items()}
    part["StartTime"] = start_time
    return _name_of(part), part


_dayless_timing_part = lru_cache(maxsize=MAX_KEPT)(_new_timing_part)


class _Parse:
    """Reads the wire's form."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        summary = document.get("AccountSummary")
        self._account = None if summary is None else AccountState.from_wire(summary)
        self._types = {b.uuid: b.type for b in self._account.balances} if self._account else {}

    def cost(self) -> EventCost:
        document = self._document
        start = parse_time(document["StartTime"], 0) if document.get("StartTime") else Moment(ZERO_AT, 0)
        charges = [self._charge(charge) for charge in document.get("Charges") or ()]
        return EventCost(
            document.get("CGRID") or "", document.get("RunID") or "", start.at, start.offset_s, charges, self._account
        )

    def _part(self, kind: str, name: str) -> Any:
        part = (self._document.get(kind) or {}).get(name)
        if part is None:
            raise CgrError(f"cannot find {kind} with id: {name}")
        return part

    def _charge(self, charge: dict[str, Any]) -> Charge:
        rating_id = charge.get("RatingID") or ""
        interval, matched = self._interval(rating_id)
        return Charge(
            interval,
            matched.get("Subject", ""),
            matched.get("DestinationPrefix", ""),
            matched.get("DestinationID", ""),
            matched.get("RatingPlanID", ""),
            [self._step(step) for step in charge.get("Increments") or ()],
            charge.get("CompressFactor", 1),
            is_pause=rating_id == PAUSE,
        )

    def _interval(self, rating_id: str) -> tuple[PlanRate | None, dict[str, Any]]:
        if not rating_id or rating_id in (PAUSE, ROUNDING):
            return None, {}
        rating = self._part("Rating", rating_id)
        matched = self._part("RatingFilters", rating["RatingFiltersID"]) if rating.get("RatingFiltersID") else {}
        timing = self._part("Timings", rating["TimingID"]) if rating.get("TimingID") else None
        rates = self._part("Rates", rating["RatesID"]) if rating.get("RatesID") else []
        return (
            PlanRate(
                None if timing is None else _timing(timing),
                Rating(
                    nano_from_number(rating.get("ConnectFee") or 0),
                    rating.get("RoundingMethod") or "",
                    rating.get("RoundingDecimals") or 0,
                    nano_from_number(rating.get("MaxCost") or 0),
                    rating.get("MaxCostStrategy") or "",
                    tuple(_rate(rate) for rate in rates),
                ),
            ),
            matched,
        )

    def _step(self, step: dict[str, Any]) -> Step:
        accounting_id = step.get("AccountingID") or ""
        payer, is_rounding = None, False
        if accounting_id and accounting_id != PAUSE:
            charge = self._part("Accounting", accounting_id)
            is_rounding = charge.get("RatingID") == ROUNDING
            payer = self._payer(charge)
        cost_nano = nano_from_number(step.get("Cost") or 0)
        return Step(step.get("Usage") or 0, cost_nano, step.get("CompressFactor") or 1, payer, is_rounding)

    def _payer(self, charge: dict[str, Any]) -> Payer:
        payer = Payer(charge.get("AccountID") or "")
        uuid = charge.get("BalanceUUID") or ""
        extra = charge.get("ExtraChargeID") or ""
        if not extra and self._types.get(uuid, "*monetary") in ("*monetary", ""):
            payer.money_uuid = uuid
            payer.money_interval = self._interval(charge.get("RatingID") or "")[0]
            return payer
        payer.unit_uuid = uuid
        payer.consumed = charge.get("Units") or 0
        payer.factor = charge.get("BalanceFactor") or 1
        payer.unit_interval = self._interval(charge.get("RatingID") or "")[0]
        if extra and extra != NONE:
            money = self._part("Accounting", extra)
            payer.money_uuid = money.get("BalanceUUID") or ""
            payer.money_interval = self._interval(money.get("RatingID") or "")[0]
        return payer


def _timing(timing: dict[str, Any]) -> Timing:
    return Timing(
        "",
        tuple(timing.get("Years") or ()),
        tuple(timing.get("Months") or ()),
        tuple(timing.get("MonthDays") or ()),
        tuple(timing.get("WeekDays") or ()),
        timing.get("StartTime") or "",
    )


def _rate(rate: dict[str, Any]) -> Rate:
    return Rate(
        rate.get("GroupIntervalStart") or 0,
        nano_from_number(rate.get("Value") or 0),
        rate.get("RateIncrement") or 0,
        rate.get("RateUnit") or 0,
    )


assert NANO == 10**9
