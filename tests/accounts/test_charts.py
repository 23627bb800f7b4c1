"""The geometry of small charts, and what stands beside them in words."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from django.template import Context, Template

from accounts.charts import bars, sparkline


def test_the_highest_bar_is_as_high_as_the_chart_and_all_share_a_baseline():
    drawn = bars([5, 10, 0], 30, 80)
    assert [bar.height for bar in drawn] == [40, 80, 0]
    assert {bar.y + bar.height for bar in drawn} == {80}


def test_bars_fill_the_width_and_do_not_touch():
    drawn = bars([1] * 30, 492, 80)
    assert drawn[0].x == 0
    assert drawn[-1].x + drawn[-1].width == pytest.approx(492, abs=0.05)
    assert all(left.x + left.width < right.x for left, right in pairwise(drawn))


def test_little_beside_much_is_still_to_be_seen_and_nothing_is_not():
    little, nothing, _ = bars([1, 0, 1_000_000], 30, 80)
    assert little.height == 1
    assert nothing.height == 0


def test_days_without_any_value_draw_nothing():
    assert {bar.height for bar in bars([0, 0], 30, 80)} == {0}
    assert bars([], 30, 80) == []
    assert sparkline([], 92, 16) is None


@pytest.mark.parametrize("values", [[0, 0, 0], [7], [3, 900, 4]])
def test_a_line_stays_within_its_box(values):
    line = sparkline(values, 92, 16)
    assert len(line.points) == len(values)
    assert all(1.75 <= x <= 90.25 and 1.75 <= y <= 14.25 for x, y in line.points)


def test_a_line_rises_with_its_values():
    (_, low), (_, high) = sparkline([1, 2], 92, 16).points
    assert high < low  # y grows downward


def test_the_chart_of_days_names_its_ends_and_gives_every_value_in_a_table():
    days = [(date(2026, 10, 22), 1_200), (date(2026, 10, 23), 0), (date(2026, 10, 24), 7)]
    page = Template(
        '{% include "components/bars.html" with heading="Messages a day" unit="messages" %}'
    ).render(Context({"days": days, "total": 1_207}))
    assert "22 Oct" in page
    assert "today, 7" in page
    assert page.count('class="bar-past"') == 1  # the day with nothing has no bar
    assert page.count('class="bar-today"') == 1
    for value in ("1,200", "0", "7", "1,207"):
        assert f'<td class="num">{value}</td>' in page
    assert "style=" not in page


def test_a_chart_of_one_day_and_of_none_at_all_is_drawn():
    for days in ([(date(2026, 10, 22), 3)], []):
        page = Template('{% include "components/bars.html" %}').render(
            Context({"days": days, "total": 3})
        )
        assert page.count("<rect") == len(days)


def test_a_coordinate_is_written_with_a_point_in_every_language(settings):
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    line = Template('{% include "components/sparkline.html" %}').render(
        Context({"values": [1, 2, 4]})
    )
    assert 'points="1.75,' in line
    assert "," not in line.split('cx="')[1].split('"')[0]
