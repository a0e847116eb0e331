"""Actions from texts, and the texts they show."""

from decimal import Decimal

import pytest

from cgrcore.actions import ActionSet
from cgrcore.actions.build import ActionText, build_action, parse_bool, parse_set, parse_units, parse_weight
from cgrcore.actions.formula import value_at
from cgrcore.errors import BadRequest
from cgrcore.money import NANO
from cgrcore.timing import parse_time


@pytest.mark.parametrize(
    ("text", "kind", "wanted_nano"),
    [
        ("1h30m", "*voice", 5400 * 10**9 * NANO),
        ("1500000000", "*voice", 1_500_000_000 * NANO),
        ("1e6", "*data", 10**6 * NANO),
        (" 5", "*monetary", 5 * NANO),
        ("-5", "*sms", -5 * NANO),
        ("", "*sms", 0),
    ],
)
def test_units_are_durations_for_voice_and_numbers_else(text: str, kind: str, wanted_nano: int) -> None:
    assert parse_units(text, kind).static_nano == wanted_nano


@pytest.mark.parametrize("text", ["1,5", "0x10", "NaN", "abc", '{"Method":"*other","Params":{}}', "{x"])
def test_other_units_are_refused_with_their_text(text: str) -> None:
    with pytest.raises(BadRequest, match=f"^Invalid value: {text.split('{')[0]}"):
        parse_units(text, "*monetary")


def test_an_incremental_value_is_spread_over_the_days_of_the_month() -> None:
    formula = parse_units(
        '{"Method":"*incremental","Params":{"Units":31,"Interval":"month","Increment":"day"}}', "*monetary"
    )
    assert value_at(formula, parse_time("2026-01-15T00:00:00Z", 0).at) == NANO
    assert value_at(formula, parse_time("2026-02-15T00:00:00Z", 0).at) == 31 * NANO // 28


def test_a_set_includes_and_excludes() -> None:
    assert parse_set(" A ; !B ") == {"A": True, "B": False}


def test_zero_clears_a_set() -> None:
    assert parse_set("A;*zero") == {}


def test_go_reads_few_words_as_truth() -> None:
    assert parse_bool("T") is True
    with pytest.raises(BadRequest, match=r'strconv\.ParseBool: parsing "off"'):
        parse_bool("off")


def test_time_weights_order_by_the_time_of_making() -> None:
    earlier, later = 1_700_000_000 * 10**9, 1_800_000_000 * 10**9
    assert parse_weight("*time_asc", earlier) < parse_weight("*time_asc", later)
    assert parse_weight("*time_desc", earlier) > parse_weight("*time_desc", later)


def test_every_set_of_a_built_filter_is_given() -> None:
    balance = build_action("SET", ActionText(Identifier="*topup"), lambda _: None, 0).balance
    assert balance is not None
    assert (balance.id, balance.type, balance.categories, balance.weight_nano) == ("", "", {}, None)


def test_an_unknown_timing_is_refused() -> None:
    with pytest.raises(BadRequest, match='error: NOT_FOUND querying timing with id: "TM"'):
        build_action("SET", ActionText(TimingTags="TM"), lambda _: None, 0)


def test_an_action_shows_the_texts_it_was_built_from() -> None:
    text = ActionText(
        Identifier="*topup",
        BalanceId="B",
        BalanceType="*sms",
        Units="2.5",
        ExpiryTime="*month_end",
        Filters="*string:~*req.ID:1;FLT",
        DestinationIds="!D",
        BalanceWeight="10",
        Weight=Decimal(20),
    )
    shown = ActionText.of(build_action("SET", text, lambda _: None, 0))
    assert all(getattr(text, name) in (value, "") for name, value in shown.items())


def test_a_set_is_encoded_and_decoded_whole_beyond_64_bits() -> None:
    action = build_action("SET", ActionText(Units="10000000000000", BalanceType="*data"), lambda _: None, 0)
    assert action.balance is not None and action.balance.value is not None
    assert action.balance.value.static_nano > 2**63
    stored = ActionSet("SET", (action,))
    assert ActionSet.decode(stored.encode()) == stored
