"""From configuration texts to settings: defaults, merging, overrides, every mistake with its place."""

from decimal import Decimal

import pytest

from cgrcore.config import SECTIONS, Settings, Source, find_mistakes, read_settings
from cgrcore.errors import BadRequest

SECOND = 1_000_000_000


def settings(*texts: str, overrides: tuple[str, ...] = (), **environ: str) -> Settings:
    return read_settings([Source(f"{index}.json", text) for index, text in enumerate(texts)], environ, overrides)


def mistakes(*texts: str, overrides: tuple[str, ...] = ()) -> list[str]:
    sources = [Source(f"{index}.json", text) for index, text in enumerate(texts)]
    return [str(mistake) for mistake in find_mistakes(sources, {}, overrides)[1]]


def test_without_sources_every_section_has_its_defaults() -> None:
    found = settings()
    assert list(found) == list(SECTIONS)
    assert found["general"]["default_tenant"] == "cgrates.org"
    assert found["listen"]["rpc_json"] == "127.0.0.1:2012"


def test_durations_become_nanoseconds() -> None:
    found = settings('{"general": {"reply_timeout": "1m2s"}, "sessions": {"session_ttl": "5"}}')
    assert found["general"]["reply_timeout"] == 62 * SECOND
    assert found["sessions"]["session_ttl"] == 5
    assert found["rals"]["max_computed_usage"]["*voice"] == 72 * 3600 * SECOND
    assert found["rals"]["max_computed_usage"]["*sms"] == 10_000


def test_sizes_become_bytes() -> None:
    assert settings('{"limits": {"max_request_size": "64KB"}}')["limits"]["max_request_size"] == 65_536


def test_the_values_as_configured_stay_reachable() -> None:
    found = settings('{"general": {"reply_timeout": "62s"}}')
    assert found.raw["general"]["reply_timeout"] == "62s"
    assert found.raw["general"]["connect_timeout"] == "1s"


def test_later_sources_win_key_by_key() -> None:
    found = settings('{"general": {"node_id": "a", "log_level": 7}}', '{"general": {"node_id": "b"}}')
    assert (found["general"]["node_id"], found["general"]["log_level"]) == ("b", 7)


def test_maps_are_added_to() -> None:
    usages = settings('{"sessions": {"default_usage": {"*mms": "2"}}}')["sessions"]["default_usage"]
    assert usages["*mms"] == 2
    assert usages["*sms"] == 1


def test_lists_replace() -> None:
    found = settings('{"schedulers": {"filters": ["a", "b"]}}', '{"schedulers": {"filters": ["c"]}}')
    assert found["schedulers"]["filters"] == ["c"]


def test_readers_merge_by_id_and_a_new_one_starts_from_the_default_one() -> None:
    first = '{"ers": {"readers": [{"id": "csv", "type": "*file_csv", "run_delay": "1s"}]}}'
    second = '{"ers": {"readers": [{"id": "csv", "source_path": "/in", "opts": {"csvRowLength": 5}}]}}'
    readers = settings(first, second)["ers"]["readers"]
    assert [reader["id"] for reader in readers] == ["*default", "csv"]
    csv = readers[1]
    assert (csv["type"], csv["run_delay"], csv["source_path"]) == ("*file_csv", SECOND, "/in")
    assert csv["concurrent_requests"] == 1024
    assert csv["opts"] | {"csvRowLength": 5, "csvFieldSeparator": ","} == csv["opts"]
    assert len(csv["fields"]) == 11


def test_a_record_without_id_has_its_defaults() -> None:
    found = settings('{"kamailio_agent": {"evapi_conns": [{"address": "10.0.0.1:8448"}]}}')
    assert found["kamailio_agent"]["evapi_conns"] == [
        {"address": "10.0.0.1:8448", "reconnects": 5, "max_reconnect_interval": 0, "alias": ""}
    ]


def test_null_means_not_given() -> None:
    assert settings('{"general": {"node_id": null}, "rals": null}')["general"]["node_id"] == ""


def test_an_environment_variable_may_stand_for_a_number_or_a_switch() -> None:
    found = settings('{"cores": {"caps": "${CAPS}"}, "http": {"use_basic_auth": *env:AUTH}}', CAPS="12", AUTH="true")
    assert (found["cores"]["caps"], found["http"]["use_basic_auth"]) == (12, True)


def test_overrides_are_read_by_the_type_of_their_key() -> None:
    found = settings(
        overrides=(
            "rals.enabled=true",
            "general.reply_timeout=3s",
            "general.node_id=12",
            "cores.caps=7",
            "sessions.client_protocol=1.5",
            "sessions.alterable_fields=A, B",
            "schedulers.filters=[]",
            "sessions.stir.default_attest=B",
            "sessions.default_usage.*voice=1h",
            'rpc_conns.other={"conns": [{"address": "10.0.0.1:2012", "transport": "*json"}]}',
        )
    )
    assert found["rals"]["enabled"] is True
    assert found["general"]["reply_timeout"] == 3 * SECOND
    assert found["general"]["node_id"] == "12"
    assert found["cores"]["caps"] == 7
    assert found["sessions"]["client_protocol"] == Decimal("1.5")
    assert found["sessions"]["alterable_fields"] == ["A", "B"]
    assert found["schedulers"]["filters"] == []
    assert found["sessions"]["stir"]["default_attest"] == "B"
    assert found["sessions"]["default_usage"]["*voice"] == 3600 * SECOND
    assert found["rpc_conns"]["other"]["conns"][0]["connect_timeout"] == 0


