from datetime import timedelta

import pytest

from feedmill_ingestion.scheduling import next_poll_in

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("interval", "failures", "at_least", "wait"),
    [
        pytest.param(HOUR, 0, None, HOUR, id="went well"),
        pytest.param(HOUR, 0, HOUR / 2, HOUR, id="never sooner than configured"),
        pytest.param(HOUR, 0, 5 * HOUR, 5 * HOUR, id="never sooner than asked"),
        pytest.param(HOUR, 1, None, HOUR, id="failed once"),
        pytest.param(HOUR, 3, None, 4 * HOUR, id="failed three times"),
        pytest.param(HOUR, 6, None, 24 * HOUR, id="at most a day"),
        pytest.param(HOUR, 10_000, None, 24 * HOUR, id="failed for years"),
        pytest.param(HOUR, 10_000, 48 * HOUR, 48 * HOUR, id="unless more was asked for"),
        pytest.param(timedelta(0), 0, None, timedelta(0), id="no interval at all"),
        pytest.param(timedelta(0), 2, None, HOUR / 2, id="failures slow down even so"),
        pytest.param(100 * HOUR, 4, None, 100 * HOUR, id="an interval longer than a day"),
    ],
)
def test_next_poll(
    interval: timedelta, failures: int, at_least: timedelta | None, wait: timedelta
) -> None:
    assert next_poll_in(interval, failures=failures, at_least=at_least) == wait
