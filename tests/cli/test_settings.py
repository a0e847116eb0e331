"""Which configuration files are read, and what is said about them."""

from pathlib import Path

import pytest
from cgrserver.rpc.methods import load_all
from cgrserver.rpc.registry import METHODS
from cgrserver.settings import load, unserved_warning

from cgrcore.errors import BadRequest


def test_a_folder_is_read_in_alphabetical_order_of_path(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.json").write_text('{"general": {"node_id": "a", "log_level": 5}}')
    (tmp_path / "sub" / "b.json").write_text('{"general": {"node_id": "b"}}')
    (tmp_path / "c.conf").write_text("not read")
    found = load(tmp_path)
    assert (found["general"]["node_id"], found["general"]["log_level"]) == ("b", 5)


def test_one_file_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "any.conf").write_text('{"general": {"node_id": "a"}}')
    assert load(tmp_path / "any.conf")["general"]["node_id"] == "a"


def test_without_a_folder_every_charging_service_is_on() -> None:
    found = load()
    assert [name for name in ("rals", "cdrs", "sessions", "schedulers", "apiers") if found[name]["enabled"]]


def test_overrides_come_last(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"cores": {"caps": 1}}')
    assert load(tmp_path, ["cores.caps=2"])["cores"]["caps"] == 2


def test_the_environment_is_looked_in(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"general": {"node_id": "${NODE}"}}')
    assert load(tmp_path, environ={"NODE": "n1"})["general"]["node_id"] == "n1"


def test_a_mistake_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n "ralls": {}}')
    with pytest.raises(BadRequest) as error:
        load(tmp_path)
    assert str(error.value) == f"{path}:2:2: there is no section 'ralls'; did you mean 'rals'?"


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_configuration_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadRequest, match=r"no such file or folder|no \*.json file"):
        load(tmp_path / name)


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"general": "\xff"}')
    with pytest.raises(BadRequest, match="not UTF-8 text at byte 13"):
        load(tmp_path)


def test_an_unknown_time_zone_is_a_mistake() -> None:
    with pytest.raises(BadRequest, match="there is no time zone 'Mars/Olympus' on this machine"):
        load(None, ["general.default_timezone=Mars/Olympus"])


def test_one_warning_names_the_services_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"rals": {"enabled": true}, "stats": {"enabled": true}, "ips": {"enabled": true}}'
    )
    methods = ["Responder.GetCost", "StatSv1.Ping"]
    assert unserved_warning(load(tmp_path), methods) == "this version has no service for: stats, ips; they stay off"
    assert unserved_warning(load(tmp_path), [*methods, "StatSv1.ProcessEvent", "IPsv1.AllocateIP"]) == ""


def test_every_service_that_is_on_by_default_is_there() -> None:
    load_all()
    assert unserved_warning(load(), METHODS) == ""
