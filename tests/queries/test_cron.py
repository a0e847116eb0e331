"""Schedules as texts."""

from datetime import datetime

import pytest

from cgrcore.errors import BadRequest
from cgrcore.queries import parse_cron
from cgrcore.timing import SECOND_NS, format_time


def at(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp()) * SECOND_NS


def next_of(schedule: str, after: str) -> str | None:
    found = parse_cron(schedule).next_after(at(after))
    return None if found is None else format_time(found)


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("0 12 1 1 *", "2027-01-01T12:00:00Z"),
        ("* * * * *", "2026-03-04T10:31:00Z"),
        ("*/20 * * * *", "2026-03-04T10:40:00Z"),
        ("5,45 10-11 * * *", "2026-03-04T10:45:00Z"),
        ("30 10 * * *", "2026-03-05T10:30:00Z"),
        ("0 0 * * 7", "2026-03-08T00:00:00Z"),
        ("0 0 * * mon-FRI", "2026-03-05T00:00:00Z"),
        ("0 0 31 * *", "2026-03-31T00:00:00Z"),
        ("0 0 29 feb *", "2028-02-29T00:00:00Z"),
        ("0 0 10 * sat", "2026-03-07T00:00:00Z"),
        ("0 0 7/10 * *", "2026-03-07T00:00:00Z"),
        ("@daily", "2026-03-05T00:00:00Z"),
        ("@every 1h", "2026-03-04T11:30:20Z"),
        ("@every 1500ms", "2026-03-04T10:30:21Z"),
        ("@every 1ms", "2026-03-04T10:30:21Z"),
        ("0 0 30 2 *", None),
    ],
)
def test_a_schedule_is_due_next(schedule: str, due: str | None) -> None:
    assert next_of(schedule, "2026-03-04T10:30:20") == due


def test_every_so_often_falls_on_whole_seconds() -> None:
    assert parse_cron("@every 2s").next_after(10 * SECOND_NS + 5) == 12 * SECOND_NS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bogus",
        "61 * * * *",
        "* * * *",
        "* * * * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "@never",
        "@every x",
        "1,,2 * * * *",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_cron(text)
