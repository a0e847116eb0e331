"""`cgrcore rate`: what one call costs under a tariff, step by step."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from cgrcore.rating import Quote

__all__ = ["rate"]


def rate(
    *,
    tariff: Path,
    to: str,
    usage: Annotated[str, Parameter(allow_leading_hyphen=True)],
    at: str,
    subject: str = "*any",
    tenant: str = "cgrates.org",
    category: str = "call",
    tor: str = "*voice",
    zone: str = "",
    subject_prefixes: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Price one call under a tariff, and explain the price line by line.

    Shows which profile, plan, prefix and rate were chosen and why, the slots the call went through, their increments,
    the connect fee, the cap and the rounding. No server is needed; the price is the one that it would charge. Exit
    status 1 for a call that is refused, and for a plan with mistakes, which are told as `file:line:column: what`.

    Examples:

    `cgrcore rate --tariff tariffplans/fosdem --subject 1001 --to 1002 --usage 2m10s --at 2023-06-01T10:00:00Z`

    `cgrcore rate --tariff tariffplans/retail --zone Europe/Rome --to +49151 --usage 90s --at '2026-03-02 07:59:00'`

    `cgrcore rate --tariff tariffplans/retail --category data --tor '*data' --to '*any' --usage 10485760
    --at 2026-03-02T08:00:00Z --json`

    Parameters
    ----------
    tariff:
        The folder with Destinations.csv, Rates.csv, ...
    to:
        The number called, as the prefixes of the plan are written; *any for none.
    usage:
        How long, such as 2m10s; a number of messages or bytes with another --tor.
    at:
        When it was answered, such as 2026-01-31T10:00:00+01:00; without an offset: in the zone, or UTC.
    subject:
        Who is priced: the subject of the rating profile.
    tenant:
        Its tenant, also that of profiles which name none.
    category:
        The category of the rating profile.
    tor:
        Type of record: *voice, *data, *sms, *generic, ...
    zone:
        The zone whose clock the rates follow, such as Europe/Rome; without it that of --at.
    subject_prefixes:
        Look a subject without a profile up by its beginnings: rating by the caller's number.
    json:
        Print JSON: durations in nanoseconds, amounts exact.
    """
    import sys

    from cgrcore.errors import CgrError
    from cgrcore.rating import Tariff
    from cgrcore.tariffplan import PlanRefused

    try:
        loaded = Tariff.load(tariff, tenant=tenant, zone=zone, matches_subject_prefixes=subject_prefixes)
        quote = loaded.rate(to, _usage(usage, tor), at, subject=subject, tenant=tenant, category=category, tor=tor)
    except PlanRefused as refused:
        print(*refused.report, sep="\n", file=sys.stderr)
        return 1
    except CgrError as error:
        print(_told(error, tariff, to, subject, tenant, category), file=sys.stderr)
        return 1
    if json:
        _print_json(quote)
    else:
        _print_table(quote)
    return 0


def _usage(text: str, tor: str) -> str | int:
    """Return a usage as it was meant: a bare number of seconds is a slip for voice, and units for all else."""
    from cgrcore.errors import BadRequest

    if not text.isdecimal():
        return text
    if tor in ("", "*voice"):
        raise BadRequest(f"--usage {text} has no unit: write {text}s for seconds, {text}ns for nanoseconds")
    return int(text)


def _told(error: Exception, tariff: Path, to: str, subject: str, tenant: str, category: str) -> str:
    """Return a refusal in words that say what to look at."""
    profile = f"*out:{tenant}:{category}:{subject}"
    meaning = {
        "RATING_PLAN_NOT_FOUND": f"{tariff} has no rating profile {profile}"
        + ("" if subject == "*any" else " or of *any"),
        "UNAUTHORIZED_DESTINATION": f"the plans of {profile} have no rate for {to} at that time",
        "MAX_USAGE_EXCEEDED": "longer than a call of this type may be",
    }.get(str(error))
    return f"{error}: {meaning}" if meaning else str(error)


def _print_json(quote: "Quote") -> None:
    import msgspec

    encoded = msgspec.json.Encoder(decimal_format="number").encode(quote.as_wire())
    print(msgspec.json.format(encoded, indent=2).decode())


def _print_table(quote: "Quote") -> None:
    import sys

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from cgrcore.timing import format_duration, format_time

    call = quote.call
    usage = format_duration(call.usage_ns) if call.is_voice else f"{call.usage_ns:,} of {call.tor}"
    table = Table(
        title=escape(f"{call.subject} to {call.destination}, {usage} at {format_time(call.start_at, call.offset_s)}"),
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("Step")
    table.add_column("What holds")
    table.add_column("Amount", justify="right")
    for step, holds, amount in quote.lines():
        style = "bold" if step == "cost" else "dim" if not amount else ""
        table.add_row(step, escape(holds), amount, style=style)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
