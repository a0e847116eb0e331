"""Which plans price a call: its profile, the activations it touches, the destination in each plan, fallbacks.

Follows the words of rating profiles: `*any` stands in where a subject has no profile, or none yet; fallback subjects
where a plan lacks the destination. Does not know: timespans, prices.
"""

from collections.abc import Sequence

from cgrcore.errors import CgrError, NotFound, Refused
from cgrcore.rating.calls import Call
from cgrcore.rating.compile import ANY, CompiledPlan, Interval, Tariff, day_of
from cgrcore.rating.records import Activation, RatingProfile
from cgrcore.timing import SECOND_NS

__all__ = ["RatingInfo", "rating_infos"]

DAY_S = 86400


class RatingInfo:
    """One plan that holds for a part of the call: from `activation_at`, with the matched destination's intervals."""

    __slots__ = ("activation_at", "destination_id", "fallback_keys", "intervals", "plan_id", "prefix", "subject")

    def __init__(self, activation_at: int, subject: str, fallback_keys: list[str]) -> None:
        self.activation_at = activation_at
        self.subject = subject
        self.fallback_keys = fallback_keys
        self.intervals: tuple[Interval, ...] | None = None
        self.plan_id = ""
        self.prefix = ""
        self.destination_id = ""


def rating_infos(tariff: Tariff, call: Call) -> list[RatingInfo]:
    """Return the plans that price the call, in order of activation.

    Raises Refused RATING_PLAN_NOT_FOUND when nobody has a profile, UNAUTHORIZED_DESTINATION when they do not cover the
    call.
    """
    head = f"*out:{call.tenant}:{call.category}:"
    search = _Search(tariff, call, head)
    try:
        infos = search.of_key(head + call.subject, call.start_at, call.end_at, 1)
    except NotFound:
        try:
            infos = search.of_key(head + ANY, call.start_at, call.end_at, 1)
        except CgrError:
            raise Refused("RATING_PLAN_NOT_FOUND", subject="rating profile", subject_id=head + call.subject) from None
    if not _is_continuous(infos, call.start_at):
        raise Refused("UNAUTHORIZED_DESTINATION", subject="destination", subject_id=call.destination)
    return infos


def _is_continuous(infos: list[RatingInfo], start_at: int) -> bool:
    return bool(infos) and infos[0].activation_at <= start_at and all(info.intervals is not None for info in infos)


class _Search:
    """The search for one call's plans. The destination of the call is matched by the time the call starts."""

    __slots__ = ("_call", "_day", "_head", "_second", "_tariff")

    def __init__(self, tariff: Tariff, call: Call, head: str) -> None:
        self._tariff = tariff
        self._call = call
        self._head = head
        days, self._second = divmod(call.start_at // SECOND_NS + call.offset_s, DAY_S)
        self._day = day_of(days)

    def of_key(self, key: str, start_at: int, end_at: int, depth: int) -> list[RatingInfo]:
        if depth > self._tariff.fallback_depth:
            raise CgrError("MAX_RECURSION_DEPTH")
        profile = self._tariff.profile_of(key)
        if profile is None:
            raise NotFound(subject="rating profile", subject_id=key)
        infos = self._collect(profile, start_at, end_at)
        if _is_continuous(infos, start_at):
            return infos
        filled: list[RatingInfo] = []
        for index, info in enumerate(infos):
            if info.intervals is not None or not info.fallback_keys:
                filled.append(info)
                continue
            from_at = info.activation_at if index else start_at
            until_at = infos[index + 1].activation_at if index + 1 < len(infos) else end_at
            filled += self._fallback(info, from_at, until_at, depth) or [info]
        return filled

    def _fallback(self, info: RatingInfo, start_at: int, end_at: int, depth: int) -> list[RatingInfo] | None:
        """Return the plans of the first fallback subject that covers the time, None when none does."""
        for key in info.fallback_keys:
            try:
                found = self.of_key(key, start_at, end_at, depth + 1)
            except CgrError:
                continue
            if _is_continuous(found, start_at):
                return found
        return None

    def _collect(self, profile: RatingProfile, start_at: int, end_at: int) -> list[RatingInfo]:
        activations: Sequence[Activation] = profile.activations
        if len(activations) > 1:
            activations = sorted(activations, key=lambda activation: activation.at)
        first = 0
        for index, activation in enumerate(activations):
            if activation.at <= start_at:
                first = index
        infos = []
        for index, activation in enumerate(activations[first:]):
            if activation.at > end_at:
                break
            if index == 0 and activation.at > start_at:
                infos.append(RatingInfo(start_at, profile.id, [self._head + ANY]))
            info = self._info(profile, activation)
            if info.intervals is not None or info.fallback_keys:
                infos.append(info)
        return infos

    def _info(self, profile: RatingProfile, activation: Activation) -> RatingInfo:
        keys = [self._head + subject for subject in activation.fallback_subjects]
        info = RatingInfo(activation.at, profile.id, keys)
        plan = self._tariff.plan(activation.plan_id)
        if plan is not None:
            info.plan_id = plan.id
            self._match(info, plan)
        return info

    def _match(self, info: RatingInfo, plan: CompiledPlan) -> None:
        """Give the info the destination of the plan that the number belongs to, when there is one.

        The longest prefix wins that has a timing active when the call starts; among destinations that share it, weight.
        """
        number = self._call.destination
        if number and number != ANY:
            for prefix, ids in self._tariff.destinations_of(number):
                best = None
                best_weight = -1
                for destination_id in ids:
                    intervals = plan.intervals(destination_id)
                    if intervals is None or not self._is_any_active(intervals):
                        continue
                    weight = max(0, max(interval.weight_nano for interval in intervals))
                    if weight > best_weight:
                        best, best_weight = destination_id, weight
                if best is not None:
                    info.intervals = plan.intervals(best)
                    info.prefix, info.destination_id = prefix, best
                    return
        intervals = plan.intervals(ANY)
        if intervals is not None:
            info.intervals, info.prefix, info.destination_id = intervals, ANY, ANY

    def _is_any_active(self, intervals: tuple[Interval, ...]) -> bool:
        return any(interval.hours.is_active(self._day, self._second) for interval in intervals)