def test_stor_db_follows_data_db() -> None:
    found = settings('{"data_db": {"db_type": "*sqlite", "db_name": "/var/lib/a.db"}}')
    assert (found["stor_db"]["db_type"], found["stor_db"]["db_name"]) == ("*sqlite", "/var/lib/a.db")


def test_the_default_database_is_a_file_in_the_working_folder() -> None:
    found = settings()
    assert (found["data_db"]["db_type"], found["data_db"]["db_name"]) == ("*sqlite", "cgrcore.db")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"generl": {}}', "0.json:1:2: there is no section 'generl'; did you mean 'general'?"),
        ('{"rals":\n  {"enable": true}}', "0.json:2:4: rals has no key 'enable'; did you mean 'enabled'?"),
        ('{"rals": {"enabled": "yes"}}', "0.json:1:22: rals.enabled: expected true or false, got 'yes'"),
        ('{"rals": []}', "0.json:1:10: rals: expected an object, got a list"),
        (
            '{"rals": {"max_increments": 1.5}}',
            "0.json:1:29: rals.max_increments: expected a whole number from 1, got 1.5",
        ),
        (
            '{"general": {"reply_timeout": "2x"}}',
            "0.json:1:31: general.reply_timeout: expected a duration such as \"1m30s\", got '2x'",
        ),
        (
            '{"general": {"rpc_compat": "curent"}}',
            "0.json:1:28: general.rpc_compat: expected one of 'v0.10', 'current', got 'curent'; "
            "did you mean 'current'?",
        ),
        (
            '{"data_db": {"db_type": "*redis"}}',
            "0.json:1:25: data_db.db_type: expected one of '*sqlite', '*internal', '*postgres', got '*redis'",
        ),
        ('{"cdrs": {"extra_fields": ["a", 1]}}', "0.json:1:27: cdrs.extra_fields: expected a list of texts, got 1"),
        (
            '{"sessions": {"default_usage": {"*sms": 1}}}',
            '0.json:1:41: sessions.default_usage.*sms: expected a duration such as "1m30s", got 1',
        ),
        ('{"ers": {"readers": [{"type": "*none"}]}}', "0.json:1:22: ers.readers[0]: an id is needed"),
        (
            '{"http_agent": [{"id": "a", "ur": "/a"}]}',
            "0.json:1:29: http_agent[0] has no key 'ur'; did you mean 'url'?",
        ),
        ("[]", "0.json:1:1: expected an object of sections"),
        (
            '{"stor_db": {"db_name": "other.db"}}',
            "0.json:1:25: data_db.db_name is 'cgrcore.db' and stor_db.db_name 'other.db': "
            "they must be one database, as one transaction holds both",
        ),
        ('{"listen": {"http": "2080"}}', "0.json:1:21: listen.http: expected host:port, got '2080'"),
        (
            '{"listen": {"http": "127.0.0.1:2012"}}',
            "0.json:1:21: listen.http: listen.rpc_json has 127.0.0.1:2012 already",
        ),
        (
            '{"cdrs": {"enabled": true, "rals_conns": ["*internal"]}}',
            "0.json:1:42: <RALs> not enabled but requested by <CDRs> component",
        ),
        (
            '{"cdrs": {"enabled": true, "rals_conns": ["far"]}}',
            "0.json:1:42: <CDRs> connection with id: <far> not defined",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_was_expected(text: str, told: str) -> None:
    assert mistakes(text) == [told]


def test_all_mistakes_of_all_sources_are_told_together() -> None:
    found = mistakes('{"rals": {"enable": 1, "max_increments": "x"}}', '{"x": 1}', overrides=("general=1", "a.b=1"))
    assert [text.split(": ")[0] for text in found] == [
        "--set general=1",
        "0.json:1:11",
        "0.json:1:42",
        "1.json:1:2",
        "--set a.b=1",
    ]
    with pytest.raises(BadRequest, match="there is no section 'x'"):
        settings('{"x": 1}')


def test_a_mistake_in_one_key_hides_nothing_of_its_section() -> None:
    text = '{"rals": {"enabled": true, "max_increments": "x"}, "cdrs": {"enabled": true, "rals_conns": ["*internal"]}}'
    assert mistakes(text) == ["0.json:1:46: rals.max_increments: expected a whole number from 1, got 'x'"]


def test_a_null_is_no_record() -> None:
    assert mistakes('{"http_agent": [null]}') == ["0.json:1:17: http_agent[0]: expected an object, got null"]


def test_connections_of_a_service_that_is_off_are_not_checked() -> None:
    assert mistakes('{"cdrs": {"rals_conns": ["*internal"]}}') == []
