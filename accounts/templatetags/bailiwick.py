"""How the dashboard writes times, numbers, ids, addresses and icons. No queries, no rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from accounts import charts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from django.forms import BoundField, Form

register = template.Library()

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
TRUE_MINUS = "\N{MINUS SIGN}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@register.simple_tag
@lru_cache(maxsize=128)
def icon(name: str, size: int = 16) -> SafeString:
    """Draw a lucide icon; a word always stands beside it, so it is hidden from readers.

    Cached as text: a list of fifty rows draws a hundred, and lucide parses XML for each.
    """
    stroke = "1.75" if size >= 16 else "2"
    attributes = {"class": "icon", "stroke_width": stroke, "aria_hidden": "true"}
    return SafeString(lucide(name, size=size, **attributes))


@register.filter
def exact(value: datetime | None) -> str:
    """Write an aware time as `14 Nov 2026, 18:22` in the page's time zone; "" for None."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    return f"{local.day} {local:%b %Y, %H:%M}"


@register.filter
def day(value: datetime | None) -> str:
    """Write an aware time's day: `14 Nov`, with the year when it is another one."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    year = "" if local.year == timezone.localtime().year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"


@register.filter
def ago(value: datetime | None) -> str:
    """Write an aware time from now: `4 s ago`, `26 min ago`, `yesterday`, `3 Nov`."""
    if value is None:
        return ""
    now = timezone.now()
    seconds = int((now - value).total_seconds())
    if seconds < 0:
        return _ahead(value, -seconds)
    if seconds < HOUR:
        return _minutes(seconds)
    days = (timezone.localdate(now) - timezone.localdate(value)).days
    if days == 0 or seconds < DAY // 2:
        return f"{seconds // HOUR} h ago"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 7 else day(value)


def _minutes(seconds: int) -> str:
    if seconds < 2:
        return "just now"
    return f"{seconds} s ago" if seconds < MINUTE else f"{seconds // MINUTE} min ago"


def _ahead(value: datetime, seconds: int) -> str:
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"in {seconds // MINUTE} min"
    return f"in {seconds // HOUR} h" if seconds < DAY else day(value)


@register.simple_tag
def when(value: datetime | None) -> SafeString:
    """Write an aware time from now, with the exact one on hover and for screen readers."""
    if value is None:
        return SafeString("")
    local = timezone.localtime(value)
    stamp = f"{exact(value)} {local:%Z}"
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="said">, {}</span></time>',
        local.isoformat(timespec="seconds"),
        stamp,
        ago(value),
        stamp,
    )


@register.filter
def number(value: float | None) -> str:
    """Write a number with thousands parted by commas and a true minus sign; "" for None."""
    if value is None:
        return ""
    return f"{value:,}".replace("-", TRUE_MINUS)


@register.filter
def amount(value: float | str) -> str:
    """Write how much there is: a number as `number` does, words as they are."""
    return value if isinstance(value, str) else number(value)


@register.filter
def megabytes(value: int) -> str:
    """Write a number of bytes in millions: `0.4 MB`, `1,284 MB`."""
    millions = value / 1_000_000
    return f"{millions:,.1f} MB" if millions < 10 else f"{millions:,.0f} MB"


@register.filter
def shortid(value: object, limit: int = 20) -> str:
    """Cut an id longer than `limit` characters in the middle: first eight, last four."""
    text = str(value)
    if len(text) <= limit:
        return text
    tail = min(4, (limit - 1) // 2)
    head = min(8, limit - 1 - tail)
    return f"{text[:head]}{ELLIPSIS}{text[-tail:]}"


@dataclass(frozen=True)
class Segment:
    """One segment of an address, e.g. `alice` of `viking://user/alice/memories`.

    `prefix` is the address up to and with this segment, or before it for the word between the two
    ids of a split root, which ends no address; `in_root` says that it lies in the canonical root,
    the border the policy draws; `is_id` that it names a user, agent or session.
    """

    text: str
    prefix: str
    in_root: bool
    is_id: bool
    is_last: bool


@register.filter
def uri_segments(uri: str, root: str = "") -> list[Segment]:
    """Split a `viking://` address for display; ids take every second place of the root."""
    scheme, _, path = uri.partition("://")
    texts = [text for text in path.split("/") if text]
    root_length = len([text for text in root.partition("://")[2].split("/") if text])
    return [
        Segment(
            text=text,
            prefix=f"{scheme}://{'/'.join(texts[: place + (place != 2 or root_length < 4)])}",
            in_root=place < root_length,
            is_id=place % 2 == 1 and place < root_length,
            is_last=place == len(texts) - 1,
        )
        for place, text in enumerate(texts)
    ]


@register.filter
def faulty_fields(form: Form) -> list[BoundField]:
    """List the bound fields of a refused form that need a change, in the form's order."""
    return [field for field in form if field.errors]


@register.simple_tag
def minutes_left(until: datetime) -> str:
    """Write how long something still lasts: `22 min left`, `less than a minute left`."""
    minutes = int((until - timezone.now()).total_seconds() // MINUTE)
    return f"{minutes} min left" if minutes > 0 else "less than a minute left"


@dataclass(frozen=True)
class BarChart:
    """A run of days, ready to be drawn: the last one is not over yet.

    `past` and `today` are places in an SVG of `width` by `height`; `ends` the days to be named.
    """

    width: int
    height: int
    past: list[charts.Bar]
    today: charts.Bar | None
    first_day: date | None
    middle_day: date | None
    today_count: int


@register.simple_tag
def bar_chart(days: Sequence[tuple[date, int]], width: int = 492, height: int = 80) -> BarChart:
    """Lay out daily values, oldest first, as bars: `{% bar_chart days as chart %}`."""
    # One unit above, so that the outline of a highest today is not cut off.
    drawn = charts.bars([value for _, value in days], width, height - 1)
    return BarChart(
        width=width,
        height=height,
        past=drawn[:-1],
        today=drawn[-1] if drawn else None,
        first_day=days[0][0] if days else None,
        middle_day=days[len(days) // 2][0] if len(days) > 2 else None,
        today_count=days[-1][1] if days else 0,
    )


@register.simple_tag
def spark(values: Sequence[int], width: int = 92, height: int = 16) -> charts.Line | None:
    """Lay out values, oldest first, as a line: `{% spark values as line %}`."""
    return charts.sparkline(values, width, height)


@register.filter
def date_words(value: date) -> str:
    """Write a date as `5 Nov`."""
    return f"{value.day} {value:%b}"


@register.simple_tag
def value_rows(
    days: Sequence[date], columns: Sequence[tuple[str, Sequence[int]]]
) -> list[tuple[date, list[int]]]:
    """Turn columns of daily values into rows, newest first, for the table below a chart."""
    rows = [(when_, [values[place] for _, values in columns]) for place, when_ in enumerate(days)]
    return rows[::-1]
