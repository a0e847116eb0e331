"""From the rows of a tariff plan to the records that charging works on.

The whole plan is read before anything counts: every mistake is noted with its place, and a plan that has one is refused.
What a plan refers to may also be stored already. Does not know: folders, how records are kept.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cgrcore.accounting import SharedGroup, Sharing, account_id_of
from cgrcore.actions import ActionSet, ActionTrigger, BalanceFilter, TriggerGroup
from cgrcore.actions.build import ActionText, build_action, parse_bool, parse_set, parse_weight
from cgrcore.attributes import Attribute, AttributeProfile
from cgrcore.chargers import ChargerProfile
from cgrcore.errors import BadRequest, CgrError
from cgrcore.filters import Filter, FilterRule
from cgrcore.filters.records import ActivationInterval, interval_from_text
from cgrcore.money import parse_nano
from cgrcore.rating import Activation, Destination, PlanRate, Rate, Rating, RatingPlan, RatingProfile, Timing
from cgrcore.scheduling import ActionTiming
from cgrcore.scheduling.texts import named_timing
from cgrcore.tariffplan.files import FILES, Mistake, Row, read_rows
from cgrcore.thresholds import ThresholdProfile
from cgrcore.timing import parse_duration, parse_time
from cgrcore.world import World

__all__ = ["AccountRow", "Plan", "assemble"]

ANY = "*any"


class AccountRow(msgspec.Struct, frozen=True):
    """An account that a plan sets up: its plan of actions, its triggers, its flags."""

    account_id: str
    plan_id: str
    trigger_group: str
    allow_negative: bool
    is_disabled: bool


class Plan(msgspec.Struct):
    """The records of a tariff plan by table, keyed as the tables are, and the accounts it sets up."""

    tables: dict[str, dict[str, Any]] = {}
    action_timings: dict[str, list[ActionTiming]] = {}
    accounts: list[AccountRow] = []


def assemble(world: World, contents: Mapping[str, bytes]) -> tuple[Plan, list[Mistake]]:
    """Return the plan that the files (name to content) describe, and everything that is wrong with it."""
    assembly = _Assembly(world)
    for file in FILES:
        if file in contents:
            assembly.read(file, contents[file])
    assembly.check_references()
    return assembly.plan, sorted(assembly.mistakes, key=lambda m: (list(FILES).index(m.file), m.line, m.column))


class _Assembly:
    """The reading of one plan."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan = Plan()
        self.mistakes: list[Mistake] = []
        self._later: list[Callable[[], None]] = []
        self._timings: dict[str, Timing] = {}
        self._rates: dict[str, list[tuple[int, Rate]]] = {}
        self._destination_rates: dict[str, list[tuple[str, Rating]]] = {}
        self._rating_plans: dict[str, dict[str, list[PlanRate]]] = {}
        self._accounts: set[str] = set()

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self, file: str, content: bytes) -> None:
        """Read a file; each row by the method of its file, one that is not used yet only for its shape."""
        if file == "Destinations.csv":
            self._destinations(content)
            return
        take = getattr(self, "_row_" + file.removesuffix(".csv"), None)
        for row in read_rows(file, content, self.mistakes):
            if take is not None:
                take(row, _Fields(row, self))

    def check_references(self) -> None:
        """Assemble what refers to other rows, now that all are read."""
        for step in self._later:
            step()
        plans = self._table("rating_plans")
        for plan_id, rates in self._rating_plans.items():
            plans[plan_id] = RatingPlan(plan_id, {key: tuple(value) for key, value in rates.items()})

    def fault(self, row: Row, column: str, expected: str, text: str = "") -> None:
        self.mistakes.append(row.mistake(column, expected, text))

    def _table(self, name: str) -> dict[str, Any]:
        return self.plan.tables.setdefault(name, {})

    def _exists(self, table: str, key: str) -> bool:
        return key in self.plan.tables.get(table, ()) or key in self.world.state.table(table).records

    def _tenant(self, text: str) -> str:
        return self.world.tenant(text)

    def _destinations(self, content: bytes) -> None:
        prefixes: dict[str, dict[str, None]] = {}
        for row in read_rows("Destinations.csv", content, self.mistakes):
            tag, prefix = row.fields
            if not tag or not prefix:
                self.fault(row, "Tag" if not tag else "Prefix", "expected a tag and a prefix, got an empty field")
                continue
            found = prefixes.get(tag)
            if found is None:
                prefixes[tag] = {prefix: None}
            else:
                found[prefix] = None
        table = self._table("destinations")
        for tag, group in prefixes.items():
            table[tag] = Destination(tag, tuple(group))

    def _row_Timings(self, row: Row, fields: "_Fields") -> None:
        tag, years, months, month_days, week_days, time = row.fields
        if tag in self._timings:
            self.fault(row, "Tag", f"expected each timing once, got {tag} again", f"duplicate timing tag: {tag}")
            return
        start, _, end = time.partition(";")
        timing = Timing(tag, _ints(years), _ints(months), _ints(month_days), tuple(d % 7 for d in _ints(week_days)), start, end)
        self._timings[tag] = self._table("timings")[tag] = timing

    def timing(self, tag: str) -> Timing | None:
        """Return a timing of the plan, of the store, or one that needs no definition; None for an unknown tag."""
        if tag == ANY:
            return Timing(ANY)
        if tag == "*asap":
            return Timing(tag, start_time=tag)
        found = self._timings.get(tag) or named_timing(tag, self.world.now_at)
        stored: Timing | None = self.world.state.table("timings").records.get(tag)
        return found or stored

    def _row_Rates(self, row: Row, fields: "_Fields") -> None:
        tag = row.fields[0]
        fee_nano, value_nano = fields.number("ConnectFee"), fields.number("Rate")
        unit_ns, step_ns, start_ns = (fields.duration(c) for c in ("RateUnit", "RateIncrement", "GroupIntervalStart"))
        self._rates.setdefault(tag, []).append((fee_nano, Rate(start_ns, value_nano, step_ns, unit_ns)))

    def _row_DestinationRates(self, row: Row, fields: "_Fields") -> None:
        tag, destination, rates_tag, method, _, _, strategy = row.fields
        decimals, max_nano = fields.whole("RoundingDecimals"), fields.number("MaxCost")

        def join() -> None:
            rates = self._rates.get(rates_tag)
            if rates is None:
                self.fault(row, "RatesTag", f"expected the tag of a rate, got {rates_tag!r}", f'could not find rate for tag "{rates_tag}"')
                return
            if destination != ANY and not self._exists("destinations", destination):
                text = f'could not get destination for tag "{destination}"'
                self.fault(row, "DestinationsTag", f"expected the tag of a destination or *any, got {destination!r}", text)
                return
            slots = tuple(sorted((rate for _, rate in rates), key=lambda rate: rate.group_start_ns))
            rating = Rating(rates[0][0], method, decimals, max_nano, strategy, slots)
            self._destination_rates.setdefault(tag, []).append((destination, rating))

        self._later.append(join)

    def _row_RatingPlans(self, row: Row, fields: "_Fields") -> None:
        tag, rates_tag, timing_tag, _ = row.fields
        weight_nano = fields.number("Weight")
        rates_of_plan = self._rating_plans.setdefault(tag, {})

        def join() -> None:
            timing = self.timing(timing_tag)
            if timing is None:
                self.fault(row, "TimingTag", f"expected the tag of a timing, got {timing_tag!r}", f'could not get timing for tag "{timing_tag}"')
                return
            rates = self._destination_rates.get(rates_tag)
            if rates is None:
                text = f'could not find destination rate for tag "{rates_tag}"'
                self.fault(row, "DestratesTag", f"expected the tag of a destination rate, got {rates_tag!r}", text)
                return
            for destination, rating in rates:
                plan_rate = PlanRate(timing, rating, weight_nano)
                listed = rates_of_plan.setdefault(destination, [])
                if plan_rate not in listed:
                    listed.append(plan_rate)

        self._later.append(join)

    def _row_RatingProfiles(self, row: Row, fields: "_Fields") -> None:
        tenant, category, subject, activation, plan_id, fallbacks = row.fields
        try:
            at = parse_time(activation, self.world.now_at).at
        except BadRequest:
            text = f"cannot parse activation time from {activation}"
            self.fault(row, "ActivationTime", f"expected a time such as 2026-01-01T00:00:00Z, got {activation!r}", text)
            return
        key = f"*out:{self._tenant(tenant)}:{category}:{subject}"
        profiles = self._table("rating_profiles")
        before = profiles.get(key)
        added = Activation(at, plan_id, tuple(text for text in fallbacks.split(";") if text))
        profiles[key] = RatingProfile(key, (*(before.activations if before else ()), added))

        def check() -> None:
            if plan_id not in self._rating_plans and not self._exists("rating_plans", plan_id):
                text = f'could not load rating plans for tag: "{plan_id}"'
                self.fault(row, "RatingPlanTag", f"expected the tag of a rating plan, got {plan_id!r}", text)

        self._later.append(check)

    def _row_SharedGroups(self, row: Row, fields: "_Fields") -> None:
        tag, account, strategy, subject = row.fields
        groups = self._table("shared_groups")
        group = groups.get(tag) or SharedGroup(tag)
        groups[tag] = SharedGroup(tag, {**(group.sharings or {}), account: Sharing(strategy, subject)}, group.member_ids)

    def _row_Actions(self, row: Row, fields: "_Fields") -> None:
        by_name = {name: "" if text == ANY else text for name, text in zip(FILES["Actions.csv"], row.fields, strict=True)}
        fields.number("Weight")
        text = ActionText(
            Identifier=by_name["Action"],
            BalanceId=by_name["BalanceTag"],
            BalanceType=by_name["BalanceType"],
            Units=by_name["Units"],
            ExpiryTime=by_name["ExpiryTime"],
            Filters=by_name["Filters"],
            TimingTags=by_name["TimingTags"],
            DestinationIds=by_name["DestinationTags"],
            RatingSubject=by_name["RatingSubject"],
            Categories=by_name["Categories"],
            SharedGroups=by_name["SharedGroups"],
            BalanceWeight=by_name["BalanceWeight"],
            ExtraParameters=by_name["ExtraParameters"],
            BalanceBlocker=by_name["BalanceBlocker"],
            BalanceDisabled=by_name["BalanceDisabled"],
            Weight=Decimal(0),
        )
        tag = row.fields[0]
        try:
            weight_nano = parse_nano(by_name["Weight"] or "0")
            action = build_action(tag, text, self.timing, self.world.now_at)
        except BadRequest as error:
            self.fault(row, "Units" if "Invalid value" in str(error) else "Action", f"expected a valid action: {error}", str(error))
            return
        sets = self._table("actions")
        before = sets.get(tag)
        action = msgspec.structs.replace(action, weight_nano=weight_nano)
        sets[tag] = ActionSet(tag, (*(before.actions if before else ()), action))

    def _row_ActionPlans(self, row: Row, fields: "_Fields") -> None:
        tag, actions_tag, timing_tag, _ = row.fields
        weight_nano = fields.number("Weight")
        listed = self.plan.action_timings.setdefault(tag, [])

        def join() -> None:
            if not self._exists("actions", actions_tag):
                text = f'[ActionPlans] Could not load the action for tag: "{actions_tag}"'
                self.fault(row, "ActionsTag", f"expected the tag of an action set, got {actions_tag!r}", text)
                return
            timing = self.timing(timing_tag)
            if timing is None:
                text = f'[ActionPlans] Could not load the timing for tag: "{timing_tag}"'
                self.fault(row, "TimingTag", f"expected the tag of a timing, got {timing_tag!r}", text)
                return
            listed.append(ActionTiming(self.world.new_id(), timing, actions_tag, weight_nano))

        self._later.append(join)

    def _row_ActionTriggers(self, row: Row, fields: "_Fields") -> None:
        by_name = dict(zip(FILES["ActionTriggers.csv"], row.fields, strict=True))
        weight = by_name["BalanceWeight"]
        expiry = by_name["BalanceExpiryTime"]
        trigger = ActionTrigger(
            id=by_name["Tag"],
            unique_id=by_name["UniqueId"] or self.world.new_id(),
            threshold_type=by_name["ThresholdType"],
            threshold_nano=fields.number("ThresholdValue"),
            is_recurrent=fields.flag("Recurrent") or False,
            min_sleep_ns=fields.duration("MinSleep"),
            expires_at=fields.time("ExpiryTime"),
            activates_at=fields.time("ActivationTime"),
            balance=BalanceFilter(
                id=by_name["BalanceTag"] or None,
                type=by_name["BalanceType"] or None,
                categories=parse_set(by_name["BalanceCategories"]) or None,
                destination_ids=parse_set(by_name["BalanceDestinationTags"]) or None,
                rating_subject=by_name["BalanceRatingSubject"] or None,
                shared_groups=parse_set(by_name["BalanceSharedGroups"]) or None,
                expires_at=fields.time("BalanceExpiryTime") if expiry else None,
                timing_ids=parse_set(by_name["BalanceTimingTags"]) or None,
                weight_nano=parse_weight(weight, self.world.now_at) if weight else None,
                is_blocker=fields.flag("BalanceBlocker"),
                is_disabled=fields.flag("BalanceDisabled"),
            ),
            weight_nano=fields.number("Weight"),
            actions_id=by_name["ActionsTag"],
        )
        groups = self._table("action_triggers")
        before = groups.get(trigger.id)
        groups[trigger.id] = TriggerGroup(trigger.id, (*(before.triggers if before else ()), trigger))

    def _row_AccountActions(self, row: Row, fields: "_Fields") -> None:
        tenant, account, plan_id, group, _, _ = row.fields
        account_id = account_id_of(self._tenant(tenant), account)
        if account_id in self._accounts:
            text = f'duplicate account action found: "{account_id}"'
            self.fault(row, "Account", f"expected each account once, got {account_id} again", text)
            return
        self._accounts.add(account_id)
        allows, disabled = fields.flag("AllowNegative") or False, fields.flag("Disabled") or False
        self.plan.accounts.append(AccountRow(account_id, plan_id, group, allows, disabled))

        def check() -> None:
            if plan_id and plan_id not in self.plan.action_timings and not self._exists("action_plans", plan_id):
                text = f'could not get action plan for tag "{plan_id}"'
                self.fault(row, "ActionPlanTag", f"expected the tag of an action plan, got {plan_id!r}", text)
            if group and not self._exists("action_triggers", group):
                text = f'could not get action triggers for tag "{group}"'
                self.fault(row, "ActionTriggersTag", f"expected the tag of action triggers, got {group!r}", text)

        self._later.append(check)

    # --- profiles --------------------------------------------------------------------------------------------------

    def _row_Filters(self, row: Row, fields: "_Fields") -> None:
        tenant, name, kind, element, values, _ = row.fields
        filters = self._table("filters")
        key = f"{self._tenant(tenant)}:{name}"
        before = filters.get(key) or Filter(self._tenant(tenant), name, ())
        rules = before.rules
        if kind:
            rule = FilterRule(kind, element, tuple(values.split(";")) if values else None)
            rules = (*rules, rule)
        filters[key] = Filter(before.tenant, name, rules, fields.interval() or before.activation)

    def _row_Chargers(self, row: Row, fields: "_Fields") -> None:
        tenant, name, filter_ids, _, run_id, attribute_ids, weight = row.fields
        chargers = self._table("chargers")
        key = f"{self._tenant(tenant)}:{name}"
        before = chargers.get(key) or ChargerProfile(self._tenant(tenant), name, (), None, "", (), 0)
        chargers[key] = ChargerProfile(
            before.tenant,
            name,
            _united(before.filter_ids, filter_ids),
            fields.interval() or before.activation,
            run_id or before.run_id,
            _united(before.attribute_ids, attribute_ids),
            fields.number("Weight") if weight else before.weight_nano,
        )

    def _row_Attributes(self, row: Row, fields: "_Fields") -> None:
        tenant, name, contexts, filter_ids, _, attribute_filters, path, kind, value, blocker, weight = row.fields
        profiles = self._table("attributes")
        key = f"{self._tenant(tenant)}:{name}"
        before = profiles.get(key) or AttributeProfile(self._tenant(tenant), name, (), (), None, (), False, 0)
        attributes = before.attributes or ()
        if path or value:
            if not path:
                text = f'empty path in AttributeProfile "{key}"'
                self.fault(row, "Path", "expected a path such as *req.Account, got an empty field", text)
                return
            rules = tuple(rule for rule in value.split(";") if rule)
            attributes = (*attributes, Attribute(path, kind, rules, tuple(f for f in attribute_filters.split(";") if f)))
        profiles[key] = AttributeProfile(
            before.tenant,
            name,
            _united(before.contexts, contexts),
            _united(before.filter_ids, filter_ids),
            fields.interval() or before.activation,
            attributes,
            (fields.flag("Blocker") or False) if blocker else before.is_blocker,
            fields.number("Weight") if weight else before.weight_nano,
        )


    def _row_Thresholds(self, row: Row, fields: "_Fields") -> None:
        tenant, name, filter_ids, _, max_hits, min_hits, sleep, blocker, weight, actions, is_async, ees = row.fields
        profiles = self._table("threshold_profiles")
        key = f"{self._tenant(tenant)}:{name}"
        before = profiles.get(key) or ThresholdProfile(self._tenant(tenant), name, (), action_ids=())
        profiles[key] = ThresholdProfile(
            before.tenant,
            name,
            _united(before.filter_ids, filter_ids),
            fields.interval() or before.activation,
            fields.whole("MaxHits") if max_hits else before.max_hits,
            fields.whole("MinHits") if min_hits else before.min_hits,
            fields.duration("MinSleep") if sleep else before.min_sleep_ns,
            (fields.flag("Blocker") or False) if blocker else before.is_blocker,
            fields.number("Weight") if weight else before.weight_nano,
            _united(before.action_ids, actions),
            (fields.flag("Async") or False) if is_async else before.is_async,
            _united(before.ee_ids, ees) or None,
        )


