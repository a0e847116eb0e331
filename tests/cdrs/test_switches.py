"""Which steps a CDR takes: the configuration, then the event's options, then flags; what implies what."""

from typing import Any

import pytest

from cgrcore.cdrs import Switches, configured, switches_for
from cgrcore.cdrs.switches import flag_values
from cgrcore.errors import BadRequest
from cgrcore.world import World

NOTHING = Switches()


def by_flags(*flags: str, base: Switches = NOTHING) -> Switches:
    return switches_for(base, {}, flags)


def by_option(name: str, value: Any, base: Switches = NOTHING) -> Switches:
    return switches_for(base, {f"*{name}": value}, ())


def test_by_default_cdrs_are_stored_and_nothing_else(world: World) -> None:
    assert configured(world) == Switches(store=True)


@pytest.mark.parametrize("step", ["attributes", "chargers", "thresholds", "stats", "rals"])
def test_a_connection_asks_for_its_step(world: World, step: str) -> None:
    world.settings["cdrs"][f"{step}_conns"] = ["*internal"]
    assert getattr(configured(world), step)


@pytest.mark.parametrize("key", ["online_cdr_exports", "ees_conns"])
def test_exports_are_asked_for_by_either_key(world: World, key: str) -> None:
    world.settings["cdrs"][key] = ["*internal"]
    assert configured(world).export


def test_storing_may_be_switched_off(world: World) -> None:
    world.settings["cdrs"]["store_cdrs"] = False
    assert not configured(world).store


def test_without_options_and_flags_the_configuration_stands() -> None:
    base = Switches(store=True, rals=True, stats=True)
    assert switches_for(base, {}, ()) == base


@pytest.mark.parametrize(
    ("option", "step"),
    [("attributeS", "attributes"), ("chargerS", "chargers"), ("statS", "stats"), ("thresholdS", "thresholds")],
)
def test_an_option_asks_for_its_step(option: str, step: str) -> None:
    assert by_option(option, True) == Switches(**{step: True})


def test_an_option_switches_off_what_is_configured() -> None:
    assert by_option("ralS", False, Switches(rals=True, store=True)) == Switches(store=True)


def test_an_option_may_be_a_text() -> None:
    assert by_option("ralS", "true") == Switches(rals=True)


def test_an_option_of_null_says_nothing() -> None:
    assert by_option("ralS", None, Switches(rals=True)) == Switches(rals=True)


def test_an_option_that_is_no_truth_value_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"^failed to configure processing args: "):
        by_option("ralS", "perhaps")


def test_a_flag_asks_for_its_step() -> None:
    assert by_flags("*export", "*store") == Switches(export=True, store=True)


def test_a_flag_switches_off_what_is_configured() -> None:
    assert by_flags("*store:false", base=Switches(store=True)) == NOTHING


def test_a_flag_stands_above_an_option() -> None:
    assert switches_for(NOTHING, {"*statS": True}, ["*stats:false"]) == NOTHING


def test_a_word_that_is_no_flag_says_nothing() -> None:
    assert by_flags("*unknown") == NOTHING


def test_the_later_of_equal_flags_counts() -> None:
    assert flag_values(["*store", "*store:false"]) == {"*store": False}


def test_a_flag_with_another_value_than_false_is_on() -> None:
    assert flag_values(["*store:x", "*rals:true"]) == {"*store": True, "*rals": True}


def test_rerating_implies_rating_and_a_refund_of_what_came_before() -> None:
    assert by_flags("*rerate") == Switches(rerate=True, rals=True, refund=True, reprocess=True)


def test_a_refund_does_not_rate() -> None:
    assert by_flags("*refund", base=Switches(rals=True)) == Switches(refund=True, reprocess=True)


def test_a_refund_with_an_explicit_rating_flag_rates() -> None:
    assert by_flags("*refund", "*rals") == Switches(refund=True, reprocess=True, rals=True)


def test_rerating_with_rating_switched_off_only_refunds() -> None:
    assert by_flags("*rerate", "*rals:false") == Switches(rerate=True, refund=True, reprocess=True)


@pytest.mark.parametrize("word", ["rerate", "refund"])
def test_options_imply_what_flags_imply(word: str) -> None:
    assert by_option(word, True) == by_flags(f"*{word}")
