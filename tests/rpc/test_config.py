"""ConfigSv1: showing the configuration and changing it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cgrserver.rpc.methods import config
from cgrserver.rpc.registry import METHODS

from cgrcore.config import Source, read_settings
from cgrcore.errors import BadRequest, CgrError, Refused
from cgrcore.world import World

Call = Callable[..., Any]

TEXT = '{"rals": {"enabled": true}, "cdrs": {"enabled": true, "rals_conns": ["*internal"]}}'


@pytest.fixture
def world() -> World:
    return World(read_settings([Source("a.json", TEXT)]), lambda: "id")


def test_a_section_is_shown_with_its_defaults(world: World) -> None:
    reply = config.get_config(world, config.SectionArgs(Section="cores"))
    assert reply["cores"]["shutdown_timeout"] == "1s"


def test_without_a_section_all_are_shown(world: World) -> None:
    assert {"general", "rals", "sessions"} <= set(config.get_config(world, config.SectionArgs()))


def test_the_text_has_its_keys_in_order(world: World) -> None:
    text = config.get_config_as_json(world, config.SectionArgs(Section="cores"))
    assert text.startswith('{"cores":{"caps":0,"caps_stats_interval":"0","caps_strategy":"*busy"')


def test_a_change_holds(world: World) -> None:
    change = {"sessions": {"default_usage": {"*voice": "1h"}}}
    assert config.set_config(world, config.SetConfigArgs(Config=change)) == "OK"
    assert world.settings["sessions"]["default_usage"]["*voice"] == 3600 * 10**9
    assert config.get_config(world, config.SectionArgs(Section="sessions"))["sessions"]["default_usage"]["*sms"] == "1"


def test_a_dry_run_changes_nothing(world: World) -> None:
    args = config.SetConfigFromJSONArgs(Config='{"rals": {"fallback_depth": 5}}', DryRun=True)
    assert config.set_config_from_json(world, args) == "OK"
    assert world.settings["rals"]["fallback_depth"] == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"bogus": {}}', "Invalid section: <bogus>"),
        ("{", "unexpected EOF"),
        ('{"rals": {"enabled": false}}', "<RALs> not enabled but requested by <CDRs> component"),
        ('{"cdrs": {"ees_conns": ["*far"]}}', "<CDRs> connection with id: <*far> not defined"),
        ('{"rals": {"max_increments": "x"}}', "rals.max_increments: expected a whole number from 1, got 'x'"),
    ],
)
def test_a_wrong_change_is_refused_whole(world: World, text: str, told: str) -> None:
    before = config.get_config_as_json(world, config.SectionArgs())
    with pytest.raises(BadRequest) as error:
        config.set_config_from_json(world, config.SetConfigFromJSONArgs(Config=text))
    assert str(error.value) == told
    assert config.get_config_as_json(world, config.SectionArgs()) == before


def test_a_key_that_is_not_known_is_let_pass_as_clients_send_such(world: World) -> None:
    assert config.set_config(world, config.SetConfigArgs(Config={"rals": {"bogus": 1}})) == "OK"


@pytest.mark.parametrize("change", [{"listen": {"http": ""}}, {"chargers": {"enabled": True}}])
def test_what_is_read_at_start_up_cannot_be_changed(world: World, change: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="is read when the node starts"):
        config.set_config(world, config.SetConfigArgs(Config=change))


async def test_files_can_be_read_again(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(TEXT[:-1] + ', "sessions": {"session_ttl": "5s"}}')
    args = config.ReloadArgs(Path=str(tmp_path), Section="sessions")
    fetch = METHODS["ConfigSv1.ReloadConfig"].fetch
    assert fetch is not None
    assert config.reload_config(world, args, await fetch(None, world, args)) == "OK"
    assert world.settings["sessions"]["session_ttl"] == 5 * 10**9


async def test_a_folder_that_is_not_there_is_an_error(world: World, tmp_path: Path) -> None:
    fetch = METHODS["ConfigSv1.ReloadConfig"].fetch
    assert fetch is not None
    with pytest.raises(CgrError, match="no such file or folder"):
        await fetch(None, world, config.ReloadArgs(Path=str(tmp_path / "x")))
