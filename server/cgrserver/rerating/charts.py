"""Groups of a comparison as a chart: what each costs under both tariffs and the difference, as PNG, SVG or HTML.

Rules: a grouping is one row of two panels, its largest differences in order, days along the time; an HTML file needs
no network. Amounts become floats here and nowhere else, to be drawn. Does not know: how groups came to be.
"""

from pathlib import Path
from typing import Any

from cgrcore.errors import BadRequest, Unavailable
from cgrserver.rerating.compare import GROUPINGS, Group, Groups, in_order

__all__ = ["FORMATS", "check_chart", "draw"]

FORMATS = (".png", ".svg", ".html")

#: More bars cannot be told apart; the table has all groups.
MOST_BARS = 15

_TITLES = {"destination": "Destinations", "plan": "Rating plans", "subject": "Subjects", "day": "Days"}
_TARIFFS = ("tariff", "what-if")

#: Of a panel, and of one group in it, in pixels.
_WIDTH = 340
_GROUP_HEIGHT = 30
_DAYS_HEIGHT = 240
_NANO = 1e9


def check_chart(path: Path) -> None:
    """Raise BadRequest for a name that does not say a format, Unavailable when what draws is not installed."""
    if path.suffix.lower() not in FORMATS:
        raise BadRequest(f"{path}: a chart's name must end in one of {', '.join(FORMATS)}")
    try:
        import altair  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError:
        raise Unavailable("charts need altair and vl-convert-python: pip install 'cgrcore[charts]'") from None


def draw(groups: Groups, path: Path) -> None:
    """Write the chart. Raises as `check_chart`, and Unavailable when the file cannot be written."""
    check_chart(path)
    import altair

    rows = [_row(grouping, groups) for grouping in GROUPINGS]
    chart = altair.vconcat(*rows).resolve_scale(x="independent").properties(title=_title(groups.total))
    options: dict[str, Any] = {"inline": True} if path.suffix.lower() == ".html" else {}
    if path.suffix.lower() == ".png":
        options["scale_factor"] = 2
    try:
        chart.save(str(path), format=path.suffix.lower()[1:], **options)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from None


def _title(total: Group) -> str:
    percent = f" ({total.difference_nano * 100 / total.old_nano:+.1f} %)" if total.old_nano else ""
    return f"What-if: {total.difference_nano / _NANO:+,.2f}{percent} on {total.both_count:,} calls"


def _row(grouping: str, groups: Groups) -> Any:
    """Return the panels of a grouping: what each group costs under each tariff, and the difference."""
    import altair

    found = in_order(groups, grouping)
    shown = found if grouping == "day" else found[:MOST_BARS]
    title = _TITLES[grouping] + (f", {MOST_BARS} of {len(found):,}" if len(shown) < len(found) else "")
    data = altair.InlineData(values=_values(shown))
    height = _DAYS_HEIGHT if grouping == "day" else _GROUP_HEIGHT * max(2, len(shown))
    costs = altair.Chart(data, title=title, width=_WIDTH, height=height)
    differences = costs.transform_filter(f"datum.tariff == '{_TARIFFS[1]}'").properties(title="")
    name = altair.Y("name:N", sort=[name for name, _ in shown], title=None)
    day = altair.X("name:T", title=None)
    color = altair.Color("tariff:N", scale=altair.Scale(domain=list(_TARIFFS)), title=None)
    sign = altair.condition("datum.difference < 0", altair.value("#c44"), altair.value("#4a4"))
    tooltip = ["name:N", "tariff:N", "cost:Q", "difference:Q", "calls:Q"]
    if grouping == "day":
        return altair.hconcat(
            costs.mark_line(point=True).encode(x=day, y=altair.Y("cost:Q"), color=color, tooltip=tooltip),
            differences.mark_bar().encode(x=day, y=altair.Y("difference:Q"), color=sign, tooltip=tooltip),
        )
    offset = altair.YOffset("tariff:N", sort=list(_TARIFFS))
    return altair.hconcat(
        costs.mark_bar().encode(x=altair.X("cost:Q"), y=name, yOffset=offset, color=color, tooltip=tooltip),
        differences.mark_bar().encode(x=altair.X("difference:Q"), y=name, color=sign, tooltip=tooltip),
    )


def _values(shown: list[tuple[str, Group]]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "tariff": tariff,
            "cost": cost_nano / _NANO,
            "difference": group.difference_nano / _NANO,
            "calls": group.row_count,
        }
        for name, group in shown
        for tariff, cost_nano in zip(_TARIFFS, (group.old_nano, group.new_nano), strict=True)
    ]
