"""The search for dead cycles rests while a plan is loaded, and goes on afterwards as it was."""

import gc

import pytest

from cgrcore.tariffplan.staying import without_search_for_cycles


def test_it_rests_meanwhile() -> None:
    with without_search_for_cycles():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(ValueError, match="bad plan"), without_search_for_cycles():
        raise ValueError("bad plan")
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        with without_search_for_cycles():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
