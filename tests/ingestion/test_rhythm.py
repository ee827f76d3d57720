from datetime import UTC, datetime, timedelta

import pytest

from feedmill_ingestion.rhythm import entries_per_week, usual_wait

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = 7 * DAY


def every(gap: timedelta, count: int) -> list[datetime]:
    return [NOW - gap * number for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("published", "rate"),
    [
        pytest.param([], None, id="no dates"),
        pytest.param([NOW - DAY], None, id="one date tells nothing"),
        pytest.param(every(DAY, 60), 27 / 4, id="daily, for months"),
        pytest.param(every(DAY, 7), 7, id="daily, a week shown"),
        pytest.param(every(HOUR, 10), 70, id="ten within half a day count as within a day"),
        pytest.param(every(2 * HOUR, 84), 84, id="every other hour, a week shown"),
        pytest.param(every(30 * DAY, 12), 0, id="monthly"),
        pytest.param([NOW + DAY, NOW + 2 * DAY], None, id="dates to come are no past"),
    ],
)
def test_how_many_entries_a_week(published: list[datetime], rate: float | None) -> None:
    found = entries_per_week(NOW, published)

    assert found == (None if rate is None else pytest.approx(rate))


@pytest.mark.parametrize(
    ("per_week", "silent_for", "wait"),
    [
        pytest.param(None, HOUR, None, id="nothing known"),
        pytest.param(7, HOUR, DAY, id="daily"),
        pytest.param(84, HOUR, 2 * HOUR, id="every other hour"),
        pytest.param(84, 3 * DAY, 1.5 * DAY, id="every other hour, silent for days"),
        pytest.param(0, 30 * DAY, 4 * WEEK, id="less than monthly"),
        pytest.param(0, None, 4 * WEEK, id="nothing recent"),
    ],
)
def test_when_the_next_entry_is_to_be_expected(
    per_week: float | None, silent_for: timedelta | None, wait: timedelta | None
) -> None:
    newest = None if silent_for is None else NOW - silent_for

    assert usual_wait(NOW, per_week, newest) == wait