class _Fields:
    """A row's fields, each read as its kind; what cannot be read is noted and counts as empty."""

    __slots__ = ("_assembly", "_row")

    def __init__(self, row: Row, assembly: _Assembly) -> None:
        self._row = row
        self._assembly = assembly

    def _text(self, column: str) -> str:
        return self._row.fields[FILES[self._row.file].index(column)]

    def number(self, column: str) -> int:
        text = self._text(column)
        try:
            return parse_nano(text) if text else 0
        except BadRequest:
            self._fault(column, "a number", f'strconv.ParseFloat: parsing "{text}": invalid syntax')
            return 0

    def whole(self, column: str) -> int:
        text = self._text(column)
        try:
            return int(text) if text else 0
        except ValueError:
            self._fault(column, "a whole number", f'strconv.Atoi: parsing "{text}": invalid syntax')
            return 0

    def duration(self, column: str) -> int:
        text = self._text(column)
        try:
            return parse_duration(text)
        except BadRequest as error:
            self._fault(column, "a duration such as 60s, or a number of nanoseconds or units", str(error))
            return 0

    def flag(self, column: str) -> bool | None:
        text = self._text(column)
        if not text:
            return None
        try:
            return parse_bool(text)
        except BadRequest as error:
            self._fault(column, "true or false", str(error))
            return None

    def time(self, column: str) -> int:
        text = self._text(column)
        try:
            return parse_time(text, self._assembly.world.now_at).at
        except CgrError as error:
            self._fault(column, "a time such as 2026-01-01T00:00:00Z", str(error))
            return parse_time("", 0).at

    def interval(self) -> ActivationInterval | None:
        text = self._text("ActivationInterval")
        try:
            return interval_from_text(text, self._assembly.world.now_at)
        except CgrError as error:
            self._fault("ActivationInterval", "a time, or two parted by ;", str(error))
            return None

    def _fault(self, column: str, expected: str, text: str) -> None:
        self._assembly.fault(self._row, column, f"expected {expected}, got {self._text(column)!r}", text)


def _ints(text: str) -> tuple[int, ...]:
    """Return the whole numbers of a `;` list; anything else in it counts for nothing."""
    found = []
    for part in text.split(";"):
        try:
            found.append(int(part))
        except ValueError:
            continue
    return tuple(found)


def _united(before: tuple[str, ...] | None, text: str) -> tuple[str, ...]:
    """Return the items of before and those of a `;` list that are new."""
    items = dict.fromkeys(before or ())
    items.update(dict.fromkeys(item for item in text.split(";") if item))
    return tuple(items)
