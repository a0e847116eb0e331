"""Settings as ConfigSv1.GetConfig prints them."""

import json
from pathlib import Path

import pytest

from cgrcore.config import Source, enabled_sections, read_settings, show_section, unserved
from cgrcore.errors import BadRequest


def test_durations_are_printed_as_text() -> None:
    found = read_settings([Source("a", '{"cores": {"shutdown_timeout": "90s"}}')])
    assert show_section(found, "cores") == {
        "caps": 0,
        "caps_strategy": "*busy",
        "caps_stats_interval": "0",
        "shutdown_timeout": "1m30s",
    }


def test_what_only_we_have_is_left_out_of_sections_clients_know() -> None:
    shown = show_section(read_settings([]), "general")
    assert "durability" not in shown
    assert shown["max_reconnect_interval"] == "0"


def test_a_section_of_ours_is_printed_whole() -> None:
    assert show_section(read_settings([]), "limits")["send_timeout"] == "30s"


def test_fields_hold_only_what_was_given() -> None:
    shown = show_section(read_settings([]), "templates")["*err"][0]
    assert shown == {
        "tag": "SessionId",
        "path": "*rep.Session-Id",
        "type": "*variable",
        "value": "~*req.Session-Id",
        "mandatory": True,
    }


@pytest.mark.parametrize("name", ["nothing", "janus_agent"])
def test_an_unknown_section_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match=r"^Invalid section$"):
        show_section(read_settings([]), name)


def test_every_other_section_can_be_printed_as_json() -> None:
    found = read_settings([])
    for name in found:
        if name != "janus_agent":
            json.dumps(show_section(found, name))


def test_services_that_are_on_but_not_there_are_named() -> None:
    text = '{"rals": {"enabled": true}, "ips": {"enabled": true}, "http_agent": [{"id": "a"}]}'
    found = read_settings([Source("a", text)])
    assert enabled_sections(found) == ["rals", "ips", "http_agent"]
    assert unserved(found, {"rals", "cdrs"}) == ["ips", "http_agent"]


def test_the_packaged_configuration_is_sound() -> None:
    path = Path(__file__).parents[2] / "server/cgrserver/default_config/cgrcore.json"
    assert "rals" in enabled_sections(read_settings([Source(str(path), path.read_text())]))
